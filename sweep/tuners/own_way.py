"""Whether a script's models can only be trained in its own way: by calling what the user wrote."""

from typing import Any

from sweep.errors import SpaceFaultsError, SweepError
from sweep.space.fit import called
from sweep.tuners.given_data import NUMBERS, ONE_SCORED
from sweep.tuners.rows import COUNT_THE_SAME

_NOT_MEASURED = (
    ONE_SCORED,
    NUMBERS,
    COUNT_THE_SAME,
    "cannot be scored here",
    "whose layers only its call knows",
    "cannot be saved with the model",
    "could not be exported",
)
"""Words of refusals that Keras itself has nothing against."""


def why_own_way(tuner: Any, error: SweepError | None = None) -> str | None:
    """Return why only the script can train the models of a tuner, in words; None if it need not.

    `error` is why the search could not be prepared otherwise: that rows cannot be scored here, as
    of a model with several outputs, or that a HyperModel's `fit` does more than to forward, or
    trains a model that `build` does not compile.
    """
    if tuner.has_own_run_trial:
        return f"{type(tuner).__name__} has a run_trial of its own"
    if tuner.arguments.objective_fault is not None and not tuner.has_own_fit:
        return f"{tuner.arguments.objective_fault}; so trained as Keras Tuner does it"
    if error is not None and all(map(_is_not_measured, _faults(error))):
        return f"{_faults(error)[0]}; so trained as Keras Tuner does it"
    if not tuner.has_own_fit:
        return None
    name = f"{type(tuner.hypermodel).__name__}.fit"
    if tuner.arguments.objective_fault is not None:
        return f"{name} says the score"
    if error is None:
        return None
    of_fit = next(
        (one for one in _faults(error) if one.startswith(called(tuner.hypermodel.fit))), None
    )
    if of_fit is not None:
        return of_fit
    return f"{name} trains what build(hp) does not compile" if _is_not_compiled(tuner) else None


def _faults(error: SweepError) -> tuple[str, ...]:
    return error.faults if isinstance(error, SpaceFaultsError) else (str(error),)


def _is_not_measured(fault: str) -> bool:
    """Whether a model or its data are in order, but not such that their rows can be scored here."""
    return any(words in fault for words in _NOT_MEASURED)


def _is_not_compiled(tuner: Any) -> bool:
    import keras_tuner

    return not getattr(tuner.build(keras_tuner.HyperParameters()), "compiled", True)
