"""Searches without rungs in the loop: killed, resumed and extended they end as if nothing was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sweep.settings import Budget
from sweep.store import Store
from sweep.testing import IdleTrainer
from tests.searches.test_one_rung import new
from tests.support import spaces
from tests.support.runs import contents, new_runner, new_store

KINDS = ("random", "bayesian", "grid")


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def runner(
    folder: Any, store: Store, kind: str, trials: int = 14, executions: int = 1, **more: Any
) -> Any:
    """The loop over a search of `trials` configurations, each run `executions` times."""
    search = new(kind, spaces.mixed, trials)
    made = new_runner(folder, store, more.pop("trainer", IdleTrainer()), search=search, **more)
    return replace(made, executions=executions)


def order_free(store: Store) -> Any:
    """What is stored, but for the numbers of assignments and waves."""
    tables = contents(store)
    asked = [(a.trial, a.rung, a.first_epoch, a.last_epoch, a.oracle_id) for a in store.ended()]
    return tables["trial"], sorted(asked), tables["epoch"]


@pytest.mark.parametrize("executions", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_it_dies_at_each_assignment_and_ends_alike(tmp_path, kind, executions):
    folder, store = new_store(tmp_path, "whole")
    assert runner(folder, store, kind, executions=executions).run() == "finished"
    broken, _ = new_store(tmp_path, "broken")
    deaths = 0
    while True:
        with Store(broken.database) as again:
            trainer = IdleTrainer(die_after=1 + deaths % 3)
            dying = runner(broken, again, kind, executions=executions, trainer=trainer)
            try:
                assert dying.run() == "finished"
                break
            except KeyboardInterrupt:
                deaths += 1
    assert deaths > 5
    with Store(broken.database) as again:
        assert order_free(again) == order_free(store)


@pytest.mark.parametrize("kind", KINDS)
def test_more_trials_later_are_those_of_more_from_the_start(tmp_path, kind):
    folder, store = new_store(tmp_path, "straight")
    runner(folder, store, kind, 17, 2).run()
    later, extended = new_store(tmp_path, "extended")
    runner(later, extended, kind, 6, 2).run()
    assert runner(later, extended, kind, 17, 2).run() == "finished"
    assert order_free(extended) == order_free(store)


def test_every_configuration_has_its_runs_each_with_a_seed_of_its_own(tmp_path):
    folder, store = new_store(tmp_path)
    runner(folder, store, "random", 5, 3).run()
    columns, rows = store.table("trial")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    own = [one for one in found if one["confirms"] is None and one["baseline"] is None]
    assert len(own) == 5 and len(found) == 2 + 5 * 3
    for trial in own:
        runs = [one for one in found if one["confirms"] == trial["trial"]]
        assert [one["seed_number"] for one in runs] == [2, 3]
        assert {one["hyperparameters"] for one in runs} == {trial["hyperparameters"]}
    assert len({one["seed"] for one in found}) == len(found)


def told_by(made: Any) -> tuple[Any, dict[str, float]]:
    """The loop, and the scores that its search is told while it runs."""
    told: dict[str, float] = {}
    tell: Callable[[str, float], None] = made.search.tell

    def kept(oracle_id: str, score: float) -> None:
        told[oracle_id] = score
        tell(oracle_id, score)

    made.search.tell = kept
    return made, told


def test_the_search_is_told_the_mean_of_the_runs_and_of_one_that_failed_the_worst(tmp_path):
    folder, store = new_store(tmp_path)
    trainer = IdleTrainer(fails=lambda one: one.confirms == 5 and one.seed_number == 3)
    made, told = told_by(runner(folder, store, "bayesian", 6, 3, trainer=trainer))
    assert made.run() == "finished"
    scores = {(run.trial, run.number): run.score for run in store.runs()}
    names = {run.trial: run.oracle_id for run in store.runs() if run.oracle_id is not None}
    assert len(told) == 6
    for trial, name in names.items():
        mean = sum(scores[trial, number] for number in (1, 2, 3)) / 3
        assert told[name] == pytest.approx(mean) or trial == 5
    assert told[names[5]] == float("inf")


def test_a_budget_of_trials_leaves_their_repeats_out_too(tmp_path):
    folder, store = new_store(tmp_path)
    limited = runner(folder, store, "random", 5, 2, budget=Budget(max_trials=2))
    assert limited.run() == "budget"
    ended = [one for one in store.ended() if one.baseline is None]
    assert len(ended) == 2 * 2
    assert runner(folder, store, "random", 5, 2).run() == "finished"
    assert len([one for one in store.ended() if one.baseline is None]) == 5 * 2


def test_the_waves_of_a_bayesian_search_follow_one_another(tmp_path):
    folder, store = new_store(tmp_path)
    runner(folder, store, "bayesian", 14).run()
    columns, rows = store.table("assignment")
    found = [row[columns.index("wave")] for row in rows]
    assert found == [0] * (2 + 4) + [1] * 8 + [2] * 2
