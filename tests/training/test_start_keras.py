"""How Keras is started: what it is not told of at import can be used all the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweep.errors import PlatformError
from sweep.training import start_keras

ROOT = Path(__file__).parents[2]

SPACE = """
import jax.numpy
import keras
import matplotlib.pyplot
import pandas
import sklearn.preprocessing
from scipy import optimize, stats

ROWS = pandas.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
SCALED = sklearn.preprocessing.StandardScaler().fit_transform(ROWS)


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Choice("width", [1, 2]))])
    model.compile(loss="mse")
    model.fit(ROWS, ROWS["a"], epochs=1, verbose=0)
    assert (model.predict(ROWS, verbose=0) == model.predict(ROWS.to_numpy(), verbose=0)).all()
    column = keras.Sequential([keras.layers.Dense(1)])
    column.compile(loss="mse")
    column.fit(ROWS["a"], ROWS["b"], epochs=1, verbose=0)  # (rows, 1), as with pandas at hand
    assert stats.zscore(ROWS["a"])[0] == SCALED[0, 0]
    assert abs(optimize.minimize_scalar(lambda x: (x - 1) ** 2).x - jax.numpy.ones(())) < 1e-6
    return model
"""

PROCESS = """
import sys
from sweep.training.start_keras import start_keras
start_keras()
hidden = {"pandas", "sklearn", "matplotlib", "IPython", "jax", "scipy.optimize"}
assert not hidden & set(sys.modules), "hidden while Keras is imported"
import keras, keras_tuner, own
keras.utils.set_random_seed(1)
own.build(keras_tuner.HyperParameters())
"""


def test_a_space_may_use_what_was_hidden_while_keras_was_imported(tmp_path):
    (tmp_path / "own.py").write_text(SPACE)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{PROCESS}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), r"too little memory to start Keras \(MemoryError\); it takes"),
        (ImportError("x.so: failed to map segment from shared object"), "too little memory"),
        (OSError(12, "Cannot allocate memory"), "too little memory"),
        (RuntimeError("can't start new thread"), "too little memory"),
        (ImportError("No module named 'six'"), "does not start here .*six.*install sweep again"),
    ],
)
def test_too_little_memory_is_no_reason_to_reinstall(error, said):
    with pytest.raises(PlatformError, match=said), start_keras._explained():
        raise error
