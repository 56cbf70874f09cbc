"""sweep doctor: a sweep's files and the machine are checked."""

import json
import sys
from collections.abc import Iterable
from itertools import chain
from typing import Annotated

import typer

from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli.output import hint, out
from sweep.data.cache.cache import default_cache_dir
from sweep.doctor.finding import Finding, Level
from sweep.doctor.integrity import check_sweep
from sweep.doctor.machine import check_machine
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep, sweep_folders
from sweep.words import plain

_FORMATS = ("text", "json")
_SUBJECT = 22
"""Places for a finding's subject, enough for most: later ones are not known yet."""
_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(
    name: opt.NameArgument = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            autocompletion=completion.values(*_FORMATS),
            help="Form of the output: text or json.",
        ),
    ] = "text",
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Check a sweep's files and the machine. Each fault is shown with its remedy."""
    opt.check_output(output, _FORMATS)
    has_sweep = name is not None or sweep_folders(results)
    folder = find_sweep(results, name) if has_sweep else None
    if folder is not None and name is None:
        hint(f"sweep {folder.name}")
    checks = chain(
        check_machine(results, cache or default_cache_dir()),
        check_sweep(folder) if folder is not None else (),
    )
    if output == "json":
        findings = list(checks)
        _print_json(findings)
    else:
        findings = _print_text(checks)
    failed = [finding.exit_code for finding in findings if finding.level is Level.FAIL]
    if failed:
        raise typer.Exit(min(failed))


def _print_text(checks: Iterable[Finding]) -> list[Finding]:
    """Print each finding as soon as it is there, at a pipe too; return them."""
    console = out()
    found = []
    for finding in checks:
        console.print(f"{finding.level:<4}", style=_STYLES[finding.level], end="  ")
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        line = f"{finding.subject:<{_SUBJECT}}  {finding.text}{remedy}"
        console.print(plain(line), soft_wrap=True)
        sys.stdout.flush()
        found.append(finding)
    return found


def _print_json(findings: list[Finding]) -> None:
    checks = [
        {"subject": f.subject, "level": f.level, "text": f.text, "remedy": f.remedy or None}
        for f in findings
    ]
    json.dump({"schema": "sweep.doctor/1", "checks": checks}, sys.stdout, indent=1)
    print()
