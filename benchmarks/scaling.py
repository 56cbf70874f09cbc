"""What search and store cost a trial, at growing numbers of trials; a trainer that does nothing.

Ours is the real loop over a real store: Hyperband (max_epochs 81, factor 3) repeated until there
are enough trials, each epoch recorded, each assignment committed with its flush to the disk.
Counted is all but the trainer: planning, asking, storing waves, telling, recording, and at the
end the report's frames and table. Not counted are checkpoint files, of which a trainer that does
nothing has none. Work is processor time, the system's included; beside it stands the wall time
of the loop, which is mostly waiting for the disk: each assignment is flushed when it is
committed, as what it names may be removed right after.

Stock is Keras Tuner's Hyperband with a `run_trial` that returns a number. A promotion is a new
trial to it, so its cost is compared with ours per assignment.

    python benchmarks/scaling.py --trials 100 1000 10000 --stock 100 1000 5000
"""

import argparse
import io
import logging
import math
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from sweep.analysis.frames.load import load
from sweep.analysis.report.terminal import report
from sweep.data.split_record import SplitRecord
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus, PlanRecord, SweepState
from sweep.settings import Budget, Settings
from sweep.space.record import SpaceRecord
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.start_keras import start_keras

MAX_EPOCHS, FACTOR = 81, 3
_TRIALS_AN_ITERATION = 143


def space() -> Any:
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Int("width", 8, 512, sampling="log")
    hp.Choice("depth", [1, 2, 3, 4])
    hp.Float("l2", 1e-6, 1e-2, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    return hp


@dataclass
class Idle:
    """Trains nothing; keeps count of its own seconds and of the assignments."""

    seconds: float = 0.0
    assignments: int = 0

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        while not stop() and (assignment := source.take()) is not None:
            started = time.process_time()
            epochs = range(assignment.first_epoch + 1, assignment.last_epoch + 1)
            records = [made_up(assignment.trial, epoch) for epoch in epochs]
            self.seconds += time.process_time() - started
            self.assignments += 1
            outcome = Outcome(OutcomeStatus.COMPLETED, len(records), 1000, trainer="idle")
            yield Ended(assignment, outcome, None, tuple(records))


def made_up(trial: int, epoch: int) -> EpochRecord:
    bce = 0.5 + (trial * 7919 % 1009) / 10_000 + 0.1 / epoch
    return EpochRecord(epoch, bce, bce, bce, bce, bce, 0.7, 0.8, 1e-3, 0.01)


class Silent:
    def wave(self, assignments: Sequence[Assignment]) -> None:
        return

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        return

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        return


@dataclass
class Cost:
    """Seconds of one sweep, its trainer's left out."""

    trials: int
    assignments: int
    epochs: int
    plan: float
    loop: float
    loop_wall: float
    report: float
    resume: float


def ours(n_trials: int, folder: Path) -> Cost:
    from sweep.runner.loop import Runner
    from sweep.searches.hyperband import HyperbandSearch
    from sweep.searches.plan import rehearse

    iterations = math.ceil(n_trials / _TRIALS_AN_ITERATION)

    def search() -> HyperbandSearch:
        return HyperbandSearch(space(), MAX_EPOCHS, FACTOR, iterations, 0)

    plan, _ = timed(lambda: rehearse(search))
    place = SweepFolder(folder, f"s{n_trials}")
    place.create()
    settings = Settings(max_epochs=MAX_EPOCHS, iterations=iterations)
    names = tuple(hp.name for hp in space().space)
    row = SweepRow(place.name, "i", 1.0, settings, SpaceRecord(hyperparameters=names),
                   SplitRecord(), {}, PlanRecord(), {}, 0,
                   SweepState.INTERRUPTED, None, 0.0)  # fmt: skip
    trainer = Idle()
    with Store.create(place.database, row) as store:

        def runner() -> Runner:
            return Runner(place, store, search(), trainer, Silent(), {},
                          Budget(), lambda: False)  # fmt: skip

        loop, loop_wall = timed(lambda: runner().run())
        resume, _ = timed(lambda: runner().run())
        shown, _ = timed(lambda: Console(file=io.StringIO(), width=200).print(report(load(store))))
        done = store.progress()
    return Cost(done.trials, trainer.assignments, done.epochs_done, plan,
                loop - trainer.seconds, loop_wall - trainer.seconds, shown, resume)  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Processor and wall seconds of `work`."""
    processor, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def stock(n_trials: int, folder: Path) -> tuple[float, float]:
    """Processor and wall seconds of a stock search that is ended after `n_trials` trials."""
    import keras_tuner

    class Tuner(keras_tuner.Tuner):  # type: ignore[misc]
        done = 0

        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            self.done += 1
            if self.done > n_trials:
                raise keras_tuner.errors.FatalError("enough")
            return random.Random(trial.trial_id).random()

    oracle = keras_tuner.oracles.HyperbandOracle(
        keras_tuner.Objective("default_objective", "min"),
        max_epochs=MAX_EPOCHS,
        factor=FACTOR,
        hyperband_iterations=math.ceil(n_trials / 211) + 1,
        seed=1,
        hyperparameters=space(),
    )
    tuner = Tuner(oracle, hypermodel=lambda hp: None, directory=folder, project_name=str(n_trials))

    def search() -> None:
        try:
            tuner.search(verbose=0)
        except keras_tuner.errors.FatalError:
            return

    with redirect_stdout(io.StringIO()):
        return timed(search)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="*", default=[100, 1000, 5000, 10_000])
    parser.add_argument("--stock", type=int, nargs="*", default=[100, 1000, 5000])
    options = parser.parse_args()
    start_keras()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        folder = Path(scratch)
        ours(1, folder / "warm")  # imports and first calls are a start's cost, not a trial's
        print("| trials | assignments | epoch records | plan | ask, tell, record | report "
              "| all work | loop, wall | resume |")  # fmt: skip
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for n_trials in options.trials:
            cost = ours(n_trials, folder)
            work = cost.plan + cost.loop + cost.report
            parts = (cost.plan, cost.loop, cost.report, work, cost.loop_wall, cost.resume)
            cells = " | ".join(f"{1000 * seconds / cost.trials:.2f}" for seconds in parts)
            print(f"| {cost.trials:,} | {cost.assignments:,} | {cost.epochs:,} | {cells} |")
        print("\n| stock's trials | work | wall |\n|---:|---:|---:|")
        for n_trials in options.stock:
            cells = " | ".join(f"{1000 * t / n_trials:.2f}" for t in stock(n_trials, folder))
            print(f"| {n_trials:,} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
