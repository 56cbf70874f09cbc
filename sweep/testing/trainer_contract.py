"""The suite that every trainer must pass: exact continuation, determinism, failures alone.

Inherit from `TrainerContract` in a test module, and give it a fixture `make_trainer`:

    class TestMyTrainer(TrainerContract):
        @pytest.fixture
        def make_trainer(self):
            return lambda build, patience=None: MyTrainer(build, SPLIT, BATCH, patience)

The trainer keeps no checkpoint but where it must. Needs Keras to be started.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.records import Assignment, EpochRecord, OutcomeStatus, Value
from sweep.testing.checkpoint_files import CheckpointFiles
from sweep.testing.splits import small_split
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Ended, Trainer, train_all
from sweep.training.memory_journal import MemoryJournal
from sweep.training.queue import Queue

SPLIT = small_split(train=230, validation=90)
BATCH = 50

PLAIN: dict[str, Value] = {
    "width": 16, "depth": 2, "l2": 0.0, "dropout": 0.0, "decay_steps": 500
}  # fmt: skip
PENALISED: dict[str, Value] = {**PLAIN, "width": 32, "l2": 1e-3}
REGULARISED: dict[str, Value] = {**PENALISED, "dropout": 0.3}
LARGE: dict[str, Value] = {**PLAIN, "width": 512, "depth": 4}
"""Overfits within a few epochs."""

MakeTrainer = Callable[..., Trainer]
"""`make_trainer(build, patience=None)`: a trainer on `SPLIT` in batches of `BATCH`."""


def assign(
    trial: int, first: int, last: int, values: dict[str, Value], seed: int = 7, rung: int = 0
) -> Assignment:
    """Train a trial from epoch `first` (exclusive) to `last`."""
    return Assignment(trial * 100 + rung, trial, rung, first, last, values, seed)


def numbers(records: Sequence[EpochRecord]) -> list[EpochRecord]:
    """Return the records with no seconds in them: all else is measured."""
    return [replace(record, seconds=0.0) for record in records]


def assert_same_state(one: TrialState, other: TrialState) -> None:
    """Raises AssertionError unless both states are equal in every number."""
    assert one.epoch == other.epoch
    assert one.early_stopping == other.early_stopping
    np.testing.assert_array_equal(one.val_losses, other.val_losses)
    for group in ("model", "optimizer", "best"):
        left, right = getattr(one, group), getattr(other, group)
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=group)


class TrainerContract:
    """What a trainer promises (see `training.contract.Trainer`)."""

    trains_elsewhere = False
    """Whether an epoch may have begun, before the trainer is asked to stop after the last one."""

    @pytest.fixture
    def make_trainer(self) -> MakeTrainer:
        raise NotImplementedError("a subclass gives the trainer")

    @pytest.fixture
    def plain(self) -> Any:
        from sweep.testing import spaces

        return spaces.plain

    @pytest.fixture
    def journal(self, tmp_path: Path) -> MemoryJournal:
        """States are in files, as a sweep's are."""
        (tmp_path / "one").mkdir()
        return MemoryJournal(CheckpointFiles(tmp_path / "one"))

    @pytest.fixture
    def whole(self, tmp_path: Path) -> MemoryJournal:
        """A second journal, of the run to compare with."""
        (tmp_path / "whole").mkdir()
        return MemoryJournal(CheckpointFiles(tmp_path / "whole"))

    @pytest.mark.parametrize("kind", ["plain", "regularised", "normalised"])
    def test_promotion_continues_a_trial_to_the_last_bit(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, whole: MemoryJournal, kind: str
    ) -> None:
        from sweep.testing import spaces

        build = spaces.normalised if kind == "normalised" else spaces.plain
        values = PLAIN if kind == "plain" else REGULARISED
        train_all(make_trainer(build), [assign(0, 0, 9, values)], whole)
        for rung, (first, last) in enumerate([(0, 1), (1, 3), (3, 9)]):
            train_all(make_trainer(build), [assign(0, first, last, values, rung=rung)], journal)
        assert numbers(journal.records[0]) == numbers(whole.records[0])
        assert [record.epoch for record in whole.records[0]] == list(range(1, 10))
        assert_same_state(journal.states[0], whole.states[0])

    def test_the_losses_kept_are_those_of_the_best_epoch(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        """Their mean is the score, and they are those of the best weights, after every rung."""
        from sweep.training import model as trial_model

        scores: list[float] = []
        losses: Any = None
        for rung, (first, last) in enumerate([(0, 1), (1, 4), (4, 12)]):
            train_all(make_trainer(plain), [assign(0, first, last, LARGE, rung=rung)], journal)
            scores = [record.val_score for record in journal.records[0]]
            losses = journal.states[0].val_losses
            assert losses.dtype == np.float32 and losses.shape == (90,)
            assert losses.mean(dtype=np.float64) == pytest.approx(min(scores), rel=1e-7)
        assert min(scores) < scores[-1], "the best epoch must not be the last here"
        model = trial_model.build_model(plain, LARGE, seed=7)
        trial_model.set_state(model.variables, journal.states[0].best)
        again = trial_model.evaluate(model, SPLIT.validation).losses
        assert again is not None
        np.testing.assert_allclose(losses, again, rtol=1e-4, atol=1e-5)

    def test_a_trial_without_losses_gets_them_with_its_next_best_epoch(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        """Its checkpoint is of the first format, which held none."""
        train_all(make_trainer(plain), [assign(0, 0, 2, PLAIN)], journal)
        journal.states[0] = replace(journal.states[0], val_losses=None)
        train_all(make_trainer(plain), [assign(0, 2, 4, PLAIN, rung=1)], journal)
        scores = [record.val_score for record in journal.records[0]]
        assert min(scores) < min(scores[:2]), "there must be a better epoch"
        losses = journal.states[0].val_losses
        assert losses is not None and losses.mean() == pytest.approx(min(scores), rel=1e-6)

    def test_early_stopping_counts_across_rungs(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, whole: MemoryJournal, plain: Any
    ) -> None:
        train_all(make_trainer(plain, patience=3), [assign(0, 0, 60, LARGE)], whole)
        n_epochs = len(whole.records[0])
        assert 3 < n_epochs < 60, "the model must overfit for this test to mean anything"
        rungs = [(0, n_epochs - 2), (n_epochs - 2, n_epochs - 1), (n_epochs - 1, 60)]
        for rung, (first, last) in enumerate(rungs):
            work = [assign(0, first, last, LARGE, rung=rung)]
            train_all(make_trainer(plain, patience=3), work, journal)
        assert numbers(journal.records[0]) == numbers(whole.records[0])
        assert_same_state(journal.states[0], whole.states[0])
        assert [ended.outcome.status for ended in journal.ended] == [
            OutcomeStatus.COMPLETED,
            OutcomeStatus.COMPLETED,
            OutcomeStatus.STOPPED,
        ]

    def test_a_stopped_trial_that_is_promoted_costs_no_epochs_and_says_so(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        train_all(make_trainer(plain, patience=2), [assign(0, 0, 60, LARGE)], journal)
        before, state = len(journal.records[0]), journal.states[0]
        train_all(make_trainer(plain, patience=2), [assign(0, 60, 81, LARGE, rung=1)], journal)
        last = journal.outcomes[0]
        assert (last.status, last.epochs) == (OutcomeStatus.STOPPED, 0)
        assert len(journal.records[0]) == before
        assert_same_state(journal.states[0], state)

    def test_an_interrupted_trial_goes_on_to_the_same_numbers(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, whole: MemoryJournal, plain: Any
    ) -> None:
        last = 150 if self.trains_elsewhere else 5
        work = [assign(0, 0, last, REGULARISED)]
        train_all(make_trainer(plain), work, whole)
        train_all(make_trainer(plain), work, journal, lambda: len(journal.live) >= 2)
        assert not journal.ended
        assert 2 <= journal.states[0].epoch <= (last - 1 if self.trains_elsewhere else 2)
        train_all(make_trainer(plain), work, journal)
        assert numbers(journal.records[0]) == numbers(whole.records[0])
        assert_same_state(journal.states[0], whole.states[0])
        assert journal.outcomes[0].epochs == last

    def test_an_epoch_that_is_left_halfway_is_trained_again_to_the_same_numbers(
        self,
        make_trainer: MakeTrainer,
        journal: MemoryJournal,
        whole: MemoryJournal,
        plain: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("sweep.training.grace.GRACE_SECONDS", 0.0)
        work = [assign(0, 0, 4, REGULARISED)]
        train_all(make_trainer(plain), work, whole)
        for n_asked in (9, 13, 14):
            asked = iter(range(n_asked))
            train_all(make_trainer(plain), work, journal, lambda a=asked: next(a, None) is None)  # type: ignore[misc]
        train_all(make_trainer(plain), work, journal)
        assert numbers(journal.records[0]) == numbers(whole.records[0])
        assert_same_state(journal.states[0], whole.states[0])

    def test_a_trainer_that_is_asked_to_stop_before_it_begins_takes_nothing(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        queue = Queue([assign(0, 0, 2, PLAIN)])
        assert list(make_trainer(plain).train(queue, journal, lambda: True)) == []
        assert len(queue) == 1 and not journal.live

    def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        work = [assign(0, 0, 2, REGULARISED), assign(1, 0, 2, REGULARISED)]
        work.append(assign(2, 0, 2, REGULARISED, seed=8))
        train_all(make_trainer(plain), work, journal)
        assert numbers(journal.records[0]) == numbers(journal.records[1])
        assert numbers(journal.records[0]) != numbers(journal.records[2])

    def test_a_trial_that_raises_fails_alone(
        self, make_trainer: MakeTrainer, journal: MemoryJournal
    ) -> None:
        from sweep.testing import spaces

        widths = (16, spaces.ODD_WIDTH, 32)
        work = [assign(n, 0, 1, {**PLAIN, "width": width}) for n, width in enumerate(widths)]
        train_all(make_trainer(spaces.raising), work, journal)
        statuses = [journal.outcomes[trial].status for trial in range(3)]
        assert statuses == ["completed", "failed", "completed"]
        failed = journal.outcomes[1]
        assert failed.error == "RuntimeError: no luck with 64"
        assert "in raising" in (failed.traceback or "")
        assert 1 not in journal.states

    def test_a_loss_that_is_not_finite_fails_its_trial_alone(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, whole: MemoryJournal, plain: Any
    ) -> None:
        from sweep.testing import spaces

        neighbour = assign(1, 0, 2, PLAIN)
        train_all(make_trainer(plain), [neighbour], whole)
        work = [assign(0, 0, 2, {**PLAIN, "width": spaces.ODD_WIDTH}), neighbour]
        train_all(make_trainer(spaces.not_finite), work, journal)
        failed = journal.outcomes[0]
        assert (failed.status, failed.epochs) == (OutcomeStatus.FAILED, 1)
        assert failed.error == "fit_loss became nan in epoch 1"
        assert failed.traceback is None, "it is no fault of the program's"
        assert [record.epoch for record in journal.records[0]] == [1]
        assert [trial for trial, _ in journal.live] == [1, 1], "it is in no live progress"
        assert numbers(journal.records[1]) == numbers(whole.records[1])

    def test_what_an_end_brings_is_taken_up_and_each_outcome_names_its_trainer(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        queue = Queue([assign(0, 0, 1, PLAIN)])
        following = {0: assign(0, 1, 2, PLAIN, rung=1), 1: assign(1, 0, 1, REGULARISED)}
        for n, ended in enumerate(make_trainer(plain).train(queue, journal, lambda: False)):
            journal.finish(ended)
            queue.extend([following[n]] if n in following else [])
        assert [one.assignment.trial for one in journal.ended] == [0, 0, 1]
        assert all(one.outcome.trainer for one in journal.ended)
        assert journal.states[0].epoch == 2

    def test_a_trainer_whose_reader_gives_up_ends(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        """Each end that is not read is as if it had not been."""
        work = [assign(trial, 0, 1, PLAIN) for trial in range(3)]
        endings = make_trainer(plain).train(Queue(work), journal, lambda: False)
        first = next(endings)
        endings.close()
        assert isinstance(first, Ended) and next(endings, None) is None

    def test_records_hold_what_keras_reports(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        """Against plain `model.fit` on the same batches, and `model.evaluate` after it."""
        from sweep.training import model as trial_model

        train_all(make_trainer(plain), [assign(0, 0, 2, PENALISED)], journal)
        model = trial_model.build_model(plain, PENALISED, seed=7)
        history = model.fit(
            trial_model.shuffled_batches(SPLIT.train, BATCH, 7, 0, 2),
            epochs=2,
            steps_per_epoch=5,
            shuffle=False,
            verbose=0,
        ).history
        x, labels = SPLIT.validation.x, SPLIT.validation.y
        expected = model.evaluate(x, labels[:, None], verbose=0, return_dict=True)
        last = journal.records[0][-1]
        assert last.fit_score == pytest.approx(history["binary_crossentropy"][-1], rel=1e-5)
        assert last.fit_loss == pytest.approx(history["loss"][-1], rel=1e-5)
        assert last.val_score == pytest.approx(expected["binary_crossentropy"], rel=1e-5)
        assert last.val_loss == pytest.approx(expected["loss"], rel=1e-5)
        logits = model.predict(x, verbose=0)[:, 0]
        # Keras' own "accuracy" compares logits with 0.5; ours compares probabilities with it.
        assert last.val_accuracy == pytest.approx(np.mean((logits > 0) == (labels > 0)))
        assert last.learning_rate == pytest.approx(0.001 / (1 + 10 / 500), rel=1e-6)
        assert last.val_loss > last.val_score, "the penalty is in the loss and not in the BCE"

    def test_nothing_of_a_trial_is_kept_in_memory(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, plain: Any
    ) -> None:
        """A traced graph that stays costs megabytes a trial (benchmarks/memory.py)."""
        import gc

        trainer = make_trainer(plain)

        def kept() -> tuple[int, int]:
            gc.collect()
            kinds = [type(one).__name__ for one in gc.get_objects()]
            return kinds.count("FuncGraph"), kinds.count("Sequential")

        def train(trials: Iterable[int]) -> None:
            for trial in trials:
                train_all(trainer, [assign(trial, 0, 1, {**PLAIN, "l2": trial / 1000})], journal)

        train([0])
        before = kept()
        train(range(1, 4))
        assert kept() == before
