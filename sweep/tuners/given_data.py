"""From whatever `model.fit` takes as data to NumPy arrays in their order, read once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import UsageError

_MOST_ROWS_STREAMED = 20_000_000
_MOST_BYTES_STREAMED = 8 * 2**30
"""Of data that come batch by batch: they are held in memory, once."""

Array = NDArray[Any]


ONE_SCORED = "one is scored here"
NUMBERS = "models are given numbers here"
"""Words of why data cannot be measured here, though Keras can train on them."""


@dataclass(frozen=True)
class GivenData:
    """The rows of one part."""

    x: Array | dict[str, Array] | list[Array]
    """One array (rows, …), or several: by name, or in the order of the model's inputs."""
    y: Array
    weights: Array | None = None
    columns: tuple[str, ...] = ()
    """Names of the columns of a table."""
    batch_size: int | None = None
    """In which the rows came, if they came in batches."""
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: slice) -> "GivenData":
        """Return these rows."""
        x: Any = self.x
        if isinstance(x, dict):
            x = {name: array[rows] for name, array in x.items()}
        else:
            x = [array[rows] for array in x] if isinstance(x, list) else x[rows]
        weights = None if self.weights is None else self.weights[rows]
        return GivenData(x, self.y[rows], weights, self.columns, self.batch_size, self.notes)


def data_of(x: Any, y: Any, weights: Any, steps: int | None, what: str) -> GivenData:
    """Return the rows of `x`, with `y` in it or beside it.

    `steps` are the batches to take of data that come in batches, None for all of them; `what` is
    what the user calls the data: "x", "validation_data". Raises UsageError for what cannot be
    read, for data without an end, and for parts of unequal length.
    """
    if is_streamed(x):
        if y is not None or weights is not None:
            raise UsageError(
                f"{what} is {type(x).__name__}, which gives its targets itself: leave out y and "
                "sample_weight"
            )
        found = _streamed(x, steps, what)
    else:
        if steps is not None:
            raise UsageError(
                f"the number of steps is given, and {what} is {type(x).__name__}: steps are for "
                "data that come in batches; every epoch trains all rows"
            )
        if y is None:
            raise UsageError(f"y is missing: the targets of {what}")
        found = GivenData(
            _inputs(x, what),
            _targets(y, what),
            None if weights is None else _array(weights, f"sample_weight of {what}").reshape(-1),
            columns_of(x),
        )
    _check_lengths(found, what)
    return found


def is_streamed(x: Any) -> bool:
    """Whether data come batch by batch: a data set, a generator, a PyDataset, a DataLoader."""
    if isinstance(x, np.ndarray | Mapping | list | tuple) or hasattr(x, "__array__"):
        return False
    return isinstance(x, Iterator) or _is_dataset(x) or _is_sequence(x) or hasattr(x, "__iter__")


def columns_of(x: Any) -> tuple[str, ...]:
    """Return the names of a table's columns; () of anything else."""
    names = getattr(x, "columns", None)
    return () if names is None or isinstance(x, Mapping) else tuple(str(name) for name in names)


def _is_dataset(x: Any) -> bool:
    return any(kind.__module__.startswith("tensorflow") and kind.__name__.startswith("Dataset")
               for kind in type(x).__mro__)  # fmt: skip


def _is_sequence(x: Any) -> bool:
    """Whether it is a `keras.utils.PyDataset`: batches by number, without a list's other ways."""
    return hasattr(x, "__getitem__") and hasattr(x, "__len__")


def _streamed(x: Any, steps: int | None, what: str) -> GivenData:
    batches: list[tuple[Any, Any, Any]] = []
    rows = n_bytes = 0
    for batch in islice(_batches(x, steps, what), steps):
        one = _batch(batch, what)
        batches.append(one)
        rows += len(one[1])
        n_bytes += sum(array.nbytes for array in _all(one[0])) + one[1].nbytes
        if rows > _MOST_ROWS_STREAMED or n_bytes > _MOST_BYTES_STREAMED:
            raise UsageError(
                f"{what} has given {rows:,} rows and does not end: more than are held in memory; "
                "give steps_per_epoch (validation_steps), or fewer rows"
            )
    if not batches:
        raise UsageError(f"{what} gives no batch")
    if steps is not None and len(batches) < steps:
        raise UsageError(f"{what} gives {len(batches)} batches, and {steps} steps are asked for")
    x_all, y_all = _joined([one[0] for one in batches]), np.concatenate([b[1] for b in batches])
    weights = None if batches[0][2] is None else np.concatenate([one[2] for one in batches])
    notes = (f"{what}: {rows:,} rows in {len(batches):,} batches, read once and kept in memory",)
    return GivenData(x_all, y_all, weights, batch_size=len(batches[0][1]), notes=notes)


def _batches(x: Any, steps: int | None, what: str) -> Iterator[Any]:
    if _is_dataset(x):
        if steps is None and int(x.cardinality()) == -1:
            raise UsageError(
                f"{what} is a data set without an end: leave out repeat(), or give "
                "steps_per_epoch (validation_steps)"
            )
        return iter(x)
    if isinstance(x, Iterator):
        if steps is None:
            raise UsageError(
                f"{what} is a {type(x).__name__}, of which nobody can tell whether it ends: give "
                "steps_per_epoch (validation_steps)"
            )
        return x
    if _is_sequence(x):
        return (x[number] for number in range(len(x)))
    return iter(x)


def _batch(batch: Any, what: str) -> tuple[Any, Array, Array | None]:
    if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
        raise UsageError(
            f"{what} gives {type(batch).__name__}s, expected batches (x, y) or "
            "(x, y, sample_weight)"
        )
    weights = None if len(batch) == 2 else _array(batch[2], f"sample_weight of {what}")
    return _inputs(batch[0], what), _targets(batch[1], what), weights


def _joined(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in first}
    if isinstance(first, list):
        return [np.concatenate([part[n] for part in parts]) for n in range(len(first))]
    return np.concatenate(parts)


def _all(x: Any) -> list[Array]:
    if isinstance(x, dict):
        return list(x.values())
    return x if isinstance(x, list) else [x]


def _inputs(x: Any, what: str) -> Any:
    """One array, a list of arrays, or arrays by name, as NumPy has them."""
    if isinstance(x, Mapping):
        return {str(name): _array(one, f"{what}[{name!r}]") for name, one in x.items()}
    if isinstance(x, list | tuple) and x and all(_has_rows(one) for one in x):
        arrays = [_array(one, f"{what}[{n}]") for n, one in enumerate(x)]
        return arrays if len(arrays) > 1 else arrays[0]
    return _array(x, what)


def _has_rows(x: Any) -> bool:
    return hasattr(x, "shape") and len(x.shape) > 0


def _targets(y: Any, what: str) -> Array:
    """The targets of one output. Raises UsageError for those of several."""
    several = isinstance(y, list | tuple) and len(y) > 1 and all(_has_rows(one) for one in y)
    if isinstance(y, Mapping) or several:
        raise UsageError(
            f"y of {what} is a {type(y).__name__} of {len(y)} targets, and {ONE_SCORED}"
        )
    return _array(y, f"y of {what}")


def _array(given: Any, what: str) -> Array:
    """An array of numbers. Raises UsageError for words, and for rows of unequal length."""
    to_numpy = getattr(given, "to_numpy", None) or getattr(given, "numpy", None)
    try:
        if hasattr(given, "toarray"):  # SciPy's sparse matrices
            array = np.asarray(given.toarray())
        elif hasattr(given, "detach"):
            array = np.asarray(given.detach().cpu())
        else:
            array = np.asarray(to_numpy() if callable(to_numpy) else given)
        if array.dtype == object:
            array = array.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{what} is {type(given).__name__}, no array of numbers: {error}"
        ) from error
    if array.dtype.kind not in "fiub":
        raise UsageError(
            f"{what} holds {array.dtype.name}, and {NUMBERS}: make numbers of "
            "it before the search, for example with keras.layers.StringLookup or pandas"
        )
    if array.ndim == 0:
        raise UsageError(f"{what} is {given!r}, expected an array with a row for each example")
    return array


def _check_lengths(found: GivenData, what: str) -> None:
    rows = len(found.y)
    for array in _all(found.x):
        if len(array) != rows:
            raise UsageError(f"{what} has {len(array):,} rows of inputs and {rows:,} of targets")
    if found.weights is not None and len(found.weights) != rows:
        raise UsageError(
            f"sample_weight of {what} has {len(found.weights):,} rows, its targets {rows:,}"
        )
