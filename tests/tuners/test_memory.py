"""Models and traced functions of trials do not stay: a search of any length keeps as few."""

import gc
from typing import Any

import pytest

import sweep
from sweep.training.tensorflow_private import gradient_registry
from tests.tuners.scripts import X, Y, build


def kept(keras: Any) -> dict[str, int]:
    """What each trial makes anew, by its kind, that is still there."""
    from tensorflow.python.eager import context
    from tensorflow.python.framework.func_graph import FuncGraph

    gc.collect()
    found = [one for one in gc.get_objects() if isinstance(one, keras.Model | FuncGraph)]
    return {
        "models": sum(isinstance(one, keras.Model) for one in found),
        "graphs": sum(isinstance(one, FuncGraph) for one in found),
        "functions": len(context.context().list_function_names()),
        "gradients": len(gradient_registry()),
    }


def traced(hp: Any) -> Any:
    """A model that is trained by a function which TensorFlow traces for each trial."""
    model = build(hp)
    model.run_eagerly = model.jit_compile = False
    return model


class Own(sweep.RandomSearch):
    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        return super().run_trial(trial, *args, **kwargs)


@pytest.mark.parametrize("kind", [sweep.RandomSearch, Own])
def test_what_keras_makes_for_a_trial_does_not_stay(keras, tmp_path, kind):
    again = [keras.callbacks.LambdaCallback()]

    def searched(trials: int) -> dict[str, int]:
        tuner = kind(traced, "val_loss", trials, seed=1, directory=str(tmp_path))
        tuner.search(X, Y, epochs=1, validation_split=0.25, verbose=0, callbacks=again)
        return kept(keras)

    few = searched(2)
    assert {name: max(0, n - few[name]) for name, n in searched(5).items()} == dict.fromkeys(few, 0)
