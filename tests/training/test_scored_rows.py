"""Training scores on a share of the training rows: which rows, and what stays as it was."""

from dataclasses import replace

import numpy as np
import pytest

from search_spaces import capacity
from sweep.metrics import example_losses
from sweep.settings import Settings
from sweep.tasks.scoring import BINARY_CROSSENTROPY
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.training.checkpoint import TrialState
from sweep.training.chosen import chosen_trainer
from sweep.training.model import build_model, set_state
from tests.support import tiny, warm
from tests.support.fused import BATCH, assignment
from tests.support.small_networks import SMALL

SPLIT = small_split()
SCORED = 70
SAME = ("fit_loss", "fit_score", "val_score", "val_loss", "val_accuracy", "val_auc")


def trained(trainer: str, n_scored: int | None) -> MemoryJournal:
    journal = MemoryJournal()
    settings = Settings(trainer=trainer, batch_size=BATCH, train_score_rows=n_scored)
    work = [assignment(number, 2, **SMALL) for number in range(2)]
    train_all(chosen_trainer(capacity.build, SPLIT, settings, BINARY_CROSSENTROPY), work, journal)
    return journal


def score_on_scored_rows(state: TrialState) -> float:
    """The BCE of a model on the rows whose numbers are the multiples of 200/70, rounded down."""
    model = build_model(capacity.build, SMALL, 0, whole=True)
    set_state(model.variables, state.model)
    rows = [number * 200 // SCORED for number in range(SCORED)]
    logits = model(SPLIT.train.array[rows]).numpy()[:, 0]
    return float(example_losses(logits, SPLIT.train.y[rows]).mean())


@pytest.mark.parametrize("trainer", ["keras", "fused"])
def test_only_the_training_score_is_that_of_fewer_rows(trainer, keras):
    some, all_rows = trained(trainer, SCORED), trained(trainer, None)
    for trial in (0, 1):
        for one, other in zip(some.records[trial], all_rows.records[trial], strict=True):
            for name in SAME:
                assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-6)
            assert abs(one.train_score - other.train_score) > 1e-4
        last = some.records[trial][-1].train_score
        assert last == pytest.approx(score_on_scored_rows(some.states[trial]), abs=1e-6)


def test_scored_rows_are_all_different_and_spread_over_all():
    for n_scored in (1, 3, 70, 199, 200):
        places = replace(SPLIT, scored_rows=n_scored).scored_places
        assert len(np.unique(places)) == n_scored
        assert np.ptp(places) >= 200 - 200 / n_scored - 1


def test_more_rows_than_there_are_are_refused_before_anything_is_trained(tiny_place):
    command = warm.run(tiny_place, *tiny.start("many", "auto", "--train-score-rows", "241"), code=2)
    assert command.stderr.splitlines()[-1] == (
        "error: --train-score-rows is 241, and there are 240 training rows; leave it out to "
        "measure training scores on all of them"
    )
    assert not (tiny_place / "results" / "many").exists()
