"""Programs are traced in turns, and models are read when nobody traces."""

import threading
import time

import pytest

from sweep.training.fused.program.tracing import Tracing


def started(function) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_one_thread_traces_at_a_time_and_who_waits_is_let_on_when_all_are_done() -> None:
    tracing, end = Tracing(), [threading.Event(), threading.Event()]
    begun, order = [threading.Event(), threading.Event()], list[str]()

    def trace(which: int) -> None:
        with tracing.turn():
            begun[which].set()
            end[which].wait(10)
            order.append(f"traced {which}")

    def read() -> None:
        tracing.wait()
        order.append("read")

    first = started(lambda: trace(0))
    assert begun[0].wait(10)
    second = started(lambda: trace(1))
    wanted_at = time.monotonic()
    while tracing.wanted < 2:
        assert time.monotonic() < wanted_at + 10
    reader = started(read)
    assert not begun[1].wait(0.05)
    end[0].set()
    assert begun[1].wait(10)
    reader.join(0.05)
    assert order == ["traced 0"]
    end[1].set()
    for thread in (first, second, reader):
        thread.join(10)
    assert order == ["traced 0", "traced 1", "read"]


def test_a_trace_that_fails_keeps_nobody_waiting() -> None:
    tracing = Tracing()
    with pytest.raises(ValueError, match="no such shape"), tracing.turn():
        raise ValueError("no such shape")
    tracing.wait()
    with tracing.turn():
        pass
