"""The split of a script's data: which rows train and which validate, as Keras would take them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.memory import ModelRows, memory_split
from sweep.data.rows import MEMORY, Inputs, Rows, Split
from sweep.errors import UsageError
from sweep.tuners.fit_arguments import SearchArguments
from sweep.tuners.given_data import GivenData, data_of, is_streamed
from sweep.tuners.targets import class_weights_of, targets_of, task_of

_BATCH_SIZE = 32
"""Keras' default."""
_EXACT = 1 << 24
"""Whole numbers up to here are exact in float32."""


COUNT_THE_SAME = "validation rows that count the same are scored here"
"""Words of why validation rows with weights cannot be measured here, though Keras can do so."""


@dataclass(frozen=True)
class GivenRows:
    """Both parts, as they were given."""

    train: GivenData
    validation: GivenData

    @property
    def batch_size(self) -> int:
        """In which the data came, or Keras' default."""
        return self.train.batch_size or _BATCH_SIZE

    def inputs(self, names: tuple[str, ...]) -> Inputs:
        """Return the training rows' inputs as models see them.

        `names` are those of the default model's inputs, for data that are a list of arrays.
        """
        return _inputs(self.train, names)

    def split(self, model: Any, names: tuple[str, ...], given: SearchArguments) -> Split:
        """Return the split; `model` is built of the default values, and compiled.

        Raises UsageError or DataError for rows that do not fit it or each other.
        """
        both = np.concatenate([self.train.y, self.validation.y])
        task = task_of(model, both)
        parts = [
            ModelRows(
                _inputs(data, names),
                targets_of(data.y, task),
                None if data.weights is None else data.weights.astype(np.float32),
            )
            for data in (self.train, self.validation)
        ]
        weights = class_weights_of(given.class_weight, task)
        columns = self.train.columns
        return memory_split(parts[0], parts[1], task, class_weights=weights, columns=columns)


def rows_of(given: SearchArguments) -> GivenRows:
    """Return the rows that `search` was given, read once. Raises UsageError naming what is wrong.

    Of `validation_split` the last rows validate, as in Keras.
    """
    if given.validation_data is not None:
        whole = data_of(given.x, given.y, given.sample_weight, given.steps_per_epoch, "x")
        validation = _validation(given)
        if validation.y.shape[1:] != whole.y.shape[1:]:
            raise UsageError(
                f"y of x has rows of shape {whole.y.shape[1:]}, y of validation_data "
                f"{validation.y.shape[1:]}"
            )
        return GivenRows(whole, validation)
    if is_streamed(given.x):
        raise UsageError(
            "search: validation_split is for arrays, as in Keras; give validation_data for data "
            f"that come in batches ({type(given.x).__name__})"
        )
    whole = data_of(given.x, given.y, given.sample_weight, given.steps_per_epoch, "x")
    at = math.floor(len(whole) * (1.0 - given.validation_split))  # as Keras writes it
    if at in (0, len(whole)):
        raise UsageError(
            f"search: validation_split={given.validation_split} of {len(whole)} rows leaves no "
            f"{'training' if at == 0 else 'validation'} row"
        )
    validation = whole.take(slice(at, None))
    return GivenRows(whole.take(slice(None, at)), _unweighted(validation))


def test_rows(split: Split, x: Any, y: Any) -> Rows:
    """Return a script's test rows as the models of its search see rows.

    Raises UsageError for rows of another form than those that it was searched with.
    """
    if split.manifest.kind != MEMORY:
        raise UsageError("test(x, y) is for what a script began; these data have rows of their own")
    data, known = data_of(x, y, None, None, "x"), split.validation.inputs
    inputs = _inputs(data, tuple(known))
    found = inputs if isinstance(inputs, Mapping) else dict.fromkeys(known, inputs)
    for name, array in known.items():
        if name not in found or found[name].shape[1:] != array.shape[1:]:
            raise UsageError(f"x has rows of another form than the search had: {array.shape[1:]}")
    rows = Rows(inputs, targets_of(data.y, split.task))
    if rows.y.shape[1:] != split.validation.y.shape[1:]:
        raise UsageError(f"y has rows of another form than the search had: {rows.y.shape[1:]}")
    return rows


def _validation(given: SearchArguments) -> GivenData:
    data, steps = given.validation_data, given.validation_steps
    if not isinstance(data, tuple | list):
        if given.validation_batch_size is not None:
            raise UsageError("search: validation_batch_size is for arrays, and would be ignored")
        found = data_of(data, None, None, steps, "validation_data")
    elif len(data) not in (2, 3):
        raise UsageError(f"validation_data has {len(data)} parts, expected (x, y)")
    else:
        weights = data[2] if len(data) == 3 else None
        found = data_of(data[0], data[1], weights, steps, "validation_data")
    if found.weights is not None:
        raise UsageError(
            f"validation_data has sample_weight, and {COUNT_THE_SAME}; leave the third part out "
            "for an error of each score"
        )
    return found


def _unweighted(data: GivenData) -> GivenData:
    """Of validation rows all count the same: in Keras their weights would count in `val_loss`."""
    if data.weights is not None and not (data.weights == data.weights[0]).all():
        raise UsageError(
            f"search: sample_weight with validation_split weighs validation rows, and "
            f"{COUNT_THE_SAME}; give validation_data=(x, y) for an error of each score"
        )
    return GivenData(data.x, data.y, None, data.columns, data.batch_size, data.notes)


def _inputs(data: GivenData, names: tuple[str, ...]) -> Inputs:
    x = data.x
    if isinstance(x, list):
        if len(x) != len(names):
            raise UsageError(f"x is a list of {len(x)} arrays, the model has {len(names)} inputs")
        x = dict(zip(names, x, strict=True))
    if isinstance(x, Mapping):
        return {name: _numbers(array) for name, array in x.items()}
    found = _as_float(x)
    return found[:, None] if found.ndim == 1 else found


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers stay whole: a layer may look them up."""
    if array.dtype.kind not in "iu":
        return _as_float(array)
    narrow = array.astype(np.int32) if array.dtype.itemsize > 4 else array
    return np.ascontiguousarray(narrow if (narrow == array).all() else array)


def _as_float(array: NDArray[Any]) -> NDArray[np.float32]:
    if array.dtype.kind in "iu" and array.size and np.abs(array).max() > _EXACT:
        raise UsageError(
            f"x holds whole numbers above {_EXACT:,}, which float32 does not hold: make them "
            "smaller, or give them by name, x={'ids': x}"
        )
    return np.ascontiguousarray(array, dtype=np.float32)
