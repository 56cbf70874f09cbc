"""Prepares a sweep in a process that may not have started Keras yet: new, or stored.

What takes seconds to import is imported here when it is needed.
"""

import atexit
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.disk import new_space_folder
from sweep.errors import DataError, InvalidSpaceError
from sweep.numerics import Numerics
from sweep.runner import same_numbers
from sweep.runner.same_numbers import AllowedNumbers
from sweep.runner.say import Say
from sweep.runner.script import is_script, prepare_script
from sweep.settings import Settings
from sweep.space import find as spaces
from sweep.space.source import changed_beside, in_brackets, write_sources
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared


def prepare(
    space: str, settings: Settings, cache: Path | None, *, compared: bool = False
) -> "Prepared":
    """Load the data, start Keras, then load and check all else that a new sweep needs.

    If `compared`, the reference models will be asked for: they are trained meanwhile, in a
    process of their own. Raises InvalidSpaceError, DataError or PlatformError in one line.
    """
    return _prepare(space, settings, cache, compared, lambda here: here)


def _prepare(
    space: str,
    settings: Settings,
    cache: Path | None,
    compared: bool,
    numerics: Callable[[Numerics], Numerics | None],
) -> "Prepared":
    """`numerics` takes this process' own, before a user's code is run, and returns what to keep."""
    spaces.find_space(space)  # refuse wrong names before TensorFlow is waited for
    from sweep.data.split import load_split
    from sweep.references.beside import ReferencesBeside
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras

    split = load_split(
        settings.data,
        train_rows=settings.train_rows,
        validation_rows=settings.validation_rows,
        test_rows=settings.test_rows,
        own=settings.own,
        cache_dir=cache,
    )
    beside = compared and "tensorflow" not in sys.modules  # else there is no import to hide behind
    beside = beside and split.task.is_classification  # those of amounts depend on the loss
    fitted = ReferencesBeside(split, settings.seed).fitted if beside else None
    kept = numerics(start_keras(default_root(), settings.numerics))
    from sweep.runner import prepare as sweeps

    return sweeps.prepare(space, replace(settings, numerics=kept), split, fitted)


def with_programs(settings: Settings) -> Settings:
    """Return a stored sweep's settings with how its trials share programs.

    Those of a sweep that began before that was decided share them with trials that are alike.
    """
    programs = settings.programs or "alike, others alone"
    return replace(settings, programs=programs)


def _refuse_own_folder(folder: SweepFolder, sweep: SweepRow) -> None:
    path = _path(sweep)
    if Path(path).resolve().is_relative_to(folder.path.resolve()):
        raise InvalidSpaceError(
            f"the search space {path} lies in the sweep's own folder, from where nothing is run; "
            "did you get this sweep from somebody else?"
        )


def prepare_again(
    folder: SweepFolder,
    sweep: SweepRow,
    cache: Path | None,
    stored_space: bool,
    say: Say,
    *,
    compared: bool = False,
    numbers: AllowedNumbers = AllowedNumbers.SAME,
) -> "Prepared":
    """Prepare a stored sweep to continue. This runs the file of its search space.

    If `stored_space`, that is the copy kept with the sweep. Raises InvalidSpaceError if space or
    data have changed, or if the space lies in the sweep's own folder: results may come from
    others, code in them is not run. Raises PlatformError if this process would not get the same
    numbers, unless `numbers` permits that.
    """
    sweep = replace(sweep, name=folder.name)  # the folder may have been renamed since
    if is_script(sweep):
        from sweep.runner import prepare as sweeps

        made = prepare_script(
            folder,
            sweep,
            cache,
            stored_space,
            lambda here: _kept(folder, sweep, here, numbers, say),
        )
        sweeps.check_unchanged(sweep, made)
        return made
    if not stored_space:
        _refuse_own_folder(folder, sweep)
    space = _stored_space(sweep) if stored_space else _original_space(sweep)
    prepared = _prepare(
        str(space),
        with_programs(sweep.settings),
        cache,
        compared,
        lambda here: _kept(folder, sweep, here, numbers, say),
    )
    from sweep.runner import prepare as sweeps

    sweeps.check_unchanged(sweep, prepared)
    return prepared


def _kept(
    folder: SweepFolder, sweep: SweepRow, here: Numerics, numbers: AllowedNumbers, say: Say
) -> Numerics | None:
    """The numerics that the sweep goes on with; what differs has been warned of or refused."""
    found = same_numbers.compared(sweep, here)
    if numbers is AllowedNumbers.SAME:
        same_numbers.refuse_other(sweep, found)
    for change in (*found.changing, *found.slight):
        say.warn(f"numbers may differ in their last digits: {change}")
    stored = sweep.settings.numerics
    if stored is None or numbers is not AllowedNumbers.OTHER or not found.changing:
        return stored
    kept = same_numbers.accepted(stored, found)
    with Store(folder.database) as store:
        store.set_settings(replace(sweep.settings, numerics=kept))
    return kept


def _path(sweep: SweepRow) -> str:
    if sweep.space.path is None:
        raise DataError(f"sweep {sweep.name} is damaged: it does not say where its space lies")
    return sweep.space.path


def _original_space(sweep: SweepRow) -> Path:
    """Return the path of the space's file, which is as it was when the sweep began."""
    named = _path(sweep)
    try:
        path = spaces.find_space(named)
    except InvalidSpaceError:
        what = "is gone"
    else:
        changed = changed_beside(path, sweep.space)
        if changed is None:
            return path
        what = f"has changed since sweep {sweep.name} began{in_brackets(changed)}"
    stored = (
        ", or run the copy stored with the sweep, if you trust it, by adding --stored-space"
        if sweep.space.sources is not None
        else ", or start a new sweep"
    )
    raise InvalidSpaceError(f"the search space {named} {what}; put it back{stored}")


def _stored_space(sweep: SweepRow) -> Path:
    """The copy kept with the sweep, in a folder that goes with this process."""
    if sweep.space.sources is None:
        raise InvalidSpaceError(
            f"sweep {sweep.name} was begun by an older version, which stored no copy of its "
            f"search space; put {_path(sweep)} back"
        )
    folder = new_space_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_sources(sweep.space.sources, Path(_path(sweep)).name, folder)
