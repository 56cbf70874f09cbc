"""The fused trainer under Keras' other backend: the same mathematics."""

import subprocess
import sys

SCRIPT = """
import numpy as np
from sweep.training.start_keras import start_keras

start_keras()
from search_spaces import capacity
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from tests.support.fused import (
    BATCH, MemoryJournal, assignment, measures, same_bits, same_records, small_split, train_all
)

PLAIN = {"width": 16, "depth": 2, "l2": 1e-3, "dropout": 0.0, "decay_steps": 500}

def trained(kind, *work, journal=None):
    journal = journal or MemoryJournal()
    for task in work:
        train_all(kind(capacity.build, small_split(), BATCH, None), [task], journal)
    return journal

mine = trained(FusedTrainer, assignment(0, 3, **PLAIN))
theirs = trained(KerasTrainer, assignment(0, 3, **PLAIN))
for one, other in zip(mine.records[0], theirs.records[0], strict=True):
    np.testing.assert_allclose(measures(one), measures(other), rtol=0, atol=2e-6)

noisy = {**PLAIN, "dropout": 0.3}
whole = trained(FusedTrainer, assignment(0, 3, **noisy))
climbed = trained(FusedTrainer, assignment(0, 1, **noisy), assignment(0, 3, 1, **noisy))
assert same_records(climbed.records[0], whole.records[0])
assert same_bits(climbed.states[0], whole.states[0])
print("done")
"""


def test_the_fused_trainer_runs_on_jax(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "done\n", done.stderr[-2000:]
