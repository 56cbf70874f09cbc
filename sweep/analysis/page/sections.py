"""What the page's tables say beside the ranked one, in words and rounded numbers."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

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
    decimals = decimals_of_best(frames.trials)
    rows = [
        (
            words.count(row["params"]),
            str(row["trial"]),
            *(words.score(row[name], decimals) for name in ("val_score", "train_score")),
        )
        for row in frontier(frames.trials).to_dict("records")
    ]
    return Table(("parameters, at most", "best trial", "val BCE", "train BCE"), rows)


def references(frames: SweepFrames) -> Table:
    """Return the reference models and by how much the best network beats each of them."""
    by_name = {one.reference: one for one in frames.advantages}
    rows = []
    for one in frames.references:
        decimals = words.decimals_of(one.val_score_se)
        cells = (one.name, words.with_error(one.val_score, one.val_score_se, decimals))
        found = by_name.get(one.name)
        if found is None:
            rows.append((*cells, words.MISSING, words.MISSING))
        else:
            ends = (
                words.score(end, words.decimals_of(found.se)) for end in (found.low, found.high)
            )
            rows.append((*cells, words.difference(found.value, found.se), " to ".join(ends)))
    header = ("model", "val BCE ± SE", "best network minus this ± SE", "95 % interval")
    return Table(header, rows)


def by_capacity(frames: SweepFrames) -> Table:
    """Return the table of overfitting by decades of trainable parameters."""
    trials = frames.trials[is_scored(frames.trials) & frames.trials["params"].notna()]
    trials, decimals = trials.sort_values("params"), decimals_of_best(trials)
    return _grouped(trials, trials["params"].map(decade), "parameters", decimals)


def by_regularisation(frames: SweepFrames) -> Table:
    scored = is_scored(frames.trials)
    kinds = regularisers.kinds(frames.hyperparameters[scored])
    decimals = decimals_of_best(frames.trials)
    return _grouped(frames.trials[scored], kinds, "regularised by", decimals)


def _grouped(trials: pd.DataFrame, group: "pd.Series[str]", name: str, decimals: int) -> Table:
    header = (
        name, "trials", "tied with the best", f"{LEAST_EPOCHS} or more epochs", "of them overfit",
        "median onset", "median gap", "lowest val BCE",
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
                words.score(float(judged["gap"].median()), decimals)
                if len(judged)
                else words.MISSING,
                words.score(float(members["val_score"].min()), decimals),
            )
        )
    return Table(header, rows)


def rungs(frames: SweepFrames) -> Table:
    """Return the plan's rungs and how many trials have reached each."""
    trials = frames.trials[frames.trials["rung"].notna()]
    header = ("iteration, bracket, rung", "to epoch", "planned", "reached", "lowest val BCE so far")
    rows = []
    for rung in frames.sweep.plan.rungs:
        iteration, bracket, last = rung.iteration, rung.bracket, rung.last_epoch
        of = trials[(trials["bracket"] == bracket) & (trials["iteration"] == iteration)]
        reached = of[(of["rung"] >= rung.rung) & (of["epochs"] > 0)]
        best = frames.epochs[
            frames.epochs["trial"].isin(reached["trial"]) & (frames.epochs["epoch"] <= last)
        ]["val_score"].min()
        cells = (
            f"{iteration}, {bracket}, {rung.rung}",
            words.count(last),
            words.count(rung.trials),
        )
        rows.append(
            (
                *cells,
                words.count(len(reached)),
                words.score(float(best), decimals_of_best(frames.trials)),
            )
        )
    return Table(header, rows)


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
    """Of the folder that holds the search space."""
    if git is None:
        return "unknown: the search space is not in a git repository"
    changes = ", with uncommitted changes" if git.dirty else ""
    return f"git {git.commit}{changes}"


def _hashes(data: SplitRecord) -> str:
    return f"fingerprint {data.fingerprint or 'unknown'}"


def again(frames: SweepFrames) -> list[str]:
    """Return the commands that make this sweep and this page again."""
    report = shlex.join(["sweep", "report", frames.sweep.name, "--html", "report.html"])
    return [*commands(frames), words.plain(report)]
