"""Which hyperparameters a training of the user's own asks for: it is called, and trains nothing.

`model.fit` returns at once, with a history in which every measure is 0; whatever else trains or
measures ends the call, and so does an error after the first fit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.space.discover import discover
from sweep.space.explore import Explorer
from sweep.space.fit import TRAIN_OR_MEASURE, history_of_nothing, replaced
from sweep.space.load import Space
from sweep.tuners.space import ScriptSpace

_MOST_FITS = 50
"""After so many a call is ended: it may wait for a score that never comes."""


class ReachedError(Exception):
    """A dry run has come to where a model would be trained or measured."""


@contextmanager
def nothing_is_trained(fits: list[None]) -> Iterator[None]:
    """Inside, `model.fit` trains nothing and is counted; other methods raise ReachedError."""
    import keras

    def fit(model: Any, *arguments: Any, **named: Any) -> Any:
        fits.append(None)
        if len(fits) > _MOST_FITS:
            raise ReachedError
        return history_of_nothing()

    def end(*arguments: Any, **named: Any) -> Any:
        raise ReachedError

    with (
        replaced(keras.Model, {"fit": fit, **dict.fromkeys(TRAIN_OR_MEASURE, end)}),
        replaced(keras.optimizers.Optimizer, {"apply": end}),
    ):
        yield


def opaque_space(tuner: Any, script: ScriptSpace, given: Any, named: Any) -> Space:
    """Return what a tuner's `run_trial` asks for.

    Raises InvalidSpaceError if it fails before it trains.
    """
    from keras_tuner.engine.trial import Trial

    def ask(hp: Any) -> None:
        fits: list[None] = []
        tuner.is_dry = True
        try:
            with nothing_is_trained(fits):
                tuner.run_trial(Trial(hp, "dry run"), *given, **named)
        except ReachedError:
            pass
        except Exception:
            if not fits:
                raise
        finally:
            tuner.is_dry = False

    explorer = Explorer(script.path, ask)
    explorer.compares = False
    first = explorer.given({})
    if first.error is not None:
        said, name = str(explorer.failed(first)), type(tuner).__name__
        raise InvalidSpaceError(said.replace("build(hp)", f"run_trial of {name}", 1))
    found = discover(explorer)
    sources = {script.path.name: script.source}
    return Space(
        script.path.stem, script.path, script.sha256, sources, ask, {}, found, explorer
    )  # fmt: skip
