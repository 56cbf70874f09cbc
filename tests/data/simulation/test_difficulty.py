"""The built-in events ask of a network what HIGGS asks of it: capacity overfits, masses help."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from search_spaces import capacity
from sweep.data.columns import LOW_LEVEL_FEATURES
from sweep.data.split import load_split
from sweep.training.fused.trainer import FusedTrainer
from tests.support.fused import MemoryJournal, assignment, train_all

ROWS, EPOCHS = 3000, 15
"""Of a quarter of the default rows: the fewer there are, the sooner a network overfits."""


def test_a_large_network_overfits_within_a_few_epochs_and_a_tiny_one_does_not():
    split, journal = load_split("builtin", train_rows=ROWS), MemoryJournal()
    work = [
        assignment(number, EPOCHS, **capacity.BASELINES[name])
        for number, name in enumerate(("Tiny", "Large"))
    ]
    train_all(FusedTrainer(capacity.build, split, 500, None), work, journal)
    tiny, large = (
        np.array([record.val_score - record.train_score for record in journal.records[number]])
        for number in (0, 1)
    )
    assert np.abs(tiny[-5:]).max() < 0.015
    assert large[-5:].mean() > 0.03
    assert large[-5:].mean() > large[:5].mean() + 0.03
    best = [np.argmin([record.val_score for record in journal.records[n]]) + 1 for n in (0, 1)]
    assert best[0] > EPOCHS - 3  # still falling
    assert best[1] < EPOCHS


def test_the_masses_help():
    split = load_split("builtin")
    train, validation = split.train, split.validation

    def auc(columns):
        trees = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        trees.fit(train.x[:, columns], train.y)
        scores = trees.predict_proba(validation.x[:, columns])[:, 1]
        return roc_auc_score(validation.y, scores)

    low = slice(0, len(LOW_LEVEL_FEATURES))
    assert auc(slice(None)) > auc(low) + 0.05
