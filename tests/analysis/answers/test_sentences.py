"""Sentences of the verdict against the numbers, over random sweeps."""

import re
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.analysis.answers.sentences import Sentence, said
from sweep.analysis.answers.verdict import LEAST_TRIALS, is_improving, verdict
from sweep.analysis.frames.load import load
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.report.verdict_words import lines
from sweep.records import OutcomeStatus
from sweep.store import Reference
from tests.support.examples import examples
from tests.support.sweeps import Trained, confirm, rows_of_losses, store_sweep, trained

S = Sentence
ROWS = 60
NAMES = count()
PHRASES = {
    S.NOT_ENOUGH: r"Not enough evidence: ",
    S.BEST: r"(Best|First in the search) is (trial \d+|Plain): val BCE",
    S.FIRST_IN_SEARCH: r"First in the search is ",
    S.LUCKIER: r" is lower, but about .* too good by the choice of its epoch\)",
    S.NONE_TIED: r"(no other trial of \d+ is|the other trial is not) tied with it",
    S.SOME_TIED: r"(trials? (is|are)|the other trial is) tied with it",
    S.SOME_CUT: r"others? (was|were) cut early",
    S.NONE_SIMPLER: r"none of these is simpler",
    S.SIMPLEST: r"the simplest within one standard error is",
    S.GIVEN_UP: r"\(gives up ",
    S.UNFINISHED: r"The sweep is not finished",
    S.CAPACITY: r"Capacity: best with (?!.*worse between)",
    S.CAPACITY_IN_PARTS: r"Capacity: best with [^.]*–",
    S.CAPACITY_UNDECIDED: r"Capacity is undecided",
    S.CAPACITY_UNKNOWN: r"Capacity is unknown",
    S.KINDS: r"Regularisation: best ",
    S.KINDS_UNDECIDED: r"Regularisation is undecided",
    S.OVERFIT: r"Seen in ",
    S.NOT_OVERFIT: r"Not seen in ",
    S.OVERFIT_UNKNOWN: r"Cannot be judged",
    S.TOO_JITTERY: r"could be lost in the jitter of the curve",
    S.WORTH: r"A network is worth it",
    S.NOT_WORTH: r"the best network found",
    S.WORTH_UNKNOWN: r"Not enough evidence that a network is worth it",
    S.STILL_IMPROVING: r"still improving at the last epoch",
    S.TUTORIAL: r"conclusions? checked",
    S.CHOICE_OF_EPOCH: r"Choice of the epoch: ",
    S.SELECTION_BIAS: r"Selection bias: ",
    S.CONFIRMED: r"repeated under other seeds, the first by its mean is ",
    S.BIAS_SURE: r"scores in the search were .* (better|worse) than the repeats",
    S.BIAS_UNSURE: r"no difference found between scores in the search and the repeats",
    S.BIAS_UNKNOWN: r"one trial does not tell whether scores in the search were too good",
    S.ROWS_LARGER: r"the rows are the larger error",
    S.SEEDS_LARGER: r"the seeds are the larger error",
    S.SEALED: r"The test rows are still sealed",
    S.OPENED: r"The test rows have been opened",
}
"""By what each sentence is known in the text."""
OF_CAPACITY = {S.CAPACITY, S.CAPACITY_IN_PARTS}
NEVER_TOGETHER = (
    {S.NOT_WORTH, S.UNFINISHED},
    {S.WORTH, S.NOT_WORTH},
    {S.NONE_TIED, S.SOME_TIED},
    {S.NONE_SIMPLER, S.SIMPLEST},
    {S.NOT_ENOUGH, S.CAPACITY},
    {S.NOT_ENOUGH, S.KINDS},
    {S.CAPACITY, S.CAPACITY_IN_PARTS},
    {S.CAPACITY_UNKNOWN, S.CAPACITY},
    {S.CAPACITY_UNKNOWN, S.CAPACITY_UNDECIDED},
    {S.CAPACITY_UNDECIDED, S.KINDS_UNDECIDED},  # then there is not enough evidence
    {S.OVERFIT, S.NOT_OVERFIT},
    {S.OVERFIT, S.OVERFIT_UNKNOWN},
    {S.BIAS_SURE, S.BIAS_UNSURE},
    {S.BIAS_SURE, S.BIAS_UNKNOWN},
    {S.BIAS_UNSURE, S.BIAS_UNKNOWN},
    {S.ROWS_LARGER, S.SEEDS_LARGER},
    {S.SEALED, S.OPENED},
    {S.NOT_WORTH, S.STILL_IMPROVING, S.NONE_TIED},  # the best alone is tied, and had arrived
)

one_trial = st.tuples(
    st.sampled_from([None, 90, 500, 5_000, 60_000]),  # parameters
    st.sampled_from([0.45, 0.5, 0.501, 0.6, 0.68]),  # score
    st.sampled_from([1, 3, 12]),  # epochs
    st.sampled_from(["falls", "flat", "rises"]),
    st.sampled_from([0.0, 0.01]),  # l2
    st.sampled_from(["stopped", "completed", "pending"]),
)


def curve(score: float, epochs: int, shape: str) -> list[float]:
    if shape == "flat" or epochs == 1:
        return [score] * epochs
    falling = list(np.linspace(score + 0.1, score, epochs))
    return falling if shape == "falls" else [score, *np.linspace(score, score + 0.1, epochs - 1)]


def folds_of(scores: list[float], luck: float) -> list[tuple[float, ...]]:
    """Scores by fold of each epoch, their mean the score's; at the best one some are luckier."""
    found = [(score,) * 10 for score in scores]
    best = int(np.argmin(scores))
    found[best] = (scores[best] - luck,) * 3 + (scores[best] + luck * 3 / 7,) * 7
    return found


def lucky(trial: Trained, luck: float) -> Trained:
    folds = folds_of([one.val_score for one in trial.records], luck)
    records = [replace(one, val_folds=row) for one, row in zip(trial.records, folds, strict=True)]
    return replace(trial, records=records)


def drawn_sweep(root, drawn, references, state, has_losses, repeats=(), luck=0.0, openings=0):
    losses = rows_of_losses(*(one[1] for one in drawn), rows=ROWS)
    trials = [
        trained(
            *curve(score, epochs, shape),
            params=params,
            hyperparameters={"width": 8, "l2": l2},
            last_epoch=12 if shape == "falls" else epochs,
            ended=None if ended == "pending" else OutcomeStatus(ended),
            losses=values if has_losses else None,
        )
        for (params, score, epochs, shape, l2, ended), values in zip(drawn, losses, strict=True)
    ]
    if has_losses:
        trials = [lucky(one, luck) for one in trials]
    with store_sweep(root / f"{next(NAMES)}.db", trials, state=state) as store:
        found = [
            Reference(f"model {n}", score, 0.01, rows_of_losses(score, rows=ROWS)[0], 1.0)
            for n, score in enumerate(references)
        ]
        store.set_references(found)
        if repeats and all(one[5] != "pending" for one in drawn):
            confirm(store, len(drawn) - 1, *repeats, rows=ROWS)
        for _ in range(openings):
            store.open_test(0, "best", 0.5, 10_000, "c0ffee")
        return load(store)


@given(
    st.lists(one_trial, min_size=1, max_size=9),
    st.lists(st.sampled_from([0.3, 0.5, 0.65]), max_size=2),
    st.sampled_from(["finished", "interrupted"]),
    st.booleans(),
    st.sampled_from([(), (0.5,), (0.45, 0.46), (0.69, 0.7, 0.71)]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([0, 0, 1]),
)
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_sentence_is_true_and_no_two_contradict(
    tmp_path, drawn, references, state, losses, repeats, luck, openings
):
    more = (repeats, luck, openings)
    frames = drawn_sweep(tmp_path, drawn, references, state, losses, *more)
    found = verdict(frames)
    sentences, text = said(found), " ".join(line for _, line in lines(found))
    assert set(PHRASES) == set(S)
    for sentence, phrase in PHRASES.items():
        if sentence not in OF_CAPACITY:
            assert (sentence in sentences) == bool(re.search(phrase, text)), (sentence, text)
    assert bool(OF_CAPACITY & sentences) == ("Capacity: best with" in text)
    assert_true_of(frames, found, sentences)
    for pair in NEVER_TOGETHER:
        assert not pair <= sentences, pair
    trials = frames.trials[is_scored(frames.trials)]
    if S.NOT_WORTH in sentences:
        best = trials.iloc[0]
        assert len(trials) >= LEAST_TRIALS and best["status"] in ("finished", "stopped")
        has_onset = bool(pd.notna(best["onset_epoch"]))
        assert has_onset or not is_improving(frames, int(best["trial"]))
        assert found.is_final
    assert (S.NOT_WORTH in sentences) == ("the best network found" in text)
    if S.NONE_TIED in sentences:
        assert int(trials["tied"].eq(True).sum()) == 1 and len(trials) > 1
    if S.NONE_SIMPLER in sentences:
        assert trials["simplest"].eq(True).any()
    if S.CAPACITY in sentences or S.CAPACITY_IN_PARTS in sentences:
        assert not set(found.capacity.best) & set(found.capacity.ruled_out)
    if "overfitting" in dict(lines(found)):
        kinds = sentences & {S.OVERFIT, S.NOT_OVERFIT, S.OVERFIT_UNKNOWN}
        assert len(kinds) == 1
        assert found.overfitting.seen + found.overfitting.too_jittery <= found.overfitting.judged


def assert_true_of(frames, found, sentences):
    """What stands in the tables when a sentence is said, and only then."""
    trials = frames.trials[is_scored(frames.trials)]
    by_number = trials.set_index("trial")
    tied = set(trials.loc[trials["tied"].eq(True), "trial"])
    if S.SOME_CUT in sentences:
        others = trials[~trials["trial"].isin(tied)]
        assert found.cut == int((~others["status"].isin(["finished", "stopped"])).sum()) > 0
    if S.STILL_IMPROVING in sentences:
        assert set(found.unended.trials) <= (tied or {found.best.trial})
        assert all(is_improving(frames, trial) for trial in found.unended.trials)
        assert found.unended.to_epoch > by_number.loc[[*found.unended.trials], "epochs"].max()
    if S.LUCKIER in sentences:
        assert found.lowest.val_score <= found.best.val_score
        assert found.lowest.expected_score >= found.best.expected_score
    if S.GIVEN_UP in sentences:
        assert found.simplest.params < found.best.params and found.given_up[0] >= 0
    if S.CHOICE_OF_EPOCH in sentences:
        expected = found.best.val_score + found.best.choice_of_epoch
        assert found.best.expected_score == pytest.approx(expected)
    if S.SELECTION_BIAS in sentences:
        assert found.optimism.bias >= 0 and found.trials > 1
    assert (S.CONFIRMED in sentences) == (not frames.confirmed.empty)
    if S.CONFIRMED in sentences:
        first = frames.confirmed.sort_values("val_score").iloc[0]
        assert (found.confirmation.trial, found.confirmation.seeds) == (
            first["trial"],
            first["seeds"],
        )
    if S.BIAS_SURE in sentences:
        assert abs(found.confirmation.bias) > 1.96 * found.confirmation.bias_se
    if {S.ROWS_LARGER, S.SEEDS_LARGER} & sentences:
        assert (S.SEEDS_LARGER in sentences) == (found.errors.seeds > found.errors.rows)
    assert (S.OPENED in sentences) == bool(len(trials) and len(frames.openings))


@pytest.mark.parametrize(
    ("shape", "state", "n", "expected"),
    [
        ("flat", "finished", 6, S.NOT_WORTH),
        ("falls", "finished", 6, S.WORTH_UNKNOWN),
        ("flat", "interrupted", 6, S.WORTH_UNKNOWN),
        ("flat", "finished", 4, S.WORTH_UNKNOWN),
    ],
)
def test_a_network_is_only_given_up_when_its_training_had_arrived(
    tmp_path, shape, state, n, expected
):
    drawn = [(500, 0.6, 12, shape, 0.0, "stopped")] * n
    found = verdict(drawn_sweep(tmp_path, drawn, [0.3], state, True))
    assert expected in said(found)
    assert found.worth is (False if expected is S.NOT_WORTH else None)


def test_a_worse_capacity_between_two_good_ones_is_not_called_good(tmp_path):
    drawn = [
        (size, score, 12, "flat", 0.0, "stopped")
        for size, score in ((90, 0.5), (95, 0.5), (500, 0.68), (600, 0.68), (5_000, 0.5))
    ]
    found = verdict(drawn_sweep(tmp_path, drawn, [], "finished", True))
    assert S.CAPACITY_IN_PARTS in said(found)
    text = " ".join(line for _, line in lines(found))
    assert "best with 10–100, 1k–10k parameters; worse: 100–1k (2 trials)" in text
