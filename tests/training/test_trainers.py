"""The contract every trainer keeps: continuation to the last bit, determinism, failures alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search_spaces import capacity
from sweep.records import OutcomeStatus
from sweep.training.checkpoint import write_checkpoint
from tests.support.trainers import FileJournal, assert_same_state, assign, make_split, numbers

PLAIN = {"width": 16, "depth": 2, "l2": 0.0, "dropout": 0.0, "decay_steps": 500}
PENALISED = {"width": 32, "depth": 2, "l2": 1e-3, "dropout": 0.0, "decay_steps": 500}
REGULARISED = {"width": 32, "depth": 2, "l2": 1e-3, "dropout": 0.3, "decay_steps": 500}


def never() -> bool:
    return False


@pytest.fixture(params=["keras", "fused", "auto"])
def make_trainer(request: pytest.FixtureRequest, keras: Any) -> Callable[..., Any]:
    from sweep.training.auto_trainer import AutoTrainer
    from sweep.training.fused.trainer import FusedTrainer
    from sweep.training.keras_trainer import KerasTrainer

    trainers = {"keras": KerasTrainer, "fused": FusedTrainer, "auto": AutoTrainer}

    def make(patience: int | None = None, build: Any = capacity.build, **options: Any) -> Any:
        options = {"batch_size": 50, "checkpoint_seconds": 1e9, **options}
        return trainers[request.param](
            build=build, split=make_split(), patience=patience, **options
        )

    return make


@pytest.mark.parametrize("kind", ["plain", "regularised", "normalised"])
def test_promotion_continues_a_trial_to_the_last_bit(make_trainer, tmp_path, kind):
    from tests.support.fused import normalised

    build = normalised if kind == "normalised" else capacity.build
    values = {"plain": PLAIN, "regularised": REGULARISED, "normalised": REGULARISED}[kind]
    whole, climbing = _folders(tmp_path)
    make_trainer(build=build).train([assign(0, 0, 9, values)], whole, never)
    for rung, (first, last) in enumerate([(0, 1), (1, 3), (3, 9)]):
        trainer = make_trainer(build=build)
        trainer.train([assign(0, first, last, values, rung=rung)], climbing, never)
    assert numbers(climbing.records[0]) == numbers(whole.records[0])
    assert [record.epoch for record in whole.records[0]] == list(range(1, 10))
    assert_same_state(climbing.state(0), whole.state(0))


def test_the_losses_kept_are_those_of_the_best_epoch(make_trainer, tmp_path, keras):
    """Their mean is the score, and they are those of the best weights, after every rung."""
    from sweep.training import model as trial_model

    values = {**PLAIN, "width": 512, "depth": 4}
    journal = FileJournal(tmp_path)
    scores = []
    for rung, (first, last) in enumerate([(0, 1), (1, 4), (4, 40)]):
        make_trainer().train([assign(0, first, last, values, rung=rung)], journal, never)
        scores = [record.val_bce for record in journal.records[0]]
        losses = journal.state(0).val_losses
        assert losses.dtype == np.float32 and losses.shape == (90,)
        assert losses.mean(dtype=np.float64) == pytest.approx(min(scores), rel=1e-7)
    assert min(scores) < scores[-1], "the best epoch must not be the last for this to mean anything"
    model = trial_model.build_model(capacity.build, values, seed=7)
    trial_model.set_state(model.variables, journal.state(0).best)
    again = trial_model.evaluate(model, make_split().validation).losses
    np.testing.assert_allclose(losses, again, rtol=1e-4, atol=1e-5)


def test_a_trial_without_losses_gets_them_with_its_next_best_epoch(make_trainer, tmp_path):
    """Its checkpoint is of the first format, which held none."""
    journal = FileJournal(tmp_path)
    make_trainer().train([assign(0, 0, 2, PLAIN)], journal, never)
    old = replace(journal.state(0), val_losses=None)
    write_checkpoint(journal.path(0), "test/0", old)
    make_trainer().train([assign(0, 2, 4, PLAIN, rung=1)], journal, never)
    scores = [record.val_bce for record in journal.records[0]]
    assert min(scores) < min(scores[:2]), "there must be a better epoch"
    assert journal.state(0).val_losses.mean() == pytest.approx(min(scores), rel=1e-6)


def test_early_stopping_counts_across_rungs(make_trainer, tmp_path):
    values = {**PLAIN, "width": 512, "depth": 4}
    whole, climbing = _folders(tmp_path)
    make_trainer(patience=3).train([assign(0, 0, 60, values)], whole, never)
    n_epochs = len(whole.records[0])
    assert 3 < n_epochs < 60, "the model must overfit for this test to mean anything"
    rungs = [(0, n_epochs - 2), (n_epochs - 2, n_epochs - 1), (n_epochs - 1, 60)]
    for rung, (first, last) in enumerate(rungs):
        make_trainer(patience=3).train([assign(0, first, last, values, rung=rung)], climbing, never)
    assert numbers(climbing.records[0]) == numbers(whole.records[0])
    assert_same_state(climbing.state(0), whole.state(0))
    assert [outcome.status for outcome in climbing.outcomes[0]] == [
        OutcomeStatus.COMPLETED,
        OutcomeStatus.COMPLETED,
        OutcomeStatus.STOPPED,
    ]


def test_a_stopped_trial_that_is_promoted_costs_no_epochs_and_says_so(make_trainer, tmp_path):
    values = {**PLAIN, "width": 512, "depth": 4}
    journal = FileJournal(tmp_path)
    make_trainer(patience=2).train([assign(0, 0, 60, values)], journal, never)
    before, state = len(journal.records[0]), journal.state(0)
    make_trainer(patience=2).train([assign(0, 60, 81, values, rung=1)], journal, never)
    last = journal.outcomes[0][-1]
    assert (last.status, last.epochs) == (OutcomeStatus.STOPPED, 0)
    assert len(journal.records[0]) == before
    assert_same_state(journal.state(0), state)


def test_an_interrupted_trial_goes_on_to_the_same_numbers(make_trainer, tmp_path):
    whole, broken = _folders(tmp_path)
    make_trainer().train([assign(0, 0, 5, REGULARISED)], whole, never)
    make_trainer().train([assign(0, 0, 5, REGULARISED)], broken, lambda: broken.epochs_seen >= 2)
    assert 0 not in broken.outcomes
    assert broken.state(0).epoch == 2
    make_trainer().train([assign(0, 0, 5, REGULARISED)], broken, never)
    assert numbers(broken.records[0]) == numbers(whole.records[0])
    assert_same_state(broken.state(0), whole.state(0))
    assert broken.outcomes[0][0].epochs == 5


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(make_trainer, tmp_path):
    journal = FileJournal(tmp_path)
    trials = [assign(0, 0, 2, REGULARISED), assign(1, 0, 2, REGULARISED)]
    make_trainer().train([*trials, assign(2, 0, 2, REGULARISED, seed=8)], journal, never)
    assert numbers(journal.records[0]) == numbers(journal.records[1])
    assert numbers(journal.records[0]) != numbers(journal.records[2])


def test_a_trial_that_raises_fails_alone(make_trainer, tmp_path):
    def build(hp: Any) -> Any:
        model = capacity.build(hp)
        if hp.get("width") == 64:
            raise RuntimeError("no luck\nwith 64")
        return model

    journal = FileJournal(tmp_path)
    values = [PLAIN, {**PLAIN, "width": 64}, {**PLAIN, "width": 32}]
    trials = [assign(number, 0, 1, value) for number, value in enumerate(values)]
    make_trainer(build=build).train(trials, journal, never)
    assert [journal.outcomes[n][0].status for n in range(3)] == ["completed", "failed", "completed"]
    failed = journal.outcomes[1][0]
    assert failed.error == "RuntimeError: no luck with 64"
    assert "in build" in (failed.traceback or "")
    assert not journal.path(1).exists()


def test_a_loss_that_is_not_finite_fails_its_trial_alone(make_trainer, tmp_path, keras):
    def build(hp: Any) -> Any:
        model = capacity.build(hp)
        if hp.get("width") == 64:
            model.layers[0].kernel.assign(np.full((28, 64), np.nan, np.float32))
        return model

    journal, alone = _folders(tmp_path)
    neighbour = assign(1, 0, 2, PLAIN)
    make_trainer().train([neighbour], alone, never)
    make_trainer(build=build).train(
        [assign(0, 0, 2, {**PLAIN, "width": 64}), neighbour], journal, never
    )
    failed = journal.outcomes[0][0]
    assert (failed.status, failed.epochs) == (OutcomeStatus.FAILED, 1)
    assert failed.error == "fit_loss became nan in epoch 1"
    assert numbers(journal.records[1]) == numbers(alone.records[1])


def test_records_hold_what_keras_reports(make_trainer, tmp_path, keras):
    """Against plain `model.fit` on the same batches, and `model.evaluate` after it."""
    from sweep.training import model as trial_model

    journal = FileJournal(tmp_path)
    make_trainer().train([assign(0, 0, 2, PENALISED)], journal, never)
    split = make_split()
    model = trial_model.build_model(capacity.build, PENALISED, seed=7)
    history = model.fit(
        trial_model.shuffled_batches(split.train, 50, 7, 0, 2),
        epochs=2,
        steps_per_epoch=5,
        shuffle=False,
        verbose=0,
    ).history
    expected = model.evaluate(split.validation.x, split.validation.y, verbose=0, return_dict=True)
    last = journal.records[0][-1]
    assert last.fit_bce == pytest.approx(history["binary_crossentropy"][-1], rel=1e-5)
    assert last.fit_loss == pytest.approx(history["loss"][-1], rel=1e-5)
    assert last.val_bce == pytest.approx(expected["binary_crossentropy"], rel=1e-5)
    assert last.val_loss == pytest.approx(expected["loss"], rel=1e-5)
    logits = model.predict(split.validation.x, verbose=0)
    # Keras' own "accuracy" compares logits with 0.5; ours compares probabilities with it.
    assert last.val_accuracy == pytest.approx(np.mean((logits > 0) == (split.validation.y > 0)))
    assert last.learning_rate == pytest.approx(0.001 / (1 + 10 / 500), rel=1e-6)
    assert last.val_loss > last.val_bce, "the penalty is in the loss and not in the BCE"


def _folders(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return FileJournal(tmp_path / "one"), FileJournal(tmp_path / "other")


def test_nothing_of_a_trial_is_kept_in_memory(make_trainer, tmp_path):
    """A traced graph that stays costs megabytes a trial (benchmarks/memory.py)."""
    import gc

    trainer, journal = make_trainer(), FileJournal(tmp_path)

    def kept() -> tuple[int, int]:
        gc.collect()
        kinds = [type(one).__name__ for one in gc.get_objects()]
        return kinds.count("FuncGraph"), kinds.count("Sequential")

    trainer.train([assign(0, 0, 1, PLAIN)], journal, never)
    before = kept()
    for trial in range(1, 4):
        trainer.train([assign(trial, 0, 1, {**PLAIN, "l2": trial / 1000})], journal, never)
    assert kept() == before
