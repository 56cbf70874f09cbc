"""A model that takes raw columns: the preparation of its data put before it, in Keras alone.

What is saved of it loads without this package. Numbers are float32, prepared in double precision
and then rounded, exactly as training rows were.
"""

from collections.abc import Sequence
from typing import Any

from sweep.data.tables.preparation import ColumnPreparation, Preparation
from sweep.training.tensors import Tensor

Model = Any


def with_raw_inputs(model: Model, preparation: Preparation | None) -> Model:
    """Return a model that prepares raw columns and then does what `model` does.

    If all columns are numbers it takes one input "columns" (rows, columns) in the
    file's order, NaN where a value is missing. If some are words it takes a named input
    (rows, 1) for each column (see `input_names`), words as strings, "" where one is missing.
    Without a preparation, `model` itself.
    """
    if preparation is None or _changes_nothing(preparation):
        return model
    import keras

    columns = preparation.columns
    if preparation.all_numbers:
        inputs = keras.Input((len(columns),), dtype="float32", name="columns")
        prepared = _numbers(inputs, columns)
        return keras.Model(inputs, model(prepared), name=model.name)
    named = {}
    parts = []
    for name, column in zip(input_names(preparation), columns, strict=True):
        dtype = "float32" if column.levels is None else "string"
        named[name] = raw = keras.Input((1,), dtype=dtype, name=name)
        parts.append(
            _numbers(raw, [column]) if column.levels is None else _words(raw, column.levels)
        )
    prepared = keras.layers.Concatenate(name="prepared")(parts) if len(parts) > 1 else parts[0]
    return keras.Model(named, model(prepared), name=model.name)


def input_names(preparation: Preparation) -> list[str]:
    """Return the name of the input for each raw column: its own, as far as Keras allows it."""
    found: list[str] = []
    for i, column in enumerate(preparation.columns):
        name = column.name.replace("/", "_") or f"column_{i + 1}"
        found.append(f"{name}_{i + 1}" if name in found else name)
    return found


def _changes_nothing(preparation: Preparation) -> bool:
    """Whether prepared rows are the raw ones."""
    return all(column == ColumnPreparation(column.name) for column in preparation.columns)


def _numbers(raw: Tensor, columns: Sequence[ColumnPreparation]) -> Tensor:
    """Prepared numbers, (rows, prepared columns) float32, of raw ones, (rows, columns)."""
    import keras
    import numpy as np
    from keras import ops

    values = raw = ops.cast(raw, "float64")
    missing = [column.fill is not None for column in columns]
    if any(missing):
        fills = [0.0 if column.fill is None else column.fill for column in columns]
        values = _filled(raw, fills, missing)
    # no Rescaling layer, which rounds its constants to float32
    values = ops.multiply(values, np.array([column.scale for column in columns]))
    values = ops.add(values, np.array([column.offset for column in columns]))
    values = ops.cast(values, "float32")
    if not any(column.indicator for column in columns):
        return values
    where = ops.cast(ops.isnan(raw), "float32")
    parts = []
    for i, column in enumerate(columns):
        parts.append(values[:, i : i + 1])
        if column.indicator:
            parts.append(where[:, i : i + 1])
    return keras.layers.Concatenate()(parts)


def _filled(raw: Tensor, fills: Sequence[float], allowed: Sequence[bool]) -> Tensor:
    """The numbers with `fills` in place of those that are missing, where that is allowed."""
    import numpy as np
    from keras import ops

    # NaN · 0 is NaN: what is not allowed to be missing stays NaN
    fill = np.where(allowed, np.asarray(fills), np.nan)
    return ops.where(ops.isnan(raw), fill, raw)


def _words(raw: Tensor, levels: Sequence[str]) -> Tensor:
    """One-hot words, (rows, levels), of words, (rows, 1); zeros for a word that is no level."""
    import keras

    lookup = keras.layers.StringLookup(
        vocabulary=list(levels), mask_token=None, oov_token="[UNK]", num_oov_indices=1,
        output_mode="one_hot",
    )  # fmt: skip
    return lookup(raw)[:, 1:]
