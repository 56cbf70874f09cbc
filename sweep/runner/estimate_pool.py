"""What a pool would bring: a simulation of the plan with the costs that were learned here."""

import os
from dataclasses import dataclass

from sweep.pool.places import PoolAsked, number_of_workers
from sweep.records import Proposal
from sweep.runner.estimate import Survey
from sweep.runner.simulate import simulated

_START = 18.0
"""Seconds until the workers of a pool can train; measured, of Ray and on a busy machine."""
_WORTH = 0.8
"""A pool is worth starting if it takes less than this share of the time without one."""


@dataclass(frozen=True)
class PoolEstimate:
    """How long a plan takes with a pool, and without."""

    workers: int
    seconds: float
    """With the pool's start."""
    alone: float
    """Without a pool."""
    busy: float
    """Share of the workers' time in which they would train."""
    shares_cores: bool
    """Whether the workers are processes of this host, each with a part of its cores."""

    @property
    def is_worth_it(self) -> bool:
        return self.seconds < _WORTH * self.alone


def estimate_pool(survey: Survey, asked: PoolAsked) -> PoolEstimate:
    """Return what a pool would bring. Trains two models for a moment, unless that was done.

    A worker of Ray, or with a GPU of its own, is taken to be as fast as this machine. Processes
    share its cores: trials that are fused use all of these without a pool too, and gain nothing;
    those that Keras trains are taken to need one core each. Raises UsageError if the number of
    workers cannot be known.
    """
    n_workers, shares = number_of_workers(asked), asked.kind == "processes"
    crowd = n_workers if shares else 1
    cores = len(os.sched_getaffinity(0))
    learned, prepared = survey.learned, survey.prepared
    plan, settings = prepared.plan, prepared.settings
    places = {root.root_id: position for position, root in enumerate(plan.roots)}

    def run(position: int, epochs: int) -> float:
        epoch = learned.epochs[position]
        if epoch is None:
            return 0.0
        slower = crowd if survey.fused(position) else max(1.0, crowd / cores)
        return slower * (learned.before + epochs * epoch)

    def cost(one: Proposal) -> float:
        return run(places[one.root_id], one.last_epoch - one.first_epoch)

    n_roots, full = len(plan.roots), settings.max_epochs
    repeats = settings.executions - 1
    beside = [run(position, full) for position in range(n_roots) for _ in range(repeats)]
    beside += [
        run(n_roots + n, full)
        for n in range(len(prepared.baselines))
        for _ in range(settings.seeds)
    ]
    found = simulated(plan.proposals, cost, beside, n_workers)
    compiling = survey.programs * learned.compiling
    seconds = _START + compiling + found.seconds
    return PoolEstimate(n_workers, seconds, survey.seconds(), found.busy, shares)
