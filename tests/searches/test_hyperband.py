"""Hyperband through the oracle: sizes worked by hand, guards, restarts, and the plan's truth."""

import json
import random
from collections import Counter
from dataclasses import replace
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
    from sweep.searches.hyperband import HyperbandSearch

    space = options.pop("space", None) or wide_space(kt)
    return HyperbandSearch(space, max_epochs, factor, options.pop("iterations", 1), seed, **options)


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
    from sweep.searches.plan import rehearse

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
    from sweep.searches.plan import rehearse

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


def stock_rungs(kt: Any, max_epochs: int, factor: int, seed: int, score: Any) -> Any:
    """What Keras Tuner's own oracle runs: configuration and epochs of every trial, as a multiset.

    Asked until it is idle, then all that it proposed are told: its promotions are right only so.
    """
    from keras_tuner.engine.trial import TrialStatus

    from sweep.seeds import derive

    oracle = kt.oracles.HyperbandOracle(
        kt.Objective("loss", "min"), max_epochs, factor, 1, derive(seed, "oracle"), wide_space(kt)
    )
    oracle.verbose = 0
    oracle.save = oracle._save_trial = lambda *_: None
    found: Counter[Any] = Counter()
    while True:
        wave = []
        while (trial := oracle.create_trial(f"{len(wave)}")).status == TrialStatus.RUNNING:
            wave.append(trial)
        if not wave:
            return found
        for trial in wave:
            values = trial.hyperparameters.values
            found[values["width"], values["l2"], values["tuner/epochs"]] += 1
            oracle.update_trial(trial.trial_id, {"loss": score(values["l2"])})
            trial.status = TrialStatus.COMPLETED
            oracle.end_trial(trial)


@given(max_epochs=st.integers(1, 40), factor=st.integers(2, 4), salt=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_trials_and_promotions_are_those_of_keras_tuners_oracle(kt, max_epochs, factor, salt):
    def score(l2: float) -> float:  # with ties
        return random.Random(f"{l2}{salt}").randrange(10)

    search = new_search(kt, max_epochs, factor, seed=salt)
    waves = run(search, lambda p: score(p.hyperparameters["l2"]))
    ours = Counter(
        (p.hyperparameters["width"], p.hyperparameters["l2"], p.last_epoch)
        for wave in waves
        for p in wave
    )
    assert ours == stock_rungs(kt, max_epochs, factor, salt, score)


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


def test_an_added_iteration_gives_what_two_from_the_start_give(kt):
    straight = run(new_search(kt, 9, iterations=2), by_l2)
    waves = run(new_search(kt, 9), by_l2)
    more = new_search(kt, 9, stages=stages((9, 6)))
    more.restore(
        {"brackets_drawn": 3}, [(proposal, by_l2(proposal)) for w in waves for proposal in w]
    )
    waves += run(more, by_l2)
    assert by_rung(waves) == by_rung(straight)


def test_a_larger_max_epochs_takes_the_best_of_each_bracket_further(kt):
    """9 → 30 epochs, by hand: the brackets end with 1, 2 and 3 trials; a third, rounded up."""
    waves = run(new_search(kt, 9), by_l2)
    more = new_search(kt, 30, stages=stages((9, 3), (30, 1)))
    more.restore(
        {"brackets_drawn": 3}, [(proposal, by_l2(proposal)) for w in waves for proposal in w]
    )
    added = run(more, by_l2)
    continued = [p for wave in added for p in wave if p.iteration == 0]
    assert [(p.bracket, p.rung, p.first_epoch, p.last_epoch) for p in continued] == [
        (2, 3, 9, 27), (1, 2, 9, 27), (0, 1, 9, 27), (2, 4, 27, 30), (1, 3, 27, 30), (0, 2, 27, 30)
    ]  # fmt: skip
    for p in continued:
        reached = [q for w in waves for q in w if q.bracket == p.bracket and q.last_epoch == 9]
        assert p.root_id == min(reached, key=by_l2).root_id
    new = Counter((p.bracket, p.rung, p.last_epoch) for w in added for p in w if p.iteration == 1)
    assert new == {(3, 0, 2): 34, (3, 1, 4): 12, (3, 2, 10): 4, (3, 3, 30): 2}
    before = {p.hyperparameters["l2"] for wave in waves for p in wave}
    assert before.isdisjoint(p.hyperparameters["l2"] for w in added for p in w if p.iteration == 1)


def test_a_search_of_the_first_version_goes_on_from_its_oracles_state(kt):
    straight = run(new_search(kt), by_l2)
    again = new_search(kt)
    old = [(replace(p, oracle_id=f"{i:04d}", root_id=f"{i:04d}"), by_l2(p))
           for i, p in enumerate(straight[0])]  # fmt: skip
    again.restore({"brackets": [], "seed": 1, "tried_so_far": []}, old)
    assert by_rung(run(again, by_l2)) == by_rung(straight[1:])


def stages(*pairs: tuple[int, int]) -> Any:
    from sweep.settings import Stage

    return tuple(Stage(*pair) for pair in pairs)


def by_rung(waves: list[list[Proposal]]) -> Any:
    return Counter(
        (p.iteration, p.bracket, p.rung, p.last_epoch, p.hyperparameters["l2"])
        for wave in waves
        for p in wave
    )


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
