"""The command of a job: the same that people type, with the same options."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sweep.records import Json
from sweep.serve.options import ServeOptions
from sweep.serve.queue.job import Job, JobKind

_BUDGETED = (JobKind.START, JobKind.RESUME, JobKind.EXTEND)


def options_of(values: Mapping[str, object]) -> list[str]:
    """Return options with their values: {"max_epochs": 9, "baselines": False} is
    --max-epochs=9 --no-baselines. A list is an option for each of its values; what is None is left
    out.
    """
    found = []
    for name, value in values.items():
        option = name.replace("_", "-")
        if value is None:
            continue
        if isinstance(value, list):
            found += [f"--{option}={one}" for one in value]
        elif isinstance(value, bool):
            found.append(f"--{option}" if value else f"--no-{option}")
        else:
            found.append(f"--{option}={value}")
    return found


def budget_of(given: Json, worked_seconds: float = 0.0) -> dict[str, object]:
    """Return the options of a budget, less the time that was worked already."""
    found = dict(given)
    seconds = found.pop("max_seconds", None)
    if seconds is not None:
        found["max_time"] = f"{max(seconds - worked_seconds, 1.0):.3f}s"
    return found


def start_command(job: Job, space: Path, options: ServeOptions) -> list[str]:
    """Return the arguments of a new search."""
    values = {"name": job.sweep, **job.options["settings"]}
    values |= budget_of(job.options["budget"], job.worked_seconds) | _workers(job)
    return ["start", str(space), *options_of(values), *_folders(options)]


def resume_command(job: Job, options: ServeOptions) -> list[str]:
    """Return the arguments that let a sweep go on, whatever kind of job began or extended it."""
    budget = job.options.get("budget", {})
    values = budget_of(budget, job.worked_seconds) | _workers(job)
    values |= _flags(job, "other_numerics")
    return ["resume", job.sweep, *options_of(values), *_folders(options)]


def other_command(job: Job, options: ServeOptions, model: Path) -> list[str]:
    """Return the arguments of a job that extends, confirms, tests or exports."""
    values = {name: value for name, value in job.options.items() if name != "budget"}
    flags = _flags(job, "ensemble", "again", "retrain", "mixed")
    values = {name: value for name, value in values.items() if not isinstance(value, bool)}
    if job.kind in _BUDGETED:
        values |= budget_of(job.options.get("budget", {}), job.worked_seconds)
    if job.kind is JobKind.EXPORT:
        trial = values.pop("trial", None)
        place = [job.sweep, *([] if trial is None else [str(trial)]), str(model)]
        return ["export", *place, *options_of(values | flags), *_folders(options)]
    return [job.kind.value, job.sweep, *options_of(values | flags), *_folders(options)]


def _workers(job: Job) -> dict[str, object]:
    """Return the options that say who trains."""
    return {"pool": job.options.get("pool")} | _flags(job, "mixed")


def _flags(job: Job, *names: str) -> dict[str, object]:
    """Return the flags that are set; those that are not are the commands' defaults."""
    return {name: True for name in names if job.options.get(name)}


def _folders(options: ServeOptions) -> list[str]:
    found = [f"--results={options.results.absolute()}"]
    return found if options.cache is None else [*found, f"--cache={options.cache.absolute()}"]


def whole_command(arguments: list[str], run_with: str | None) -> list[str]:
    """Return the program with its arguments, wrapped as `--run-with` says."""
    command = [sys.executable, "-P", "-m", "sweep", *arguments]
    if run_with is None:
        return command
    found: list[str] = []
    for part in shlex.split(run_with):
        found += command if part == "{}" else [part]
    return found
