"""SciPy's special functions that are used here, imported when one is called.

Importing them takes a tenth of a second, and a search needs none before it has results.
"""

from typing import Any


def expit(x: Any) -> Any:
    """Return 1 / (1 + exp(−x)), the probability of a logit."""
    return _special().expit(x)


def logit(p: Any) -> Any:
    """Return log(p / (1 − p)), the logit of a probability."""
    return _special().logit(p)


def ndtr(x: Any) -> Any:
    """Return the normal distribution's share below x."""
    return _special().ndtr(x)


def ndtri(p: Any) -> Any:
    """Return the number below which a share p of the normal distribution lies."""
    return _special().ndtri(p)


def stdtr(df: Any, t: Any) -> Any:
    """Return the share below t of Student's distribution with `df` degrees of freedom."""
    return _special().stdtr(df, t)


def stdtrit(df: Any, p: Any) -> Any:
    """Return the number below which a share p lies of Student's distribution.

    It has `df` degrees of freedom.
    """
    return _special().stdtrit(df, p)


def _special() -> Any:
    import scipy.special

    return scipy.special
