"""The level of guessing: the reference model's own, and what is judged by it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.analysis.answers.one_trial import details, reason
from sweep.analysis.frames.load import load
from sweep.analysis.frames.no_skill import NoSkill, levels_of_shares, no_skill
from sweep.data.split import Rows, Split
from sweep.data.split_record import ClassBalance, ClassCounts, SplitRecord
from sweep.metrics import NO_SKILL_NAME
from sweep.references.models import reference_models
from tests.support.sweeps import DATA, Trained, record, store_sweep, sweep_row, trained

RARE = {
    "class_balance": {
        "train": {"signal": 200, "background": 9_800},
        "validation": {"signal": 20, "background": 980},
    }
}


def labels(n_signal: int, n_background: int) -> Rows:
    y = np.r_[np.ones(n_signal), np.zeros(n_background)].astype("f4")
    return Rows(np.zeros((len(y), 28), "f4"), y)


@settings(deadline=None, max_examples=50)
@given(*[st.integers(0, 9)] * 2, *[st.integers(1, 300)] * 2)
def test_it_is_what_the_reference_model_without_skill_has(n_one, n_zero, v_one, v_zero):
    if n_one + n_zero == 0:
        return
    split = Split(labels(n_one, n_zero), labels(v_one, v_zero), "", SplitRecord())
    (found,) = (one for one in reference_models(split, 0) if one.name == NO_SKILL_NAME)
    balance = ClassBalance(ClassCounts(n_one, n_zero), ClassCounts(v_one, v_zero))
    assert levels_of_shares(balance)[1] == pytest.approx(found.val_score, abs=1e-6)


def test_it_is_ln_2_where_no_shares_are_stored(tmp_path):
    assert no_skill(sweep_row()) == NoSkill(math.log(2), math.log(2))
    assert load(store_sweep(tmp_path / "s.db", [trained(0.6)])).no_skill == NoSkill()


def test_of_a_rare_class_a_trial_far_below_ln_2_has_diverged(tmp_path):
    """A fiftieth of the rows: guessing has 0.098, so 0.3 is worse than guessing."""
    bad = Trained([record(1, 0.29, 0.09), record(2, 0.3, 0.3)], last_epoch=2)
    good, data = trained(0.09, train_score=0.08), {**DATA, **RARE}
    store = store_sweep(tmp_path / "s.db", [bad, good], data=data)
    frames = load(store)
    assert frames.no_skill.validation == pytest.approx(0.09804, abs=1e-4)
    assert dict(zip(frames.trials["trial"], frames.trials["class"], strict=True))[0] == "diverged"
    assert "above 0.0980 (guessing)" in str(reason(details(store, frames, 0)))
    before = load(store_sweep(tmp_path / "old.db", [bad]))
    assert before.trials["class"].tolist() == [None], "below ln 2 it had not"
