"""Which hyperparameters matter: permutation importance of a random forest, with an interval."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.colours import BLACK, BLUE
from sweep.analysis.charts.varying import MOST, varying
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import shown_name
from sweep.analysis.frames.ranking import is_scored

MIN_TRIALS = 30
_MAX_TRIALS = 1_000
"""Of more, this many drawn at random: the forest's time grows with them, its verdict hardly."""
_MAX_BARS = 15
_FOLDS, _REPEATS, _TREES = 5, 10, 100


@dataclass(frozen=True)
class Importance:
    """The importance of each hyperparameter that varies, the most important first."""

    names: list[str]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """5th and 95th percentile over folds and repeats."""
    r2: float
    """Share of the ranks' variance that the forest explains in trials it has not seen."""
    n_trials: int


def importance(frames: SweepFrames) -> Importance:
    """Return how much worse a forest predicts held-out trials if one hyperparameter is shuffled.

    Permutation importance (Breiman 2001) on held-out folds. What is predicted is a trial's rank
    within its bracket, from 0 to 1: diverged trials cannot dominate it, and brackets, whose trials
    train differently long, are not compared with each other. Baselines and failed trials are out.
    Of very many hyperparameters the first 100 that vary are looked at, and of these the 15 that a
    forest of all uses most.
    Raises TooFewDataError below 30 trials or with fewer than two hyperparameters that vary.
    """
    from sklearn.ensemble import RandomForestRegressor  # a second each to import
    from sklearn.model_selection import KFold

    trials = frames.trials
    chosen = trials[is_scored(trials) & trials["baseline"].isna()]
    if len(chosen) < MIN_TRIALS:
        raise TooFewDataError(f"fewer than {MIN_TRIALS} searched trials have a score")
    chosen = chosen.sample(min(len(chosen), _MAX_TRIALS), random_state=0)
    settings = frames.hyperparameters.loc[chosen.index]
    names = list(islice(varying(settings), MOST))
    if len(names) < 2:
        raise TooFewDataError("fewer than two hyperparameters vary")
    X = np.column_stack([_numbers(settings[name]) for name in names])  # (trials, hyperparameters)
    brackets = [chosen["iteration"].fillna(-1), chosen["bracket"].fillna(-1)]
    y = chosen["val_score"].astype(float).groupby(brackets).rank(pct=True).to_numpy()
    if len(names) > _MAX_BARS:  # each is shuffled fifty times
        used = RandomForestRegressor(_TREES, random_state=0).fit(X, y).feature_importances_
        most = np.sort(np.argsort(-used, kind="stable")[:_MAX_BARS])
        names, X = [names[i] for i in most], X[:, most]
    drops, scores = [], []
    for train, held_out in KFold(_FOLDS, shuffle=True, random_state=0).split(X):
        forest = RandomForestRegressor(_TREES, random_state=0, min_samples_leaf=2)
        forest.fit(X[train], y[train])
        score = forest.score(X[held_out], y[held_out])
        scores.append(score)
        drops.append(score - shuffled_scores(forest.predict, X[held_out], y[held_out]))
    every = np.concatenate(drops, axis=1)
    place = np.argsort(-every.mean(axis=1), kind="stable")
    every = every[place]
    low, high = np.quantile(every, (0.05, 0.95), axis=1)
    ordered = [names[i] for i in place]
    return Importance(ordered, every.mean(axis=1), low, high, float(np.mean(scores)), len(chosen))


def shuffled_scores(
    predict: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    X: NDArray[np.float64],
    y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return R², (columns, repeats), of predictions for `X` with one of its columns shuffled.

    The shuffles and so the numbers are those of scikit-learn's `permutation_importance` with
    `random_state=0`. That predicts for one shuffle after the other, which takes ten times as long
    as all at once.
    """
    from sklearn.metrics import r2_score

    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max + 1)
    n_rows, n_columns = X.shape
    every = np.tile(X, (n_columns, _REPEATS, 1, 1))  # (columns, repeats, rows, columns)
    for column in range(n_columns):
        random, order, values = np.random.RandomState(seed), np.arange(n_rows), X[:, column]
        for repeat in range(_REPEATS):
            random.shuffle(order)
            values = values[order]
            every[column, repeat, :, column] = values
    found = [predict(one.reshape(-1, n_columns)).reshape(_REPEATS, n_rows) for one in every]
    return np.array([[r2_score(y, one) for one in repeats] for repeats in found])


def _numbers(values: "pd.Series[Any]") -> NDArray[np.float64]:
    """Numbers as they are, anything else by its place in the alphabet; -1 where there is none."""
    if all(isinstance(value, int | float) for value in values.dropna()):
        return np.asarray(values.astype(float).fillna(-1), dtype=np.float64)
    codes = pd.Categorical(values.astype(str).where(values.notna())).codes
    return np.asarray(codes, dtype=float)


def draw_importance(frames: SweepFrames) -> Figure:
    """Draw `importance`: a bar with its interval for each hyperparameter."""
    data = importance(frames)
    notes = [
        f"Random forest of {_TREES} trees on {words.trials(data.n_trials)}; mean and 5th to 95th "
        f"percentile over {_FOLDS} folds × {_REPEATS} shuffles."
    ]
    if len(frames.hyperparameter_names) > _MAX_BARS:
        notes.append(f"At most {_MAX_BARS} hyperparameters.")
    figure = style.page(frames, "Importance of the hyperparameters", notes)
    figure.text(0.07, 0.875, _subtitle(data), fontsize=9, va="center")
    shown = len(data.names[:_MAX_BARS])
    axes = figure.add_axes((0.2, 0.135, 0.72, 0.7))
    place = np.arange(shown)
    mean, low, high = (values[:shown] for values in (data.mean, data.low, data.high))
    is_clear = (low > 0) & (data.r2 > 0)
    colors = [BLUE if clear else "#bdbdbd" for clear in is_clear]
    axes.barh(place, mean, height=0.55, color=colors)
    axes.hlines(place, low, high, color=BLACK, linewidth=1.4)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.set_ylim(shown - 0.4, -0.6)
    axes.set_yticks(place, [words.shortened(shown_name(n), 20) for n in data.names[:_MAX_BARS]])
    axes.set_xlabel("drop in R² on held-out trials when the hyperparameter is shuffled")
    return figure


def _subtitle(data: Importance) -> str:
    method = "Permutation importance of a random forest that predicts a trial's rank in its bracket"
    if data.r2 <= 0:
        return f"{method}.\nIt predicts held-out trials no better than their mean."
    grey = "Grey: the interval reaches 0."
    return f"{method}.\nIt explains {data.r2:.0%} of the variance in held-out trials. {grey}"
