"""What the cached data look like in numbers: a table of the features, histograms by class.

Test rows are sealed: nothing here looks at their features.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.cache import Dataset
from sweep.data.columns import FEATURES
from sweep.data.higgs.rows import Float32Array, LabelArray
from sweep.data.labels import class_counts, concerns, refusal
from sweep.data.ranges import DEFAULT_VALIDATION_ROWS, RowRanges, default_ranges
from sweep.data.split import Split
from sweep.data.split_record import ClassBalance
from sweep.errors import UsageError
from sweep.tasks.task import TaskKind

if TYPE_CHECKING:
    import pandas as pd

_BLOCK_ROWS = 1 << 17
HISTOGRAM_ROWS = 1_000_000
_BINS = 40
_MOST_CLASSES = 6
"""Up to which each class has a line of its own."""
_SHOWN_QUANTILES = (0.002, 0.995)


@dataclass(frozen=True)
class Histogram:
    """Shares of the events of each class in each bin of one feature; each class sums to 1."""

    feature: str
    edges: NDArray[np.float64]  # (bins + 1,)
    signal: NDArray[np.float64]  # (bins,)
    background: NDArray[np.float64]  # (bins,)


def visible_rows(dataset: Dataset) -> int:
    """Return how many rows from the start are not test rows of the default split."""
    ranges = default_ranges(dataset.manifest.rows, "")
    return dataset.manifest.rows if ranges is None else ranges.test[0]


def label_concerns(dataset: Dataset) -> list[str]:
    """Return what the labels of the default split make impossible or doubtful, each a sentence.

    If there are too few rows for the default split: with half as many validation rows as rows, at
    most the default, and all others for training.
    """
    rows = dataset.manifest.rows
    found = default_ranges(rows, "")
    n_validation = min(DEFAULT_VALIDATION_ROWS, rows // 2)
    train, validation = (
        ((n_validation, rows), (0, n_validation))
        if found is None
        else (found.train, found.validation)
    )
    balance = ClassBalance(*(class_counts(dataset.y[slice(*part)]) for part in (train, validation)))
    refused = refusal(balance, dataset.manifest.origin.source)
    return concerns(balance) if refused is None else [refused]


def part_table(dataset: Dataset) -> "pd.DataFrame":
    """Return rows and share of signal of each part of the default split; index: part."""
    import pandas as pd

    rows = dataset.manifest.rows
    ranges = default_ranges(rows, "")
    parts = {"all": [0, rows], **({} if ranges is None else RowRanges.to_json(ranges))}
    records = [
        {
            "part": part,
            "first": first + 1,
            "last": end,
            "rows": end - first,
            "signal": float(dataset.y[first:end].mean()) if end > first else float("nan"),
        }
        for part, (first, end) in parts.items()
    ]
    return pd.DataFrame(records).set_index("part")


@dataclass(frozen=True)
class ColumnHistograms:
    """Shares of the rows in each bin of one column, for each class, or of all rows."""

    column: str
    edges: NDArray[np.float64]  # (bins + 1,)
    shares: dict[str, NDArray[np.float64]]  # by class, each (bins,); "" of all rows


def column_histograms(split: Split) -> list[ColumnHistograms]:
    """Return the histograms of a table's training rows, in the units of the file.

    Raises UsageError if the data are no table: images, sequences, several inputs.
    """
    x, preparation, task = split.train.x, split.preparation, split.task
    if isinstance(x, dict) or x.ndim != 2 or preparation is None:
        raise UsageError(
            f"--charts draws the columns of a table, and {split.source} holds other arrays"
        )
    y = split.train.y[:HISTOGRAM_ROWS]
    by_class = task.kind in (TaskKind.BINARY, TaskKind.CLASSES)
    parts = {name: y == n for n, name in enumerate(task.classes)} if by_class else {}
    if not 1 < len(parts) <= _MOST_CLASSES:
        parts = {"": np.ones(len(y), dtype=bool)}
    found = []
    units = [
        (c.mean, c.spread) if i == 0 else (0.0, 1.0)
        for c in preparation.columns
        for i, _ in enumerate(c.names)
    ]
    for number, name in enumerate(preparation.names):
        mean, spread = units[number]
        values = x[: len(y), number].astype(np.float64) * spread + mean
        edges = _edges(values, _bins(len(values)))
        shares = {k: np.histogram(values[p], edges)[0] / max(1, p.sum()) for k, p in parts.items()}
        found.append(ColumnHistograms(name, edges, shares))
    return found


def feature_table(x: Float32Array) -> "pd.DataFrame":
    """Return mean, spread (standard deviation), min and max of each column of x (rows, 28)."""
    import pandas as pd

    mean = np.zeros(x.shape[1])
    squares = np.zeros(x.shape[1])  # of the deviations from the running mean
    low, high = x[0].astype(np.float64), x[0].astype(np.float64)
    done = 0
    for start in range(0, len(x), _BLOCK_ROWS):
        block = x[start : start + _BLOCK_ROWS].astype(np.float64)
        # Chan, Golub and LeVeque's update: exact to rounding, one pass, one block in memory
        block_mean, n, together = block.mean(axis=0), len(block), done + len(block)
        shift = block_mean - mean
        squares += ((block - block_mean) ** 2).sum(axis=0) + shift**2 * done * n / together
        mean += shift * n / together
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        done = together
    spread = np.sqrt(squares / done)
    columns = {"mean": mean, "spread": spread, "min": low, "max": high}
    return pd.DataFrame(columns, index=pd.Index(FEATURES, name="feature"))


def histograms(x: Float32Array, y: LabelArray) -> list[Histogram]:
    """Return a histogram for each column of x (rows, 28), over at most the first million rows.

    Each shows the range that holds nearly all values; what lies outside counts, but is not drawn.
    """
    x, is_signal = x[:HISTOGRAM_ROWS], y[:HISTOGRAM_ROWS] == 1
    found = []
    for column, feature in enumerate(FEATURES):
        values = x[:, column].astype(np.float64)
        edges = _edges(values)
        shares = [
            np.histogram(part, edges)[0] / max(1, len(part))
            for part in (values[is_signal], values[~is_signal])
        ]
        found.append(Histogram(feature, edges, *shares))
    return found


def _bins(n_rows: int) -> int:
    """Return the number of bins: the root of the rows' number, at most that of HIGGS."""
    return int(np.clip(math.ceil(n_rows**0.5), 8, _BINS))


def _edges(values: NDArray[np.float64], bins: int = _BINS) -> NDArray[np.float64]:
    """Bins over the range that holds nearly all values, or one bin around each of a few values."""
    levels = np.unique(values[:10_000])
    if 1 < len(levels) <= 8:
        middles = (levels[1:] + levels[:-1]) / 2
        half = (levels[-1] - levels[-2]) / 2
        return np.concatenate([[levels[0] - half], middles, [levels[-1] + half]])
    low, high = np.quantile(values, _SHOWN_QUANTILES)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)
