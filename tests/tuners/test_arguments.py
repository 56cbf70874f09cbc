"""Tuners are made as Keras Tuner's are; what they would ignore is refused by name."""

import inspect
import subprocess
import sys
from typing import Any

import pytest

import sweep
from sweep.errors import InvalidSpaceError, UsageError
from sweep.tuners import kinds
from sweep.tuners.fit_arguments import fit_arguments
from sweep.tuners.objective import objective_words

NAMES = ("Hyperband", "RandomSearch", "BayesianOptimization", "GridSearch")


def build(hp: Any) -> None:
    """A search space; no test here builds a model."""


@pytest.mark.parametrize("name", NAMES)
def test_arguments_their_order_and_defaults_are_those_of_keras_tuner(keras, name):
    import keras_tuner

    def outline(kind: Any) -> list[tuple[str, Any, Any]]:
        parameters = inspect.signature(kind.__init__).parameters.values()
        return [(one.name, one.default, one.kind) for one in parameters]

    assert outline(getattr(kinds, name)) == outline(getattr(keras_tuner, name))


def test_arguments_become_settings():
    made = kinds.BayesianOptimization(
        build, "val_loss", 5, num_initial_points=3, seed=7, directory="d", project_name="p"
    )
    settings = made.arguments.settings
    assert (settings.search, settings.trials, settings.initial_points) == ("bayesian", 5, 3)
    assert (settings.seed, settings.objective, made.project_dir) == (7, "loss", "d/p")
    hyperband = kinds.Hyperband(build, "val_accuracy", max_epochs=9).arguments.settings
    assert (hyperband.max_epochs, hyperband.factor, hyperband.objective) == (9, 3, "accuracy")
    random = kinds.RandomSearch(build, "val_loss", executions_per_trial=2).arguments
    assert (random.settings.executions, random.settings.n_trials) == (2, 10)
    assert (random.seed, random.budget.max_failures) == (None, 3)
    assert kinds.GridSearch(build, "val_loss").arguments.settings.n_trials is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"distribution_strategy": object()}, "distribution_strategy is not supported"),
        ({"max_retries_per_trial": -1}, "max_retries_per_trial is -1"),
        ({"max_model_size": 10}, "max_model_size is not supported"),
        ({"max_trials": 0}, "max_trials is 0, expected a whole number from 1"),
        ({"executions_per_trial": 0}, "executions_per_trial is 0"),
        ({"seed": "x"}, "seed is 'x', expected a whole number"),
        ({"objective": None}, "objective is missing"),
        ({"hypermodel": 3}, "hypermodel is 3, expected build"),
    ],
)
def test_what_would_be_ignored_is_refused_by_name(given, said):
    with pytest.raises(UsageError, match=said):
        kinds.RandomSearch(**{"hypermodel": build, "objective": "val_loss", **given})


def test_a_chief_and_workers_are_refused_by_name(monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    with pytest.raises(UsageError, match="KERASTUNER_TUNER_ID in the environment"):
        kinds.RandomSearch(build, "val_loss")


def test_unknown_names_are_errors_of_the_call():
    with pytest.raises(TypeError, match="unexpected argument 'max_trails'"):
        kinds.RandomSearch(build, "val_loss", max_trails=3)
    with pytest.raises(InvalidSpaceError, match=r"^factor is 1, expected at least 2"):
        kinds.Hyperband(build, "val_loss", factor=1)
    climbing = kinds.Hyperband(build, "val_loss", executions_per_trial=2).arguments
    assert (climbing.settings.executions, climbing.seeds_of_best) == (1, 2)


def test_objectives(keras):
    from keras_tuner import Objective

    assert objective_words("val_mean_absolute_error") == "mae"
    assert objective_words(["val_f1_score"]) == "f1_score"
    assert objective_words(Objective("val_accuracy", "max")) == "accuracy"
    assert objective_words(Objective("val_auc", "min")) == "min:auc"
    assert objective_words(Objective("val_f1_score", "max")) == "max:f1_score"
    for wrong, said in (("accuracy", "val_accuracy"), (["val_a", "val_b"], "2 entries"), (3, "3")):
        with pytest.raises(UsageError, match=said):
            objective_words(wrong)


def test_what_search_is_given_is_what_fit_is_given():
    found = fit_arguments(([1], [2], 32), {"epochs": 5, "validation_split": 0.2, "verbose": 0})
    assert (found.x, found.y, found.batch_size, found.epochs) == ([1], [2], 32, 5)
    made = kinds.Hyperband(build, "val_loss", max_epochs=9)
    assert made.fit_arguments([1], [2], epochs=50, validation_split=0.2).epochs == 50


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, UsageError, "there are no validation rows"),
        ({"validation_split": 1.2}, UsageError, "validation_split is 1.2"),
        ({"validation_split": 0.2, "epochs": 0}, UsageError, "epochs is 0"),
        ({"validation_split": 0.2, "initial_epoch": 3}, UsageError, "initial_epoch is not supp"),
        ({"validation_split": 0.2, "epoch": 3}, TypeError, "'epoch', which is no argument"),
        ({"x": [2], "validation_split": 0.2}, TypeError, "'x' twice"),
        ({"validation_split": 0.2, "verbose": 3}, UsageError, "verbose is 3"),
        ({"validation_split": 0.2, "callbacks": 3}, UsageError, "callbacks must be a list"),
    ],
)
def test_a_call_of_search_that_cannot_be_honoured_is_refused(given, error, said):
    with pytest.raises(error, match=said):
        fit_arguments(([1], [2]), given)


def test_the_names_come_in_on_first_use_and_importing_starts_nothing():
    program = (
        "import sys, sweep\n"
        "assert 'numpy' not in sys.modules and 'keras_tuner' not in sys.modules\n"
        "tuner = sweep.RandomSearch(lambda hp: None, 'val_loss')\n"
        "assert isinstance(tuner, sweep.Tuner)\n"
        "assert 'tensorflow' not in sys.modules and 'keras_tuner' not in sys.modules\n"
        "assert {'Hyperband', 'Objective', '__version__'} <= set(dir(sweep))\n"
        "assert not hasattr(sweep, 'Hyperbond')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_names_of_keras_tuner_are_its_own(keras):
    import keras_tuner

    for name in ("HyperModel", "HyperParameters", "Objective"):
        assert getattr(sweep, name) is getattr(keras_tuner, name)


def test_modules_of_keras_tuner_can_be_imported_by_name(keras):
    from sweep.engine.base_tuner import BaseTuner
    from sweep.engine.hyperparameters import HyperParameters

    from sweep.applications import HyperResNet
    from sweep.errors import FailedTrialError
    from sweep.oracles import HyperbandOracle
    from sweep.tuners import RandomSearch, Tuner

    assert (BaseTuner, HyperParameters) == (Tuner, sweep.HyperParameters)
    assert RandomSearch is sweep.RandomSearch and HyperbandOracle is sweep.oracles.Hyperband
    assert issubclass(sweep.applications.HyperResNet, sweep.HyperModel) and HyperResNet
    assert issubclass(FailedTrialError, Exception)
    with pytest.raises(ImportError, match="models of scikit-learn are not searched here"):
        from sweep.tuners import SklearnTuner  # noqa: F401


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epochs": 5}, "epochs is called max_epochs here"),
        ({"validation_split": 0.3}, "validation_split is called validation here"),
        ({"validation": [0.2]}, r"validation is a list, expected .* or \(x, y\)"),
        ({"patience": "a"}, "patience is 'a', expected a whole number"),
    ],
)
def test_search_in_one_call_refuses_what_cannot_be(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        sweep.search(build, [[0.0]], [0.0], results=tmp_path, **given)
    assert not list(tmp_path.iterdir())
