"""The loop over real stores and a trainer that does nothing: resume, failures, budgets."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sweep.records import Assignment
from sweep.settings import Budget
from sweep.store import Store
from sweep.testing import IdleTrainer, made_up_record
from sweep.training.contract import Endings, Journal, Source, StopRequested
from tests.support.runs import Silent, contents, new_runner, new_store


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def test_a_sweep_runs_its_plan_and_its_baselines_in_full(tmp_path):
    folder, store = new_store(tmp_path)
    observer = Silent()
    assert new_runner(folder, store, IdleTrainer(), observer=observer).run() == "finished"
    assert (observer.waves, observer.ended) == (4, 23 + 2)
    tables = contents(store)
    assert len(tables["trial"]) == 17 + 2
    assert [row[1] for row in tables["trial"]][:3] == ["Small", "Large", None]
    assert len(tables["epoch"]) == 75 + 2 * 9
    assert store.sweep().state == "finished"
    assert len(list(folder.checkpoints.iterdir())) == 19, "one checkpoint a trial, no leftovers"


@dataclass
class FrontTrainer:
    """Takes all it can, then ends the trials of the bracket that has most rungs before any other.

    `order` is what it ended: bracket and rung.
    """

    order: list[tuple[int | None, int]] = field(default_factory=list)

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        waiting: list[Assignment] = []
        while not stop():
            waiting += iter(source.take, None)
            if not waiting:
                return
            first = max(waiting, key=lambda a: (-1 if a.bracket is None else a.bracket, -a.trial))
            waiting.remove(first)
            self.order.append((first.bracket, first.rung))
            yield IdleTrainer().end(first, journal)


def test_a_bracket_goes_on_while_other_brackets_have_not_begun(tmp_path):
    _, store = new_store(tmp_path, "whole")
    new_runner(_, store, IdleTrainer()).run()
    folder, front = new_store(tmp_path, "front")
    trainer = FrontTrainer()
    assert new_runner(folder, front, trainer).run() == "finished"
    brackets = [bracket for bracket, _ in trainer.order]
    assert brackets == [2] * (9 + 3 + 1) + [1] * (5 + 2) + [0] * 3 + [None] * 2

    def scores(store: Store) -> Any:
        ended = [(a.trial, a.rung, a.last_epoch, a.bracket) for a in store.ended()]
        return sorted(ended), store.progress().best_score

    assert scores(front) == scores(store)


def test_the_end_of_a_trial_asks_for_nothing_unless_it_completes_a_rung(tmp_path, monkeypatch):
    """Else a search's work would grow with the square of its trials."""
    folder, store = new_store(tmp_path)
    runner, calls = new_runner(folder, store, IdleTrainer()), Counter()

    def count(owner: Any, name: str) -> None:
        called = getattr(owner, name)

        def counted(*arguments: Any) -> Any:
            calls[name] += 1
            return called(*arguments)

        monkeypatch.setattr(owner, name, counted)

    count(runner.search, "ask")
    for name in ("pending", "standings", "stored_after"):
        count(store, name)
    assert runner.run() == "finished"
    rungs = 3 + 2 + 1
    assert calls["ask"] == 2 + rungs, "before the first wave, at the end, and at each rung"
    assert calls["stored_after"] == rungs - 3, "a bracket's last rung promotes nobody"
    assert calls["pending"] == 2
    assert calls["standings"] <= 2 + rungs


def test_a_rung_that_was_complete_when_the_process_died_is_promoted_first(tmp_path):
    folder, store = new_store(tmp_path)
    with pytest.raises(KeyboardInterrupt):  # baselines, and all of bracket 2's first rung
        new_runner(folder, store, IdleTrainer(die_after=2 + 9)).run()
    store._db.execute("DELETE FROM assignment WHERE rung = 1")  # killed before they were stored
    trainer = FrontTrainer()
    assert new_runner(folder, store, trainer).run() == "finished"
    assert trainer.order[:4] == [(2, 1), (2, 1), (2, 1), (2, 2)]


@pytest.mark.parametrize("die_after", [1, 5, 18])
def test_a_sweep_that_dies_and_goes_on_ends_alike(tmp_path, die_after):
    folder, store = new_store(tmp_path, "whole")
    new_runner(folder, store, IdleTrainer()).run()
    broken, _ = new_store(tmp_path, "broken")
    deaths = 0
    while True:
        with Store(broken.database) as again:
            try:
                assert new_runner(broken, again, IdleTrainer(die_after=die_after)).run()
                break
            except KeyboardInterrupt:
                deaths += 1
                assert again.sweep().state == "interrupted"
    assert deaths > 0
    with Store(broken.database) as again:
        assert contents(again) == contents(store)


def test_the_seconds_worked_are_counted_at_each_commit_and_not_beside_the_run(tmp_path):
    folder, store = new_store(tmp_path)
    seen = []

    class Watching(Silent):
        def finished(self, assignment: Any, outcome: Any, score: Any) -> None:
            with Store(folder.database, read_only=True) as reader:
                seen.append(reader.sweep().active_seconds)

    new_runner(folder, store, IdleTrainer(), observer=Watching()).run()
    assert seen == sorted(set(seen)) and seen[0] > 0, "more at each commit, while it runs"
    total = store.sweep().active_seconds
    again = Store(folder.database)
    again.set_state("finished")
    assert again.sweep().active_seconds == total


def test_orphaned_checkpoints_are_swept_away_at_the_next_start(tmp_path):
    folder, store = new_store(tmp_path)
    (folder.checkpoints / "trial-00000-epoch-000001.npz").write_bytes(b"half")
    (folder.checkpoints / "trial-00000-epoch-000002.tmp").write_bytes(b"half")
    new_runner(folder, store, IdleTrainer()).run()
    names = {path.name for path in folder.checkpoints.iterdir()}
    assert names == store.checkpoint_files()


def test_failures_below_the_limit_do_not_end_the_sweep(tmp_path):
    folder, store = new_store(tmp_path)
    trainer = IdleTrainer(fails=lambda a: a.trial in (3, 7))
    assert new_runner(folder, store, trainer).run() == "finished"
    assert [trial for trial, _, _ in store.failures()] == [3, 7]
    assert store.progress().assignments == 25, "the brackets keep their sizes"


def test_too_many_failures_end_the_sweep_and_say_what_they_share(tmp_path):
    folder, store = new_store(tmp_path)
    trainer = IdleTrainer(fails=lambda a: a.trial > 1)
    assert new_runner(folder, store, trainer, Budget(max_failures=4)).run() == "failed"
    assert store.sweep().message == "4 trials failed, all with: ValueError: no"
    assert store.progress().assignments_done == 2 + 4


def test_when_every_trial_of_the_first_wave_fails_the_sweep_ends(tmp_path):
    folder, store = new_store(tmp_path)
    trainer = IdleTrainer(fails=lambda a: True)
    runner = new_runner(folder, store, trainer, Budget(max_failures=1000))
    assert runner.run() == "failed"
    assert store.progress().assignments_done == 19
    assert runner.run() == "failed", "nothing is left to do, and nothing is ranked"


def test_max_trials_ends_the_search_and_a_larger_one_goes_on(tmp_path):
    folder, store = new_store(tmp_path)
    assert new_runner(folder, store, IdleTrainer(), Budget(max_trials=4)).run() == "budget"
    assert store.progress().assignments_done == 4 + 2
    assert store.sweep().message == "--max-trials 4 ended the search"
    assert new_runner(folder, store, IdleTrainer()).run() == "finished"


def test_max_trials_lets_the_brackets_that_are_whole_go_on(tmp_path):
    folder, store = new_store(tmp_path)
    assert new_runner(folder, store, IdleTrainer(), Budget(max_trials=9)).run() == "budget"
    epochs = [a.last_epoch for a in store.ended() if a.baseline is None]
    assert sorted(epochs) == [1] * 9 + [3] * 3 + [9]
    assert new_runner(folder, store, IdleTrainer()).run() == "finished"
    assert store.progress().assignments_done == 25


def test_a_target_ends_the_search_and_holds_for_a_resume(tmp_path):
    folder, store = new_store(tmp_path)
    best = min(made_up_record(trial, 1).val_score for trial in range(2, 19))
    budget = Budget(target=best + 0.2)
    assert new_runner(folder, store, IdleTrainer(), budget).run() == "budget"
    done = store.progress()
    assert 0 < done.assignments_done < 25
    assert done.best_score is not None and done.best_score <= best + 0.2
    assert f"--target {best + 0.2} was reached" in (store.sweep().message or "")
    assert new_runner(folder, store, IdleTrainer(), budget).run() == "budget"
    assert store.progress() == done, "what was reached need not be reached again"
    assert new_runner(folder, store, IdleTrainer()).run() == "finished"


def test_max_time_ends_the_search(tmp_path):
    folder, store = new_store(tmp_path)
    assert new_runner(folder, store, IdleTrainer(), Budget(max_seconds=0)).run() == "budget"
    assert "--max-time" in (store.sweep().message or "")


def test_a_request_to_stop_is_heeded_and_kept(tmp_path):
    folder, store = new_store(tmp_path)
    runner = new_runner(folder, store, IdleTrainer(), interrupted=lambda: True)
    assert runner.run() == "interrupted"
    assert store.sweep().state == "interrupted"
    assert store.progress().assignments_done == 0


def test_without_baselines_the_first_trial_is_the_searchs(tmp_path):
    folder, store = new_store(tmp_path)
    new_runner(folder, store, IdleTrainer(), baselines={}).run()
    assert len(contents(store)["trial"]) == 17


def test_a_search_without_time_for_its_reference_models_is_not_finished(tmp_path):
    folder, store = new_store(tmp_path)
    over = [False]

    def late(stop):
        over[0] = True
        return None if stop() else ()

    runner = replace(new_runner(folder, store, IdleTrainer()), interrupted=lambda: over[0])
    assert replace(runner, references=late).run() == "interrupted"
    assert not store.pending()
    over[0] = False
    assert replace(runner, references=lambda stop: ()).run() == "finished"
