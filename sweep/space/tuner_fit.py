"""What a user's own tuner gives to `model.fit` in its `run_trial`, heard as if a `fit` gave it.

People let a tuner of their own ask for the batch size, `kwargs["batch_size"] =
trial.hyperparameters.Int("batch_size", 32, 128)`, and then go on with `super().run_trial(trial,
*args, **kwargs)`. This is done here without a tuner: `run_trial` is called, and what it hands on is
noted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

RUN_TRIAL = "run_trial"


class OwnTrialError(Exception):
    """A `run_trial` does more than to hand arguments on."""


def heard(build: Callable[[Any], Any], tuner: Any) -> Any:
    """Return a `HyperModel` of `build`, whose `fit` gives what `run_trial` of a tuner's class does.

    `fit` raises OwnTrialError if `run_trial` needs the tuner itself, or trains on its own.
    """
    import keras_tuner

    def fit(self: Any, hp: Any, model: Any, *arguments: Any, **named: Any) -> Any:
        given, words = _handed_on(tuner, hp, arguments, named)
        return model.fit(*given, **words)

    fit.__qualname__ = f"{tuner.__name__}.{RUN_TRIAL}"
    fit.__wrapped__ = vars(tuner)[RUN_TRIAL]  # type: ignore[attr-defined]  # whose line is said
    members = {"build": lambda self, hp: build(hp), "fit": fit}
    return type("HeardTuner", (keras_tuner.HyperModel,), members)()


def _handed_on(tuner: Any, hp: Any, arguments: Any, named: Any) -> tuple[Any, dict[str, Any]]:
    """What `run_trial` hands on to that of Keras Tuner, beside the trial."""
    noted: list[tuple[Any, dict[str, Any]]] = []
    trial = SimpleNamespace(hyperparameters=hp, trial_id="0")
    with _noting(tuner, noted):
        try:
            vars(tuner)[RUN_TRIAL](object.__new__(tuner), trial, *arguments, **named)
        except AttributeError as error:
            raise OwnTrialError(f"{error}; here is no tuner, only what it asks of hp") from error
    if not noted:
        raise OwnTrialError(f"it does not call super().{RUN_TRIAL}")
    if any(words != noted[0][1] for _, words in noted[1:]):
        raise OwnTrialError(f"it calls super().{RUN_TRIAL} with other arguments each time")
    return noted[0]


@contextmanager
def _noting(tuner: Any, noted: list[tuple[Any, dict[str, Any]]]) -> Iterator[None]:
    """Inside, Keras Tuner's `run_trial` does nothing but to note what it is given."""
    owner = next(one for one in tuner.__mro__[1:] if RUN_TRIAL in vars(one))
    before = vars(owner)[RUN_TRIAL]

    def note(self: Any, trial: Any, *arguments: Any, **named: Any) -> list[dict[str, float]]:
        noted.append((arguments, named))
        return [{}]

    setattr(owner, RUN_TRIAL, note)
    try:
        yield
    finally:
        setattr(owner, RUN_TRIAL, before)
