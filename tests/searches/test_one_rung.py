"""Random, grid and Bayesian search: none twice, all of a finite space, exact restarts."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import InvalidSpaceError
from sweep.records import Proposal
from tests.support import spaces


@pytest.fixture(autouse=True, scope="module")
def kt(keras: Any) -> Any:
    import keras_tuner

    return keras_tuner


def new(kind: str, build: Any, trials: int | None, seed: int = 1, **more: Any) -> Any:
    """A search in which nothing was asked yet."""
    from sweep.searches.bayesian import Bayesian
    from sweep.searches.grid import Grid
    from sweep.searches.one_rung import OneRung
    from sweep.searches.random_search import RandomDraws

    follow = spaces.follow(build)
    if kind == "grid":
        return OneRung(Grid(follow), trials, 5, seed)
    if kind == "random":
        return OneRung(RandomDraws(follow, seed), trials, 5, seed)
    seen = [one.hyperparameters for one in new("random", build, 30).ask()]
    declared = spaces.declarations(build, seen)
    proposer = Bayesian(follow, declared, seed, more.get("initial", 4), 1e-4, 2.6)
    return OneRung(proposer, trials, 5, seed)


def score(proposal: Proposal) -> float:
    """Best at 16 units and a high rate; one in eight fails."""
    values = proposal.hyperparameters
    if int(proposal.oracle_id) % 8 == 5:
        return float("nan")
    units, rate = float(values.get("units", 1)), float(values.get("rate", 0.05))
    return abs(units - 16) / 16 + abs(rate - 0.1)


def run(search: Any, luck: random.Random | None = None) -> list[list[Proposal]]:
    """All waves of a search, each told in order, or in any order by `luck`."""
    waves = []
    while wave := search.ask():
        for one in luck.sample(wave, len(wave)) if luck else wave:
            search.tell(one.oracle_id, score(one))
        waves.append(wave)
    return waves


def flat(waves: list[list[Proposal]]) -> list[Proposal]:
    return [one for wave in waves for one in wave]


def values(waves: list[list[Proposal]]) -> list[Any]:
    return [one.hyperparameters for one in flat(waves)]


KINDS = ("random", "bayesian", "grid")


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10**6), trials=st.integers(1, 20))
@settings(max_examples=8, deadline=None)
def test_configurations_are_active_in_range_and_none_is_there_twice(kind, seed, trials):
    from sweep.space.asked import Asked

    found = values(run(new(kind, spaces.mixed, trials, seed)))
    assert len(found) == trials
    assert len({repr(sorted(one.items())) for one in found}) == trials
    for one in found:
        hp = Asked(one, answer=lambda declaration: pytest.fail(f"{declaration.name} is missing"))
        spaces.mixed(hp)
        assert list(hp.active) == list(one), "nothing that is not asked for"
        assert all(ask.declaration.holds(ask.value) for ask in hp.asks)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_a_finite_space_is_tried_in_full_and_no_further(kind, seed):
    search = new(kind, spaces.conditional, 50, seed)
    found = values(run(search))
    assert sorted(map(repr, found)) == sorted(map(repr, spaces.every_conditional()))
    assert search.ask() == []


def test_a_grid_is_every_combination_the_last_hyperparameter_first():
    assert values(run(new("grid", spaces.conditional, None))) == spaces.every_conditional()


def test_a_grid_is_that_of_keras_tuner(kt, tmp_path):
    """The same combinations; in the same order but for ranges without a step, which it mixes."""

    def build(hp: Any) -> None:
        hp.Choice("width", [8, 4, 16], default=4)
        hp.Boolean("flag")
        hp.Float("step", 0.0, 0.4, step=0.2)
        hp.Float("rate", 1e-3, 1e-1, sampling="log")

    space = kt.HyperParameters()
    build(space)
    oracle = kt.oracles.GridSearchOracle(
        objective=kt.Objective("val_loss", "min"), hyperparameters=space
    )
    oracle._set_project_dir(str(tmp_path), "stock")
    stock: list[Any] = []
    while values_ := oracle.populate_space(str(len(stock)))["values"]:
        oracle.trials[str(len(stock))] = kt.engine.trial.Trial(
            _with(kt, space, values_), trial_id=str(len(stock)), status="COMPLETED"
        )
        oracle.start_order.append(str(len(stock)))
        oracle._populate_next.append(str(len(stock)))
        stock.append(values_)
    ours = values(run(new("grid", build, None)))
    assert len(ours) == 3 * 2 * 3 * 11, "the default of a range without a step, and ten samples"
    assert sorted(map(_rounded, ours)) == sorted(map(_rounded, stock))
    stepped = [{name: one[name] for name in ("width", "flag", "step")} for one in stock]
    assert [{name: one[name] for name in ("width", "flag", "step")} for one in ours] == stepped


def _with(kt: Any, space: Any, given_values: Any) -> Any:
    copy = space.copy()
    copy.values = dict(given_values)
    return copy


def _rounded(one: Any) -> str:
    return repr([(name, round(value, 12)) for name, value in sorted(one.items())])


def test_a_grid_that_has_no_end_is_refused_unless_it_is_told_how_many():
    def build(hp: Any) -> None:
        hp.Int("units", 1, 10**9)
        hp.Int("more", 1, 10**9)

    with pytest.raises(InvalidSpaceError, match="more than 10,000 configurations; give --trials"):
        new("grid", build, None).ask()
    found = values([new("grid", build, 3).ask()])
    assert found == [{"units": 1, "more": more} for more in (1, 2, 3)]


@pytest.mark.parametrize("kind", KINDS)
def test_proposals_are_the_same_whatever_ends_first(kind):
    straight = run(new(kind, spaces.mixed, 24))
    assert run(new(kind, spaces.mixed, 24), random.Random(3)) == straight
    sizes = [4, 8, 8, 4] if kind == "bayesian" else [24]
    assert [len(wave) for wave in straight] == sizes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", [1, 4, 9, 12])
def test_a_search_goes_on_from_where_it_was_kept(kind, stop):
    straight = flat(run(new(kind, spaces.mixed, 24)))
    search, told = new(kind, spaces.mixed, 24), 0
    while told < stop:
        for one in search.ask():
            told += 1
            if told <= stop:
                search.tell(one.oracle_id, score(one))
    asked = list(search._proposals)
    again = new(kind, spaces.mixed, 24)
    known = [(one, score(one) if n < stop else None) for n, one in enumerate(asked)]
    again.restore(search.state(), known)
    for one in asked[stop:]:
        again.tell(one.oracle_id, score(one))
    assert asked + flat(run(again)) == straight


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("begun", [2, 7, 12])
def test_more_trials_later_give_what_more_from_the_start_give(kind, begun):
    straight = flat(run(new(kind, spaces.mixed, 24)))
    short = flat(run(new(kind, spaces.mixed, begun)))
    longer = new(kind, spaces.mixed, 24)
    longer.restore({}, [(one, score(one)) for one in short])
    assert short + flat(run(longer)) == straight


def test_a_wave_is_over_when_all_of_it_is_told():
    search = new("bayesian", spaces.mixed, 24)
    for proposal in search.ask():
        assert not search.has_complete_rung
        assert search.ask() == []
        search.tell(proposal.oracle_id, score(proposal))
    assert search.has_complete_rung
    assert len(search.ask()) == 8 and not search.has_complete_rung


def test_a_bayesian_search_finds_what_a_random_one_does_not():
    def best(kind: str, seed: int) -> float:
        scores = [score(one) for one in flat(run(new(kind, spaces.mixed, 36, seed, initial=9)))]
        return min(one for one in scores if one == one)

    bayesian, chance = (sorted(best(kind, seed) for seed in range(5)) for kind in KINDS[1::-1])
    assert bayesian[2] < chance[2], "the median of five searches"


def test_if_all_fail_a_bayesian_search_goes_on_at_random():
    search, found = new("bayesian", spaces.mixed, 14), []
    while wave := search.ask():
        for one in wave:
            search.tell(one.oracle_id, float("inf"))
        found += wave
    assert len({repr(one.hyperparameters) for one in found}) == 14


def test_another_seed_draws_other_configurations():
    drawn = [values([new("random", spaces.mixed, 6, seed).ask()]) for seed in (0, 1, 0)]
    assert drawn[0] == drawn[2]
    assert not [one for one in drawn[0] if one in drawn[1]]
