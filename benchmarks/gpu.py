"""The default search on a GPU: fused training against `model.fit`, one trial at a time.

    python benchmarks/gpu.py                       # on a machine with a GPU, under 8 minutes
    KERAS_BACKEND=jax python benchmarks/gpu.py     # the same under JAX
    python benchmarks/gpu.py --anyway --max-epochs 3 --sample 4    # tried out without a GPU

The trials of the space `capacity`, each trained through to where Hyperband would leave it. Fused:
all of them, reading and compiling included. `model.fit` on the same data, backend and device: a
sample that is spread over the sizes, each built and trained for three epochs; the means of what
comes before the second epoch and of an epoch are scaled to all trials and epochs.

Two floors: the FLOPs of the matrix products at the rate of a large one; and weights, gradients and
Adam's slots, read and written once a step, at the rate at which a large array is copied.
"""

import argparse
import statistics
import time

import fused as common
import keras
import keras_tuner
import numpy as np

from search_spaces import capacity
from sweep.records import Assignment
from sweep.searches.hyperband import HyperbandSearch
from sweep.searches.plan import Plan, rehearse
from sweep.settings import Settings
from sweep.training.contract import train_all
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.model import build_model

COPIED = 1 << 26
"""Numbers in the array whose copy is timed: 256 MiB."""
PASSES = 8
"""Over a weight's four bytes in a step: value and two slots read and written, gradient likewise."""
STEPS = -(-common.TRAIN // common.BATCH)


def planned(max_epochs):
    """Hyperband's trials in the order of the search, one assignment each."""
    hp = keras_tuner.HyperParameters()
    capacity.build(hp)
    factor = Settings().factor
    plan: Plan = rehearse(lambda: HyperbandSearch(hp, max_epochs, factor, 1, 0))
    last = {}
    for proposal in plan.proposals:
        last[proposal.root_id] = max(last.get(proposal.root_id, 0), proposal.last_epoch)
    return [
        Assignment(n, n, 0, 0, last[root.root_id], root.hyperparameters, 1 + n)
        for n, root in enumerate(plan.roots)
    ]


def size(trial):
    return trial.hyperparameters["width"], trial.hyperparameters["depth"]


def fit_alone(trial, split):
    """Seconds until the end of the first epoch, and of each epoch after it."""
    marks = []
    started = time.perf_counter()
    model = build_model(capacity.build, trial.hyperparameters, trial.seed)
    model.fit(
        split.train.x,
        split.train.y[:, None],
        batch_size=common.BATCH,
        epochs=3,
        validation_data=(split.validation.x, split.validation.y[:, None]),
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: marks.append(time.perf_counter())
            )
        ],
    )
    return marks[0] - started, (marks[-1] - marks[0]) / (len(marks) - 1)


def copy_rate():
    """Bytes a second of a large array read and written."""
    array = keras.ops.ones((COPIED,))
    return 2 * 4 * COPIED / common.seconds_of(lambda: np.asarray((array + 1.0)[:1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-epochs", type=int, default=Settings().max_epochs)
    parser.add_argument("--sample", type=int, default=24, help="trials that model.fit trains")
    parser.add_argument("--anyway", action="store_true", help="run without a GPU")
    options = parser.parse_args()
    common.start_keras()
    backend = keras.backend.backend()
    if not on_gpu() and not options.anyway:
        raise SystemExit(
            f"{backend} finds no GPU here: nothing is measured; run this on a machine with one, "
            "or try it out with --anyway"
        )
    split, trials = common.make_split(), planned(options.max_epochs)
    epochs = sum(trial.last_epoch for trial in trials)
    started = time.perf_counter()
    trainer = FusedTrainer(capacity.build, split, common.BATCH, None)
    train_all(trainer, trials, common.Stopwatch())
    fused = time.perf_counter() - started
    count = min(options.sample, len(trials))
    by_size = sorted(trials, key=lambda trial: common.flops(*size(trial)))
    sample = [by_size[(2 * n + 1) * len(trials) // (2 * count)] for n in range(count)]
    first, each = zip(*(fit_alone(trial, split) for trial in sample), strict=True)
    alone = len(trials) * statistics.mean(first) + (epochs - len(trials)) * statistics.mean(each)
    gemm, copied = 1e9 * common.gemm_rate(), copy_rate()
    arithmetic = sum(t.last_epoch * common.flops(*size(t)) for t in trials) / gemm
    weights = sum(t.last_epoch * trainer.readings.description(t).params for t in trials)
    moved = 4 * PASSES * STEPS * weights / copied
    where = "a GPU" if on_gpu() else "the CPU, which says nothing of a GPU"
    print(f"capacity, max_epochs {options.max_epochs}: {len(trials)} trials, {epochs} epochs")
    print(f"{backend} on {where}; {gemm / 1e12:.2f} TFLOP/s, {copied / 1e9:.0f} GB/s")
    print(f"{trainer.compilations} programs; model.fit scaled from {count} trials\n")
    print("| way | seconds | of model.fit's |\n|---|---:|---:|")
    for name, seconds in (
        ("model.fit, one at a time", alone),
        ("fused", fused),
        ("floor: arithmetic", arithmetic),
        ("floor: bandwidth", moved),
    ):
        print(f"| {name} | {seconds:.1f} | 1/{alone / seconds:.1f} |")


if __name__ == "__main__":
    main()
