"""A search that a script began, prepared again without the script: from what its folder keeps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.data.cache.cache import default_cache_dir
from sweep.data.memory import MEMORY, read_split
from sweep.errors import DataError, UsageError
from sweep.numerics import Numerics
from sweep.store import SweepRow
from sweep.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared


def is_script(sweep: SweepRow) -> bool:
    """Return whether a script began the search, with data that it had in memory."""
    return sweep.settings.data == MEMORY


def prepare_script(
    folder: SweepFolder,
    sweep: SweepRow,
    cache: Path | None,
    trusted: bool,
    numerics: Callable[[Numerics], Numerics | None],
) -> "Prepared":
    """Return the search, its `build` loaded by value: this runs code of the folder.

    Raises InvalidSpaceError if that is not this user's own and not `trusted`, DataError if the
    rows are not kept.
    """
    from sweep.space.build import HomeBuild
    from sweep.space.by_value import read_build
    from sweep.space.entry import SpaceEntry
    from sweep.space.inputs import inputs_of
    from sweep.space.load import see
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras

    if sweep.data.is_unseen:
        raise UsageError(
            f"the search in {folder.path} trains with a run_trial of the script's own: run the "
            "script again, which goes on with it"
        )
    if not folder.rows.is_file():
        raise DataError(
            f"the rows of {folder.path} are not kept, as they are too large: run the script again, "
            "which has them"
        )
    split = read_split(folder.rows, sweep.data)
    kept = numerics(start_keras(default_root(), sweep.settings.numerics))
    found = read_build(
        folder.build,
        default_cache_dir() if cache is None else cache,
        sweep.versions,
        trusted=trusted,
    )
    path = Path(found.path)
    entry = SpaceEntry("build", found.build, found.hypermodel)
    inputs = inputs_of(split.train.x)
    called = HomeBuild(path, entry, found.home(), inputs, split.task)
    space = replace(see(called), sha256=found.sha256, sources={path.name: found.source})
    from sweep.runner.prepare import prepared_of

    return prepared_of(space, replace(sweep.settings, numerics=kept), split)
