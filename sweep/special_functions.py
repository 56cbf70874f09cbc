"""SciPy's special functions that are used here, imported when one is called, and lightly.

`scipy.special` looks at every name of NumPy when it is imported, and NumPy imports `numpy.f2py`,
its interface to Fortran, when somebody looks at that name: half of the time.
"""

import functools
import sys
from types import ModuleType
from typing import Any

import numpy as np


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


@functools.cache
def _special() -> Any:
    """Import `scipy.special` while an empty module stands in the place of `numpy.f2py`."""
    if "numpy.f2py" in sys.modules or "scipy.special" in sys.modules:
        import scipy.special

        return scipy.special
    np.f2py = ModuleType("numpy.f2py")
    try:
        import scipy.special
    finally:
        # NumPy imports the real one when it is looked at; two threads may come here
        vars(np).pop("f2py", None)
    return scipy.special
