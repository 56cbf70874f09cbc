"""What the cached data look like: a table of the features, and their histograms by class.

Test rows are sealed: nothing here looks at their features.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.cache import Dataset
from sweep.data.columns import FEATURES
from sweep.data.higgs.rows import Float32Array, LabelArray
from sweep.data.ranges import RowRanges, default_ranges
from sweep.disk import writing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CHART_STEM = "features"
_BLOCK_ROWS = 1 << 17
_HISTOGRAM_ROWS = 1_000_000
_BINS = 40
_SHOWN_QUANTILES = (0.002, 0.995)
_SIGNAL_COLOUR, _BACKGROUND_COLOUR = "#D55E00", "#0072B2"  # Okabe and Ito's, safe for all eyes
_BACKGROUND_FILL = "#BFDCEC"


@dataclass(frozen=True)
class Histogram:
    """Shares of the events of each class in each bin of one feature; each class sums to 1."""

    feature: str
    edges: NDArray[np.float64]  # (bins + 1,)
    signal: NDArray[np.float64]  # (bins,)
    background: NDArray[np.float64]  # (bins,)


def visible_rows(dataset: Dataset) -> int:
    """Rows from the start of the file that are not test rows of the default split."""
    ranges = default_ranges(dataset.manifest.rows, "")
    return dataset.manifest.rows if ranges is None else ranges.test[0]


def part_table(dataset: Dataset) -> "pd.DataFrame":
    """Rows of the default split's parts and the share of signal in each; index: part."""
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


def feature_table(x: Float32Array) -> "pd.DataFrame":
    """mean, spread (standard deviation), min and max of each column of x (rows, 28)."""
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
    """One histogram per column of x (rows, 28), over at most the first million rows.

    Each shows the range that holds nearly all values; what lies outside counts, but is not drawn.
    """
    x, is_signal = x[:_HISTOGRAM_ROWS], y[:_HISTOGRAM_ROWS] == 1
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


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bins over the range that holds nearly all values, or one bin around each of a few values."""
    levels = np.unique(values[:10_000])
    if 1 < len(levels) <= 8:
        middles = (levels[1:] + levels[:-1]) / 2
        half = (levels[-1] - levels[-2]) / 2
        return np.concatenate([[levels[0] - half], middles, [levels[-1] + half]])
    low, high = np.quantile(values, _SHOWN_QUANTILES)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)


def draw(charts: list[Histogram], title: str) -> "Figure":
    """28 small charts: signal over background, share of events per bin."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 15.5))
    margins = {"left": 0.06, "right": 0.99, "bottom": 0.055, "top": 0.945}
    grid = figure.subplots(7, 4, gridspec_kw={**margins, "hspace": 0.42, "wspace": 0.27})
    for axes, chart in zip(grid.ravel(), charts, strict=True):
        axes.stairs(  # filled against outlined: told apart without colours, too
            chart.background,
            chart.edges,
            fill=True,
            facecolor=_BACKGROUND_FILL,
            edgecolor=_BACKGROUND_COLOUR,
            lw=0.8,
            label="background",
        )
        axes.stairs(chart.signal, chart.edges, color=_SIGNAL_COLOUR, lw=1.8, label="signal")
        axes.set_title(chart.feature, fontsize=10)
        axes.tick_params(labelsize=8)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("share of events", fontsize=9)
    figure.suptitle(title, fontsize=13)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=2, fontsize=11)
    return figure


def write_charts(dataset: Dataset, folder: Path) -> list[Path]:
    """The histograms as PNG and SVG in `folder`. Raises PlatformError when it cannot be written."""
    n = visible_rows(dataset)
    shown = min(n, _HISTOGRAM_ROWS)
    source = dataset.manifest.origin.source
    figure = draw(histograms(dataset.x[:n], dataset.y[:n]), f"{source}: first {shown:,} rows")
    paths = [folder / f"{CHART_STEM}.{kind}" for kind in ("png", "svg")]
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            figure.savefig(path, dpi=120)
    return paths
