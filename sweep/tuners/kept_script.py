"""What is kept of a script's search beside its database, so that it can go on without the script.

The rows are data. `build` is kept twice: its text, to be read, and by value, to be run: a pickle,
which is code that whoever loads it runs (see SECURITY.md).
"""

import json
from typing import TYPE_CHECKING

from sweep.data.cache.cache import default_cache_dir
from sweep.data.memory import write_split
from sweep.data.rows import Split
from sweep.disk import write_json
from sweep.errors import PlatformError, UsageError
from sweep.numerics import Numerics
from sweep.runner import same_numbers
from sweep.settings import Settings
from sweep.space.by_value import ByValue, write_build
from sweep.space.precision import policy
from sweep.store import SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.tuners.fingerprint import changed_parts
from sweep.tuners.space import ScriptSpace

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared

_GOES_ON = "put it back, choose another project_name, or begin anew with overwrite=True"
_MAY_GROW = ("trials", "iterations")
_NOT_COMPARED = (
    *(*_MAY_GROW, "stages", "numerics", "seed", "own", "data", "keep", "trainer"),
    "programs",  # chosen by how much there is to train, and kept from the beginning on
)
_CALLED = {
    "max_epochs": "epochs",
    "trials": "max_trials",
    "iterations": "hyperband_iterations",
    "executions": "executions_per_trial",
    "initial_points": "num_initial_points",
}
"""What a setting is called in a script."""


def keep_script(folder: SweepFolder, script: ScriptSpace, split: Split) -> None:
    """Write rows and `build`, each whole or not at all."""
    kept = write_split(folder.rows, split)
    by_value = ByValue(
        script.given,
        script.hypermodel,
        str(script.path),
        script.sha256,
        script.source,
        policy().name,
    )
    reason = write_build(folder.build, by_value, default_cache_dir())
    write_json(
        folder.script,
        {
            "path": str(script.path),
            "parts": dict(script.parts),
            "rows_are_kept": kept,
            "build_is_not_kept_because": reason,
        },
    )


def refuse_others(
    folder: SweepFolder,
    sweep: SweepRow,
    prepared: "Prepared",
    script: ScriptSpace,
    here: Numerics,
) -> None:
    """Raise UsageError, or PlatformError for numerics, if the search began with something else."""
    where = f"the search in {folder.path}"
    if sweep.space.sha256 != script.sha256:
        raise UsageError(f"{where} began with another build: {_what(folder, script)}; {_GOES_ON}")
    if sweep.data.fingerprint != prepared.split.fingerprint:
        raise UsageError(
            f"{where} began with other data: {_rows(sweep, prepared.split)}; {_GOES_ON}"
        )
    different = differences(sweep.settings, prepared.settings)
    if sweep.scoring != prepared.scored.scoring:
        old, new = sweep.scoring.measure.name, prepared.scored.scoring.measure.name
        different.append(f"objective: {old} then, {new} now")
    if different:
        raise UsageError(f"{where} began with other arguments: {'; '.join(different)}; {_GOES_ON}")
    found = same_numbers.compared(sweep, here)
    if found.changing:
        raise PlatformError(
            f"{where} would not get the same numbers here: {'; '.join(found.changing)}; go on "
            "where it began, choose another project_name, or begin anew with overwrite=True"
        )


def refuse_other_build(folder: SweepFolder, script: ScriptSpace) -> None:
    """Raise UsageError if the search began with another `build`, whatever callbacks it had."""
    before = _parts(folder)
    if before.get("build") != script.parts.get("build"):
        raise UsageError(
            f"the search in {folder.path} began with another build: {_what(folder, script)}; "
            f"{_GOES_ON}"
        )


def _what(folder: SweepFolder, script: ScriptSpace) -> str:
    names = changed_parts(_parts(folder), dict(script.parts))
    return f"changed are {', '.join(names[:4])}" if names else "values that it refers to changed"


def _parts(folder: SweepFolder) -> dict[str, str]:
    try:
        return dict(json.loads(folder.script.read_text(encoding="utf-8"))["parts"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _rows(sweep: SweepRow, split: Split) -> str:
    record, ranges = sweep.data, sweep.data.row_ranges
    if ranges is not None:
        then = [end - first for first, end in (ranges.train, ranges.validation)]
        now = [len(split.train), len(split.validation)]
        if then != now:
            return f"{then[0]:,} + {then[1]:,} rows then, {now[0]:,} + {now[1]:,} now"
    if record.known_task != split.task:
        return f"the task was {record.known_task.kind}, and is {split.task.kind}"
    return "their values have changed, or their order"


def differences(old: Settings, new: Settings) -> list[str]:
    """Return in words what is another in the arguments of a search that may only grow."""
    found = []
    for name, value in old.to_json().items():
        now = new.to_json()[name]
        if name in _MAY_GROW and old.search == new.search:
            if (now if now is not None else 10**18) < (value if value is not None else 10**18):
                found.append(f"{_CALLED.get(name, name)} was {value}, and is {now}: fewer")
        elif name == "stopping" and value != now:
            found.append("callbacks: another EarlyStopping")
        elif name not in _NOT_COMPARED and value != now:
            called = "max_epochs" if name == "max_epochs" and new.has_rungs else None
            found.append(f"{called or _CALLED.get(name, name)} was {value}, and is {now}")
    return found
