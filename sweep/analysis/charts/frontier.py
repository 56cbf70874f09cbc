"""The frontier's numbers: what each capacity reaches in validation, and what in training."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from sweep.analysis.charts.axes import outside, score_range
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.ranking import frontier, is_scored
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.metrics import NO_SKILL_NAME
from sweep.tasks.score_words import ScoreWords

_APART = 1.06
"""Ratio of the places of neighbouring intervals at one capacity."""
CROWD = 800
"""Trials above which points are small, of one size, an image in the SVG, without train scores."""


@dataclass(frozen=True)
class FrontierData:
    """The numbers of the frontier chart. A row of `points` is a trial that did not fail."""

    points: pd.DataFrame
    """trial, params (1 for a model that has none, as the axis is logarithmic), val_score,
    train_score, epochs, baseline, is_cut; the best last, so that it lies on top."""
    steps: pd.DataFrame
    """The frontier: params, val_score, trial."""
    x: tuple[float, float]
    y: tuple[float, float]
    n_outside: int
    """Trials whose validation score is off the chart."""
    n_failed: int
    n_unsized: int
    """Trials whose number of parameters is not known before their first assignment ends."""
    simplest: pd.DataFrame
    """The trial with the fewest parameters within one standard error of the best: its row
    of `points`; none where errors are unknown."""
    confirmed: pd.DataFrame
    """Trials with other seeds: params, val_score (the mean), val_score_low and val_score_high, by
    params; and `x`, params moved a little where several have as many."""
    band: pd.DataFrame
    """The rows of `confirmed` with the lowest mean reachable at each capacity."""
    no_skill: NoSkill
    references: tuple[tuple[str, float], ...]
    """Name and validation score of the models that are no networks, but for no skill."""
    shown: ScoreWords
    """How scores are shown to people."""

    @property
    def ends(self) -> tuple[float, float]:
        """The fewest and the most parameters of the `points`."""
        params = self.points["params"]
        return float(params.min()), float(params.max())

    @property
    def is_crowded(self) -> bool:
        return len(self.points) > CROWD


@lru_cache(maxsize=1)  # the printed chart and the page show the same sweep
def frontier_data(frames: SweepFrames) -> FrontierData:
    """Return the numbers of the frontier chart."""
    trials = frames.trials
    scored = trials[is_scored(trials)]
    known = scored[scored["params"].notna()].iloc[::-1]
    short = known["status"].isin((TrialStatus.CUT, TrialStatus.WAITING, TrialStatus.RUNNING))
    columns = ["trial", "params", "val_score", "train_score", "epochs", "baseline", "simplest"]
    points = known[columns].assign(is_cut=short).astype({"params": "float64"})
    points["params"] = points["params"].clip(lower=1)
    steps = frontier(trials)
    steps["params"] = steps["params"].clip(lower=1)
    val, train = points["val_score"].to_numpy(), points["train_score"].to_numpy()
    repeated = _confirmed(frames)
    references = tuple((r.name, r.val_score) for r in frames.references if r.name != NO_SKILL_NAME)
    others = repeated["val_score"].tolist() + [value for _, value in references]
    y = score_range(
        np.r_[val, train, others],
        np.r_[val, others] if len(val) else val,
        frames.no_skill,
    )
    params = points["params"] if len(points) else pd.Series([100.0, 1e6])
    return FrontierData(
        points=points.drop(columns="simplest"),
        steps=steps,
        x=(params.min() / 1.6, params.max() * 2.5),
        y=y,
        n_outside=outside(val, *y),
        n_failed=int((trials["status"] == TrialStatus.FAILED).sum()),
        n_unsized=len(scored) - len(known),
        simplest=points[points["simplest"] == True].drop(columns="simplest"),  # noqa: E712
        confirmed=repeated,
        band=repeated[
            repeated["val_score"] < repeated["val_score"].cummin().shift(fill_value=np.inf)
        ],
        references=references,
        no_skill=frames.no_skill,
        shown=frames.score_words,
    )


def _confirmed(frames: SweepFrames) -> pd.DataFrame:
    """Return the repeated trials whose means have errors."""
    found = frames.confirmed
    found = found.loc[found["val_score_se"].notna() & found["params"].notna()]
    found = found[["params", "val_score", "val_score_low", "val_score_high"]].astype("float64")
    found["params"] = found["params"].clip(lower=1)
    found = found.sort_values(["params", "val_score"]).reset_index(drop=True)
    alike = found.groupby("params")["params"]
    middle = (alike.transform("size") - 1) / 2
    found["x"] = found["params"] * _APART ** (alike.cumcount() - middle)
    return found


def along(data: FrontierData) -> pd.DataFrame:
    """Return points along the frontier's line, so that labels keep off it."""
    params, val = data.steps["params"].to_numpy(dtype=float), data.steps["val_score"].to_numpy()
    across = np.geomspace(params[0], data.x[1], 150)
    level = val[np.searchsorted(params, across, side="right") - 1]
    down = np.linspace(val[:-1], val[1:], 20).ravel()  # 20 points on each step's riser
    x = np.r_[across, np.tile(params[1:], 20)]
    return pd.DataFrame({"params": x, "val_score": np.r_[level, down]})
