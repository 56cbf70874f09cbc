"""A search from a script: prepared, compared with what its folder holds, and run to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweep.data.memory import MEMORY
from sweep.numerics import Numerics
from sweep.settings import Settings
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.callbacks import Make, trial_callbacks
from sweep.tuners.fit_arguments import SearchArguments
from sweep.tuners.fitting import fitting
from sweep.tuners.given_build import GivenBuild
from sweep.tuners.kept_script import keep_script, refuse_others
from sweep.tuners.keras_tuner_private import told
from sweep.tuners.rows import rows_of
from sweep.tuners.space import ScriptSpace, script_space

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared

_ONE_EPOCH = 1
"""Keras' default of `epochs`."""


@dataclass(frozen=True)
class Begun:
    """A search that could run: prepared, with its script."""

    prepared: "Prepared"
    script: ScriptSpace
    numerics: Numerics
    """Of this process."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the data were read."""


def prepared_search(
    arguments: TunerArguments,
    build: Callable[[Any], Any],
    hypermodel: Any,
    given: SearchArguments,
    stored: SweepRow | None,
    hears: Any = None,
) -> Begun:
    """Return all that a search of these arguments needs, checked; nothing is written.

    `hypermodel` is None if `build` is a function; `stored` is the search that goes on,
    `hears` a tuner that is to be told of each epoch. Raises
    UsageError, InvalidSpaceError or DataError naming what cannot be honoured.
    """
    from sweep.runner.prepare import prepared_of
    from sweep.space.inputs import inputs_of, shaped
    from sweep.space.scoring import own_metrics
    from sweep.training.fused.program.kept import default_root
    from sweep.training.fused.reading.seen import SeenModels
    from sweep.training.start_keras import start_keras

    kept = None if stored is None else stored.settings.numerics
    numerics = start_keras(default_root(), kept)
    rows = rows_of(given)
    names = _names(rows.train.x)
    called_with = (given.callbacks, given.shuffle)
    script = script_space(GivenBuild(build, arguments, names), hypermodel, called_with)
    model = script.default_model()
    x = rows.inputs(names)
    shaped(model, inputs_of(x))
    split = rows.split(model, names, given)
    settings = replace(
        _settings(arguments.settings, given),
        batch_size=given.batch_size or rows.batch_size,
        numerics=numerics if kept is None else kept,
        seed=arguments.settings.seed if stored is None else stored.settings.seed,
    )
    called = trial_callbacks(given.callbacks, split.task, own_metrics(model), arguments.id_digits)
    settings = replace(settings, stopping=called.stopping)
    make = called.make if hears is None else _heard(called.make, hears)
    script = script.fitted(fitting(hypermodel, shuffle=given.shuffle, make=make))
    seen = SeenModels(split.task)
    space = script.seen(x, split.task, seen)
    notes = [*rows.train.notes, *rows.validation.notes]
    if make is not None:
        of_tuner = () if hears is None else (type(hears).__name__,)
        notes.append(_opaque((*called.names, *of_tuner), settings))
    prepared = prepared_of(space, settings, split, seen=seen)
    prepared = replace(prepared, retries=arguments.max_retries_per_trial)
    return Begun(prepared, script, numerics, tuple(notes))


def create(folder: SweepFolder, begun: Begun) -> None:
    """Store a new search: its rows and its script first, then the sweep. The folder is locked."""
    from sweep.runner import prepare as sweeps

    keep_script(folder, begun.script, begun.prepared.split)
    sweeps.create(folder, begun.prepared)


def going_on(folder: SweepFolder, begun: Begun) -> Begun:
    """Return the search as it goes on in its folder: extended, if more is asked for than it had.

    Raises UsageError naming what is another than when it began.
    """
    with Store(folder.database) as store:
        sweep = store.sweep()
        refuse_others(folder, sweep, begun.prepared, begun.script, begun.numerics)
        prepared = _more(store, sweep, begun.prepared)
    return replace(begun, prepared=prepared)


def _more(store: Store, sweep: SweepRow, asked: "Prepared") -> "Prepared":
    """With the stored settings, or with those of a search of more trials or iterations."""
    from sweep.runner.extend import extended, with_iterations
    from sweep.searches.chosen import planned

    old, new = sweep.settings, asked.settings
    prepared = replace(asked, settings=old, plan=planned(asked.space, old))
    if old.has_rungs:
        if new.iterations <= old.iterations:
            return prepared
        settings = with_iterations(old, new.iterations)
        longer = replace(prepared, settings=settings, plan=planned(asked.space, settings))
    else:
        if len(asked.plan.roots) <= len(prepared.plan.roots):
            return prepared
        longer = extended(prepared, None, 0, 0, len(asked.plan.roots))
    store.extend(longer.settings, longer.plan_record())
    return longer


def _settings(settings: Settings, given: SearchArguments) -> Settings:
    """The tuner's settings with what `search` says: epochs, early stopping, where the data are."""
    epochs = settings.max_epochs if settings.has_rungs else given.epochs or _ONE_EPOCH
    return replace(settings, max_epochs=epochs, data=MEMORY, patience=None, baselines=False)


def _heard(make: Make | None, tuner: Any) -> Make:
    """Callbacks that tell a tuner of each epoch and batch, besides those of `make`."""

    def both(trial: int, execution: int, values: Mapping[str, Any]) -> list[Any]:
        own = tuner.oracle.get_trial(tuner.oracle.id_of(trial))
        return [*(make(trial, execution, values) if make else ()), told(tuner, own)]

    return both


def _opaque(names: tuple[str, ...], settings: Settings) -> str:
    again = "; a promoted trial is trained again from its first epoch" if settings.has_rungs else ""
    return (
        f"{', '.join(names)}: run by Keras for each trial, one trial at a time and not fused, as "
        f"nobody can tell what state they have{again}"
    )


def _names(x: Any) -> tuple[str, ...]:
    """What the model's inputs are called where the data are a list of arrays."""
    return tuple(f"input_{n}" for n in range(1, len(x) + 1)) if isinstance(x, list) else ()
