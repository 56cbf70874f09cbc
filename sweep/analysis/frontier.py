"""The frontier's numbers: what each capacity reaches in validation, and what in training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.analysis import style
from sweep.analysis.frames import SweepFrames
from sweep.analysis.ranking import frontier, is_scored
from sweep.analysis.status import TrialStatus

CROWD = 800
"""Trials above which points are small, of one size, an image in the SVG, and without train BCE."""


@dataclass(frozen=True)
class FrontierData:
    """The chart's numbers. `points` has one row per evaluated trial that did not fail."""

    points: pd.DataFrame
    """trial, params (1 for a model that has none, as the axis is logarithmic), val_bce, train_bce,
    epochs, baseline, is_cut; the best last, so that it lies on top."""
    steps: pd.DataFrame
    """The frontier: params, val_bce, trial."""
    x: tuple[float, float]
    y: tuple[float, float]
    n_outside: int
    """Trials whose validation BCE is off the chart."""
    n_failed: int
    n_unsized: int
    """Trials whose number of parameters is not known before their first assignment ends."""

    @property
    def is_crowded(self) -> bool:
        return len(self.points) > CROWD


def frontier_data(frames: SweepFrames) -> FrontierData:
    """What the frontier chart shows."""
    trials = frames.trials
    scored = trials[is_scored(trials)]
    known = scored[scored["params"].notna()].iloc[::-1]
    short = known["status"].isin((TrialStatus.CUT, TrialStatus.WAITING, TrialStatus.RUNNING))
    columns = ["trial", "params", "val_bce", "train_bce", "epochs", "baseline"]
    points = known[columns].assign(is_cut=short).astype({"params": "float64"})
    points["params"] = points["params"].clip(lower=1)
    steps = frontier(trials)
    steps["params"] = steps["params"].clip(lower=1)
    val, train = points["val_bce"].to_numpy(), points["train_bce"].to_numpy()
    y = style.bce_range(np.r_[val, train], val)
    params = points["params"] if len(points) else pd.Series([100.0, 1e6])
    return FrontierData(
        points=points,
        steps=steps,
        x=(params.min() / 1.6, params.max() * 2.5),
        y=y,
        n_outside=style.outside(val, *y),
        n_failed=int((trials["status"] == TrialStatus.FAILED).sum()),
        n_unsized=len(scored) - len(known),
    )


def along(data: FrontierData) -> pd.DataFrame:
    """Points along the frontier's line, so that labels keep off it."""
    params, val = data.steps["params"].to_numpy(dtype=float), data.steps["val_bce"].to_numpy()
    across = np.geomspace(params[0], data.x[1], 150)
    level = val[np.searchsorted(params, across, side="right") - 1]
    down = np.linspace(val[:-1], val[1:], 20).ravel()  # 20 points on each step's riser
    x = np.r_[across, np.tile(params[1:], 20)]
    return pd.DataFrame({"params": x, "val_bce": np.r_[level, down]})
