"""Sentences of the verdict against the numbers, over random sweeps."""

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
from tests.support.sweeps import rows_of_losses, store_sweep, trained

S = Sentence
ROWS = 60
NAMES = count()
NEVER_TOGETHER = (
    {S.NOT_WORTH, S.UNFINISHED},
    {S.WORTH, S.NOT_WORTH},
    {S.NONE_TIED, S.SOME_TIED},
    {S.NONE_SIMPLER, S.SIMPLEST},
    {S.NOT_ENOUGH, S.CAPACITY},
    {S.NOT_ENOUGH, S.KINDS},
    {S.CAPACITY, S.CAPACITY_IN_PARTS},
    {S.CAPACITY_UNDECIDED, S.KINDS_UNDECIDED},  # then there is not enough evidence
    {S.OVERFIT, S.NOT_OVERFIT},
    {S.OVERFIT, S.OVERFIT_UNKNOWN},
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


def drawn_sweep(root, drawn, references, state, has_losses):
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
    with store_sweep(root / f"{next(NAMES)}.db", trials, state=state) as store:
        found = [
            Reference(f"model {n}", score, 0.01, rows_of_losses(score, rows=ROWS)[0], 1.0)
            for n, score in enumerate(references)
        ]
        store.set_references(found)
        return load(store)


@given(
    st.lists(one_trial, min_size=1, max_size=9),
    st.lists(st.sampled_from([0.3, 0.5, 0.65]), max_size=2),
    st.sampled_from(["finished", "interrupted"]),
    st.booleans(),
)
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_sentence_is_true_and_no_two_contradict(tmp_path, drawn, references, state, losses):
    frames = drawn_sweep(tmp_path, drawn, references, state, losses)
    found = verdict(frames)
    sentences, text = said(found), " ".join(line for _, line in lines(found))
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
    assert "best with 10–100, 1k–10k parameters; worse: 100–1k" in text
