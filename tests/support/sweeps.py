"""Stored sweeps made of curves that a formula draws: real databases, no Keras.

`store_sweep` stores the trials it is given; `hyperband` plays a whole search with believable
curves, in which overfitting grows with capacity and shrinks with regularisation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sweep.records import EpochRecord, Outcome, OutcomeStatus, Proposal, Value
from sweep.runner.confirm import confirmations
from sweep.store import NewTrial, Planned, Store, SweepRow, TrialLosses

SETTINGS = {
    "max_epochs": 81,
    "factor": 3,
    "iterations": 1,
    "seed": 0,
    "batch_size": 500,
    "patience": 20,
    "trainer": "keras",
    "train_rows": 10_000,
    "validation_rows": 1_000,
    "test_rows": 10_000,
    "data": "auto",
}
NAMES = ["width", "depth", "l2", "dropout", "decay_steps"]
DATA = {
    "kind": "builtin",
    "source": "built-in simulated events",
    "row_ranges": {"validation": [0, 1000], "train": [1000, 11000], "test": [11000, 21000]},
}
_TUTORIAL: dict[str, Value] = {"l2": 0.0, "dropout": 0.0, "decay_steps": 20_000}
BASELINES: dict[str, dict[str, Value]] = {
    "Tiny": {**_TUTORIAL, "width": 16, "depth": 1},
    "Small": {**_TUTORIAL, "width": 16, "depth": 2},
    "Medium": {**_TUTORIAL, "width": 64, "depth": 3},
    "Large": {**_TUTORIAL, "width": 512, "depth": 4},
    "L2": {**_TUTORIAL, "width": 512, "depth": 4, "l2": 0.001},
    "Dropout": {**_TUTORIAL, "width": 512, "depth": 4, "dropout": 0.5},
    "Combined": {**_TUTORIAL, "width": 512, "depth": 4, "l2": 0.0001, "dropout": 0.5},
}


def sweep_row(**changes: Any) -> SweepRow:
    """A finished sweep's row. What JSON columns hold is given as the JSON object."""
    columns = {
        "name": "capacity-1",
        "identity": "0123456789abcdef",
        "created_at": 1_700_000_000.0,
        "settings": SETTINGS,
        "space": {"name": "capacity", "sha256": "c0ffee", "hyperparameters": NAMES},
        "data": DATA,
        "versions": {"keras": "3.15.1"},
        "plan": {
            "trials": 143,
            "assignments": 211,
            "epochs": 1767,
            "baselines": 7,
            "baseline_epochs": 567,
        },
        "oracle": {},
        "wave": 0,
        "state": "finished",
        "message": None,
        "active_seconds": 123.0,
        "scoring": {},
        **changes,
    }
    return SweepRow.from_columns(
        {name: json.dumps(v) if isinstance(v, dict) else v for name, v in columns.items()}
    )


def record(
    epoch: int, val_score: float, train_score: float = 0.6, rate: float = 1e-3
) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        fit_loss=train_score + 0.02,
        fit_score=train_score + 0.01,
        train_score=train_score,
        val_score=val_score,
        val_loss=val_score + 0.01,
        val_accuracy=min(max(0.5 + (0.7 - val_score) / 2, 0.0), 1.0),
        val_auc=min(max(0.5 + (0.7 - val_score), 0.0), 1.0),
        learning_rate=rate,
        seconds=0.25,
    )


@dataclass(frozen=True)
class Trained:
    """A trial and what it has trained. `ended` None leaves its assignment pending."""

    records: Sequence[EpochRecord] = ()
    hyperparameters: Mapping[str, Value] = field(
        default_factory=lambda: {**_TUTORIAL, "width": 16, "depth": 1}
    )
    params: int | None = 481
    last_epoch: int = 81
    ended: OutcomeStatus | None = OutcomeStatus.COMPLETED
    baseline: str | None = None
    rung: int = 0
    bracket: int = 4
    error: str | None = None
    losses: np.ndarray | None = None
    """Of each validation row at the best epoch; their mean should be its validation BCE."""

    @property
    def kept_losses(self) -> TrialLosses | None:
        if self.losses is None:
            return None
        return TrialLosses(min(self.records, key=lambda one: one.val_score).epoch, self.losses)


def trained(*val_score: float, train_score: float = 0.6, **changes: Any) -> Trained:
    """A trial with this validation BCE at epochs 1, 2 and so on."""
    records = [record(epoch, value, train_score) for epoch, value in enumerate(val_score, start=1)]
    return Trained(records, **{"last_epoch": max(len(records), 1), **changes})


def store_sweep(path: Path, trials: Sequence[Trained], **changes: Any) -> Store:
    """A sweep with these trials, each with one assignment."""
    store = Store.create(path, sweep_row(**changes))
    store.add_wave({}, [_new(number, trial) for number, trial in enumerate(trials)])
    for assignment in store.pending():
        trial = trials[assignment.trial]
        if trial.ended is None:
            if trial.records:
                store.save_progress(assignment, "file", len(trial.records), trial.records)
            continue
        outcome = Outcome(trial.ended, len(trial.records), trial.params, 1.0, trial.error)
        store.finish(assignment, outcome, trial.records, "keras", losses=trial.kept_losses)
    return store


def rows_of_losses(*means: float, rows: int = 1000, spread: float = 0.02) -> list[np.ndarray]:
    """Losses with exactly these means over the rows, one array for each.

    They share what is hard about a row; differences of two trials have the standard deviation
    `spread` · √2.
    """
    random = np.random.default_rng(0)
    common = random.exponential(0.5, rows)
    own = common + spread * random.normal(size=(len(means), rows))
    return list((own - own.mean(axis=1, keepdims=True) + np.array(means)[:, None]).astype("f4"))


def confirm(store: Store, trial: int, *scores: float, rows: int = 1000) -> None:
    """Train a trial again with other seeds, to these scores."""
    new = confirmations({trial: {"width": 8}}, [], len(scores), 0)
    store.add_confirmations(new, 1)
    for assignment, score in zip(store.pending(), scores, strict=True):
        done = Outcome(OutcomeStatus.STOPPED, 1, 500, 1.0)
        losses = TrialLosses(1, rows_of_losses(score, rows=rows)[0])
        store.finish(assignment, done, [record(1, score)], "keras", losses=losses)


def _new(number: int, trial: Trained) -> Planned:
    values = dict(trial.hyperparameters)
    if trial.baseline is not None:
        return Planned(NewTrial(trial.baseline, None, None, number + 1, values), trial.last_epoch)
    name = f"{number:05d}"
    proposal = Proposal(name, name, 0, trial.bracket, trial.rung, 0, trial.last_epoch, values)
    return Planned.proposed(proposal, NewTrial(None, 0, trial.bracket, number + 1, values))


# A whole search

LADDERS = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(34, 3), (12, 9), (4, 27), (2, 81)],
    [(15, 9), (5, 27), (2, 81)],
    [(8, 27), (3, 81)],
    [(5, 81)],
]
"""Hyperband's brackets for 81 epochs and factor 3: trials and epochs of each rung."""


@dataclass(frozen=True)
class Candidate:
    """A trial of the played search, with the curve it would have if trained in full."""

    values: dict[str, Value]
    params: int
    curve: list[EpochRecord]

    def score(self, epochs: int) -> float:
        return min(r.val_score for r in self.curve[:epochs])


def hyperband(path: Path, *, seed: int = 0, failures: int = 2, **changes: Any) -> Store:
    """143 trials in five brackets and seven baselines, played to the end."""
    random = np.random.default_rng(seed)
    store = Store.create(path, sweep_row(**changes))
    baselines = [candidate(values, random) for values in BASELINES.values()]
    brackets = [[candidate(_sample(random), random) for _ in range(n[0][0])] for n in LADDERS]
    new = [
        Planned(NewTrial(name, None, None, 1 + i, baseline.values), 81)
        for i, (name, baseline) in enumerate(zip(BASELINES, baselines, strict=True))
    ]
    for bracket, members in zip(range(4, -1, -1), brackets, strict=True):
        last = LADDERS[4 - bracket][0][1]
        for i, member in enumerate(members):
            name = f"{bracket}-{i}"
            proposal = Proposal(name, name, 0, bracket, 0, 0, last, member.values)
            trial = NewTrial(None, 0, bracket, 100 + len(new), member.values)
            new.append(Planned.proposed(proposal, trial))
    store.add_wave({}, new)
    _train(store, [*baselines, *(member for members in brackets for member in members)], failures)
    failed = {f"4-{i}" for i in range(failures)}
    for rung in range(1, 5):
        promotions = [p for p in _promotions(brackets, rung) if p.root_id not in failed]
        store.add_wave({}, [Planned.proposed(p, store.trial_of(p.root_id)) for p in promotions])
        _train(store, [*baselines, *(m for members in brackets for m in members)], 0)
    return store


def _promotions(brackets: Sequence[Sequence[Candidate]], rung: int) -> list[Proposal]:
    promoted = []
    for bracket, members, ladder in zip(range(4, -1, -1), brackets, LADDERS, strict=True):
        if rung >= len(ladder):
            continue
        alive = list(range(len(members)))
        for (_, reached), (n_next, _) in pairwise(ladder[: rung + 1]):
            alive.sort(key=lambda i, r=reached: members[i].score(r))
            alive = alive[:n_next]
        first, last = ladder[rung - 1][1], ladder[rung][1]
        for i in alive:
            name = f"{bracket}-{i}"
            promoted.append(
                Proposal(f"{name}-{rung}", name, 0, bracket, rung, first, last, members[i].values)
            )
    return promoted


def _train(store: Store, candidates: Sequence[Candidate], failures: int) -> None:
    for assignment in store.pending():
        one = candidates[assignment.trial]
        if assignment.baseline is None and failures > 0 and assignment.last_epoch == 1:
            failures -= 1
            error = "ValueError: the loss is not finite in epoch 1"
            outcome = Outcome(OutcomeStatus.FAILED, 0, one.params, 0.1, error)
            store.finish(assignment, outcome, [], "keras")
            continue
        best = int(np.argmin([r.val_score for r in one.curve[: assignment.last_epoch]]))
        end = min(assignment.last_epoch, best + 21)
        status = OutcomeStatus.STOPPED if end < assignment.last_epoch else OutcomeStatus.COMPLETED
        records = one.curve[assignment.first_epoch : end]
        store.finish(assignment, Outcome(status, len(records), one.params), records, "keras")


def _sample(random: np.random.Generator) -> dict[str, Value]:
    return {
        "width": int(random.choice([8, 16, 32, 64, 128, 256, 512])),
        "depth": int(random.choice([1, 2, 3, 4])),
        "l2": float(random.choice([0.0, 1e-5, 1e-4, 1e-3, 1e-2])),
        "dropout": float(random.choice([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])),
        "decay_steps": int(random.choice([500, 2_000, 5_000, 20_000, 50_000])),
    }


def candidate(values: dict[str, Value], random: np.random.Generator) -> Candidate:
    """A configuration and its curve over 81 epochs."""
    width, depth = int(values["width"]), int(values["depth"])
    params = 29 * width + (depth - 1) * width * (width + 1) + width + 1
    size = np.log10(params) - 2.4  # 0 to 3.5
    calm = 1 / (1 + 500 * min(float(values["l2"]), 0.004) + 3 * float(values["dropout"]))
    epoch = np.arange(1, 82)
    rate = 1e-3 / (1 + 20 * epoch / int(values["decay_steps"]))
    learned = np.cumsum(rate / 1e-3) * 0.06 * 2.2**size
    useful = 0.095 + 0.018 * size - 4 * min(float(values["l2"]), 0.01)
    fit = useful * (1 - np.exp(-(learned**0.55)))
    memorised = 0.0012 * size**2 * calm * learned**0.9
    jitter = random.normal(0, 0.0008, 81) + random.normal(0, 0.006)
    train = np.maximum(0.69 - fit - 0.45 * memorised, 0.02)
    val = np.maximum(0.69 - fit, 0) + 0.006 + 0.8 * memorised + jitter
    curve = [
        record(int(e), float(v), float(t), float(r))
        for e, v, t, r in zip(epoch, val, train, rate, strict=True)
    ]
    return Candidate(values, params, curve)
