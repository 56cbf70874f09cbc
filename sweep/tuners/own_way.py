"""Whether a script's models can only be trained in its own way: by calling what the user wrote."""

from typing import Any

from sweep.errors import SpaceFaultsError, SweepError
from sweep.space.fit import called


def why_own_way(tuner: Any, error: SweepError | None = None) -> str | None:
    """Return why only the script can train the models of a tuner, in words; None if it need not.

    `error` is why the search could not be prepared otherwise: that a HyperModel's `fit` does more
    than to forward, or trains a model that `build` does not compile.
    """
    if tuner.has_own_run_trial:
        return f"{type(tuner).__name__} has a run_trial of its own"
    if not tuner.has_own_fit:
        return None
    name = f"{type(tuner.hypermodel).__name__}.fit"
    if tuner.arguments.objective_fault is not None:
        return f"{name} says the score"
    if error is None:
        return None
    faults = error.faults if isinstance(error, SpaceFaultsError) else (str(error),)
    of_fit = next((one for one in faults if one.startswith(called(tuner.hypermodel.fit))), None)
    if of_fit is not None:
        return of_fit
    return f"{name} trains what build(hp) does not compile" if _is_not_compiled(tuner) else None


def _is_not_compiled(tuner: Any) -> bool:
    import keras_tuner

    return not getattr(tuner.build(keras_tuner.HyperParameters()), "compiled", True)
