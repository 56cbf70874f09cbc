"""Hyperparameters that change nothing: models and fits are the same whatever value they have."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sweep.records import Value
from sweep.space.asked import Asked, Declaration
from sweep.space.build import Model
from sweep.space.describe import ends
from sweep.space.discover import Discovery, probes
from sweep.space.explore import Explorer, Trace, suggested
from sweep.space.same_model import WholeModel, outline, whole

_MOST_VALUES = 6
"""Of one hyperparameter that are compared."""
_MOST_AMONG = 8
"""Configurations among which one is looked for where a hyperparameter has an effect."""
_MOST_NAMES = 80
_MOST_KEPT = 8
"""Models whose weights are held at a time."""
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
    models, said = _Models(explorer), []
    for one in list(firsts.values())[:_MOST_NAMES]:
        asking = [trace for trace in discovery.traces if _has(trace, one)]
        among = _unlike(asking, one.name)
        if among and all(_changes_nothing(models, one, values) for values in among):
            low, high = ends(one)
            advice = next((text for word, text in _INSTEAD.items() if word in one.name.lower()), "")
            said.append(
                f"hyperparameter {one.name!r} of {explorer.path.name} changes nothing: models with "
                f"{low!r} and with {high!r} are the same{'; ' if advice else ''}{advice}"
            )
    return said


def _unlike(asking: list[Trace], name: str) -> list[dict[str, Value]]:
    """A few configurations that ask for a name, the smallest first, each unlike those before.

    What changes nothing in one of them may in another: an activation where there is no layer yet.
    """
    left = sorted((trace.values for trace in asking), key=len)
    found = left[:1]
    while left and len(found) < _MOST_AMONG:
        far = max(left, key=lambda values: min(_distance(values, one, name) for one in found))
        if not min(_distance(far, one, name) for one in found):
            break
        found.append(far)
    return found


def _distance(one: dict[str, Value], other: dict[str, Value], name: str) -> int:
    """How many of the other hyperparameters differ, also those that one of both lacks."""
    names = (one.keys() | other.keys()) - {name}
    return sum(repr(one.get(each)) != repr(other.get(each)) for each in names)


def _has(trace: Trace, declaration: Declaration) -> bool:
    ask = trace.active.get(declaration.name)
    return trace.error is None and ask is not None and ask.declaration == declaration


def _changes_nothing(models: "_Models", declaration: Declaration, values: dict[str, Value]) -> bool:
    name = declaration.name
    others = [value for value in _tried(declaration) if repr(value) != repr(values[name])]
    if not others or models.differ(values, {**values, name: others[0]}):
        return False
    first = models.of(values)
    if first is None:
        return False
    for value in others:
        now = models.of({**values, name: value})
        if now is None or not first.same(now, but=name):
            return False
    return True


def _tried(declaration: Declaration) -> Iterator[Value]:
    yield from dict.fromkeys((*ends(declaration), *probes(declaration)[:_MOST_VALUES]))


@dataclass
class _Models:
    """Models that were built to be compared, under one seed; the last ones are kept.

    Many hyperparameters are first met in the same model, which is built once.
    """

    explorer: Explorer
    _kept: dict[str, WholeModel | None] = field(default_factory=dict)

    def of(self, values: dict[str, Value]) -> WholeModel | None:
        """Return the model of these values; None if it fails or cannot be compared."""
        key = repr(sorted(values.items()))
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._built(values)
        return self._kept[key]

    def differ(self, known: dict[str, Value], other: dict[str, Value]) -> bool:
        """Return whether two models surely differ: most do, and their outlines say so.

        That of the first is known, as it was built before; weights are looked at by `of` alone.
        """
        before = self.explorer.outline_of(known)
        if before is None:
            return False
        model, _ = self._model(other)
        return model is not None and outline(model) != before

    def _built(self, values: dict[str, Value]) -> WholeModel | None:
        model, hp = self._model(values)
        return None if model is None else whole(model, hp.active)

    def _model(self, values: dict[str, Value]) -> tuple[Model | None, Asked]:
        hp = Asked({}, suggested(values))  # a range of another branch may not hold a value
        # what Keras draws the seeds of first weights from; TensorFlow would forget its kernels
        random.seed(0)
        np.random.seed(0)  # what an initializer of the user may draw from
        try:
            return self.explorer.build(hp), hp
        except Exception:  # such a configuration is a trial that fails
            return None, hp
