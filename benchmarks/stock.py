"""The same Hyperband search with stock Keras Tuner and with `sweep start`, in one run.

Same space, data, oracle seed (hence the same configurations), schedule, batch size and
patience; the baselines are left out, since stock Keras Tuner has none. The stock side is what a
user writes after the tutorial: a cached, shuffled, repeated tf.data pipeline, `steps_per_epoch`,
an EarlyStopping callback. Each side is a process of its own, taken in turn; wall time holds
everything from the start of Python to its end, peak memory is the process's largest. `sweep` has
nothing compiled before; the row "again" is a second search that finds its programs on disk.

The floor is what the products of matrices alone would take, of the epochs that `sweep` trained, at
the rate of one large product on this machine, measured behind the runs.

    python benchmarks/stock.py --max-epochs 9 --repeats 3
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sweep.data.split import load_split
from sweep.training.fused.program import kept

SEED = 0
PATIENCE = 20


def stock(space: str, max_epochs: int, folder: Path) -> None:
    """One stock search, as a user would write it."""
    import keras
    import keras_tuner
    import tensorflow as tf

    from sweep.seeds import derive
    from sweep.space.inputs import columns
    from sweep.space.load import load_space

    split = load_split("builtin")
    train = (
        tf.data.Dataset.from_tensor_slices((split.train.x, split.train.y[:, None]))
        .cache()
        .shuffle(10_000)
        .repeat()
        .batch(500)
    )
    validation = tf.data.Dataset.from_tensor_slices(
        (split.validation.x, split.validation.y[:, None])
    )
    tuner = keras_tuner.Hyperband(
        load_space(space, columns(28)).build,
        objective=keras_tuner.Objective("val_binary_crossentropy", "min"),
        max_epochs=max_epochs,
        factor=3,
        seed=derive(SEED, "oracle"),
        directory=folder,
    )
    tuner.search(
        train,
        steps_per_epoch=20,
        validation_data=validation.batch(500).cache(),
        callbacks=[keras.callbacks.EarlyStopping("val_binary_crossentropy", patience=PATIENCE)],
        verbose=0,
    )
    best = tuner.oracle.get_best_trials(1)[0]
    print(f"best val BCE {best.score:.4f}")


def timed(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MiB of a command that must succeed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise SystemExit(f"failed with {status}: {' '.join(command)}")
    print(f"{seconds:.1f} s: {' '.join(command)}", file=sys.stderr, flush=True)
    return seconds, usage.ru_maxrss / 1024


def warm() -> None:
    """Read the libraries, so that neither is timed while they come from a cold disk."""
    libraries = "import keras_tuner, tensorflow, sklearn"
    subprocess.run([sys.executable, "-c", libraries], check=True, stderr=subprocess.DEVNULL)


def floor_seconds(results: Path) -> float:
    """Seconds that the newest sweep's products of matrices take at the rate of a large one.

    A trainable parameter takes 6 FLOPs a training row and 2 a row that is evaluated.
    """
    import fused as common

    import sweep

    newest = max(results.iterdir(), key=lambda folder: folder.stat().st_mtime)
    trials = sweep.open(newest.name, results=results).trials
    a_parameter = 6 * common.TRAIN + 2 * (common.TRAIN + common.VALIDATION)
    flops = a_parameter * float((trials["epochs"] * trials["params"]).sum())
    return flops / common.gemm_rate() / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", default="capacity")
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trainer", default="auto")
    parser.add_argument("--stock-folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stock_folder:
        stock(options.space, options.max_epochs, options.stock_folder)
        return
    rows: dict[str, list[tuple[float, float]]] = {"stock": [], "sweep": [], "sweep, again": []}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        load_split("builtin")  # nobody is timed while the events are simulated
        for repeat in range(options.repeats):
            search = ["--space", options.space, "--max-epochs", str(options.max_epochs)]
            warm()
            rows["stock"].append(
                timed([sys.executable, __file__, *search, "--stock-folder", f"{scratch}/{repeat}"])
            )
            shutil.rmtree(kept.default_root(), ignore_errors=True)
            for name in ("sweep", "sweep, again"):
                warm()
                rows[name].append(timed(sweep_command(options, Path(scratch) / "results")))
        floor = floor_seconds(Path(scratch) / "results")
    print(f"{options.space}, max_epochs {options.max_epochs}, {options.repeats} runs, medians\n")
    print("| | wall, s | peak memory, MiB |\n|---|---|---|")
    medians = {
        name: [statistics.median(column) for column in zip(*runs, strict=True)]
        for name, runs in rows.items()
    }
    for name, (seconds, memory) in medians.items():
        print(f"| {name} | {seconds:.1f} | {memory:.0f} |")
    print(f"| floor | {floor:.1f} | |")
    for name in ("sweep", "sweep, again"):
        ratios = [a / b for a, b in zip(medians["stock"], medians[name], strict=True)]
        print(f"| stock ÷ {name} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    for name in ("sweep", "sweep, again"):
        print(f"| {name} ÷ floor | {medians[name][0] / floor:.2f} | |")


def sweep_command(options: argparse.Namespace, results: Path) -> list[str]:
    return [
        str(Path(sys.executable).with_name("sweep")),
        "start",
        options.space,
        "--no-baselines",
        *("--max-epochs", str(options.max_epochs)),
        *("--data", "builtin", "--seed", str(SEED), "--patience", str(PATIENCE)),
        *("--trainer", options.trainer, "--results", str(results)),
    ]


if __name__ == "__main__":
    main()
