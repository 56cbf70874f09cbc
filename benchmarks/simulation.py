"""How alike simulated and real rows are: columns, difficulty, and rows a second.

    python benchmarks/simulation.py [--higgs HIGGS.csv.gz] [--rows 40000] [--seed 1]

Without a file it prints the speed alone. With one: the Kolmogorov–Smirnov distance of every
column in each class to the file's first rows, and, where scikit-learn is installed, logistic
regression and boosted trees on both kinds of rows. Take OMP_NUM_THREADS=1 for one core's speed.
"""

import argparse
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sweep.data.columns import FEATURES, LOW_LEVEL_FEATURES
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.rows import parse_rows
from sweep.data.simulation.events import simulate_events

_CHUNK_BYTES = 1 << 18
_TRAIN_ROWS = 10_000
_EVALUATED_ROWS = 16_000
_N_LOW = len(LOW_LEVEL_FEATURES)
_PARTS = {"low": slice(0, _N_LOW), "masses": slice(_N_LOW, None), "all": slice(None)}

Rows = tuple[np.ndarray, np.ndarray]


def first_rows(path: Path, n: int) -> Rows:
    """x (at most n, 28) and y of a file in HIGGS format, plain or gzip."""

    def chunks() -> Iterable[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    xs, ys, done = [], [], 0
    for x, y in parse_rows(decompressed(chunks(), path.name), path.name):
        xs.append(x)
        ys.append(y)
        done += len(y)
        if done >= n:
            break
    return np.concatenate(xs)[:n], np.concatenate(ys)[:n]


def ks_distance(simulated: np.ndarray, real: np.ndarray) -> float:
    """Largest difference of the two distribution functions.

    Taken between the real values only: a file may print them to few digits, tags to three.
    """
    values = np.unique(real)
    between = (values[1:] + values[:-1]) / 2
    ours, theirs = (
        np.searchsorted(np.sort(column), between) / len(column) for column in (simulated, real)
    )
    return float(np.abs(ours - theirs).max())


def print_columns(simulated: Rows, real: Rows) -> None:
    print("\n| column | signal | background |\n|---|---:|---:|")
    distances = np.empty((len(FEATURES), 2))
    for column, feature in enumerate(FEATURES):
        for position, label in enumerate((1, 0)):
            pair = (x[y == label, column] for x, y in (simulated, real))
            distances[column, position] = ks_distance(*pair)
        print(f"| {feature} | {distances[column, 0]:.3f} | {distances[column, 1]:.3f} |")
    print(f"| mean | {distances[:, 0].mean():.3f} | {distances[:, 1].mean():.3f} |")
    print(f"| largest | {distances[:, 0].max():.3f} | {distances[:, 1].max():.3f} |")


def print_difficulty(simulated: Rows, real: Rows) -> None:
    """BCE and AUC of models trained on the first rows, evaluated on those behind them."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n = min(len(real[1]), len(simulated[1]), _TRAIN_ROWS + _EVALUATED_ROWS)
    train = min(_TRAIN_ROWS, n * 7 // 10)
    print(f"\nBCE, AUC: {train:,} rows for training, {n - train:,} others evaluated")
    print("\n| model | columns | simulated | real |\n|---|---|---:|---:|")
    for part, columns in _PARTS.items():
        models = {
            "logistic regression": make_pipeline(
                StandardScaler(), LogisticRegression(max_iter=300)
            ),
            "boosted trees": HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_iter=200,
                max_leaf_nodes=15,
                min_samples_leaf=40,
                l2_regularization=1.0,
                random_state=0,
            ),
        }
        for name, model in models.items():
            cells = []
            for x, y in (simulated, real):
                model.fit(x[:train, columns], y[:train])
                p = model.predict_proba(x[train:n, columns])[:, 1]
                cells.append(f"{log_loss(y[train:n], p):.3f}, {roc_auc_score(y[train:n], p):.3f}")
            print(f"| {name} | {part} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--higgs", type=Path, help="a file in HIGGS format: .csv or .csv.gz")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start, start_cpu = time.perf_counter(), time.process_time()
    simulated = simulate_events(options.rows, options.seed)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    print(f"{options.rows:,} rows, {simulated[1].mean():.1%} signal")
    print(f"{options.rows / seconds:,.0f} rows/s, {options.rows / cpu_seconds:,.0f} a CPU second")
    if options.higgs is None:
        return
    real = first_rows(options.higgs, options.rows)
    print(f"compared with {len(real[1]):,} rows of {options.higgs.name}")
    print_columns(simulated, real)
    if find_spec("sklearn") is None:
        print("\nscikit-learn is not installed: difficulty not measured")
        return
    print_difficulty(simulated, real)


if __name__ == "__main__":
    main()
