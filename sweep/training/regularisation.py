"""What a built model is regularised by: read from its layers, its optimizer and its loss.

As JSON text, kept with the trial: by kind of regulariser, in the order of
`REGULARISERS`, where it is and how strong: `{"l2": {"Dense 1 kernel": 0.001}, "dropout":
{"Dropout 1": 0.5}}`. What has no strength (0, None) is left out. A layer is named by its class and
by which of its class it is, because Keras' own names change with what was built before.

Batch normalization is kept as well, though nobody adds it to regularise; `unseen` names layers of
classes that are not Keras': what they do by themselves cannot be read.
"""

import json
from collections import Counter
from collections.abc import Iterator
from numbers import Real
from typing import Any

from sweep.records import REGULARISERS
from sweep.training import keras_private
from sweep.training.model import Model

_RATES = ("rate", "dropout", "recurrent_dropout")
_NORMALIZATIONS = ("BatchNormalization",)


def regularisation(model: Model) -> str:
    """Return the JSON text of what the built `model` is regularised by: "{}" if by nothing."""
    found: dict[str, dict[str, float]] = {}
    for kind, where, strength in _found(model):
        found.setdefault(kind, {})[where] = strength
    return json.dumps({kind: found[kind] for kind in REGULARISERS if kind in found})


def _found(model: Model) -> Iterator[tuple[str, str, float]]:
    """Kind, place and strength of each regulariser."""
    seen: Counter[str] = Counter()
    for layer in keras_private.flat_layers(model):
        name = type(layer).__name__
        seen[name] += 1
        yield from _of_layer(layer, f"{name} {seen[name]}")
    if not _is_keras(model):
        yield "unseen", type(model).__name__, 1.0
    optimizer = getattr(model, "optimizer", None)
    decay = _number(getattr(optimizer, "weight_decay", None))
    if decay:
        yield "weight decay", type(optimizer).__name__, decay
    loss = getattr(model, "loss", None)
    smoothing = _number(keras_private.loss_settings(loss).get("label_smoothing"))
    if smoothing:
        yield "label smoothing", type(loss).__name__, smoothing


def _of_layer(layer: Any, where: str) -> Iterator[tuple[str, str, float]]:
    name, settings = type(layer).__name__, vars(layer)
    if not _is_keras(layer):
        yield "unseen", where, 1.0
    for attribute, value in sorted(settings.items()):
        if attribute.endswith("_regularizer") and value is not None:
            of = attribute.removesuffix("_regularizer").strip("_")
            yield from _of_penalty(value, f"{where} {of}")
        if attribute.endswith("_constraint") and hasattr(value, "max_value"):
            of = attribute.removesuffix("_constraint").strip("_")
            yield "max norm", f"{where} {of}", float(value.max_value)
    if name in _NORMALIZATIONS:
        yield "batch normalization", where, _number(settings.get("momentum"))
    if name == "GaussianNoise" and _number(settings.get("stddev")):
        yield "noise", where, _number(settings["stddev"])
    if "Dropout" in name or "recurrent_dropout" in settings:
        rates = [_number(settings.get(rate)) for rate in _RATES]
        if any(rates):
            yield "dropout", where, max(rates)
    if name.startswith("Random") and _is_keras(layer):
        yield "augmentation", where, 1.0


def _of_penalty(penalty: Any, where: str) -> Iterator[tuple[str, str, float]]:
    strengths = {kind: _number(getattr(penalty, kind, None)) for kind in ("l1", "l2")}
    if not any(hasattr(penalty, kind) for kind in ("l1", "l2")):
        yield "other penalty", where, _number(getattr(penalty, "factor", None)) or 1.0
    for kind, strength in strengths.items():
        if strength:
            yield kind, where, strength


def _number(value: Any) -> float:
    """A strength; 0 for what is none."""
    try:
        return float(value) if isinstance(value, Real) or hasattr(value, "__float__") else 0.0
    except (TypeError, ValueError):
        return 0.0


def _is_keras(thing: Any) -> bool:
    return type(thing).__module__.split(".")[0] in ("keras", "keras_tuner")
