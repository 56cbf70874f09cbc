"""Hyperparameters that change nothing: models and fits are the same whatever value they have."""

from collections.abc import Iterator

from sweep.records import Value
from sweep.space.asked import Asked, Declaration
from sweep.space.describe import ends
from sweep.space.discover import Discovery, probes
from sweep.space.explore import Explorer, Trace, suggested
from sweep.space.same_model import Whole, whole

_MOST_VALUES = 6
"""Of one hyperparameter that are compared."""
_MOST_NAMES = 80
_INSTEAD = {
    "batch": "the batch size is set with --batch-size, or by the fit of a keras_tuner.HyperModel",
    "epoch": "the epochs are set with --max-epochs, or by the fit of a keras_tuner.HyperModel",
}


def without_effect(explorer: Explorer, discovery: Discovery) -> list[str]:
    """Return a line for each hyperparameter whose values all give the same model and fit.

    Nothing is said of one where the models hold what cannot be compared, such as a function.
    """
    firsts: dict[str, Declaration] = {}
    for one in discovery.declarations:
        firsts.setdefault(one.name, one)
    said = []
    for one in list(firsts.values())[:_MOST_NAMES]:
        asking = [trace for trace in discovery.traces if _has(trace, one)]
        trace = min(asking, key=lambda trace: len(trace.active), default=None)
        if trace is not None and _changes_nothing(explorer, one, trace.values):
            low, high = ends(one)
            advice = next((text for word, text in _INSTEAD.items() if word in one.name.lower()), "")
            said.append(
                f"hyperparameter {one.name!r} of {explorer.path.name} changes nothing: models with "
                f"{low!r} and with {high!r} are the same{'; ' if advice else ''}{advice}"
            )
    return said


def _has(trace: Trace, declaration: Declaration) -> bool:
    ask = trace.active.get(declaration.name)
    return trace.error is None and ask is not None and ask.declaration == declaration


def _changes_nothing(
    explorer: Explorer, declaration: Declaration, values: dict[str, Value]
) -> bool:
    tried = list(_tried(declaration))
    if len(tried) < 2:
        return False
    first: Whole | None = None
    for value in tried:
        now = _model(explorer, {**values, declaration.name: value}, declaration.name)
        if now is None or (first is not None and not first.same(now)):
            return False
        first = first or now
    return True


def _tried(declaration: Declaration) -> Iterator[Value]:
    """Values far from each other first: if the ends differ, no more are built."""
    yield from dict.fromkeys((*ends(declaration), *probes(declaration)[:_MOST_VALUES]))


def _model(explorer: Explorer, values: dict[str, Value], name: str) -> Whole | None:
    """The model of these values; None if it fails or holds what cannot be compared."""
    import keras

    hp = Asked(values, suggested(values))
    keras.utils.set_random_seed(0)
    try:
        model = explorer.build(hp)
    except Exception:  # such a configuration is a trial that fails
        return None
    others = tuple(other for other in hp.active.items() if other[0] != name)
    return whole(model, others)
