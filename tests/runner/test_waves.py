"""What is stored to be trained: once, in order, each trial with the seed of its number."""

from typing import Any

import pytest

from sweep.records import Outcome, OutcomeStatus
from sweep.runner.waves import Confirmations, SearchWaves
from sweep.seeds import derive
from sweep.store import Store
from sweep.testing import made_up_record
from sweep.training.contract import Ended
from tests.support.runs import BASELINES, confirm_in, new_store, search


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def end(store: Store, waves: Any, assignment: Any, status: str = "completed") -> None:
    records = (made_up_record(assignment.trial, assignment.last_epoch),)
    ended = Ended(assignment, Outcome(OutcomeStatus(status), trainer="none"), None, records)
    waves.tell(ended, store.finish(assignment, ended.outcome, records, "none"))


def test_a_search_begins_with_its_baselines_its_first_rungs_and_other_seeds(tmp_path):
    _, store = new_store(tmp_path)
    waves = SearchWaves(store, search(), BASELINES, seeds=3)
    waiting = waves.waiting()
    assert [one.baseline for one in waiting[:3]] == ["Small", "Large", None]
    assert [one.last_epoch for one in waiting] == [9] * 2 + [1] * 9 + [3] * 5 + [9] * 3 + [9] * 4
    assert [(one.confirms, one.seed_number) for one in waiting[19:]] == [
        (0, 2),
        (1, 2),
        (0, 3),
        (1, 3),
    ]
    assert all(one.seed == derive(5, "trial", one.trial) for one in waiting[:19])
    assert waves.n_begun == len(waiting) == 23
    assert waves.waiting() == waiting, "asked again it stores nothing more"


def test_the_next_wave_is_the_rung_that_became_complete_and_is_stored(tmp_path):
    _, store = new_store(tmp_path)
    waves = SearchWaves(store, search(), {}, seeds=1)
    first = [one for one in waves.waiting() if one.bracket == 2]
    for one in first[:-1]:
        end(store, waves, one)
        assert not waves.may_go_on
    end(store, waves, first[-1], "failed")
    assert waves.may_go_on
    promoted = waves.next()
    assert [(one.trial, one.first_epoch, one.last_epoch) for one in promoted] == [
        (trial, 1, 3) for trial in (0, 3, 6)
    ]
    assert not waves.may_go_on and waves.next() == []
    assert [one for one in store.pending() if one.rung == 1] == promoted


def test_a_search_restored_from_the_store_goes_on_with_what_is_there(tmp_path):
    _, store = new_store(tmp_path)
    waves = SearchWaves(store, search(), BASELINES, seeds=1)
    for one in [one for one in waves.waiting() if one.bracket == 2]:
        end(store, waves, one)
    again = SearchWaves(store, search(), BASELINES, seeds=1)
    again.restore()
    assert again.n_begun == waves.n_begun
    waiting = again.waiting()
    assert [one.rung for one in waiting if one.bracket == 2] == [1] * 3
    assert store.n_trials() == 19, "no trial is stored twice"


def test_confirmations_are_one_wave_of_their_own(tmp_path):
    _, store = new_store(tmp_path)
    SearchWaves(store, search(), {}, seeds=1).waiting()
    confirm_in(store, {4: {"width": 3}})
    waves = Confirmations(store)
    waiting = waves.waiting()
    assert {one.confirms for one in waiting} == {4} and waves.n_begun == len(waiting)
    end(store, waves, waiting[0])
    assert waves.waiting() == waiting[1:] and waves.n_begun == len(waiting)
    assert not waves.may_go_on and waves.next() == []
