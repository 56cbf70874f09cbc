"""Sequential models that are built once all their layers are there, not again at each `add`.

Keras builds a model anew whenever a layer is added behind an input: thirty layers are called 435
times. While a space is explored, hundreds of models are only looked at, so this is put off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def layers_at_once() -> Iterator[None]:
    """Inside, `Sequential.add` only adds; at the end each model is built that would have been.

    What asks a model for its shape in between fails, as the model has none yet.
    """
    import keras

    add = keras.Sequential.add
    put_off: list[Any] = []

    def only_add(model: Any, layer: Any, rebuild: bool = True) -> None:
        add(model, layer, rebuild=False)
        if rebuild and not any(one is model for one in put_off):
            put_off.append(model)

    keras.Sequential.add = only_add
    try:
        yield
    finally:
        keras.Sequential.add = add
    for model in put_off:
        if not model.built and model.layers:
            last = model.layers[-1]
            model.pop(rebuild=False)
            model.add(last)
