"""In which order assignments are taken, and which of those that were read is the most urgent."""

from sweep.records import Assignment
from sweep.training.queue import Queue, urgency


def work(*brackets: int | None) -> list[Assignment]:
    return [Assignment(n, n, 0, 0, 1, {}, 1, bracket=bracket) for n, bracket in enumerate(brackets)]


def taken(queue: Queue, *, by_turns: bool = False) -> list[int]:
    return [one.trial for one in iter(lambda: queue.take(by_turns=by_turns), None)]


def test_assignments_are_taken_in_the_order_in_which_they_came():
    queue = Queue(work(2, 2, 1, None, 2, 0))
    assert len(queue) == 6
    assert taken(queue) == [0, 1, 2, 3, 4, 5]
    assert queue.take() is None and not queue
    queue.extend(work(1)[:1])
    assert taken(queue) == [0], "what comes later is taken, too"


def test_of_every_bracket_the_same_share_is_taken_by_turns():
    everything = work(*[2] * 6, *[1] * 3, *[0] * 2)
    queue = Queue(everything[:9])
    order = [queue.take(by_turns=True).trial for _ in range(4)]
    queue.extend(everything[9:])
    assert [*order, *taken(queue, by_turns=True)] == [0, 6, 1, 2, 9, 7, 3, 10, 4, 8, 5]
    queue.extend(everything[:1])
    assert queue.take(by_turns=True) is everything[0]


def test_the_most_urgent_assignment_is_of_the_bracket_with_most_rungs():
    assert [one.trial for one in sorted(work(None, 0, 3, 3, 1), key=urgency)] == [2, 3, 4, 0, 1]
