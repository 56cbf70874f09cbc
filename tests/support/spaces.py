"""Small spaces for searches: builds without models, followed as a search space is."""

from collections.abc import Callable, Mapping
from typing import Any

from sweep.records import Value

Build = Callable[[Any], None]

MODEL = """
import keras
def build(hp):
    model = keras.Sequential([keras.Input((28,)), keras.layers.Dense(hp.Int("width", 1, 4))
        , keras.layers.Dense(1)])
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")])
    return model
"""
"""A space of one hidden layer and one output."""


def follow(build: Build) -> Any:
    """What a search draws with: the configuration that comes of answers."""
    from sweep.space.asked import Asked

    def followed(answer: Any) -> Mapping[str, Value]:
        hp = Asked({}, answer)
        build(hp)
        return hp.active

    return followed


def declarations(build: Build, configurations: list[Mapping[str, Value]]) -> list[Any]:
    """Every way in which these configurations declare a hyperparameter, once."""
    from sweep.space.asked import Asked

    found: dict[Any, None] = {}
    for values in configurations:
        hp = Asked(values)
        build(hp)
        found |= {ask.declaration: None for ask in hp.asks}
    return list(found)


def conditional(hp: Any) -> None:
    """Twelve configurations: 2 + 4 + 6, none with all of the hyperparameters."""
    kind = hp.Choice("kind", ["a", "b", "c"])
    if kind == "a":
        hp.Boolean("flag")
    elif kind == "b":
        for layer in range(hp.Int("layers", 1, 1)):
            hp.Choice(f"units_{layer}", [4, 8, 16, 32])
    else:
        hp.Int("units", 2, 8, step=2, sampling="log")
        with hp.conditional_scope("units", [2, 4, 8]):
            hp.Choice("rate", [0.1, 0.2])


def mixed(hp: Any) -> None:
    """Without end: ranges with and without steps, some only under an optimizer."""
    hp.Int("units", 1, 64, sampling="log")
    hp.Float("dropout", 0.0, 0.5, step=0.1)
    if hp.Choice("optimizer", ["sgd", "adam"]) == "sgd":
        hp.Float("momentum", 0.5, 0.99, sampling="reverse_log")
    else:
        hp.Float("rate", 1e-4, 1e-1, sampling="log")


def every_conditional() -> list[dict[str, Value]]:
    """The configurations of `conditional`, written out in the order of the grid."""
    return [
        *({"kind": "a", "flag": flag} for flag in (False, True)),
        *({"kind": "b", "layers": 1, "units_0": units} for units in (4, 8, 16, 32)),
        *(
            {"kind": "c", "units": units, "rate": rate}
            for units in (2, 4, 8)
            for rate in (0.1, 0.2)
        ),
    ]
