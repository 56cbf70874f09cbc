"""The report for programs: JSON with every number at full precision, and its schema."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweep.analysis.answers import tutorial
from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.other_seeds import bias
from sweep.analysis.report import openings
from sweep.analysis.report.header import progress
from sweep.analysis.report.older_names import with_older_names
from sweep.disk import whole
from sweep.errors import PlatformError
from sweep.records import Json

SCHEMA = "sweep.report/1"


def to_json(frames: SweepFrames, top: int | None = None) -> str:
    """Return the report as JSON, schema `sweep.report/1`: full precision, null for what is missing.

    Later versions of the same schema only add keys.
    """
    sweep = frames.sweep
    described = {
        "name": sweep.name,
        "identity": sweep.identity,
        "state": sweep.state,
        "message": sweep.message,
        "created_at": sweep.created_at,
        "active_seconds": sweep.active_seconds,
        "progress": progress(frames),
        "settings": sweep.settings.to_json(),
        "space": sweep.space.to_json(),
        "data": sweep.data.to_json(),
        "plan": sweep.plan.to_json(),
        "versions": sweep.versions,
        "scoring": _scoring(frames),
    }
    found, average = verdict(frames), bias(frames.confirmed)
    references = [
        {"name": r.name, "val_score": r.val_score, "val_score_se": r.val_score_se}
        for r in frames.references
    ]

    def line(value: Any) -> str:
        return json_line(with_older_names(value, sweep.scoring))

    lines = ",\n".join(line(trial) for trial in _records(frames.trials.iloc[:top]))
    parts = {
        "schema": json_line(SCHEMA),
        "sweep": json_line(described),
        "verdict": line(found.to_json()),
        "trials": f"[\n{lines}\n]",
        "confirmed": line(_records(frames.confirmed)),
        "references": line(references),
        "no_skill": line(_no_skill(frames.no_skill)),
        "tutorial": line(tutorial.to_json(found.tutorial)),
        "bias": json_line(None if average is None else asdict(average)),
        "test": line(openings.to_json(frames.openings)),
    }
    members = ",\n".join(f'"{name}": {part}' for name, part in parts.items())
    return f"{{{members}}}"


def _scoring(frames: SweepFrames) -> Json:
    """What the scores measure, with its names."""
    scoring, measure = frames.sweep.scoring, frames.sweep.scoring.measure
    names = {"name": measure.name, "short": measure.short, "unit": frames.score_words.unit}
    return scoring.to_json() | names | {"complement": measure.complement}


def _no_skill(level: NoSkill) -> Json:
    found = (level.train, level.validation) if level.is_known else (None, None)
    return dict(zip(("train", "validation"), found, strict=True))


def json_schema() -> str:
    """Return the JSON Schema (2020-12) of what `to_json` returns."""
    return Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")


def write_verdict(frames: SweepFrames, path: Path) -> None:
    """Write the verdict as JSON (schema `sweep.verdict/1`), whole or not at all.

    Raises PlatformError when it cannot be written.
    """
    found = with_older_names(_finite(verdict(frames).to_json()), frames.sweep.scoring)
    content = json.dumps(found, indent=2, allow_nan=False) + "\n"
    try:
        with whole(path) as new:
            new.write_text(content)
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror}") from error


def json_line(value: Any) -> str:
    """Return `value` as JSON on one line: quick to write, and such files compare well."""
    return json.dumps(_finite(value), allow_nan=False)


def _records(frame: pd.DataFrame) -> list[Json]:
    """A dict per row, quicker than pandas' own."""
    names = list(frame.columns)
    cells = [_cells(frame[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def _cells(column: "pd.Series[Any]") -> list[Any]:
    """The column's values as Python's own, None for what is missing."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def _finite(value: Any) -> Any:
    """`value` with None for every number that JSON has no name for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
