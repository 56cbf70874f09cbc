"""What holds bit for bit in the fused trainer, and what becomes of trials that go wrong."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from search_spaces import capacity
from sweep.records import OutcomeStatus
from sweep.training.fused import group as fused_group
from sweep.training.fused import trainer as fused_trainer
from sweep.training.fused.program import shape as shapes
from sweep.training.fused.program import shape_policy
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.reading.model import read
from sweep.training.fused.run import FusedRun
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.fused.waiting import Waiting
from sweep.training.keras_trainer import KerasTrainer
from tests.support.fused import (
    BATCH,
    MemoryJournal,
    assignment,
    measures,
    normalised,
    same_bits,
    same_records,
)
from tests.support.small_networks import PLAIN, SMALL, SPLIT, trained

ROOT = Path(__file__).parents[3]


def neighbours(count, **values):
    """Unlike trials that share the program of a small network."""
    random = np.random.default_rng(3)
    return [
        assignment(
            10 + number,
            **{
                "width": int(random.choice([8, 16])),
                "depth": int(random.integers(1, 5)),
                "l2": float(random.choice(capacity.L2)),
                "dropout": float(random.choice(capacity.DROPOUT)),
                "decay_steps": int(random.choice(capacity.DECAY_STEPS)),
                **values,
            },
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("width", [16, 64, 128])
def test_a_trial_is_the_same_alone_and_in_company(width):
    mine = assignment(0, **{**SMALL, "width": width})
    company = neighbours(8, width=width, depth=2)
    alone = trained([mine])
    for work in ([*company[:3], mine], [mine, *company], [*company, mine]):
        among = trained(work)
        assert same_records(among.records[0], alone.records[0])
        assert same_bits(among.states[0], alone.states[0])


BUILDS = pytest.mark.parametrize("build", [capacity.build, normalised], ids=["plain", "normalised"])


ALL_DEPTHS = """
from sweep.training.start_keras import start_keras
start_keras()
from tests.support.fused import assignment
from tests.support.small_networks import PLAIN, trained
trained([assignment(number, 1, **{**PLAIN, "depth": 1 + number}) for number in range(4)])
trained([assignment(number, 2, **{**PLAIN, "depth": 4 - number}) for number in range(4)])
"""


def test_a_program_is_compiled_once_whatever_the_depths_of_its_trials(tmp_path):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    environment = {**os.environ, "XLA_FLAGS": flags}
    subprocess.run([sys.executable, "-c", ALL_DEPTHS], check=True, env=environment, cwd=ROOT)
    assert len(list(tmp_path.glob("*before_optimizations.txt"))) == 1


def test_a_trial_continues_to_the_last_bit():
    whole = trained([assignment(0, 9, **SMALL), *neighbours(2)])
    climbing = MemoryJournal()
    for first, last in ((0, 1), (1, 3), (3, 9)):
        trained([assignment(0, last, first, **SMALL)], climbing)
    assert same_records(climbing.records[0], whole.records[0])
    assert same_bits(climbing.states[0], whole.states[0])


def test_an_interrupted_group_goes_on_to_the_same_numbers():
    work = [assignment(0, 5, **SMALL), *neighbours(9)]
    whole, broken = trained(work), MemoryJournal()
    trained(work, broken, stop=lambda: len(broken.live) >= 4)
    assert 1 <= broken.states[0].epoch < 5
    assert not broken.outcomes
    rest = [task for task in work if task.trial not in broken.outcomes]
    trained(rest, broken)
    for task in work:
        assert same_records(broken.records[task.trial], whole.records[task.trial])
        assert same_bits(broken.states[task.trial], whole.states[task.trial])


def test_a_trial_that_diverges_leaves_its_neighbours_bits_alone():
    def build(hp):
        model = capacity.build(hp)
        if hp.get("decay_steps") == 501:
            model.layers[0].kernel.assign(np.full(model.layers[0].kernel.shape, 1e30, np.float32))
        return model

    company = neighbours(4)
    bad = assignment(0, **{**SMALL, "decay_steps": 501})
    journal, healthy = trained([*company[:2], bad, *company[2:]], build=build), trained(company)
    assert journal.outcomes[0].status is OutcomeStatus.FAILED
    assert journal.outcomes[0].error.endswith("in epoch 1")
    assert 0 not in journal.states
    for task in company:
        assert same_records(journal.records[task.trial], healthy.records[task.trial])
        assert same_bits(journal.states[task.trial], healthy.states[task.trial])


def test_early_stopping_is_that_of_the_keras_trainer():
    work = [assignment(0, 40, width=64, depth=4, l2=0.0, dropout=0.0, decay_steps=20_000)]
    fused, stock = trained(work, patience=3), trained(work, patience=3, kind=KerasTrainer)
    assert fused.outcomes[0].status is OutcomeStatus.STOPPED
    assert fused.outcomes[0].epochs == stock.outcomes[0].epochs
    assert fused.states[0].early_stopping.best_epoch == stock.states[0].early_stopping.best_epoch
    for mine, theirs in zip(fused.states[0].best, stock.states[0].best, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


@BUILDS
@pytest.mark.parametrize("kinds", [(KerasTrainer, FusedTrainer), (FusedTrainer, KerasTrainer)])
def test_one_trainer_continues_what_the_other_began(kinds, build):
    whole, handed_over = trained([assignment(0, 3, **PLAIN)], build=build), MemoryJournal()
    trained([assignment(0, 1, **PLAIN)], handed_over, build, kind=kinds[0])
    trained([assignment(0, 3, 1, **PLAIN)], handed_over, build, kind=kinds[1])
    for mine, theirs in zip(handed_over.records[0], whole.records[0], strict=True):
        np.testing.assert_allclose(measures(mine), measures(theirs), rtol=0, atol=2e-6)


def test_dropouts_generators_advance_as_keras_would_advance_them():
    fused, stock = trained([assignment(0, 2, **SMALL)]), MemoryJournal()
    trained([assignment(0, 2, **SMALL)], stock, kind=KerasTrainer)
    pairs = zip(fused.states[0].model, stock.states[0].model, strict=True)
    generators = [(mine, theirs) for mine, theirs in pairs if mine.dtype == np.int64]
    assert len(generators) == 2
    for mine, theirs in generators:
        np.testing.assert_array_equal(mine, theirs)


@BUILDS
def test_a_checkpoint_becomes_an_ordinary_keras_model(tmp_path, build):
    from sweep.training import model as trial_model

    journal = trained([assignment(0, 2, **SMALL)], build=build)
    model = trial_model.build_model(build, SMALL, seed=1)
    trial_model.set_state(model.variables, journal.states[0].model)
    model.save(tmp_path / "trial.keras")
    loaded = keras.models.load_model(tmp_path / "trial.keras")
    evaluation = trial_model.evaluate(loaded, SPLIT.validation)
    assert evaluation.score == pytest.approx(journal.records[0][-1].val_score, abs=1e-6)


def test_a_model_it_cannot_carry_fails_with_the_reason():
    def build(hp):
        model = capacity.build(hp)
        model.add(layers.BatchNormalization())
        return model

    journal = trained([assignment(0, **SMALL)], build=build)
    assert journal.outcomes[0].status is OutcomeStatus.FAILED
    assert "BatchNormalization" in journal.outcomes[0].error


def test_out_of_memory_splits_the_group_and_loses_nobody(monkeypatch):
    work = [assignment(0, **SMALL), *neighbours(5)]
    whole = trained(work)
    train_epoch, calls = fused_group.SlotGroup.train_epoch, []

    def scarce(self):
        calls.append(self.shape.slots)
        if self.shape.slots > 1 and len(calls) > 1:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return train_epoch(self)

    monkeypatch.setattr(fused_group.SlotGroup, "train_epoch", scarce)
    split = trained(work)
    assert calls[:2] == [2, 2] and calls[-1] == 1
    for task in work:
        assert split.outcomes[task.trial].status is OutcomeStatus.COMPLETED
        for mine, theirs in zip(split.records[task.trial], whole.records[task.trial], strict=True):
            np.testing.assert_allclose(measures(mine), measures(theirs), rtol=0, atol=2e-6)


def test_out_of_memory_in_one_group_leaves_another_of_its_program_at_work(monkeypatch):
    monkeypatch.setattr(fused_trainer, "groups_at_once", lambda: 3)
    work = [assignment(trial, last_epoch=3 + trial, **SMALL) for trial in range(5)]
    train_epoch, calls = fused_group.SlotGroup.train_epoch, []

    def scarce(self):
        calls.append(self)
        if len({id(group) for group in calls}) == 2 and calls.count(self) == 1:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return train_epoch(self)

    monkeypatch.setattr(fused_group.SlotGroup, "train_epoch", scarce)
    split = trained(work)
    assert {group.shape.slots for group in calls} == {2, 1}
    statuses = {trial: outcome.status for trial, outcome in split.outcomes.items()}
    assert statuses == dict.fromkeys(range(5), OutcomeStatus.COMPLETED)


def waiting(number, depth, bracket):
    values = {"width": 8, "depth": depth, "l2": 0.0, "dropout": 0.0, "decay_steps": 1_000}
    run = FusedRun(replace(assignment(number, **values), bracket=bracket), MemoryJournal(), None)
    assert run.read(Readings(capacity.build)) is None
    return run


def test_a_trial_is_given_company_of_its_depth_where_there_is_any():
    queue = Waiting()
    for number, (depth, bracket) in enumerate([(2, 0), (1, 1), (3, 1), (2, 1), (3, 1), (1, 0)]):
        queue.push(waiting(number, depth, bracket))
    assert queue.first.assignment.trial == 1
    order = [queue.pop(depths).assignment.trial for depths in ((), (2,), (1,), (3,), (1,), ())]
    assert order == [1, 3, 5, 2, 4, 0]
    assert not queue


def test_a_trial_of_a_bracket_with_more_rungs_is_seated_first():
    def run(number, bracket):
        return FusedRun(replace(assignment(number), bracket=bracket), MemoryJournal(), None)

    runs = [run(0, None), run(1, 0), run(2, 3), run(3, 3), run(4, 1)]
    assert [run.assignment.trial for run in sorted(runs)] == [2, 3, 4, 0, 1]


@pytest.mark.parametrize(
    ("clip", "widths", "on_gpu", "depth", "padded"),
    [
        (None, (24, 24), False, "looped", (32,) * 4),
        (None, (60, 20), False, "looped", (64,) * 4),
        (None, (256,) * 5, False, "looped", (256,) * 8),
        (None, (512,) * 2, False, "exact", (512,) * 2),
        (None, (512, 256), False, "exact", (512, 256)),
        ("clipnorm", (24, 24), False, "looped", (32,) * 4),
        ("global_clipnorm", (24, 24), False, "padded", (32,) * 4),
        ("global_clipnorm", (512, 512), False, "exact", (512, 512)),
        (None, (24, 24), True, "padded", (32,) * 4),
        (None, (128,) * 3, True, "padded", (128,) * 4),
        (None, (512,) * 3, True, "exact", (512,) * 3),
        (None, (), False, "exact", ()),
    ],
)
def test_alike_layers_are_a_loop_on_a_cpu_unless_all_gradients_are_needed_at_once(
    clip, widths, on_gpu, depth, padded
):
    hidden = [layers.Dense(width, activation="elu") for width in widths]
    model = keras.Sequential([keras.Input((28,)), *hidden, layers.Dense(1)])
    model.compile(
        keras.optimizers.Adam(**({clip: 1.0} if clip else {})),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    shape = shape_policy.shape_of(read(model), shapes.RowCounts(200, 60, BATCH), 1 << 30, on_gpu)
    assert (shape.depth, shape.widths) == (depth, padded)


@pytest.mark.parametrize(("on_gpu", "programs"), [(False, 8), (True, 12)])
def test_the_number_of_programs_of_the_capacity_space_is_small(on_gpu, programs):
    """Up to 256 units one for each class of widths on a CPU; on a GPU depth counts from 128 on."""
    trainer = FusedTrainer(capacity.build, SPLIT, BATCH, None)
    found = set()
    for width in capacity.WIDTHS:
        for depth in capacity.DEPTHS:
            values = {**SMALL, "width": width, "depth": depth}
            description = trainer.readings.description(assignment(0, **values))
            found.add(
                shape_policy.shape_of(
                    description, shapes.RowCounts(200, 60, BATCH), 1 << 30, on_gpu
                )
            )
    assert len(found) == programs


@pytest.mark.parametrize(
    ("width", "padded"),
    [(1, 32), (16, 32), (32, 32), (33, 64), (64, 64), (65, 96), (97, 128), (129, 192),
     (193, 256), (300, 384), (512, 512), (513, 768)],
)  # fmt: skip
def test_widths_are_padded_to_a_class(width, padded):
    assert shape_policy.width_class(width) == padded
