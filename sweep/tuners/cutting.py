"""Stops a training that is the user's own at the end of an epoch, from inside `model.fit`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class CutError(Exception):
    """A training was cut as its search is to stop: nothing of it is kept."""


@contextmanager
def cut_when(tuner: Any, stop: Callable[[], bool]) -> Iterator[None]:
    """Inside, what `cuts(tuner)` returns cuts a fit once `stop()` is true."""
    tuner.is_to_stop = stop
    try:
        yield
    finally:
        tuner.is_to_stop = None


def cuts(tuner: Any) -> Any:
    """Return a callback that raises CutError at an epoch's end once the search is to stop."""
    import keras

    class Cut(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if tuner.is_to_stop is not None and tuner.is_to_stop():
                raise CutError

    return Cut()
