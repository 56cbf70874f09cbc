"""Working one item ahead gives what a plain loop gives: results and errors in the same order."""

import threading
from collections.abc import Iterator

import pytest

from sweep.data.higgs.one_ahead import one_ahead


def until_it_breaks(n: int) -> Iterator[int]:
    yield from range(n)
    raise OSError("no more")


def work(item: int) -> int:
    if item == 7:
        raise ValueError("seven")
    return item * item


@pytest.mark.parametrize("n", range(10))
def test_results_and_errors_come_as_in_a_plain_loop(n: int) -> None:
    def plain() -> Iterator[int]:
        for item in until_it_breaks(n):
            yield work(item)

    seen = []
    for results in (one_ahead(work, until_it_breaks(n)), plain()):
        got: list[int] = []
        with pytest.raises((OSError, ValueError)) as caught:
            got.extend(results)  # keeps what came before the error
        seen.append((got, str(caught.value)))
    assert seen[0] == seen[1]


def test_the_thread_is_gone_when_the_reader_stops_early() -> None:
    results = one_ahead(lambda item: item, iter(range(100)))
    assert next(results) == 0
    results.close()
    assert not any(t.name.startswith("one-ahead") for t in threading.enumerate())
