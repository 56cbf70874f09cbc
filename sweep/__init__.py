"""Hyperparameter sweeps that say which capacity and which regularisation generalise best.

`import sweep as kt` gives a script the names of Keras Tuner. They are imported when they are first
used, so that `import sweep` alone starts nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_tuner import HyperModel as HyperModel
    from keras_tuner import HyperParameters as HyperParameters
    from keras_tuner import Objective as Objective

    from sweep.tuners.kinds import BayesianOptimization as BayesianOptimization
    from sweep.tuners.kinds import GridSearch as GridSearch
    from sweep.tuners.kinds import Hyperband as Hyperband
    from sweep.tuners.kinds import RandomSearch as RandomSearch
    from sweep.tuners.kinds import Tuner as Tuner

__version__ = "0.1.0"

_NAMES = {
    **dict.fromkeys(("HyperModel", "HyperParameters", "Objective"), "keras_tuner"),
    **dict.fromkeys(
        ("BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch", "Tuner"),
        "sweep.tuners.kinds",
    ),
}
"""Where each public name comes from."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_NAMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
