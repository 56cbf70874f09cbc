"""What the page's tables say beside the ranked one, in words and rounded numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep import __version__, words
from sweep.analysis.answers import regularisers
from sweep.analysis.answers.capacity_groups import decade
from sweep.analysis.answers.overfitting import LEAST_EPOCHS
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import frontier, is_scored
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.analysis.report.commands import commands
from sweep.analysis.report.table import Column, decimals_of_best
from sweep.data.split_record import SplitRecord
from sweep.numerics import Numerics
from sweep.space.record import Commit

FAILURES_SHOWN = 50
RUNGS_SHOWN = 200
"""Rungs in the page's table: more than any search that people run has."""


@dataclass(frozen=True)
class Table:
    """A table of the page: columns named in `header`, cells already rounded to text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_text: bool = False


def of_columns(columns: Sequence[Column]) -> Table:
    """Return a table of the page from columns that other forms of the report have, too."""
    cells = [[cell.strip() for cell in column.cells] for column in columns]
    return Table([column.name for column in columns], list(zip(*cells, strict=True)))


def frontier_table(frames: SweepFrames) -> Table:
    shown, decimals = frames.score_words, decimals_of_best(frames)
    rows = [
        (
            words.count(row["params"]),
            str(row["trial"]),
            *(shown.score(row[name], decimals) for name in ("val_score", "train_score")),
        )
        for row in frontier(frames.trials).to_dict("records")
    ]
    return Table(("parameters, at most", "best trial", shown.val, shown.train), rows)


def references(frames: SweepFrames) -> Table:
    """Return the reference models and by how much the best network beats each of them."""
    by_name, shown = {one.reference: one for one in frames.advantages}, frames.score_words
    rows = []
    for one in frames.references:
        decimals = shown.decimals(one.val_score_se)
        cells = (one.name, shown.with_error(one.val_score, one.val_score_se, decimals))
        found = by_name.get(one.name)
        if found is None:
            rows.append((*cells, words.MISSING, words.MISSING))
        else:
            ends = shown.interval_of_difference(found.low, found.high, found.se)
            rows.append((*cells, shown.difference(found.value, found.se), ends))
    header = ("model", f"{shown.val} ± SE", "best network minus this ± SE", "95 % interval")
    return Table(header, rows)


def by_capacity(frames: SweepFrames) -> Table:
    """Return the table of overfitting by decades of trainable parameters."""
    trials = frames.trials[is_scored(frames.trials) & frames.trials["params"].notna()]
    trials = trials.sort_values("params")
    return _grouped(frames, trials, trials["params"].map(decade), "parameters")


def by_regularisation(frames: SweepFrames) -> Table:
    scored = is_scored(frames.trials)
    kinds = regularisers.kinds_of(frames)[scored]
    return _grouped(frames, frames.trials[scored], kinds, "regularised by")


def _grouped(
    frames: SweepFrames, trials: pd.DataFrame, group: "pd.Series[str]", name: str
) -> Table:
    shown, decimals = frames.score_words, decimals_of_best(frames)
    header = (
        name, "trials", "tied with the best", f"{LEAST_EPOCHS} or more epochs", "of them overfit",
        "median onset", "median gap", f"{shown.best} {shown.val}",
    )  # fmt: skip
    rows = []
    for which, members in trials.groupby(group.to_numpy(), sort=False):
        judged = members[members["epochs"] >= LEAST_EPOCHS]
        onsets = judged["onset_epoch"].dropna().astype(float)
        tied = members["tied"]
        rows.append(
            (
                str(which),
                words.count(len(members)),
                words.count(int(tied.eq(True).sum())) if tied.notna().any() else words.MISSING,
                words.count(len(judged)),
                words.count(len(onsets)) if len(judged) else words.MISSING,
                f"{onsets.median():.0f}" if len(onsets) else words.MISSING,
                shown.gap(float(judged["gap"].median()), decimals)
                if len(judged)
                else words.MISSING,
                shown.score(float(members["val_score"].min()), decimals),
            )
        )
    return Table(header, rows)


def rungs(frames: SweepFrames) -> Table:
    """Return the plan's rungs and how many trials have reached each."""
    trials = frames.trials[frames.trials["rung"].notna() & (frames.trials["epochs"] > 0)]
    shown, decimals = frames.score_words, decimals_of_best(frames)
    so_far = f"{shown.best} {shown.val} so far"
    header = ("iteration, bracket, rung", "to epoch", "planned", "reached", so_far)
    by_bracket = dict(iter(trials.groupby(["iteration", "bracket"])))
    lowest = _lowest_so_far(frames)
    rows = []
    for rung in frames.sweep.plan.rungs[:RUNGS_SHOWN]:
        of = by_bracket.get((rung.iteration, rung.bracket), trials.head(0))
        reached = of.loc[of["rung"] >= rung.rung, "trial"]
        best = [lowest[trial](rung.last_epoch) for trial in reached if trial in lowest]
        cells = (
            f"{rung.iteration}, {rung.bracket}, {rung.rung}",
            words.count(rung.last_epoch),
            words.count(rung.trials),
            words.count(len(reached)),
            shown.score(float(np.nanmin([*best, np.inf])), decimals),
        )
        rows.append(cells)
    return Table(header, rows)


def _lowest_so_far(frames: SweepFrames) -> dict[int, Callable[[int], float]]:
    """Return by trial a function: the lowest score up to an epoch, infinite before the first."""
    finite = frames.epochs[np.isfinite(frames.epochs["val_score"])]
    lowest = finite["val_score"].groupby(finite["trial"]).cummin().to_numpy()
    trials, starts = np.unique(finite["trial"].to_numpy(), return_index=True)
    ends = [*starts[1:], len(finite)][: len(starts)]
    epochs = finite["epoch"].to_numpy()

    def up_to(first: int, end: int) -> Callable[[int], float]:
        def found(epoch: int) -> float:
            place = int(np.searchsorted(epochs[first:end], epoch, side="right"))
            return float(lowest[first + place - 1]) if place else math.inf

        return found

    return {
        int(trial): up_to(int(first), int(end))
        for trial, first, end in zip(trials, starts, ends, strict=True)
    }


def cost(frames: SweepFrames) -> Table:
    """Return the epochs and seconds of the search and of the baselines."""
    rows = []
    for name, chosen in (
        ("search", frames.trials["baseline"].isna()),
        ("baselines", frames.trials["baseline"].notna()),
    ):
        trials = frames.trials[chosen]
        rows.append(_cost(name, trials))
    rows.append(_cost("together", frames.trials))
    return Table(("", "trials", "epochs", "seconds of training", "seconds per epoch"), rows)


def _cost(name: str, trials: pd.DataFrame) -> tuple[str, ...]:
    epochs, seconds = int(trials["epochs"].sum()), float(trials["seconds"].sum())
    each = words.seconds(seconds / epochs) if epochs else words.MISSING
    return (name, words.count(len(trials)), words.count(epochs), words.seconds(seconds), each)


def failures(frames: SweepFrames) -> Table:
    failed = frames.trials[frames.trials["status"] == TrialStatus.FAILED].sort_values("trial")
    rows = [
        (str(trial), words.cut(error or "no reason was recorded"))
        for trial, error in failed.head(FAILURES_SHOWN)[["trial", "error"]].itertuples(index=False)
    ]
    return Table(("trial", "why"), rows, is_text=True)


def provenance(frames: SweepFrames) -> Table:
    """Return all that the numbers depend on, except the machine."""
    sweep, settings = frames.sweep, frames.sweep.settings.of_its_search().items()
    rows = [
        ("sweep", sweep.name),
        ("identity", sweep.identity),
        ("space", f"{sweep.space.name}, SHA-256 {sweep.space.sha256 or 'unknown'}"),
        ("commit", _commit(sweep.space.git)),
        ("data", f"{sweep.data.source}, {_hashes(sweep.data)}"),
        ("seed", str(sweep.settings.seed)),
        ("versions", ", ".join(f"{name} {value}" for name, value in sweep.versions.items())),
        ("numerics", _numerics(sweep.settings.numerics)),
        (
            "settings",
            ", ".join(f"{name} {value}" for name, value in settings if name not in _APART),
        ),
        ("this page", f"sweep {__version__}"),
    ]
    return Table(("", ""), [(name, words.cut(line)) for name, line in rows], is_text=True)


_APART = ("stages", "numerics")
"""Settings that are told elsewhere on the page."""


def _numerics(numerics: Numerics | None) -> str:
    """Under what the numbers came about."""
    if numerics is None:
        return "unknown: an older version of sweep kept none"
    flags = [f"{name}={value}" for name, value in numerics.flags.items()]
    facts = (f"{numerics.backend} with {numerics.threads} threads", numerics.floatx, *flags,
             numerics.gpu or numerics.processor, *numerics.accepted)  # fmt: skip
    return "; ".join(facts)


def _commit(git: Commit | None) -> str:
    """Return the git commit of the folder that holds the search space."""
    if git is None:
        return "unknown: the search space is not in a git repository"
    changes = ", with uncommitted changes" if git.dirty else ""
    return f"git {git.commit}{changes}"


def _hashes(data: SplitRecord) -> str:
    return f"fingerprint {data.fingerprint or 'unknown'}"


def again(frames: SweepFrames) -> list[str]:
    """Return the commands that make this sweep and this page again."""
    report = f"sweep report {frames.address} --html report.html"
    return [*commands(frames), words.plain(report)]
