"""Chosen trials are trained on from where they are, and the search goes on as if they had not."""

import shutil
from pathlib import Path

import pytest

from sweep.errors import NotFoundError, UsageError
from sweep.runner.longer import longer
from sweep.settings import Stage
from sweep.store import Store
from sweep.testing import IdleTrainer
from tests.support import tiny, warm
from tests.support.runs import new_runner, new_store, search


@pytest.fixture
def searched(tmp_path, keras):
    folder, store = new_store(tmp_path)
    new_runner(folder, store, IdleTrainer()).run()
    return folder, store


def best(store):
    """A trial of the search that was trained to the last epoch."""
    return next(a.trial for a in store.ended() if a.last_epoch == 9 and a.is_searched)


def test_a_chosen_trial_goes_on_from_its_last_epoch_and_no_other_does(searched):
    folder, store = searched
    trial, before = best(store), store.table("epoch")[1]
    state = store.sweep().oracle
    added = longer(store, "s", [trial, trial], 27)
    assert len(added.planned) == 1 and added.epochs == 18
    added.store(store)
    assert store.sweep().state == "interrupted"
    (waiting,) = store.pending()
    assert (waiting.trial, waiting.first_epoch, waiting.last_epoch) == (trial, 9, 27)
    assert new_runner(folder, store, IdleTrainer()).run() == "finished"
    after = store.table("epoch")[1]
    assert [row for row in after if row[0] != trial] == [row for row in before if row[0] != trial]
    assert [row[1] for row in after if row[0] == trial] == list(range(1, 28))
    assert store.sweep().oracle == state, "the search knows nothing of it"
    again = new_runner(folder, store, IdleTrainer(), search=search(stages=(Stage(9, 4),)))
    assert again.run() == "finished", "a later extension goes on from there"


def test_what_cannot_go_on_is_refused_by_name(searched):
    _, store = searched
    trial = best(store)
    with pytest.raises(NotFoundError, match="no trial 999"):
        longer(store, "s", [999], 27)
    with pytest.raises(UsageError, match=r"trained to epoch 9; give a larger"):
        longer(store, "s", [trial], 9)
    store.forget_checkpoints([trial])
    with pytest.raises(UsageError, match="its checkpoint was removed"):
        longer(store, "s", [trial], 27)


def trained(place, name):
    """All that is known of the baseline's training, but for clock times: epochs, and its state."""
    with Store(place / "results" / name / "sweep.db", read_only=True) as store:
        names, rows = store.table("epoch")
    kept = [column for column, named in enumerate(names) if named != "seconds"]
    arrays = tiny.contents(place, name)
    arrays = {key: value for key, value in arrays.items() if key.startswith("trial-00000-")}
    return [[row[column] for column in kept] for row in rows if row[0] == 0], arrays


@pytest.mark.parametrize(("trainer", "source"), [("fused", "s"), ("keras", "whole")])
def test_it_ends_with_the_numbers_of_training_so_long_from_the_start(
    trainer, source, request, tmp_path
):
    """By real trainers: 3 epochs, the process ends, 2 more; against 5 in one go."""
    made = request.getfixturevalue({"fused": "fused_place", "keras": "tiny_place"}[trainer])
    place = tmp_path / "place"
    shutil.copytree(made, place, ignore=lambda folder, names: set(names) - {source}
                    if Path(folder).name == "results" else set())  # fmt: skip
    warm.run(place, "extend", source, "--trial", "0", "--max-epochs", "5")
    arguments = tiny.start("straight", trainer, "--search", "random", "--trials", "1")
    arguments[arguments.index("--max-epochs") + 1] = "5"
    warm.run(place, *arguments)
    epochs, state = trained(place, source)
    assert len(epochs) == 5 and state
    assert (epochs, state) == trained(place, "straight")
