"""What `sweep show` and `sweep compare` share: their arguments, and a trial's results as lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from sweep import words
from sweep.cli import options as opt
from sweep.cli.output import hint
from sweep.errors import UsageError
from sweep.records import Json
from sweep.sweep_folder import SweepFolder, find_sweep
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import Scoring

if TYPE_CHECKING:
    import pandas as pd


def split_arguments(
    usage: str, given: Sequence[str], n_trials: int
) -> tuple[str | None, Sequence[str]]:
    """Return the sweep's name, if it was given, and the trials. Raises UsageError."""
    if len(given) not in (n_trials, n_trials + 1):
        raise UsageError(f"expected: sweep {usage}; got: {' '.join(given)}")
    return (given[0] if len(given) > n_trials else None), given[-n_trials:]


def open_sweep(results: opt.ResultsOption, name: str | None, output: str) -> SweepFolder:
    """Return the sweep's folder. Raises UsageError for an unknown form of output."""
    opt.check_output(output, opt.TABLE_OR_JSON)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    return folder


def print_json(value: Json, scoring: Scoring) -> None:
    """Print an object about a sweep as one line of JSON."""
    from sweep.analysis.report.older_names import with_older_names
    from sweep.analysis.report.trials_json import json_line

    typer.echo(json_line(with_older_names(value, scoring)))


def results_of(row: "pd.Series[Any]", shown: ScoreWords) -> list[tuple[str, str]]:
    """Return a trial's results as labels with their texts. `row` is of `SweepFrames.trials`."""
    from sweep.analysis.frames.trial_status import standing

    places, root = shown.decimals(float(row["val_score_se"])), shown.root(row["val_score"])
    score = shown.with_error(row["val_score"], row["val_score_se"], places)
    return [
        ("rank", words.count(row["rank"])),
        ("params", _count(row["params"])),
        (shown.val, f"{score} ({root})" if root else score),
        (shown.train, shown.score(row["train_score"], places)),
        ("gap", shown.gap(row["gap"], places)),
        ("tied", {True: "with the best", False: "no", None: words.MISSING}[row["tied"]]),
        ("class", row["class"] or words.MISSING),
        ("best epoch", _count(row["best_epoch"])),
        ("onset", _count(row["onset_epoch"])),
        ("epochs", words.count(row["epochs"])),
        ("status", standing(row["status"], row["epochs"])),
    ]


def _count(value: Any) -> str:
    import pandas as pd

    return words.count(None if pd.isna(value) else int(value))
