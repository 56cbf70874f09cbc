"""Time of the report by number of trials: frames, table, JSON; charts apart. Prints Markdown.

    python benchmarks/report.py [TRIALS ...]

Stores are synthetic, ten epochs a trial. Times are the best of three in this process;
importing pandas and matplotlib comes on top and is given in the last line.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

started = time.perf_counter()
from rich.console import Console  # noqa: E402

from sweep.analysis import charts, report  # noqa: E402
from sweep.analysis.frames import load  # noqa: E402

imported = time.perf_counter() - started

from sweep.store import Store  # noqa: E402
from tests.sweeps import Trained, record, store_sweep  # noqa: E402

SIZES = (100, 1_000, 10_000)
EPOCHS = 10


def build(path: Path, n_trials: int) -> Store:
    """A stored sweep of `n_trials` trials over four decades of parameters."""
    random = np.random.default_rng(0)
    trials = []
    for number in range(n_trials):
        params = int(10 ** random.uniform(2.4, 5.9))
        level = 0.57 + 0.05 * random.random() + 0.02 * abs(np.log10(params) - 4)
        curve = level + 0.1 / np.arange(1, EPOCHS + 1) + random.normal(0, 0.003, EPOCHS)
        records = [record(e, float(v), float(v) - 0.01) for e, v in enumerate(curve, start=1)]
        values = {"width": 2 ** (number % 7 + 3), "depth": number % 4 + 1, "l2": 1e-4}
        trials.append(Trained(records, values, params, EPOCHS))
    return store_sweep(path, trials)


def table(store: Store) -> str:
    """The whole table as text, as it is printed into a pipe."""
    output = io.StringIO()
    Console(file=output, width=10_000).print(report.report(load(store)))
    return output.getvalue()


def seconds(work: Callable[[], object]) -> float:
    """The best of three: other processes only ever add."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores = {size: build(Path(folder) / f"{size}.db", size) for size in sizes}
        charts.write_charts(load(stores[sizes[0]]), Path(folder) / "warm-up")  # font cache
        print("| trials | epoch records | frames and table, s | JSON, s | charts, s | all, s |")
        print("|---:|---:|---:|---:|---:|---:|")
        for size, store in stores.items():
            frames = load(store)
            parts = [
                seconds(lambda s=store: table(s)),
                seconds(lambda f=frames: report.to_json(f)),
                seconds(lambda f=frames: charts.write_charts(f, Path(folder) / "charts")),
            ]
            cells = " | ".join(f"{part:.2f}" for part in (*parts, sum(parts)))
            print(f"| {size:,} | {size * EPOCHS:,} | {cells} |")
    print(f"\nImports of the report and the charts: {imported:.2f} s.")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
