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

    from sweep.handle.sweep import Sweep as Sweep
    from sweep.handle.sweep import open_sweep as open  # noqa: F401
    from sweep.handle.sweep import sweeps as sweeps
    from sweep.tuners.kinds import BayesianOptimization as BayesianOptimization
    from sweep.tuners.kinds import GridSearch as GridSearch
    from sweep.tuners.kinds import Hyperband as Hyperband
    from sweep.tuners.kinds import RandomSearch as RandomSearch
    from sweep.tuners.one_call import search as search
    from sweep.tuners.tuner import Tuner as Tuner

__version__ = "0.1.0"

_NAMES = {
    **{name: ("keras_tuner", name) for name in ("HyperModel", "HyperParameters", "Objective")},
    **{
        name: ("sweep.tuners.kinds", name)
        for name in ("BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch")
    },
    "Tuner": ("sweep.tuners.tuner", "Tuner"),
    "Sweep": ("sweep.handle.sweep", "Sweep"),
    "open": ("sweep.handle.sweep", "open_sweep"),
    "search": ("sweep.tuners.one_call", "search"),
    "sweeps": ("sweep.handle.sweep", "sweeps"),
}
"""Where each public name comes from: a module, and the name there."""


_MODULES = ("applications", "engine", "errors", "oracles", "tuners")
"""Modules that have a name of Keras Tuner's."""
_NOT_HERE = {
    "Oracle": "an oracle of one's own cannot be run here; search with Hyperband, RandomSearch, "
    "BayesianOptimization or GridSearch",
    "SklearnTuner": "models of scikit-learn are not searched here; use keras_tuner for them",
    "synchronized": "it is for oracles of one's own, which cannot be run here",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return import_module(f"sweep.{name}")
    if name in _NOT_HERE:
        # an AttributeError would lose its words in `from sweep import SklearnTuner`
        raise ImportError(f"sweep.{name} is not supported: {_NOT_HERE[name]}")
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _NAMES[name]
    found: object = getattr(import_module(module), there)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES, *_MODULES])
