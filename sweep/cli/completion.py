"""What the shell offers when Tab is pressed: sweeps, trials, spaces, and the values of options.

Everything is light and silent: it starts neither TensorFlow nor pandas, and an error offers
nothing. A name of a file or from a database is offered only if every shell takes it for one word.
"""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import typer

from sweep.analysis.stored import baseline_names
from sweep.data.kinds import KINDS
from sweep.space.find import shipped_spaces
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, sweep_folders

_WORD = re.compile(r"[\w./+][\w./+-]*")
_MOST_TRIALS = 200

Complete = Callable[[str], list[str]]


def values(*allowed: str) -> Complete:
    """Return a completion that offers these words."""

    def complete(incomplete: str) -> list[str]:
        return _starting(incomplete, allowed)

    return complete


def spaces(incomplete: str) -> list[str]:
    """Offer the shipped search spaces and the Python files beside what is typed."""
    with suppress(Exception):
        return _starting(incomplete, [*shipped_spaces(), *_files(incomplete, ".py")])
    return []


def data_sources(incomplete: str) -> list[str]:
    """Offer the kinds of data and the files of data beside what is typed."""
    from sweep.data.tables.file_forms import FORMS

    with suppress(Exception):
        suffixes = [suffix for form in FORMS.values() for suffix in form.suffixes]
        return _starting(incomplete, [*KINDS, *_files(incomplete, *suffixes)])
    return []


def sweeps(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the sweeps of the results folder."""
    with suppress(Exception):
        return _starting(incomplete, [folder.name for folder in _folders(context)])
    return []


def sweep_then_trials(context: typer.Context, incomplete: str) -> list[str]:
    """Offer a sweep as the first argument, and the trials of that sweep or of the newest one."""
    with suppress(Exception):
        folders = {folder.name: folder for folder in _folders(context)}
        given = context.params.get("arguments") or ()
        named = folders.get(given[0]) if given else None
        trials = _trials(named or list(folders.values())[-1], incomplete)
        return _starting(incomplete, [*([] if given else folders), *trials])
    return [] if context.params.get("arguments") else sweeps(context, incomplete)


def trials(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the numbers of the trials of the sweep that is named, or of the newest one."""
    with suppress(Exception):
        folders = {folder.name: folder for folder in _folders(context)}
        # before an option without its value, the parser has left the arguments where they were
        name = context.params.get("name") or next(iter(context.args), "")
        named = folders.get(name)
        numbers = _numbers(named or list(folders.values())[-1], incomplete)
        return _starting(incomplete, numbers)
    return []


def sweep_then_trial(context: typer.Context, incomplete: str) -> list[str]:
    """Offer a sweep as the first argument, and its trials as the second; then comes a file."""
    given = context.params.get("arguments") or ()
    if not given:
        return sweeps(context, incomplete)
    return sweep_then_trials(context, incomplete) if len(given) == 1 else []


def _folders(context: typer.Context) -> list[SweepFolder]:
    return sweep_folders(Path(context.params.get("results") or DEFAULT_RESULTS))


def _trials(folder: SweepFolder, incomplete: str) -> list[str]:
    with Store(folder.database, read_only=True) as store:
        baselines = list(baseline_names(store))
    return [*baselines, *_numbers(folder, incomplete)]


def _numbers(folder: SweepFolder, incomplete: str) -> list[str]:
    with Store(folder.database, read_only=True) as store:
        numbers = [str(number) for number in range(store.n_trials())]
    return _starting(incomplete, numbers)[:_MOST_TRIALS]


def _files(incomplete: str, *suffixes: str) -> list[str]:
    """Files of these suffixes, and folders, in the folder of the path typed so far."""
    typed, _, _ = incomplete.rpartition(os.sep)
    prefix = f"{typed}{os.sep}" if os.sep in incomplete else ""
    entries = sorted(Path(prefix or ".").iterdir())
    found = [entry.name for entry in entries if entry.name.endswith(suffixes) and entry.is_file()]
    found += [f"{entry.name}{os.sep}" for entry in entries if entry.is_dir()]
    return [f"{prefix}{name}" for name in found if not name.startswith((".", "__"))]


def _starting(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete) and _WORD.fullmatch(word)]
