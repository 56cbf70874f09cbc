"""Settings at the door: what a search would ignore is refused by name."""

import pytest

from sweep.errors import InvalidSpaceError
from sweep.settings import Settings
from sweep.store.parsing import record


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search": "annealing"}, "--search is 'annealing', expected one of: hyperband, random"),
        ({"trials": 5}, "--trials is a setting of --search random or bayesian or grid"),
        ({"executions": 2}, "ignored with --search hyperband; leave it out"),
        ({"search": "random", "factor": 4}, "--factor is a setting of --search hyperband"),
        ({"search": "grid", "iterations": 2}, "--iterations is a setting of --search hyperband"),
        ({"search": "random", "initial_points": 3}, "--initial-points is a setting of --search b"),
        ({"search": "bayesian", "alpha": 0.0}, "--alpha must be above 0"),
        ({"search": "bayesian", "beta": float("inf")}, "--beta at least 0, and both finite"),
        ({"search": "random", "trials": 0}, "--trials is 0, expected at least 1"),
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(given, said):
    with pytest.raises(InvalidSpaceError, match=said.replace("(", r"\(")):
        Settings(**given)


def test_how_many_trials_a_search_has():
    assert Settings(search="random").n_trials == Settings(search="bayesian").n_trials == 10
    assert Settings(search="grid").n_trials is None
    assert Settings(search="grid", trials=7).n_trials == 7
    assert Settings(search="random", iterations=0).n_trials == 0, "the baselines alone"


def test_settings_of_an_older_sweep_are_those_of_hyperband():
    found = record(Settings, "settings", {"max_epochs": 27, "factor": 3, "seed": 4})
    assert found == Settings(max_epochs=27, seed=4) and found.has_rungs
    assert record(Settings, "settings", Settings(search="bayesian").to_json()).search == "bayesian"


def test_a_search_in_words():
    def words(found: int, **given: object) -> str:
        return Settings(**given).search_in_words(found)  # type: ignore[arg-type]

    assert words(5, search="random", trials=5) == "random, 5 configurations"
    assert words(12, search="grid", executions=3) == "grid, all 12 configurations, 3 runs of each"
    assert words(1, search="random", trials=5) == (
        "random, all 1 configuration, fewer than the 5 asked for"
    )
