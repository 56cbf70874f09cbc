"""Laws of discovering and drawing, over generated spaces."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.space.generated import Plain, Tree, active, build, names, trees
from tests.support.examples import examples

PATH = Path("generated.py")
N_DRAWN = 12


@pytest.fixture(autouse=True, scope="module")
def _keras(keras: Any) -> None:
    return


def explorer(tree: Tree) -> Any:
    from sweep.space.explore import Explorer

    return Explorer(PATH, lambda hp: build(tree, hp))


def drawn(tree: Tree, seed: int, size: int = N_DRAWN) -> list[dict[str, Any]]:
    """Configurations as a search draws them, whether the space is flat or not."""
    from sweep.searches.draw import ActiveSampler

    source = explorer(tree)
    sampler = ActiveSampler(lambda answer: source.follow(answer).values, seed)
    found: list[dict[str, Any]] = []
    while len(found) < size and (values := sampler.draw()) is not None:
        sampler.mark_as_tried(values)
        found.append(values)
    return found


slow = settings(
    max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@given(tree=trees())
@slow
def test_every_hyperparameter_that_some_build_asks_for_is_found(tree):
    from sweep.space.discover import discover

    found = discover(explorer(tree))
    assert {one.name for one in found.declarations} == names(tree)


@given(tree=trees())
@slow
def test_each_name_and_condition_stands_once(tree):
    from sweep.space.describe import definitions
    from sweep.space.discover import discover

    found = discover(explorer(tree))
    listed = [(one.name, one.asked_if) for one in definitions(found)]
    assert len(listed) == len(set(listed))
    assert None not in [condition for _, condition in listed]


@given(tree=trees())
@slow
def test_a_condition_holds_exactly_where_the_hyperparameter_is_asked_for(tree):
    from sweep.space.describe import conditions
    from sweep.space.discover import discover

    found = discover(explorer(tree))
    for trace in found.traces:
        for one in found.declarations:
            asked = any(ask.declaration == one for ask in trace.active.values())
            scopes = conditions(one, found.traces)
            assert scopes is not None
            assert asked == all(trace.values.get(s.parent) in s.values for s in scopes)


@given(tree=trees(), seed=st.integers(0, 1000))
@slow
def test_a_trial_has_a_value_exactly_for_what_is_active_and_in_its_range(tree, seed):
    for values in drawn(tree, seed):
        nodes = active(tree, values)
        assert list(values) == list(nodes)
        for name, node in nodes.items():
            if isinstance(node, Plain):
                assert node.holds(values[name])


@given(tree=trees(), seed=st.integers(0, 1000))
@slow
def test_no_two_trials_have_the_same_active_values(tree, seed):
    found = [sorted((name, repr(v)) for name, v in one.items()) for one in drawn(tree, seed, 40)]
    assert all(one != other for one, other in pairwise(sorted(found)))


@given(tree=trees(), seed=st.integers(0, 1000))
@slow
def test_the_stored_values_rebuild_the_same_model_here_and_under_stock_keras_tuner(tree, seed):
    import keras_tuner

    from sweep.space.asked import Asked

    for values in drawn(tree, seed):
        stored = json.loads(json.dumps(values))
        stock = keras_tuner.HyperParameters()
        stock.values = dict(stored)
        model = build(tree, Asked(stored))
        assert dict(model) == values
        assert build(tree, stock) == model
        assert stock.values == values


@given(tree=trees(depth=0), seed=st.integers(0, 1000))
@slow
def test_a_plain_space_is_drawn_as_keras_tuner_draws_it(tree, seed):
    import keras_tuner

    from sweep.searches.keras_tuner_oracle import KerasTunerOracle
    from sweep.space.discover import discover

    assert discover(explorer(tree)).is_flat
    space = keras_tuner.HyperParameters()
    build(tree, space)
    oracle = KerasTunerOracle(space, max_epochs=9, factor=3, seed=seed or 1)
    for values in drawn(tree, seed or 1):
        stock = oracle.draw()
        assert stock == values
        oracle.mark_as_tried(values)
