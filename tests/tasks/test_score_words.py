"""How scores are shown: one table of what every kind of score is called, and of its digits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import words
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.score_words import BCE, ScoreWords
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind

PRICE = Task(TaskKind.AMOUNT, ("price",))
MSE = Scoring(Loss(LossName.SQUARED_ERROR))
RMSE = Scoring(Loss(LossName.SQUARED_ERROR), ObjectiveName.RMSE)
ACCURACY = Scoring(objective=ObjectiveName.ACCURACY)
F1 = Scoring(objective=ObjectiveName.METRIC, metric="f1", is_higher_better=True)
CASES = [
    (BCE, 0.5432, 0.0153, "val BCE", "nats", "0.543 ± 0.015", "lower"),
    (ScoreWords(MSE, PRICE, 5_000), 2_912.3, 54.2, "val MSE", "price²", "2,912 ± 54", "lower"),
    (ScoreWords(MSE, PRICE, 8e4), 12_345.0, 540.0, "val MSE", "price²", "12,340 ± 540", "lower"),
    (ScoreWords(MSE, PRICE, 5e-6), 3e-6, 2e-7, "val MSE", "price²", "3.00e-6 ± 0.20e-6", "lower"),
    (ScoreWords(RMSE, PRICE, 70), 54.0, 0.51, "val RMSE", "price", "54.00 ± 0.51", "lower"),
    (ScoreWords(ACCURACY, size=0.4), 0.07, 0.011, "val accuracy", "", "0.930 ± 0.011", "higher"),
    (ScoreWords(F1, size=0.3), -0.81, 0.02, "val f1", "", "0.810 ± 0.020", "higher"),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "value", "error", "name", "unit", "text", "better"), CASES)
def test_each_kind_of_score_has_its_name_unit_and_digits(
    shown, value, error, name, unit, text, better
):
    assert (shown.val, shown.unit, shown.better) == (name, unit, better)
    assert shown.with_error(value, error, shown.decimals(error)) == text


def test_a_mean_squared_error_stands_beside_its_root():
    assert ScoreWords(MSE, PRICE).root(2_916.0) == "root 54"
    assert ScoreWords(RMSE, PRICE).root(54.0) == BCE.root(0.5) == ""


def test_what_is_turned_round_keeps_its_order_in_intervals_and_differences():
    shown = ScoreWords(ACCURACY)
    assert shown.interval(0.05, 0.09, 2) == "0.91 to 0.95"
    assert shown.difference(-0.02, 0.005) == "+0.0200 ± 0.0050"  # fewer errors, more accuracy
    assert shown.interval_of_difference(-0.03, -0.01, 0.005) == "0.0100 to 0.0300"
    assert BCE.difference(-0.017, 0.0051) == words.difference(-0.017, 0.0051)


@given(
    st.floats(-300, 300).map(lambda power: 10.0**power),
    st.floats(-6, 0).map(lambda power: 10.0**power),
)
def test_a_number_of_any_size_can_be_read_back_to_its_error(value, relative):
    shown, error = ScoreWords(MSE, PRICE, value), value * relative
    if not error > 1e-290:
        return
    text = shown.with_error(value, error, shown.decimals(error))
    number, _, spread = text.partition(" ± ")
    assert abs(float(number.replace(",", "")) - value) <= 0.11 * error
    assert float(spread.replace(",", "")) == pytest.approx(error, rel=0.06)
    assert (len(number) <= 18 and "e" not in number) or value < 1e-4 or value >= 1e7


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_is_shown_somehow(value):
    for shown, *_ in CASES:
        for text in (shown.score(value), shown.tick(value), shown.root(value), shown.mark(value)):
            assert text == text.strip()
    assert math.isfinite(value) or BCE.score(value) == words.MISSING
