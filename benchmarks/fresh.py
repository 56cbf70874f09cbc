"""Real searches on the built-in data, held against 500,000 fresh events: what networks truly reach.

Each sweep has training and validation rows of its own. Its trials' models are exported, and score
the fresh events; what they lose there is the truth. `benchmarks/trust.py` runs it; by itself, on
more searches:

    python benchmarks/fresh.py [FIRST] [SWEEPS]
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import promised as law
from benchmarks.promised import Amount, Figure, Share
from sweep.data.simulation.events import simulate_events
from sweep.metrics import example_losses
from sweep.statistics.confidence import Z

TRAIN, VALIDATION, FRESH = 2_000, 500, 500_000
TRIALS, EPOCHS = 8, 40
SWEEPS = 12


def build(hp: Any) -> Any:
    """Networks that overfit soon and late, of the capacity space."""
    from search_spaces.capacity import mlp

    width, depth = hp.Choice("width", [4, 16, 64, 128]), hp.Choice("depth", [1, 2, 3])
    return mlp(width, depth, hp.Choice("l2", [0.0, 1e-3]), hp.Choice("dropout", [0.0, 0.3]), 5_000)


@dataclass(frozen=True)
class Checked:
    """One sweep against the truth."""

    held: float
    """Share of trials whose 95 % interval holds their score on the fresh events."""
    without: float
    """The same without the choice of the epoch."""
    best_is_tied: bool
    """Whether the trial that is best on the fresh events is among the tied."""
    too_good: float
    """What the lowest score is too good by."""
    said: float
    """What the report says that it is: the choice of the epoch, and of the trial."""
    behind: float
    """What the simplest loses on the fresh events beyond the lowest score."""
    given_up: float
    """What the simplest says that it gives up."""


def checked(number: int, results: Path, fresh: tuple[NDArray[Any], NDArray[Any]]) -> Checked:
    """Search, and hold what the report says against the fresh events."""
    import sweep

    x, labels = simulate_events(TRAIN + VALIDATION, seed=number + 1)
    y = labels.astype(np.float32)
    found = sweep.search(
        build, x[:TRAIN], y[:TRAIN], validation=(x[TRAIN:], y[TRAIN:]), kind="random",
        trials=TRIALS, max_epochs=EPOCHS, patience=None, batch_size=100, seed=number,
        name=f"fresh-{number}", results=results, verbose=0,
    )  # fmt: skip
    trials, bias = found.trials, found.frames.optimism
    truth = np.array([_loss(found.best_model(int(one)), fresh) for one in trials["trial"]])
    scores, error = trials["val_score"].to_numpy(), trials["val_score_se"].to_numpy()
    adds = trials["choice_of_epoch"].to_numpy()
    simplest = int(np.flatnonzero(trials["simplest"].eq(True))[0])
    return Checked(
        held=float((np.abs(truth - scores - adds) <= Z * np.hypot(error, adds)).mean()),
        without=float((np.abs(truth - scores) <= Z * error).mean()),
        best_is_tied=bool(trials["tied"].iloc[truth.argmin()]),
        too_good=float(truth[0] - scores[0]),
        said=float(adds[0] + (bias.bias if bias is not None else 0.0)),
        behind=float(truth[simplest] - truth[0]),
        given_up=float(trials["behind"].iloc[simplest]),
    )


def _loss(model: Any, fresh: tuple[NDArray[Any], NDArray[Any]]) -> float:
    logits = model.predict(fresh[0], batch_size=20_000, verbose=0)[:, 0]
    return float(example_losses(logits, fresh[1]).mean(dtype=np.float64))


def figures(sweeps: int = SWEEPS, fresh: int = FRESH, first: int = 0) -> list[Figure]:
    """Return what holds of so many sweeps; trials of one share their rows, so sweeps count."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    truth = simulate_events(fresh, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        found = [checked(number, Path(folder), truth) for number in range(first, first + sweeps)]
    where = f"{TRIALS} networks, {VALIDATION} rows, {fresh:,} fresh events"
    beyond = np.array([one.behind - one.given_up for one in found])
    mean = {
        name: float(np.mean([getattr(one, name) for one in found]))
        for name in ("held", "without", "best_is_tied", "too_good", "said", "behind", "given_up")
    }
    error = float(beyond.std(ddof=1) / np.sqrt(sweeps)) if sweeps > 1 else np.inf
    return [
        Share(law.INTERVAL_HOLDS, where, mean["held"], sweeps),
        Share(law.WITHOUT_CHOICE, where, mean["without"], sweeps),
        Share(law.BEST_IS_TIED, where, mean["best_is_tied"], sweeps),
        Amount(law.TOO_GOOD, where, mean["too_good"], sweeps),
        Amount(law.SAID_TOO_GOOD, where, mean["said"], sweeps),
        Amount(law.SIMPLEST, where, mean["behind"], sweeps, mean["given_up"], error),
    ]


if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:3]] or [1_000]
    for one in figures(*given[1:], fresh=100_000, first=given[0]):
        error = f" ± {one.error:.4f}" if isinstance(one, Amount) and one.error else ""
        print(f"{one.law}: {one.shown}{error} ({one.promise}), {one.of} sweeps")
