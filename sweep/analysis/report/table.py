"""The ranked table as text: what stands in each column, and what needs explaining beneath it.

How it is laid out is left to `terminal` and, for Markdown, to `report`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from sweep import words
from sweep.analysis.frames.evidence import why_errors_are_unknown
from sweep.analysis.frames.expected import is_known
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import has_a_columns_name, shown_name
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.analysis.report import openings, rare_class
from sweep.statistics.onset import TOLERANCE
from sweep.tasks.score_words import ScoreWords

MOST_HYPERPARAMETERS = 100
"""Hyperparameters with a column of their own: as many as anybody reads, whatever a space has."""
TIED, SIMPLEST = "=", "*"


@dataclass(frozen=True)
class Column:
    """One column's cells, in the order of the rows."""

    name: str
    cells: Sequence[str]
    left: bool = False
    """Text, not numbers."""
    is_hyperparameter: bool = False
    key: str = ""
    """What the column is called whatever the score is called; "" if that is its name."""

    @property
    def key_or_name(self) -> str:
        return self.key or self.name


def columns(frames: SweepFrames, top: int | None = None) -> list[Column]:
    """Return the ranked table's columns for the best `top` trials, for all by default.

    Stored strings come out without control characters; brackets and pipes are left to the layout.
    """
    trials, settings = frames.trials.iloc[:top], frames.hyperparameters.iloc[:top]
    shown, decimals = frames.score_words, _decimals(frames)[:top]
    return [
        Column("rank", [words.count(rank) for rank in trials["rank"]]),
        Column("trial", trial_names(trials), left=True),
        *(
            Column(
                words.cut(shown_name(name)), words.settings(settings[name].tolist()), False, True
            )
            for name in frames.hyperparameter_names[:MOST_HYPERPARAMETERS]
        ),
        *_sizes(frames, trials),
        *_scores(trials, shown, decimals),
        *_curves(frames, trials, decimals),
        *_rungs(frames, trials),
        *_classes(trials),
        Column("seconds", [words.seconds(seconds) for seconds in trials["seconds"]]),
        Column("status", _standings(trials), left=True),
    ]


def _sizes(frames: SweepFrames, trials: pd.DataFrame) -> list[Column]:
    """Return the column of parameters, if the models were seen."""
    if frames.sweep.data.is_unseen:
        return []
    return [Column("params", [words.count(n) for n in optional(trials["params"])])]


def _curves(frames: SweepFrames, trials: pd.DataFrame, decimals: Sequence[int]) -> list[Column]:
    """Return the columns that are read off a trial's epochs, if each of them was seen."""
    if frames.sweep.data.is_unseen:
        if not frames.sweep.settings.has_rungs:
            return []
        return [Column("epochs", [words.count(last) for last in optional(trials["best_epoch"])])]
    shown = frames.score_words
    train = _aligned(map(shown.score, trials["train_score"], decimals))
    return [
        Column(shown.train, train, key="train score"),
        Column("gap", _aligned(map(shown.gap, trials["gap"], decimals))),
        Column("best epoch", [words.count(epoch) for epoch in optional(trials["best_epoch"])]),
        Column("onset", _onsets(trials)),
        Column("epochs", [words.count(epochs) for epochs in trials["epochs"]]),
    ]


def _rungs(frames: SweepFrames, trials: pd.DataFrame) -> list[Column]:
    """Return the column of rungs, if the search has any."""
    if not frames.sweep.settings.has_rungs:
        return []
    return [Column("rung", [words.count(rung) for rung in optional(trials["rung"])])]


def notes(frames: SweepFrames, top: int | None = None) -> list[str]:
    """Return the notes that a reader of the ranked table needs."""
    trials, shown = frames.trials.iloc[:top], frames.score_words
    found = []
    if len(trials) < len(frames.trials):
        found.append(f"The best {len(trials):,} of {words.trials(len(frames.trials))}.")
    n_hidden = len(frames.hyperparameter_names) - MOST_HYPERPARAMETERS
    if n_hidden > 0:
        more = words.counted(n_hidden, "more hyperparameter")
        everything = f"sweep report {frames.address} -o csv"
        found.append(f"Not shown: {more}; all are in: {everything}.")
    if (trials["status"] == TrialStatus.CUT).any():
        found.append(
            "cut at N: Hyperband ended the trial at epoch N; "
            "with more epochs its score might be better."
        )
    first_is_cut = (trials["status"].head(1) == TrialStatus.CUT).any()
    if first_is_cut and frames.confirmed.empty and (taken := openings.note(frames)) is not None:
        found.append(taken)
    if (trials["status"] == TrialStatus.WAITING).any():
        found.append("waiting at N: trained to epoch N; may still be promoted and train on.")
    if (trials["epochs"] > 0).any() and not frames.sweep.data.is_unseen:
        found.append(
            f"onset: the epoch after which {shown.validation} {shown.rises} for good, by more than "
            f"{_tolerance(frames)}; >N: no such {shown.rise} in N epochs."
        )
    found += _notes_on_errors(frames, trials)
    found += rare_class.notes(frames)
    errors = trials.loc[trials["status"] == TrialStatus.FAILED, ["trial", "error"]]
    found += [
        f"trial {trial} failed: {words.cut(error or 'no reason was recorded')}"
        for trial, error in errors.head(_FAILURES_SHOWN).itertuples(index=False)
    ]
    if len(errors) > _FAILURES_SHOWN:
        found.append(f"{words.trials(len(errors) - _FAILURES_SHOWN)} more failed.")
    if any(map(has_a_columns_name, frames.hyperparameter_names)):
        found.append("hp.NAME: the hyperparameter NAME, if a column of the report has its name.")
    if frames.references:
        models = "Reference models on the same rows, without a network"
        found.append(f"{models}: {_references(frames)}.")
    return found + openings.lines(frames.openings, shown)


_FAILURES_SHOWN = 3


def _tolerance(frames: SweepFrames) -> str:
    """What a rise is at least, with its unit: "0.005 nats"."""
    least = TOLERANCE * frames.no_skill.scale
    return f"{words.amount(least, 2, trailing=False)}{frames.score_words.of_unit}"


def _references(frames: SweepFrames) -> str:
    shown = frames.score_words
    return ", ".join(
        f"{one.name} {shown.with_error(one.val_score, error, shown.decimals(error))}"
        for one in frames.references
        for error in (one.val_score_se,)
    )


def _of_gap(frames: SweepFrames) -> str:
    """The best trial's gap with its error, in words; "" if that is unknown."""
    best = frames.trials.iloc[0]
    error = frames.gap_se(best["val_score_se"])
    if not math.isfinite(error):
        return ""
    gap = frames.score_words.gap_with_error(float(best["gap"]), error)
    return f": the gap of trial {best['trial']} is {gap}"


def _notes_on_errors(frames: SweepFrames, trials: pd.DataFrame) -> list[str]:
    """One line for each mark in the table."""
    found, shown = [], frames.score_words
    known, evaluated = trials["val_score_se"].notna(), trials["val_score"].notna()
    if known.any():
        rows = words.counted(frames.sweep.settings.validation_rows, "validation row")
        found.append(f"± SE: standard error over the {rows}.")
    settings = frames.sweep.settings
    if settings.train_score_rows is not None and evaluated.any():
        found.append(
            f"{shown.train} is measured on {settings.train_score_rows:,} of "
            f"{words.counted(settings.train_rows, 'training row')}, evenly apart{_of_gap(frames)}."
        )
    if (evaluated & ~known).any():
        which = "some trials" if known.any() else "all trials"
        why = why_errors_are_unknown(frames.sweep.settings.validation_rows, frames.sweep.scoring)
        found.append(f"Errors of {which} are unknown: {why}.")
    if trials["tied"].any():
        found.append(
            f"{TIED} tied with the best: rows and seeds cannot tell the two apart (95 % model "
            f"confidence set over all trials{_by(frames)})."
        )
    if trials["simplest"].any():
        found.append(
            f"{SIMPLEST} the simplest: the fewest parameters within one standard error of the "
            "best, over rows and seeds."
        )
    if trials["class"].notna().any():
        found.append(
            f"class: overfit ({shown.val} {shown.rose} for good, or the gap is most of the "
            "distance to the best), underfit (neither tied nor overfit: it fits even its training "
            "rows worse), balanced (tied with the best, not overfit), diverged (worse than "
            "guessing)."
        )
    return found


def _by(frames: SweepFrames) -> str:
    """Return what ties are by, where it is not the score itself."""
    return ", by expected score: without the choice of the epoch" if is_known(frames.trials) else ""


def _decimals(frames: SweepFrames) -> list[int]:
    """Decimals of each trial's scores: those its own error deserves and no more than the best's."""
    shown, most = frames.score_words, decimals_of_best(frames)
    return [min(shown.decimals(se), most) for se in frames.trials["val_score_se"]]


def decimals_of_best(frames: SweepFrames) -> int:
    """Return the decimals that the best trial's error deserves, for numbers without an error."""
    first = next(iter(frames.trials["val_score_se"]), float("nan"))
    return frames.score_words.decimals(first)


def _scores(trials: pd.DataFrame, shown: ScoreWords, decimals: Sequence[int]) -> list[Column]:
    """The validation score, with its error and the tie marks where they are known."""
    roots = [shown.root_alone(value) for value in trials["val_score"]]
    root = [Column("root", roots, key="root")] if any(roots) else []
    if trials["val_score_se"].isna().all():
        return [Column(shown.val, [shown.score(value) for value in trials["val_score"]]), *root]
    values = _aligned(map(shown.score, trials["val_score"], decimals))
    errors = _aligned(map(shown.amount, trials["val_score_se"], decimals))
    cells = [
        value if error.strip() == words.MISSING else f"{value} ± {error}"
        for value, error in zip(values, errors, strict=True)
    ]
    width = max(map(len, cells), default=0)
    marks = [
        f"{TIED if tied else ' '}{SIMPLEST if simplest else ''}"
        for tied, simplest in zip(trials["tied"], trials["simplest"], strict=True)
    ]
    return [
        Column(f"{shown.val} ± SE", [cell.ljust(width) for cell in cells]),
        *root,
        Column("tie", [mark.rstrip() for mark in marks], left=True),
    ]


def _aligned(cells: Iterable[str]) -> list[str]:
    """Numbers with their decimal points beneath each other once they are flush right."""
    shown = list(cells)
    places = [len(cell) - cell.find(".") if "." in cell else 0 for cell in shown]
    widest = max(places, default=0)
    return [
        cell if cell == words.MISSING else cell + " " * (widest - n)
        for cell, n in zip(shown, places, strict=True)
    ]


def _classes(trials: pd.DataFrame) -> list[Column]:
    if trials["class"].isna().all():
        return []
    return [Column("class", [name or words.MISSING for name in trials["class"]], left=True)]


def trial_names(trials: pd.DataFrame) -> list[str]:
    """Return each trial's number, right-aligned, and for a baseline its name."""
    numbers = [str(number) for number in trials["trial"]]
    width = max(map(len, numbers), default=0)
    return [
        number.rjust(width) if name is None else f"{number.rjust(width)} {words.cut(name)}"
        for number, name in zip(numbers, trials["baseline"], strict=True)
    ]


def _onsets(trials: pd.DataFrame) -> list[str]:
    onsets, epochs = optional(trials["onset_epoch"]), trials["epochs"]
    return [
        words.count(onset) if onset is not None else f">{n:,}" if n else words.MISSING
        for onset, n in zip(onsets, epochs, strict=True)
    ]


def _standings(trials: pd.DataFrame) -> list[str]:
    return [
        f"{status} at {epochs:,}"
        if status in (TrialStatus.CUT, TrialStatus.WAITING)
        else str(status)
        for status, epochs in zip(trials["status"], trials["epochs"], strict=True)
    ]


def optional(values: "pd.Series[int]") -> list[int | None]:
    """Return the integers of `values`, None for those that are missing."""
    pairs = zip(values, values.isna(), strict=True)
    return [None if missing else int(value) for value, missing in pairs]
