"""Memory, file descriptors and threads of a sweep as trial follows trial: does anything leak?

    python benchmarks/memory.py --trainer keras --trials 1000

A whole sweep with its store and checkpoints. Every trial has a configuration of its own, so
nothing can be served from a cache.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from sweep.records import Assignment, EpochRecord, Outcome
from sweep.runner.cold_start import prepare
from sweep.settings import Budget, Settings
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.training.start_keras import start_keras
from tests.support import tiny

_SPACE = """
from search_spaces.capacity import mlp


def build(hp):
    return mlp(8, 1, hp.Float("l2", 0.0, 1e-3), 0.2, hp.Int("decay_steps", 50, 5000))
"""
_TRIALS_AN_ITERATION = 5  # of Hyperband with 3 epochs and factor 3
_SHOWN = (1, 10, 50, 100, 200, 400, 600, 800, 1000)


class Watching:
    """An observer that prints a row at some numbers of trials."""

    def __init__(self, minutes: float) -> None:
        self.process = psutil.Process()
        self.deadline = time.monotonic() + 60 * minutes
        self.trials: set[int] = set()
        self.last = 0

    def wave(self, assignments: Sequence[Assignment]) -> None:
        return

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        return

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.trials.add(assignment.trial)
        reached = [n for n in _SHOWN if self.last < n <= len(self.trials)]
        if reached:
            self.show()

    def show(self) -> None:
        self.last = len(self.trials)
        mib = self.process.memory_info().rss / 2**20
        numbers = (self.last, f"{mib:.0f}", self.process.num_fds(), self.process.num_threads())
        print(f"| {' | '.join(map(str, numbers))} |", flush=True)

    def is_late(self) -> bool:
        return time.monotonic() > self.deadline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", default="keras")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60, help="Or stop after so long.")
    options = parser.parse_args()
    start_keras()
    from sweep.runner import prepare as sweeps
    from sweep.runner import run as running

    with tempfile.TemporaryDirectory() as folder:
        place = tiny.make_place(Path(folder), _SPACE)
        settings = Settings(
            max_epochs=3,
            iterations=-(-options.trials // _TRIALS_AN_ITERATION),
            data=str(place / "rows.csv"),
            train_rows=240,
            validation_rows=60,
            test_rows=20,
            batch_size=120,
            trainer=options.trainer,
        )
        prepared = prepare(str(place / "tiny.py"), settings, place / "cache")
        sweep = SweepFolder(place, "s")
        sweep.create()
        sweeps.create(sweep, prepared)
        watching = Watching(options.minutes)
        print("| trials | resident memory, MiB | file descriptors | threads |")
        print("|---:|---:|---:|---:|")
        with Store(sweep.database) as store:
            running.run(running.Work(sweep, store, prepared, Budget(), watching, watching.is_late))
        watching.show()


if __name__ == "__main__":
    main()
