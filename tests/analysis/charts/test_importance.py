"""Shuffling all columns at once gives scikit-learn's permutation importances."""

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.tree import DecisionTreeRegressor

from sweep.analysis.charts.importance import shuffled_scores


def test_the_importances_are_scikit_learns_to_the_last_bit():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)), rng.normal(size=60)
    tree = DecisionTreeRegressor(random_state=0, min_samples_leaf=2).fit(X, y + X[:, 0])
    expected = permutation_importance(tree, X, y, n_repeats=10, random_state=0).importances
    assert np.array_equal(tree.score(X, y) - shuffled_scores(tree.predict, X, y), expected)
