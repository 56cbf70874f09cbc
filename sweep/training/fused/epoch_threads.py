"""Threads that train epochs. One that takes too long is left: compiled code cannot be ended.

What a thread that was left still computes is dropped, and it ends with it.
"""

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
_Work = tuple[Future[Any], Callable[[], Any]]

_left: list[threading.Thread] = []


class EpochThreads:
    """A few threads that work meanwhile; at the end they are waited for, unless they are left."""

    def __init__(self, number: int) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work_off, args=(self._work,), name="epoch", daemon=True)
            for _ in range(number)
        ]
        self._is_left = False

    def __enter__(self) -> "EpochThreads":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _ in self._threads:
            self._work.put(None)
        if not self._is_left:
            for thread in self._threads:
                thread.join()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have a thread call `function`; return what will have its result."""
        future: Future[T] = Future()
        self._work.put((future, function))
        return future

    def leave(self) -> None:
        """Wait for no thread at the end; an interpreter that is dismantled waits for them."""
        self._is_left = True
        _left.extend(self._threads)
        atexit.register(join_left)


def join_left() -> None:
    """Wait for the threads that were left: libraries must not be dismantled under compiled code."""
    while _left:
        _left.pop().join()


def _work_off(work: "SimpleQueue[_Work | None]") -> None:
    while (one := work.get()) is not None:
        future, function = one
        try:
            result = function()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        del one, future, function
