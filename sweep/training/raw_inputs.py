"""A model that takes raw columns: the preparation of its data put before it, in Keras alone.

What is saved of it loads without this package. Numbers are prepared in double precision and then
rounded, exactly as training rows were.
"""

from collections.abc import Sequence
from typing import Any

from sweep.data.tables.preparation import ColumnPreparation, Preparation

Model = Any
Tensor = Any


def with_raw_inputs(model: Model, preparation: Preparation | None) -> Model:
    """Return a model that prepares raw columns and then does what `model` does.

    If all columns are numbers it takes one input "columns" (rows, columns), float64, in the
    file's order, NaN where a value is missing. If some are words it takes a named input
    (rows, 1) for each column, words as strings, "" where one is missing. Without a preparation,
    `model` itself.
    """
    if preparation is None or _changes_nothing(preparation):
        return model
    import keras

    columns = preparation.columns
    if preparation.all_numbers:
        inputs = keras.Input((len(columns),), dtype="float64", name="columns")
        prepared = _numbers(inputs, columns)
        return keras.Model(inputs, model(prepared), name=model.name)
    named = {}
    parts = []
    for i, column in enumerate(columns):
        dtype = "float64" if column.levels is None else "string"
        named[column.name] = keras.Input((1,), dtype=dtype, name=f"column_{i + 1}")
        raw = named[column.name]
        parts.append(
            _numbers(raw, [column]) if column.levels is None else _words(raw, column.levels)
        )
    prepared = keras.layers.Concatenate(name="prepared")(parts) if len(parts) > 1 else parts[0]
    return keras.Model(named, model(prepared), name=model.name)


def _changes_nothing(preparation: Preparation) -> bool:
    return all(column == ColumnPreparation(column.name) for column in preparation.columns)


def _numbers(raw: Tensor, columns: Sequence[ColumnPreparation]) -> Tensor:
    """Prepared numbers, (rows, prepared columns) float32, of raw ones, (rows, columns) float64."""
    import keras
    from keras import ops

    values = raw
    missing = [column.fill is not None for column in columns]
    if any(missing):
        fills = [0.0 if column.fill is None else column.fill for column in columns]
        values = _filled(raw, fills, missing)
    scale = [column.scale for column in columns]
    offset = [column.offset for column in columns]
    values = keras.layers.Rescaling(scale, offset, dtype="float64")(values)
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
    """One-hot words, (rows, levels) float32, of words, (rows, 1); a word that is no level: zeros."""
    import keras

    lookup = keras.layers.StringLookup(
        vocabulary=list(levels), mask_token=None, oov_token="[UNK]", num_oov_indices=1,
        output_mode="one_hot",
    )  # fmt: skip
    return lookup(raw)[:, 1:]
