"""The fused trainer beside the Keras trainer: ms per trial and epoch, and the rate it reaches.

    python benchmarks/fused.py                         # about ten minutes on two cores
    KERAS_BACKEND=jax python benchmarks/fused.py --trials 1 8 64 256   # on a GPU, under JAX

10,000 rows, 1,000 validation rows, batches of 500, dropout 0.1, L2. Wall time over the epochs
trained, as many groups at work as in a sweep; building and compiling left out; medians. An epoch is
training on all rows and the evaluation of train and validation rows, as recorded. FLOPs count
matrix products only, of the model itself: padding counts as loss.
"""

import argparse
import statistics
import time

import keras
import numpy as np

from search_spaces import capacity
from sweep.data.split import Rows, Split
from sweep.records import Assignment
from sweep.training.contract import train_all
from sweep.training.fused.group import Resident, SlotGroup, TrialSeat
from sweep.training.fused.packing import Packing
from sweep.training.fused.program import shape as shapes
from sweep.training.fused.program import shape_policy
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.program.epoch import compiled
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.start_keras import start_keras

TRAIN, VALIDATION, BATCH = 10_000, 1_000, 500
MODELS = ((16, 1), (16, 2), (64, 3), (128, 4), (256, 4), (512, 4))
TRIALS = (1, 8, 32)
GEMM = 2_048


class Stopwatch:
    """A journal that keeps when each epoch of each trial ended."""

    def __init__(self):
        self.ended = []

    def load(self, assignment):
        return None

    def checkpoint(self, assignment, state, records):
        pass

    def epoch(self, assignment, record):
        self.ended.append((time.perf_counter(), record.epoch))

    def finish(self, ended):
        if ended.outcome.error:
            raise RuntimeError(ended.outcome.error)

    def milliseconds(self):
        """Wall time a trial and epoch, from the first second epoch on: then all is compiled."""
        begun = next(n for n, (_, epoch) in enumerate(self.ended) if epoch == 2)
        (start, _), (end, _) = self.ended[begun], self.ended[-1]
        return 1e3 * (end - start) / (len(self.ended) - 1 - begun)


def model(text):
    """(width, depth) of a text such as 128x4."""
    width, depth = text.split("x")
    return int(width), int(depth)


def make_split():
    random = np.random.default_rng(0)

    def rows(count):
        x = random.normal(size=(count, capacity.N_FEATURES)).astype(np.float32)
        return Rows(x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(np.float32))

    return Split(rows(TRAIN), rows(VALIDATION), "benchmark", {})


def work(width, depth, trials, epochs):
    values = {"width": width, "depth": depth, "l2": 1e-4, "dropout": 0.1, "decay_steps": 5_000}
    return [Assignment(n, n, 0, 0, epochs, values, 1 + n) for n in range(trials)]


def resident():
    """The split as a program sees it."""
    return Resident(make_split(), shapes.RowCounts(TRAIN, VALIDATION, BATCH))


def usual(description, rows):
    """The program that carries the described trial on a CPU with memory to spare."""
    return shape_policy.shape_of(description, rows, 1 << 40, False)


def full_group(width, depth, resident, shape=None):
    """A group with all its slots taken; `shape` makes its program's from a description."""
    readings = Readings(capacity.build)
    assignment = work(width, depth, 1, 1)[0]
    description = readings.description(assignment)
    shape = shape(description) if shape else usual(description, resident.rows)
    packing = Packing(description, shape)
    arrays, clock = packing.pack(readings.initial_state(assignment, None))
    group = SlotGroup(shape, compiled(shape), resident)
    for slot in range(shape.slots):
        group.seat(TrialSeat(packing, clock, seed=slot, epoch=0), arrays)
    return group


def flops(width, depth):
    """Of one trial's epoch: 2 a weight and row forward, 4 backward but 2 for the first layer."""
    first, rest = capacity.N_FEATURES * width, (depth - 1) * width * width + width
    return TRAIN * (4 * first + 6 * rest) + (TRAIN + VALIDATION) * 2 * (first + rest)


def gemm_rate():
    """GFLOP/s of a large matrix product: on a CPU NumPy's, if that is faster than the backend's."""
    a = keras.ops.ones((GEMM, GEMM))
    ways = [lambda: np.asarray(keras.ops.matmul(a, a)[0, 0])]
    if not on_gpu():
        b = np.asarray(a)
        ways.append(lambda: b @ b)
    return 2 * GEMM**3 / min(seconds_of(way) for way in ways) / 1e9


def seconds_of(work):
    """Seconds it takes, the median of ten."""
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(kind, split, width, depth, trials, epochs):
    """Milliseconds a trial and epoch."""
    journal = Stopwatch()
    trainer = kind(capacity.build, split, BATCH, None)
    train_all(trainer, work(width, depth, trials, epochs), journal)
    return journal.milliseconds()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-keras", action="store_true", help="leave out the Keras trainer")
    parser.add_argument("--models", type=model, nargs="+", default=MODELS, metavar="WIDTHxDEPTH")
    parser.add_argument("--trials", type=int, nargs="+", default=TRIALS)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    repeats = range(options.repeats)
    start_keras()
    split, rate = make_split(), gemm_rate()
    device = "a GPU" if on_gpu() else "the CPU"
    print(f"large GEMM: {rate:.0f} GFLOP/s on {device}, by {keras.backend.backend()}")
    print(f"medians of {options.repeats}\n")
    print("| model | trials | slots | fused ms | GFLOP/s | of GEMM | of | keras ms | gain |")
    print("|---|---|---|---|---|---|---|---|---|")
    for width, depth in options.models:
        stock = None
        if not options.no_keras:
            few = 3 if width > 64 else 5
            times = (measure(KerasTrainer, split, width, depth, 1, few) for _ in repeats)
            stock = statistics.median(times)
        trainer = FusedTrainer(capacity.build, split, BATCH, None)
        description = trainer.readings.description(work(width, depth, 1, 1)[0])
        slots = trainer.shape(description).slots
        for trials in options.trials:
            if width > 128 and trials > 8 and not on_gpu():
                continue  # no more than two at a time in any case
            epochs = 6 if width > 128 else 30
            pairs = [
                (measure(FusedTrainer, split, width, depth, trials, epochs), gemm_rate())
                for _ in repeats
            ]
            took, rate = map(statistics.median, zip(*pairs, strict=True))
            reached = flops(width, depth) / took / 1e6
            print(
                f"| {width}×{depth} | {trials} | {slots} | {took:.1f} | {reached:.0f} "
                f"| {100 * reached / rate:.0f} % | {rate:.0f} "
                + (f"| {stock:.0f} | {stock / took:.0f}× |" if stock else "| – | – |"),
                flush=True,
            )


if __name__ == "__main__":
    main()
