"""A search in one call, for those who start anew: data in, the handle of the sweep out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import UsageError
from sweep.sweep_folder import DEFAULT_RESULTS
from sweep.tuners.kinds import BayesianOptimization, GridSearch, Hyperband, RandomSearch

if TYPE_CHECKING:
    from sweep.handle.sweep import Sweep

_BY_TRIALS: dict[str, Callable[..., Any]] = {
    "random": RandomSearch,
    "bayesian": BayesianOptimization,
    "grid": GridSearch,
}
KINDS = ("hyperband", *_BY_TRIALS)
"""Ways to search."""


def search(
    build: Any,
    x: Any,
    y: Any = None,
    *,
    validation: float | tuple[Any, ...] = 0.2,
    max_epochs: int = 81,
    kind: str = "hyperband",
    trials: int | None = None,
    objective: Any = "val_loss",
    patience: int | None = 20,
    batch_size: int = 32,
    seed: int = 0,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    callbacks: Sequence[Any] | Callable[[], list[Any]] | None = (),
    pool: int | str | None = None,
    verbose: int = 1,
    **fit: Any,
) -> "Sweep":
    """Search over what `build(hp)` asks for, and return the handle of the sweep.

    `x` and `y` are what `model.fit` takes. `validation` is the share of rows, the last ones, that
    rank the trials, or `(x, y)` of their own. `max_epochs` are those of a trial that is never cut.
    `kind` is hyperband, random, bayesian or grid; `trials` how many configurations the last three
    try (10 if it is not said, a grid all). A trial stops early after `patience` epochs without a
    better loss; None for never. The sweep is kept in `results`/`name`, by default the name of
    `build`: the same call again goes on where it was, or returns what it found. `pool` has workers
    train, to the same numbers: how many processes, "gpus", "ray" or "ray:8". `fit` are further
    arguments of `model.fit`.

    Raises UsageError, InvalidSpaceError or DataError naming what cannot be honoured, before
    anything is trained.
    """
    if kind not in KINDS:
        raise UsageError(f"kind is {kind!r}, expected one of: {', '.join(KINDS)}")
    if kind == "hyperband" and trials is not None:
        raise UsageError("trials is for random, bayesian and grid; Hyperband follows max_epochs")
    _refuse(validation, patience, fit)
    called = name if name is not None else getattr(build, "__name__", type(build).__name__)
    kept = {"objective": objective, "seed": seed, "directory": str(results), "project_name": called}
    if pool is not None:
        kept["pool"] = pool
    if kind == "hyperband":
        tuner: Any = Hyperband(build, max_epochs=max_epochs, **kept)
    else:
        number = {} if trials is None else {"max_trials": trials}
        tuner = _BY_TRIALS[kind](build, **number, **kept)
        fit["epochs"] = max_epochs
    if isinstance(validation, tuple):
        fit["validation_data"] = validation
    else:
        fit["validation_split"] = validation
    watched = _watched(callbacks, patience)
    given = (x,) if y is None else (x, y)
    tuner.search(*given, batch_size=batch_size, callbacks=watched, verbose=verbose, **fit)
    found: Sweep = tuner.sweep
    return found


_OWN = {
    "epochs": "max_epochs",
    "validation_split": "validation",
    "validation_data": "validation=(x, y)",
}
"""Arguments of `model.fit`, and what they are here."""


def _refuse(validation: Any, patience: Any, fit: dict[str, Any]) -> None:
    """Raise UsageError naming an argument that cannot be, or that has another name here."""
    for name, own in _OWN.items():
        if name in fit:
            raise UsageError(f"search: {name} is called {own} here")
    if not isinstance(validation, int | float | tuple):
        kind = type(validation).__name__
        raise UsageError(
            f"validation is a {kind}, expected the share of rows that rank, such as 0.2, or (x, y)"
        )
    if patience is not None and (
        isinstance(patience, bool) or not isinstance(patience, int) or patience < 0
    ):
        raise UsageError(f"patience is {patience!r}, expected a whole number from 0, or None")


def _watched(callbacks: Any, patience: int | None) -> Any:
    """The callbacks that are given, as `search` of a tuner takes them, and early stopping."""
    if callable(callbacks):
        return lambda: [*callbacks(), *_early_stopping(patience)]
    listed = [] if callbacks is None else callbacks
    listed = listed if isinstance(listed, list | tuple) else [listed]
    return [*listed, *_early_stopping(patience)]


def _early_stopping(patience: int | None) -> list[Any]:
    if patience is None:
        return []
    import keras

    return [keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)]
