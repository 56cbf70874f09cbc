"""The same script with stock Keras Tuner and with one import line changed, in one run.

The configurations of the random searches are drawn beforehand, so that both sides train the same
ones for the same epochs: `hp.Choice` takes one of them by its number. Hyperband draws its own, by
one seed. Each side is a process of its own, taken in turn; wall time holds the whole script, from
the start of Python to its end. Nothing is compiled before; "again" is the same script in another
folder, which finds its programs on disk. Stock trains images and sequences as `sweep` does, one
trial after another.

    python benchmarks/scripts.py digits                       # about 8 minutes, most of it stock's
    python benchmarks/scripts.py digits --trials 10           # in under two
    python benchmarks/scripts.py cancer-hyperband images lstm
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SIDES = {"stock": "keras_tuner", "sweep": "sweep", "sweep, again": "sweep"}
TABLE = """
import random
import keras
import {module} as kt
from sklearn.datasets import load_breast_cancer, load_digits

x, y = load_{data}(return_X_y=True)
x = (x - x.mean(0)) / (x.std(0) + 1e-9)
classes = len(set(y))
drawn = random.Random(0)
CONFIGURATIONS = [
    {{"layers": drawn.randint(1, 3), "units": [drawn.randrange(16, 129, 16) for _ in range(3)],
      "dropout": drawn.choice([0.0, 0.25, 0.5]), "rate": drawn.choice([1e-2, 1e-3])}}
    for _ in range({trials})
]


def build(hp):
    if {is_drawn}:
        one = CONFIGURATIONS[hp.Choice("configuration", list(range({trials})))]
    else:
        one = {{"layers": hp.Int("layers", 1, 3), "dropout": hp.Choice("dropout", [0.0, 0.25, 0.5]),
               "units": [hp.Int(f"units_{{n}}", 16, 128, step=16) for n in range(3)],
               "rate": hp.Choice("rate", [1e-2, 1e-3])}}
    model = keras.Sequential([keras.Input((x.shape[1],))])
    for units in one["units"][: one["layers"]]:
        model.add(keras.layers.Dense(units, activation="relu"))
        model.add(keras.layers.Dropout(one["dropout"]))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    model.compile(keras.optimizers.Adam(one["rate"]), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model
"""
IMAGES = """
import keras
import {module} as kt
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16.0


def build(hp):
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(hp.Int("filters", 8, 8 * {trials}, step=8), 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""
LSTM = """
import keras
import numpy as np
import {module} as kt

series = np.sin(np.arange(1500) / 9.0) + 0.1 * np.random.default_rng(5).normal(size=1500)
x = np.stack([series[i : i + 20] for i in range(len(series) - 20)])[..., None]
y = series[20:]


def build(hp):
    model = keras.Sequential([
        keras.Input((20, 1)),
        keras.layers.LSTM(hp.Int("units", 8, 8 * {trials}, step=8)),
        keras.layers.Dense(1),
    ])
    model.compile("adam", "mse", metrics=["mae"])
    return model
"""
GRID = """
tuner = kt.GridSearch(build, objective="{objective}", max_trials={trials}, directory="tuning")
"""
HYPERBAND = """
tuner = kt.Hyperband(
    build, objective="{objective}", max_epochs={epochs}, seed=1, directory="tuning")
"""
END = """
tuner.search(x, y, epochs={epochs}, validation_split=0.2, batch_size=32, verbose=0)
print(len(tuner.oracle.trials), tuner.oracle.get_best_trials(1)[0].score)
"""


@dataclass(frozen=True)
class Case:
    """A script, and how large its search is."""

    text: str
    data: str = ""
    trials: int = 50
    epochs: int = 20
    objective: str = "val_accuracy"
    is_drawn: bool = True

    def script(self, module: str, trials: int, epochs: int) -> str:
        text = self.text + (GRID if self.is_drawn else HYPERBAND) + END
        return text.format(
            module=module,
            data=self.data,
            trials=trials,
            epochs=epochs,
            objective=self.objective,
            is_drawn=self.is_drawn,
        )


CASES = {
    "digits": Case(TABLE, "digits"),
    "cancer": Case(TABLE, "breast_cancer"),
    "digits-hyperband": Case(TABLE, "digits", epochs=27, is_drawn=False),
    "cancer-hyperband": Case(TABLE, "breast_cancer", epochs=27, is_drawn=False),
    "images": Case(IMAGES, trials=4, epochs=5),
    "lstm": Case(LSTM, trials=4, epochs=5, objective="val_loss"),
}


def timed(script: str, folder: Path, cache: Path) -> tuple[float, str]:
    """Wall seconds of a script that must succeed, and the last line that it prints."""
    folder.mkdir(parents=True)
    (folder / "script.py").write_text(script)
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if ran.returncode != 0:
        raise SystemExit(f"failed: {script.splitlines()[3]}\n{ran.stderr[-2000:]}")
    return seconds, ran.stdout.splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", choices=list(CASES))
    parser.add_argument("--trials", type=int, help="of searches that are not Hyperband")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    print("| case | | wall, s | stock ÷ this | trials, best score |\n|---|---|---|---|---|")
    for name in options.cases:
        case = CASES[name]
        size = (options.trials or case.trials, options.epochs or case.epochs)
        with tempfile.TemporaryDirectory() as scratch:
            first = 0.0
            for side, module in SIDES.items():
                folder, cache = Path(scratch) / side, Path(scratch) / "cache"
                seconds, said = timed(case.script(module, *size), folder, cache)
                first = first or seconds
                ratio = first / seconds
                print(f"| {name} | {side} | {seconds:.1f} | {ratio:.2f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
