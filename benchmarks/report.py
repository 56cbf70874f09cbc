"""Time of the report by number of trials: frames, table, JSON; charts apart. Prints Markdown.

    python benchmarks/report.py [TRIALS ...]

Stores are synthetic: ten epochs a trial, and the losses of 1,000 validation rows, from which errors
and ties come. Times are the best of three in this process; "command" is `sweep report` from the
start of Python to its end, with table and charts, also the best of three.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console

from sweep.analysis.charts import catalogue
from sweep.analysis.frames.load import load
from sweep.analysis.report import terminal
from sweep.store import Store
from tests.support.sweeps import Trained, record, store_sweep

SIZES = (100, 1_000, 10_000)
EPOCHS = 10
ROWS = 1_000


def build(path: Path, n_trials: int) -> Store:
    """A stored sweep of `n_trials` trials over four decades of parameters."""
    random = np.random.default_rng(0)
    hard = random.exponential(0.5, ROWS)
    trials = []
    for number in range(n_trials):
        params = int(10 ** random.uniform(2.4, 5.9))
        level = 0.57 + 0.05 * random.random() + 0.02 * abs(np.log10(params) - 4)
        curve = level + 0.1 / np.arange(1, EPOCHS + 1) + random.normal(0, 0.003, EPOCHS)
        records = [record(e, float(v), float(v) - 0.01) for e, v in enumerate(curve, start=1)]
        values = {"width": 2 ** (number % 7 + 3), "depth": number % 4 + 1, "l2": 1e-4}
        rows = hard + 0.2 * random.normal(size=ROWS)
        losses = (rows - rows.mean() + curve.min()).astype(np.float32)
        trials.append(Trained(records, values, params, EPOCHS, losses=losses))
    return store_sweep(path, trials)


def table(store: Store) -> str:
    """The whole table as text, as it is printed into a pipe."""
    output = io.StringIO()
    Console(file=output, width=10_000).print(terminal.report(load(store)))
    return output.getvalue()


def command(store: Path) -> None:
    """`sweep report` of the only sweep in the results folder that holds `store`'s folder."""
    subprocess.run(
        [Path(sys.executable).with_name("sweep"), "report", "--results", str(store.parent.parent)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )


def seconds(work: Callable[[], object]) -> float:
    """The best of three: other processes only ever add."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        paths = {size: Path(scratch) / str(size) / "one" / "sweep.db" for size in sizes}
        stores = {}
        for size, path in paths.items():
            path.parent.mkdir(parents=True)
            stores[size] = build(path, size)
        catalogue.write_charts(load(stores[sizes[0]]), Path(scratch) / "warm-up")  # font cache
        print("| trials | epoch records | frames and table, s | JSON, s | charts, s | command, s |")
        print("|---:|---:|---:|---:|---:|---:|")
        for size, store in stores.items():
            frames = load(store)
            parts = [
                seconds(lambda s=store: table(s)),
                seconds(lambda f=frames: terminal.to_json(f)),
                seconds(lambda f=frames: catalogue.write_charts(f, Path(scratch) / "charts")),
                seconds(lambda p=paths[size]: command(p)),
            ]
            cells = " | ".join(f"{part:.2f}" for part in parts)
            print(f"| {size:,} | {size * EPOCHS:,} | {cells} |")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
