"""A finished sweep goes on: more brackets, more epochs; what was trained is used."""

from collections import Counter
from typing import Any

import pytest

from sweep.settings import Stage
from sweep.store import Store
from sweep.testing import IdleTrainer
from tests.support import tiny, warm
from tests.support.runs import BASELINES, contents, new_runner, new_store, search


def by_trial(store: Store) -> Any:
    """Each trial's configuration, seed and records, and what it was asked to train."""
    tables = contents(store)
    asked = Counter(
        (a.trial, a.iteration, a.bracket, a.rung, a.first_epoch, a.last_epoch)
        for a in store.ended()
    )
    return tables["trial"], asked, tables["epoch"]


def test_an_iteration_added_gives_what_two_from_the_start_give(tmp_path, keras):
    folder, store = new_store(tmp_path, "straight")
    new_runner(folder, store, IdleTrainer(), search=search(iterations=2)).run()
    later, extended = new_store(tmp_path, "extended")
    new_runner(later, extended, IdleTrainer(), search=search()).run()
    again = new_runner(later, extended, IdleTrainer(), search=search(stages=(Stage(9, 6),)))
    assert again.run() == "finished"
    assert by_trial(extended) == by_trial(store)


@pytest.mark.parametrize("die_after", [None, 2])
def test_more_epochs_take_survivors_and_baselines_on_from_their_checkpoints(
    tmp_path, keras, die_after
):
    """The idle trainer refuses a trial whose checkpoint is not where its assignment begins."""
    folder, store = new_store(tmp_path)
    new_runner(folder, store, IdleTrainer(), search=search(), keep=0).run()
    reached = {a.trial for a in store.ended() if a.last_epoch == 9}
    longer = search(27, stages=(Stage(9, 3), Stage(27, 1)))
    if die_after is not None:
        trainer = IdleTrainer(die_after=die_after)
        with pytest.raises(KeyboardInterrupt):
            new_runner(folder, store, trainer, search=longer).run()
        longer = search(27, stages=(Stage(9, 3), Stage(27, 1)))
    assert new_runner(folder, store, IdleTrainer(), search=longer).run() == "finished"
    far = [a for a in store.ended() if a.last_epoch == 27]
    assert {a.trial for a in far if a.first_epoch == 9 and a.iteration != 1} <= reached
    assert [a.first_epoch for a in far if a.baseline] == [9] * len(BASELINES)
    assert sum(a.iteration == 0 for a in far) == 3, "one of each bracket"
    assert {a.bracket for a in store.ended() if a.iteration == 1} == {3}
    epochs = Counter(row[0] for row in contents(store)["epoch"])
    assert all(epochs[a.trial] == 27 for a in far)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tiny.make_place(tmp_path_factory.mktemp("place"))


def test_the_command_extends_interrupted_and_resumed_and_equals_training_at_once(place):
    """3 → 6 epochs. The trial that goes on has the numbers of one trained 6 epochs at once."""
    patient = ["--patience", "0", "--keep", "0"]
    warm.run(place, *tiny.start("s", "fused", *patient))
    shown = warm.run(place, "extend", "s", "--max-epochs", "6", "--dry-run").stdout
    assert "0        1     2       1           3         6       3" in shown
    warm.run(place, "extend", "s", "--max-epochs", "6", "--max-time", "0", code=8)
    tiny.assert_sound(place, "s")
    assert (
        "was ended by a budget"
        in warm.run(place, "extend", "s", "--max-epochs", "9", code=2).stderr
    )
    warm.run(place, "resume", "s")
    tiny.assert_sound(place, "s")
    report = warm.run(place, "report", "s", "--no-charts").stdout
    assert "finished" in report.partition("rank")[0]
    warm.run(place, *tiny.start("at-once", "fused", *patient, "--max-epochs", "6"))
    one, other = tiny.contents(place, "s"), tiny.contents(place, "at-once")
    both = [t for t in range(9) if len(epochs_of(one, t)) == len(epochs_of(other, t)) == 6]
    assert len(both) > 1 and both[0] == 0, "the baseline and a trial of the search"
    for trial in both:  # the same number, hence the same configuration and seed in both
        assert epochs_of(one, trial) == epochs_of(other, trial)
    warm.run(place, "extend", "s", "--max-epochs", "5", code=4)
    assert "nothing to add" in warm.run(place, "extend", "s", code=2).stderr


def epochs_of(found: dict[str, Any], trial: int) -> list[Any]:
    columns = [values for name, values in found.items() if name.startswith("epoch.")]
    return [row for row in zip(*columns, strict=True) if row[0] == trial]


def test_a_removed_checkpoint_is_trained_again_for_an_export(place):
    warm.run(place, *tiny.start("r", "fused", "--keep", "0"))
    with Store(place / "results" / "r" / "sweep.db", read_only=True) as store:
        cut = next(s.trial for s in store.standings() if s.file is None and s.score is not None)
    said = warm.run(place, "export", "r", str(cut), "m.keras", code=3).stderr
    assert f"sweep export --retrain r {cut} m.keras" in said
    done = warm.run(place, "export", "--retrain", "r", str(cut), "m.keras")
    assert "as recorded" in done.stdout
