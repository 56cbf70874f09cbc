"""Objectives by rows: the mean is scikit-learn's measure, the error that of the bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from sweep.metrics import auc
from sweep.tasks.objectives import ALLOWED, ObjectiveName, row_values
from sweep.tasks.task import TaskKind

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=30, deadline=None)


def amounts(random: np.random.Generator, n: int, targets: int) -> tuple[np.ndarray, np.ndarray]:
    y = random.normal(size=(n, targets))
    z = y + random.standard_t(6, size=(n, targets)) * 0.7
    return (z[:, 0], y[:, 0]) if targets == 1 else (z, y)


def binary(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = (random.random(n) < 0.3).astype(np.float32)
    y[:2] = 0, 1
    return (random.normal(y * 1.2, 1) * 8).round() / 8, y  # some are equal


OF_AMOUNTS = {
    ObjectiveName.MAE: metrics.mean_absolute_error,
    ObjectiveName.MSE: metrics.mean_squared_error,
    ObjectiveName.RMSE: lambda y, z: np.sqrt(metrics.mean_squared_error(y, z)),
    ObjectiveName.R2: lambda y, z: 1 - metrics.r2_score(y, z, multioutput="variance_weighted"),
}


@pytest.mark.parametrize("objective", OF_AMOUNTS)
@few
@given(seed=seeds, n=st.integers(3, 60), targets=st.integers(1, 3))
def test_errors_of_amounts_have_scikit_learns_mean(objective, seed, n, targets):
    z, y = amounts(np.random.default_rng(seed), n, targets)
    values = row_values(objective, z, y)
    assert values.shape == (n,)
    assert values.mean() == pytest.approx(OF_AMOUNTS[objective](y, z), rel=1e-9)


@few
@given(seed=seeds, n=st.integers(4, 60))
def test_accuracy_and_auc_have_scikit_learns_mean(seed, n):
    random = np.random.default_rng(seed)
    z, y = binary(random, n)
    wrong = row_values(ObjectiveName.ACCURACY, z, y)
    assert wrong.mean() == pytest.approx(1 - metrics.accuracy_score(y, z > 0))
    ranked = row_values(ObjectiveName.AUC, z, y)
    assert ranked.mean() == pytest.approx(1 - metrics.roc_auc_score(y, z), abs=1e-12)
    assert ranked.mean() == pytest.approx(1 - auc(z, y), abs=1e-12)
    precise = row_values(ObjectiveName.AVERAGE_PRECISION, z, y)
    assert precise.mean() == pytest.approx(1 - metrics.average_precision_score(y, z), abs=1e-12)
    several = random.normal(size=(n, 4))
    classes = random.integers(0, 4, n).astype(np.float32)
    wrong = row_values(ObjectiveName.ACCURACY, several, classes)
    assert wrong.mean() == pytest.approx(1 - metrics.accuracy_score(classes, several.argmax(1)))


OF_TWO = (ObjectiveName.AUC, ObjectiveName.AVERAGE_PRECISION)
BOOTSTRAPPED = {
    ObjectiveName.AUC: lambda z, y: 1 - auc(z, y),
    ObjectiveName.AVERAGE_PRECISION: lambda z, y: 1 - metrics.average_precision_score(y, z),
    ObjectiveName.RMSE: lambda z, y: np.sqrt(((z - y) ** 2).mean()),
    ObjectiveName.R2: lambda z, y: ((z - y) ** 2).mean() / y.var(),
}


@pytest.mark.parametrize("objective", BOOTSTRAPPED)
def test_the_error_of_what_is_no_mean_is_that_of_the_bootstrap(objective):
    """Of one model, and of the difference of two on the same rows."""
    random = np.random.default_rng(5)
    n, measure = 500, BOOTSTRAPPED[objective]
    z, y = binary(random, n) if objective in OF_TWO else amounts(random, n, 1)
    other = z + random.normal(size=n) * 0.4
    one, two = (row_values(objective, outputs, y) for outputs in (z, other))
    drawn = [random.integers(0, n, n) for _ in range(600)]
    alone = np.std([measure(z[rows], y[rows]) for rows in drawn])
    apart = np.std([measure(other[r], y[r]) - measure(z[r], y[r]) for r in drawn])
    assert one.std(ddof=1) / np.sqrt(n) == pytest.approx(alone, rel=0.1)
    assert (two - one).std(ddof=1) / np.sqrt(n) == pytest.approx(apart, rel=0.1)


@pytest.mark.parametrize("objective", [ObjectiveName.RMSE, ObjectiveName.AUC, ObjectiveName.MAE])
def test_intervals_hold_the_truth_95_times_in_100(objective):
    random = np.random.default_rng(8)
    is_auc = objective is ObjectiveName.AUC

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        return binary(random, n) if is_auc else amounts(random, n, 1)

    truth, inside = row_values(objective, *drawn(400_000)).mean(), 0
    for _ in range(600):
        values = row_values(objective, *drawn(300))
        half = 1.96 * values.std(ddof=1) / np.sqrt(300)
        inside += abs(values.mean() - truth) < half
    assert 0.92 <= inside / 600 <= 0.975


def test_what_cannot_be_told_is_not_a_number():
    assert np.isnan(row_values(ObjectiveName.AUC, np.array([1.0, 2.0]), np.ones(2))).all()
    assert np.isnan(row_values(ObjectiveName.R2, np.array([1.0, 2.0]), np.ones(2))).all()
    assert (row_values(ObjectiveName.RMSE, np.ones(3), np.ones(3)) == 0).all()
    for objective in (ObjectiveName.LOSS, ObjectiveName.METRIC):
        with pytest.raises(ValueError, match="not a function of outputs"):
            row_values(objective, np.ones(2), np.ones(2))


def test_every_task_has_its_objectives():
    assert set(ALLOWED) == set(TaskKind)
    assert all(ObjectiveName.LOSS in names for names in ALLOWED.values())
