"""The layers that are known behind a Dense or on the input."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.layers.alpha_dropout import AlphaDropout
from sweep.training.fused.layers.batch_normalization import BatchNormalization
from sweep.training.fused.layers.dropout import Dropout
from sweep.training.fused.layers.gaussian_dropout import GaussianDropout
from sweep.training.fused.layers.gaussian_noise import GaussianNoise
from sweep.training.fused.layers.layer_normalization import LayerNormalization
from sweep.training.fused.layers.part import Form, Part

PARTS: tuple[type[Part], ...] = (
    Activation,
    AlphaDropout,
    BatchNormalization,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    LayerNormalization,
)

_BY_NAME = {name: part for part in PARTS for name in part.keras}


def part_of(layer: Any) -> type[Part] | None:
    """Return the part that a Keras layer is read as; None if its class is not known here."""
    import keras

    kind = type(layer)
    known = getattr(keras.layers, kind.__name__, None) is kind
    return _BY_NAME.get(kind.__name__) if known else None


def kinds_of(forms: Sequence[Form]) -> list[dict[str, str]]:
    """Return by what name a unit knows each of its parts' variables, by the part's own name.

    The second part that has a variable of some kind has "gamma 2".
    """
    seen = Counter[str]()
    found = []
    for form in forms:
        own = {}
        generator = ("generator",) if form.draws else ()
        for kind in (*form.weights, *form.averages, *generator):
            seen[kind] += 1
            own[kind] = kind if seen[kind] == 1 else f"{kind} {seen[kind]}"
        found.append(own)
    return found
