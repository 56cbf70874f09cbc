"""What a score is worth that knows nothing of the features: the level that trials are judged by.

It follows from the shares of the classes, which are stored with the sweep's data (`class_balance`
of its split record). A sweep of an older version stored none: there both classes are taken to be
equally frequent, ln 2.
"""

import math
from dataclasses import dataclass

from sweep.data.split_record import ClassBalance, ClassCounts
from sweep.metrics import NO_SKILL, NO_SKILL_NAME, no_skill_logit


@dataclass(frozen=True)
class NoSkill:
    """BCE in nats of always giving class 1 its share of the training rows."""

    train: float = NO_SKILL
    """On the training rows: the level of training curves."""
    validation: float = NO_SKILL
    """On the validation rows: the level of scores."""

    @property
    def name(self) -> str:
        """What its line is called in charts: "no skill: 0.691"."""
        return f"{NO_SKILL_NAME}: {self.validation:.3f}"


def no_skill(balance: ClassBalance | None) -> NoSkill:
    """Return the levels of these rows; a coin's, ln 2, if the shares are not known.

    With p = (n₁ + 1/2) / (n + 1), of the n training rows those of class 1, and q the share of
    class 1 in a part: −q ln p − (1 − q) ln(1 − p), as the reference model of that name has.
    """
    if balance is None or not _rows(balance.train) or not _rows(balance.validation):
        return NoSkill()
    logit = no_skill_logit(balance.train.signal, _rows(balance.train))
    return NoSkill(_bce(logit, balance.train), _bce(logit, balance.validation))


def _bce(logit: float, counts: ClassCounts) -> float:
    """max(z, 0) − z·q + log(1 + exp(−|z|)), as `example_losses` has it for each row."""
    share = counts.signal / _rows(counts)
    return max(logit, 0.0) - logit * share + math.log1p(math.exp(-abs(logit)))


def _rows(counts: ClassCounts) -> int:
    return counts.signal + counts.background
