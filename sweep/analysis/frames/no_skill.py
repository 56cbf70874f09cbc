"""What a score is worth that knows nothing of the features: the level that trials are judged by.

Of the BCE of data in HIGGS format it follows from the shares of the classes, which are stored with
the sweep's data (`class_balance` of its split record). Of any other score it is stored there itself
(`no_skill`), or follows from the rows of each class (`class_rows`), or is that of the reference
model of this name. A sweep of an older version stored
neither: there both classes are taken to be equally frequent, ln 2. Where nothing says it (a metric
of the user's own, which no reference has), the level is unknown: the scores of the first epochs
stand for it as a size, and nothing is called worse than guessing.

The level also says what is large: charts and tolerances are relative to it (`NoSkill.scale`), so
that they fit a squared error of 1e-6 as one of 10,000. Of a BCE they are in nats, whatever the
level is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.data.split_record import ClassBalance, ClassCounts, ClassRows, SplitRecord
from sweep.metrics import NO_SKILL, NO_SKILL_NAME, no_skill_logit
from sweep.store import Reference, SweepRow
from sweep.tasks.losses import LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import Scoring

_LEAST_CLASSES = 2
_HALF = 0.5
"""1 − AUC of any model that does not look at the row."""


@dataclass(frozen=True)
class NoSkill:
    """The score of a model that gives every row the same: of a BCE, the classes' shares."""

    train: float = NO_SKILL
    """On the training rows: the level of training curves."""
    validation: float = NO_SKILL
    """On the validation rows: the level of scores."""
    scale: float = 1.0
    """What counts as much, in the score's unit, as a nat does of a BCE."""
    is_known: bool = True
    """If not, the levels are a size to draw by, and no level."""
    label: str = f"{NO_SKILL_NAME}: {NO_SKILL:.3f}"

    @property
    def name(self) -> str:
        """What its line is called in charts: "no skill: 0.691"."""
        return self.label

    @property
    def floor(self) -> float:
        """The training rows' level if it is known, else NaN: above it, a fit is none."""
        return self.train if self.is_known else math.nan


def no_skill(
    sweep: SweepRow, references: Sequence[Reference] = (), epochs: pd.DataFrame | None = None
) -> NoSkill:
    """Return the levels of a sweep's rows, as the module says.

    `epochs` are its records: what their first epochs scored stands for a level that is unknown.
    """
    stored = {one.name: one for one in references}.get(NO_SKILL_NAME)
    levels = _levels(sweep.scoring, sweep.data, stored)
    is_known = levels is not None
    train, validation = levels if levels is not None else (_first_scores(epochs),) * 2
    scale = 1.0
    if not sweep.scoring.is_binary_crossentropy:
        scale = _size(sweep.scoring, validation, stored) / NO_SKILL
    shown = ScoreWords(sweep.scoring, sweep.task, scale * NO_SKILL)
    label = f"{NO_SKILL_NAME}: {shown.mark(validation)}"
    return NoSkill(train, validation, scale, is_known, label)


def _levels(
    scoring: Scoring, data: SplitRecord, stored: Reference | None
) -> tuple[float, float] | None:
    """Return the no-skill levels of the training and the validation rows; None if unknown."""
    balance, rows = data.class_balance, data.class_rows
    has_shares = balance is not None and _rows(balance.train) and _rows(balance.validation)
    if scoring.is_binary_crossentropy and balance is not None and has_shares:
        return levels_of_shares(balance)
    if data.no_skill is not None:
        return data.no_skill.train, data.no_skill.validation
    if rows is not None and any(rows.train) and any(rows.validation):
        found = _of_classes(scoring, rows)
        if found is not None:  # the reference's own, to its last digit, where it is stored
            return found[0], found[1] if stored is None else stored.val_score
    if scoring.objective is ObjectiveName.AUC:
        return _HALF, _HALF
    if stored is not None and scoring.objective is not ObjectiveName.METRIC:
        return stored.val_score, stored.val_score
    return (NO_SKILL, NO_SKILL) if scoring.is_binary_crossentropy else None


def _of_classes(scoring: Scoring, rows: ClassRows) -> tuple[float, float] | None:
    """Return the level of always giving the classes' shares, or the commonest class.

    Of an average precision: ranking all alike, so that it is the share of class 1.

    Of k classes, each has the share (n + 1/2) / (N + k/2) of the N training rows.
    """
    counts = [np.array(part, dtype=float) for part in (rows.train, rows.validation)]
    shares = [part / part.sum() for part in counts]
    if scoring.objective is ObjectiveName.ACCURACY:
        commonest = int(counts[0].argmax())
        return float(1 - shares[0][commonest]), float(1 - shares[1][commonest])
    if scoring.objective is ObjectiveName.AVERAGE_PRECISION and len(counts[0]) == _LEAST_CLASSES:
        return float(1 - shares[0][1]), float(1 - shares[1][1])
    is_loss = scoring.objective is ObjectiveName.LOSS
    if not is_loss or not scoring.loss.is_of_classes or len(counts[0]) < _LEAST_CLASSES:
        return None
    given = np.log((counts[0] + 0.5) / (counts[0].sum() + len(counts[0]) / 2))
    return float(-shares[0] @ given), float(-shares[1] @ given)


def levels_of_shares(balance: ClassBalance) -> tuple[float, float]:
    """Return the BCE of giving every row the training rows' share of class 1, on both parts."""
    logit = no_skill_logit(balance.train.signal, _rows(balance.train))
    return _bce(logit, balance.train), _bce(logit, balance.validation)


def _first_scores(epochs: pd.DataFrame | None) -> float:
    """The median of what trials scored after one epoch; 1 without any."""
    if epochs is None or epochs.empty:
        return 1.0
    scores = epochs.loc[epochs["epoch"] == 1, "val_score"].to_numpy(dtype=float)
    scores = scores[np.isfinite(scores)]
    return float(np.median(scores)) if len(scores) else 1.0


def _size(scoring: Scoring, level: float, stored: Reference | None) -> float:
    """How large scores are; above 0, also of a loss that may be 0 or less at its level."""
    size = abs(level)
    if scoring.loss.name in (LossName.POISSON, LossName.OWN) and stored is not None:
        size = max(size, float(stored.losses.std()))
    return size if math.isfinite(size) and size > 0 else 1.0


def _bce(logit: float, counts: ClassCounts) -> float:
    """max(z, 0) − z·q + log(1 + exp(−|z|)), as `example_losses` has it for each row.

    With p = (n₁ + 1/2) / (n + 1), of the n training rows those of class 1, and q the share of
    class 1 in a part: −q ln p − (1 − q) ln(1 − p), as the reference model of that name has.
    """
    share = counts.signal / _rows(counts)
    return max(logit, 0.0) - logit * share + math.log1p(math.exp(-abs(logit)))


def _rows(counts: ClassCounts) -> int:
    return counts.signal + counts.background
