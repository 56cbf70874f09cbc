"""Hyperband through the oracle: sizes worked by hand, guards, restarts, and the plan's truth."""

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.records import Proposal


@pytest.fixture(scope="module")
def kt(keras: Any) -> Any:
    import keras_tuner

    return keras_tuner


def wide_space(kt: Any) -> Any:
    hp = kt.HyperParameters()
    hp.Int("width", 8, 512, sampling="log")
    hp.Float("l2", 1e-6, 1e-2, sampling="log")
    return hp


def new_search(
    kt: Any, max_epochs: int = 27, factor: int = 3, seed: int = 0, **options: Any
) -> Any:
    from sweep.search.hyperband import Search

    space = options.pop("space", None) or wide_space(kt)
    return Search(space, max_epochs, factor, options.pop("iterations", 1), seed)


def run(search: Any, score: Any, order: Any = None) -> list[list[Proposal]]:
    """All waves of a search whose assignments get `score(proposal)`, told in wave order."""
    waves = []
    while wave := search.ask():
        for proposal in order(wave) if order else wave:
            search.tell(proposal.oracle_id, score(proposal))
        waves.append(wave)
    return waves


def by_l2(proposal: Proposal) -> float:
    return float(proposal.hyperparameters["l2"])


@pytest.mark.parametrize(
    ("max_epochs", "factor", "ladders"),
    [
        (
            81,
            3,
            [
                [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
                [(34, 3), (12, 9), (4, 27), (2, 81)],
                [(15, 9), (5, 27), (2, 81)],
                [(8, 27), (3, 81)],
                [(5, 81)],
            ],
        ),
        (9, 3, [[(9, 1), (3, 3), (1, 9)], [(5, 3), (2, 9)], [(3, 9)]]),
        (4, 2, [[(4, 1), (2, 2), (1, 4)], [(3, 2), (2, 4)], [(3, 4)]]),
        (1, 3, [[(1, 1)]]),
    ],
)
def test_rungs_are_those_worked_by_hand(kt, max_epochs, factor, ladders):
    from sweep.search.plan import rehearse

    rungs = rehearse(lambda: new_search(kt, max_epochs, factor)).rungs
    found: dict[int, list[tuple[int, int]]] = {}
    for rung in rungs:
        found.setdefault(rung.bracket, []).append((rung.trials, rung.last_epoch))
    assert list(found.values()) == ladders


@given(
    max_epochs=st.integers(1, 120),
    factor=st.integers(2, 5),
    iterations=st.integers(1, 2),
    luck=st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_the_plan_is_what_then_runs(kt, max_epochs, factor, iterations, luck):
    """Whatever the scores, failures included, and in whatever order a wave is told."""
    from sweep.search.plan import rehearse

    def make() -> Any:
        return new_search(kt, max_epochs, factor, iterations=iterations)

    plan = rehearse(make)
    waves = run(make(), lambda _: luck.choice([luck.random(), luck.random(), float("nan")]))
    real = Counter(
        (p.iteration, p.bracket, p.rung, p.first_epoch, p.last_epoch) for w in waves for p in w
    )
    planned = Counter(
        {
            (r.iteration, r.bracket, r.rung, r.first_epoch, r.last_epoch): r.trials
            for r in plan.rungs
        }
    )
    assert [r.hyperparameters for r in plan.roots] == [
        p.hyperparameters for w in waves for p in w if p.oracle_id == p.root_id
    ]
    assert not real - planned, "nothing runs that was not planned"
    short = planned - real
    assert all(key[2] > 0 for key in short), "only promotions of failed trials are left out"


def test_the_best_are_promoted_and_continue_where_they_stopped(kt):
    waves = run(new_search(kt), by_l2)
    proposals = {p.oracle_id: p for wave in waves for p in wave}
    for bracket in range(4):
        own = [p for p in proposals.values() if p.bracket == bracket]
        for rung in range(1, bracket + 1):
            below = sorted((p for p in own if p.rung == rung - 1), key=by_l2)
            here = [p for p in own if p.rung == rung]
            best = [p.root_id for p in below[: len(here)]]
            assert sorted(p.root_id for p in here) == sorted(best)
            assert {p.first_epoch for p in here} == {p.last_epoch for p in below}
            for p in here:
                assert p.hyperparameters == proposals[p.root_id].hyperparameters


def test_what_is_promoted_does_not_depend_on_the_order_of_telling(kt):
    shuffle = random.Random(1)
    straight = run(new_search(kt), by_l2)
    shuffled = run(new_search(kt), by_l2, order=lambda w: shuffle.sample(w, len(w)))
    assert straight == shuffled


def test_failed_trials_leave_the_bracket_its_size_and_are_not_trained_again(kt):
    healthy = run(new_search(kt), by_l2)
    failing = {p.oracle_id for p in healthy[0][::2]}
    waves = run(new_search(kt), lambda p: float("inf") if p.oracle_id in failing else by_l2(p))
    assert [len(w) for w in waves] == [len(w) for w in healthy]
    promoted = {p.root_id for wave in waves[1:] for p in wave}
    assert promoted.isdisjoint(failing)


def test_a_trial_that_fails_in_a_later_rung_is_not_trained_again(kt):
    waves = run(new_search(kt), lambda p: float("inf") if p.rung == 1 else by_l2(p))
    assert max(p.rung for wave in waves for p in wave) == 1


def test_a_space_with_too_few_configurations_still_promotes(kt):
    space = kt.HyperParameters()
    space.Choice("width", [8, 16, 32, 64, 128])
    waves = run(new_search(kt, space=space), lambda p: float(p.hyperparameters["width"]))
    rungs = Counter((p.bracket, p.rung) for wave in waves for p in wave)
    assert rungs == {(3, 0): 5, (3, 1): 5, (3, 2): 3, (3, 3): 1}
    last = [p.hyperparameters["width"] for wave in waves for p in wave if p.last_epoch == 27]
    assert last == [8]
    assert len({p.root_id for wave in waves for p in wave}) == 5


@pytest.mark.parametrize("break_after", [0, 1, 2])
@pytest.mark.parametrize("small", [False, True])
def test_a_search_restored_between_waves_goes_on_alike(kt, break_after, small):
    space = None
    if small:
        space = kt.HyperParameters()
        space.Choice("l2", [0.1, 0.2, 0.3, 0.4, 0.5])
    straight = run(new_search(kt, space=space), by_l2)
    search = new_search(kt, space=space)
    told: list[tuple[Proposal, float | None]] = []
    for _ in range(break_after):
        wave = search.ask()
        for proposal in wave:
            search.tell(proposal.oracle_id, by_l2(proposal))
            told.append((proposal, by_l2(proposal)))
    wave = search.ask()
    state = json.loads(json.dumps(search.state()))
    again = new_search(kt, space=space)
    again.restore(state, [*told, *((proposal, None) for proposal in wave)])
    for proposal in wave:
        again.tell(proposal.oracle_id, by_l2(proposal))
    assert run(again, by_l2) == straight[break_after + 1 :]


def test_another_seed_gives_other_configurations_also_for_neighbours_and_zero(kt):
    drawn = [
        [p.hyperparameters["l2"] for p in new_search(kt, seed=seed).ask()] for seed in (0, 1, 2)
    ]
    again = [p.hyperparameters["l2"] for p in new_search(kt, seed=0).ask()]
    assert drawn[0] == again
    assert all(set(drawn[i]).isdisjoint(drawn[j]) for i in range(3) for j in range(3) if i != j)


def test_nothing_is_written_to_disk(kt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(new_search(kt, 9), by_l2)
    assert list(tmp_path.iterdir()) == []
