"""Two threads on one stream: while the next item is made here, the last one is worked on beside."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def one_ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield `work(item)` for each item, in order; `work` has one thread of its own.

    At most two items wait or are worked on. An error of `items` is raised after the results of the
    items before it, and an error of `work` before any later item counts: as in a plain loop.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="one-ahead")
    waiting: Future[R] | None = None
    failure: Exception | None = None
    source = iter(items)
    try:
        while failure is None:
            try:
                item = next(source)
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            last, waiting = waiting, pool.submit(work, item)
            if last is not None:
                yield last.result()
        if waiting is not None:
            yield waiting.result()
        if failure is not None:
            raise failure
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
