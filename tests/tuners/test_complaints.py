"""What users of such searches complain of in public, and what does not happen here.

That callbacks which cannot be copied are refused is tested with searches, that models do not stay
in memory with memory, that a search that was cut ends in the same table with going on.
"""

from typing import Any

import pytest

import sweep
from sweep.errors import UsageError
from tests.tuners.scripts import X, Y, build

RAN: list[str] = []
STOP_AFTER: list[int] = []


def searched(folder: Any, kind: Any, **size: Any) -> Any:
    """A search of numbers, without a model."""

    class Box(kind):  # type: ignore[misc]
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            hp = trial.hyperparameters
            score = float(hp.Choice("a", [1, 2, 3]) + hp.Boolean("b"))
            if not self.is_dry:
                ended(self, trial.trial_id)
            return score

    tuner = Box(seed=1, directory=str(folder), project_name="box", **size)
    tuner.search(verbose=0)
    return tuner


def ended(tuner: Any, key: str) -> None:
    RAN.append(key)
    if len(RAN) in STOP_AFTER:
        tuner.folder.stop_request.touch()


@pytest.fixture(autouse=True)
def none_ran():
    RAN.clear()
    STOP_AFTER.clear()


def test_a_grid_goes_on_and_tries_nothing_twice(keras, tmp_path):
    STOP_AFTER.append(2)
    with pytest.raises(KeyboardInterrupt, match="run this again to go on"):
        searched(tmp_path, sweep.GridSearch)
    tuner = searched(tmp_path, sweep.GridSearch)
    assert list(tuner.oracle.trials) == RAN and len(RAN) == 6
    found = [tuple(one.hyperparameters.values.values()) for one in tuner.oracle.trials.values()]
    assert found == [(a, b) for a in (1, 2, 3) for b in (False, True)]


def test_numbers_of_trials_go_on_where_they_were(keras, tmp_path):
    searched(tmp_path, sweep.RandomSearch, max_trials=2)
    tuner = searched(tmp_path, sweep.RandomSearch, max_trials=4)
    assert RAN == list(tuner.oracle.trials) == ["0", "1", "2", "3"]


def test_other_arguments_of_a_search_in_ones_own_way_are_refused(keras, tmp_path):
    searched(tmp_path, sweep.RandomSearch, max_trials=3)
    with pytest.raises(UsageError, match="max_trials was 3, and is 2: fewer"):
        searched(tmp_path, sweep.RandomSearch, max_trials=2)
    objective = sweep.Objective("score", "max")
    with pytest.raises(UsageError, match="another objective"):
        searched(tmp_path, sweep.RandomSearch, objective=objective, max_trials=3)


def test_more_iterations_of_hyperband_extend_it(keras, tmp_path):
    def hyperband(iterations: int) -> Any:
        tuner = sweep.Hyperband(
            build, "val_loss", max_epochs=2, factor=2, hyperband_iterations=iterations, seed=1,
            directory=str(tmp_path),
        )  # fmt: skip
        tuner.search(X, Y, validation_split=0.25, verbose=0)
        return {key: one.score for key, one in tuner.oracle.trials.items()}

    once = hyperband(1)
    twice = hyperband(2)
    assert len(twice) == 2 * len(once) and {key: twice[key] for key in once} == once


def test_a_best_model_and_one_trained_again_differ_and_it_is_said(keras, tmp_path, capsys):
    tuner = sweep.RandomSearch(build, "val_loss", max_trials=1, seed=1, directory=str(tmp_path))
    tuner.search(X, Y, epochs=1, validation_split=0.25)
    assert "by how much other seeds differ: sweep confirm" in capsys.readouterr().out
