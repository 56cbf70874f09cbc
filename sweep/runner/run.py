"""Runs a prepared sweep: opens its trainer, or a pool of workers, and goes through the loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from sweep.records import SweepState
from sweep.runner.journal import Observer
from sweep.runner.limits import Ending
from sweep.runner.loop import Runner
from sweep.runner.pooled import pooled
from sweep.runner.prepare import Prepared, make_trainer
from sweep.runner.workers import IN_PROCESS, Workers
from sweep.settings import Budget
from sweep.store import Store
from sweep.store.workers import workers
from sweep.sweep_folder import SweepFolder
from sweep.training.contract import Trainer
from sweep.training.retrying import Retrying


@dataclass(frozen=True)
class Work:
    """A stored sweep to be worked on. Its folder must be locked."""

    folder: SweepFolder
    store: Store
    prepared: Prepared
    budget: Budget
    observer: Observer
    interrupted: Callable[[], bool]
    """True once the user asked to stop."""
    workers: Workers = IN_PROCESS
    """Who trains."""


def run(work: Work) -> SweepState:
    """Work on a sweep until its end; returns its state, which is stored."""
    with _trainer(work) as trainer:
        return _runner(work, trainer).run()


def confirm(work: Work) -> Ending:
    """Train the confirmations that are to do; returns why that ended."""
    with _trainer(work) as trainer:
        return _runner(work, trainer).confirm()


@contextmanager
def _trainer(work: Work) -> Iterator[Trainer]:
    """Give a trainer of this process, or of a pool of workers, which is open meanwhile."""
    prepared = work.prepared
    for worker in (one.worker for one in workers(work.store) if one.left_at is None):
        work.store.end_worker(worker, "its head was killed")
    if work.workers.asked is None:
        yield _retrying(make_trainer(prepared), prepared)
        return
    space, split, scoring = prepared.space, prepared.split, prepared.scored.scoring
    settings, drawn = prepared.settings, (one.hyperparameters for one in prepared.plan.roots)
    first = next(chain(prepared.baselines.values(), drawn), None)
    with pooled(work.workers, work.store, space, split, settings, scoring, first) as trainer:
        yield _retrying(trainer, prepared)


def _retrying(trainer: Trainer, prepared: Prepared) -> Trainer:
    return Retrying(trainer, prepared.retries) if prepared.retries else trainer


def _runner(work: Work, trainer: Trainer) -> Runner:
    prepared = work.prepared
    return Runner(
        folder=work.folder,
        store=work.store,
        search=prepared.search(),
        trainer=trainer,
        observer=work.observer,
        baselines=prepared.baselines,
        budget=work.budget,
        interrupted=work.interrupted,
        keep=prepared.settings.keep,
        seeds=prepared.settings.seeds,
        executions=prepared.settings.executions,
        references=prepared.references,
    )
