"""When a sweep is stopped and what is said, as a table; and what counts towards that."""

from typing import Any

import pytest

from sweep.records import Assignment, Outcome, OutcomeStatus, SweepState
from sweep.runner.limits import Ending, Limits, describe
from sweep.settings import Budget
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import Scoring
from sweep.testing import made_up_record
from sweep.training.contract import Ended

FAILURES = [(trial, "ValueError: no", {"width": 8, "depth": trial}) for trial in range(3)]


def assignment(trial: int, **changes: Any) -> Assignment:
    return Assignment(trial, trial, 0, 0, 1, {}, 1, **{"oracle_id": f"{trial}", **changes})


def ended(trial: int, status: OutcomeStatus, **changes: Any) -> Ended:
    return Ended(assignment(trial, **changes), Outcome(status), None, ())


def limits(budget: Budget, now: list[float] | None = None, **options: Any) -> Limits:
    """`now` holds the time."""
    now = [0.0] if now is None else now
    options = {"interrupted": lambda: False, "failures": lambda: FAILURES, **options}
    options = {"ranked": lambda: (100, True), **options}
    return Limits(budget, first_searched=range, clock=lambda: now[0], **options)


WORK = [assignment(0), assignment(1), assignment(2)]
OVER = Ending(SweepState.FAILED, "3 trials failed, all with: ValueError: no (all have width=8)")
OUT_OF_TIME = Ending(SweepState.BUDGET, "--max-time of 5 s ended the search")
OUT_OF_TRIALS = Ending(SweepState.BUDGET, "--max-trials 0 ended the search")
REACHED = Ending(SweepState.BUDGET, "--target 0.5 was reached: 0.480000 by trial 7")


@pytest.mark.parametrize(
    ("budget", "seconds", "stops", "n_failed", "score", "waiting", "expected"),
    [
        (Budget(), 9, False, 0, 0.48, WORK, None),
        (Budget(), 9, False, 0, 0.48, [], Ending(SweepState.FINISHED)),
        (Budget(), 9, True, 0, 0.48, WORK, Ending(SweepState.INTERRUPTED)),
        (Budget(), 9, True, 0, 0.48, [], Ending(SweepState.FINISHED)),
        (Budget(max_seconds=5), 4.9, False, 0, 0.48, WORK, None),
        (Budget(max_seconds=5), 5, False, 0, 0.48, WORK, OUT_OF_TIME),
        (Budget(max_seconds=5), 5, True, 0, 0.48, WORK, Ending(SweepState.INTERRUPTED)),
        (Budget(max_seconds=5), 5, False, 0, 0.48, [], Ending(SweepState.FINISHED)),
        (Budget(max_trials=0), 9, False, 0, 0.48, WORK, OUT_OF_TRIALS),
        (Budget(target=0.5), 9, False, 0, 0.51, WORK, None),
        (Budget(target=0.5), 9, False, 0, None, WORK, None),
        (Budget(target=0.5), 9, False, 0, 0.48, WORK, REACHED),
        (Budget(target=0.5), 9, True, 0, 0.48, WORK, REACHED),
        (Budget(max_failures=3), 9, False, 2, 0.48, WORK, None),
        (Budget(max_failures=3), 9, False, 3, 0.48, WORK, OVER),
        (Budget(max_failures=3), 9, False, 3, 0.48, [], OVER),
        (Budget(max_trials=0, max_failures=3), 9, False, 3, 0.48, WORK, OVER),
    ],
)
def test_why_a_sweep_ends(budget, seconds, stops, n_failed, score, waiting, expected):
    now = [0.0]
    found = limits(budget, now, interrupted=lambda: stops)
    for trial in range(n_failed):
        found.count(ended(trial, OutcomeStatus.FAILED), None, n_begun=20)
    found.count(ended(7, OutcomeStatus.COMPLETED), score, n_begun=20)
    now[0] = seconds
    ending = found.ending(waiting, found.allowed(waiting))
    assert ending == expected
    if waiting and budget.max_trials is None:
        assert found.must_stop() == (expected is not None)


@pytest.mark.parametrize(
    ("n_trials", "any_ranked", "state", "sentence"),
    [
        (6, True, SweepState.FINISHED, None),
        (5, True, SweepState.FINISHED, f"3 of 5 trials failed, {OVER.sentence.partition(', ')[2]}"),
        (9, False, SweepState.FAILED, OVER.sentence),
        (3, False, SweepState.FAILED, OVER.sentence),
    ],
)
def test_that_most_failed_is_said_and_without_a_ranking_the_sweep_has_failed(
    n_trials, any_ranked, state, sentence
):
    found = limits(Budget(), ranked=lambda: (n_trials, any_ranked))
    assert found.ending([], []) == Ending(state, sentence)
    assert limits(Budget(), failures=list).ending([], []) == Ending(SweepState.FINISHED)


def test_when_all_that_was_begun_has_failed_nothing_is_left():
    found = limits(Budget(max_failures=100))
    for trial in range(3):
        assert not found.must_stop()
        found.count(ended(trial, OutcomeStatus.FAILED), None, n_begun=3)
    assert found.must_stop()


def test_a_target_is_reached_in_any_epoch_by_any_trial_but_a_confirmation():
    record = made_up_record(0, 1)
    found = limits(Budget(target=record.val_score))
    found.epoch(assignment(4, oracle_id=None, confirms=0), record)
    found.count(ended(4, OutcomeStatus.COMPLETED, confirms=0), record.val_score, 5)
    assert not found.must_stop()
    found.epoch(assignment(5), record)
    assert found.must_stop() and "by trial 5" in found.ending(WORK, WORK).sentence


def test_a_failed_trial_reaches_no_target():
    found = limits(Budget(target=0.5))
    found.count(ended(0, OutcomeStatus.FAILED), 0.1, 5)
    assert not found.must_stop()


def test_what_earlier_processes_did_counts():
    assert limits(Budget(target=0.5), lowest=(3, 0.49)).must_stop()
    assert not limits(Budget(target=0.5), lowest=(3, 0.51)).must_stop()
    found = limits(Budget(max_failures=3), n_failures=2)
    assert not found.must_stop(), "the limit may have been raised"
    found.count(ended(0, OutcomeStatus.FAILED), None, 20)
    assert found.must_stop()


def test_a_number_of_trials_limits_the_search_alone():
    work = [*WORK, assignment(9, oracle_id=None), assignment(8, oracle_id=None, confirms=0)]
    allowed = limits(Budget(max_trials=2)).allowed(work)
    assert [one.trial for one in allowed] == [0, 1, 9, 8]


def test_what_failures_share_is_said():
    assert describe(FAILURES[:1]) == "1 trial failed, all with: ValueError: no"
    mixed = [*FAILURES, (3, "RuntimeError: other", {"width": 16})]
    assert describe(mixed) == "4 trials failed, 3 of them with: ValueError: no"


def test_a_target_is_what_people_see_also_where_higher_is_better():
    accuracy = ScoreWords(Scoring(objective=ObjectiveName.ACCURACY))
    assert not limits(Budget(target=0.95), lowest=(3, 0.06), shown=accuracy).must_stop()
    assert limits(Budget(target=0.95), lowest=(3, 0.04), shown=accuracy).must_stop()
