"""Exports the chosen run, or an ensemble of runs, as one ordinary Keras file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.data.tables.columns import listed
from sweep.errors import NotFoundError
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import AllowedNumbers
from sweep.runner.say import Say
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.verbs.taken import Taken, taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sweep.runner.prepare import Prepared


@dataclass(frozen=True)
class Exported:
    """What was written."""

    taken: Taken
    score: float
    """Of the file, loaded again, on the validation rows."""
    epoch: int | None
    """The best epoch of the run; None of an ensemble."""
    takes: str | None
    """The raw columns that the model takes if it prepares them itself; None if not."""
    how_to_load: str | None
    """Python that loads the file if it has parts of the user's own; None if Keras alone does."""


def removed_text(found: Taken, command: str) -> str:
    """Return why a run cannot be taken without training, and the command that trains it."""
    first = found.removed[0]
    return (
        f"the checkpoint of trial {first} was removed to make room, its records are kept; "
        f"train it again, with the same numbers: {command}"
    )


def choose(folder: SweepFolder, trial: int | None, *, ensemble: bool) -> Taken:
    """Return what would be exported: exactly this trial's run, or what `sweep test` tests.

    Raises NotFoundError with advice.
    """
    with Store(folder.database, read_only=True) as store:
        return taken(folder, store, trial, "best", ensemble=ensemble)


def export(
    folder: SweepFolder,
    found: Taken,
    path: Path,
    say: Say,
    *,
    retrain: bool = False,
    other_numerics: bool = False,
    cache: Path | None = None,
    command: str = "add retrain",
) -> Exported:
    """Write what was chosen to `path`, whole or not at all, and verify it.

    A run whose checkpoint was removed is trained again if `retrain`, with the same numbers; else
    NotFoundError names `command`. Raises what `export_verified` raises.
    """
    if found.removed and not retrain:
        raise NotFoundError(removed_text(found, command))
    with Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
    trains = bool(found.removed) and not other_numerics
    numbers = AllowedNumbers.SAME if trains else AllowedNumbers.BESIDE
    prepared = prepare_again(folder, sweep, cache, False, say=say, numbers=numbers)
    found.say_what_is_trained(say)
    write = _ensemble if found.ensemble else _run
    return write(path, folder, sweep.identity, prepared, found, _raw(prepared, cache))


def _run(
    path: Path, folder: SweepFolder, identity: str, prepared: "Prepared", found: Taken,
    raw: "list[NDArray[Any]] | None",
) -> Exported:  # fmt: skip
    from sweep.runner.retrain import state_of
    from sweep.space.saved import how_to_load
    from sweep.training.export import export_best

    ((trial, one),) = found.members.items()
    state = state_of(folder, identity, prepared, trial, one)
    build, values = prepared.space.build, one.hyperparameters
    split, scoring = prepared.split, prepared.scored.scoring
    score = export_best(path, build, values, one.seed, state, split, one.score, scoring, raw)
    epoch, line = state.early_stopping.best_epoch, how_to_load(path.absolute())
    return Exported(found, score, epoch, _takes(raw, prepared), line)


def _ensemble(
    path: Path, folder: SweepFolder, identity: str, prepared: "Prepared", found: Taken,
    raw: "list[NDArray[Any]] | None",
) -> Exported:  # fmt: skip
    from sweep.runner.retrain import ensemble_model
    from sweep.space.saved import how_to_load
    from sweep.training.export import export_verified

    model, measured = ensemble_model(folder, identity, prepared, found.members)
    split, scoring = prepared.split, prepared.scored.scoring
    score = export_verified(path, model, split, measured, scoring, raw)
    return Exported(found, score, None, _takes(raw, prepared), how_to_load(path.absolute()))


def _takes(raw: "list[NDArray[Any]] | None", prepared: "Prepared") -> str | None:
    preparation = prepared.split.preparation
    if raw is None or preparation is None:
        return None
    names = listed([column.name for column in preparation.columns])
    how = "one input, the columns" if preparation.all_numbers else "an input for each column"
    return f"{how} in this order: {names}"


def _raw(prepared: "Prepared", cache: Path | None) -> "list[NDArray[Any]] | None":
    """The raw columns of the validation rows; None where models see the file's numbers."""
    from sweep.data.tables.raw_rows import raw_validation

    if prepared.split.preparation is None:
        return None
    return raw_validation(prepared.split.manifest, cache)
