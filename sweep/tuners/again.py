"""A script's search taken up without its data: from what its folder keeps."""

from collections.abc import Callable
from typing import Any

from sweep.data.memory import read_split
from sweep.errors import UsageError
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.given_build import GivenBuild
from sweep.tuners.kept_script import refuse_other_build
from sweep.tuners.searched import Begun
from sweep.tuners.space import script_space


def begun_again(
    folder: SweepFolder,
    arguments: TunerArguments,
    build: Callable[[Any], Any],
    hypermodel: Any = None,
) -> Begun:
    """Return a stored search with this `build` and the rows that the folder keeps.

    Raises UsageError if the rows are not kept, or if it began with another `build`.
    """
    from sweep.runner.prepare import prepared_of
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras

    with Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
    if not folder.rows.exists():
        raise UsageError(
            f"the rows of {folder.path} are not kept, as they are large: call search first, with "
            "the same data"
        )
    numerics = start_keras(default_root(), sweep.settings.numerics)
    split = read_split(folder.rows, sweep.data)
    names = tuple(split.train.inputs) if isinstance(split.train.x, dict) else ()
    given_names = names if all(name.startswith("input_") for name in names) else ()
    script = script_space(GivenBuild(build, arguments, given_names), hypermodel)
    refuse_other_build(folder, script)
    prepared = prepared_of(script.seen(split.train.x, split.task), sweep.settings, split)
    return Begun(prepared, script, numerics)
