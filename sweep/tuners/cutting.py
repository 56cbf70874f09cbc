"""Stops a training that is the user's own from inside `model.fit`: at an epoch's end, or soon."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sweep.training.grace import Grace


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
    """Return a callback that raises CutError once the search is to stop: at an epoch's end, or
    when the epoch under way does not end in time.
    """
    import keras

    class Cut(keras.callbacks.Callback):  # type: ignore[misc]
        grace: Grace | None = None

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.grace = None if tuner.is_to_stop is None else Grace(tuner.is_to_stop)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if self.grace is not None and self.grace.is_over():
                raise CutError

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if tuner.is_to_stop is not None and tuner.is_to_stop():
                raise CutError

    return Cut()
