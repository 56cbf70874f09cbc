"""What choosing its epoch makes a real network's score too good by: on rows that are drawn again.

Ten networks of the capacity space are trained on 9,000 built-in events for 81 epochs, and evaluated
on 12,000 others after each. Validation rows are drawn from these again and again: what an epoch
that they choose gives on all 12,000 is the truth. Takes about ten minutes of one core.

    python -m benchmarks.epochs
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from search_spaces.capacity import mlp
from sweep.data.simulation.events import simulate_events
from sweep.metrics import example_losses
from sweep.statistics.choice_of_epoch import FOLDS, too_good
from sweep.statistics.confidence import Z

TRAIN, OTHER, EPOCHS, DRAWS = 9_000, 12_000, 81, 200
NETWORKS = (
    (16, 1, 0.0, 0.0), (16, 2, 0.0, 0.0), (64, 3, 0.0, 0.0), (128, 2, 1e-3, 0.0),
    (128, 3, 0.0, 0.2), (256, 2, 1e-4, 0.3), (256, 3, 0.0, 0.0), (256, 3, 0.0, 0.4),
    (256, 4, 0.0, 0.0), (512, 2, 0.0, 0.0),
)  # fmt: skip
"""Width, depth, L2, dropout."""


def curve_of_losses(number: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the losses of the other rows after each epoch: (epochs, rows)."""
    keras.utils.set_random_seed(number)
    width, depth, l2, dropout = NETWORKS[number]
    model = mlp(width, depth, l2, dropout, 20_000)
    predict = tf.function(lambda rows: model(rows, training=False))
    found = np.empty((EPOCHS, OTHER), np.float32)
    for epoch in range(EPOCHS):
        model.fit(x[:TRAIN], y[:TRAIN, None], batch_size=500, verbose=0)
        found[epoch] = example_losses(predict(x[TRAIN:]).numpy()[:, 0], y[TRAIN:])
    return found


def measured(losses: np.ndarray, rows: int) -> dict[str, float]:
    """Return what choosing adds in truth and as estimated, and what the intervals hold."""
    random, truth = np.random.default_rng(rows), losses.mean(axis=1, dtype=float)
    off, adds, errors = np.empty((3, DRAWS))
    for draw in range(DRAWS):
        drawn = losses[:, random.choice(OTHER, rows, replace=False)].astype(float)
        best = int(drawn.mean(axis=1).argmin())
        off[draw] = truth[best] - drawn[best].mean()
        # a part of all rows: the error is smaller by what they share
        errors[draw] = drawn[best].std(ddof=1) * np.sqrt(1 / rows - 1 / OTHER)
        folds = drawn.reshape(EPOCHS, rows // FOLDS, FOLDS).mean(axis=1)
        adds[draw] = too_good(folds[None], rows)[0]
    return {
        "too good": float(off.mean()),
        "estimated": float(adds.mean()),
        "spread of the estimate": float(adds.std()),
        "held": float((np.abs(off - adds) <= Z * np.hypot(errors, adds)).mean()),
        "held without": float((np.abs(off) <= Z * errors).mean()),
    }


def main() -> None:
    x, labels = simulate_events(TRAIN + OTHER)
    y = labels.astype(np.float32)
    print("| network | rows | too good by | estimated | 95 % interval holds | without |")
    print("|---|---:|---:|---:|---:|---:|")
    for number, (width, depth, l2, dropout) in enumerate(NETWORKS):
        losses = curve_of_losses(number, x, y)
        for rows in (200, 1_000):
            one = measured(losses, rows)
            name = f"{width}×{depth}, L2 {l2}, dropout {dropout}"
            estimate = f"{one['estimated']:.4f} ± {one['spread of the estimate']:.4f}"
            print(
                f"| {name} | {rows:,} | {one['too good']:.4f} | {estimate} "
                f"| {one['held']:.1%} | {one['held without']:.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
