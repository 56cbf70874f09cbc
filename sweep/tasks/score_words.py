"""How the scores of a sweep are shown to people: what they are called, their unit, their digits.

The one place that knows. A score is lower if it is better; what people know as higher if better
(accuracy, AUC, R², a metric to be maximised) is shown so: turned round here, at the last moment,
and never in a file for programs.
"""

import math
from dataclasses import dataclass

from sweep import words
from sweep.tasks.losses import Array, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

_NATS = "nats"
_SQUARED = (LossName.SQUARED_ERROR, ObjectiveName.MSE)
_TARGETS = (LossName.ABSOLUTE_ERROR, ObjectiveName.MAE, ObjectiveName.RMSE)
_TICK_DIGITS = 4


@dataclass(frozen=True)
class ScoreWords:
    """A sweep's scores in words. The default is HIGGS': BCE in nats."""

    scoring: Scoring = BINARY_CROSSENTROPY
    task: Task = HIGGS_TASK
    size: float | None = None
    """The score of a model without skill, which says how many digits are readable; None if it is
    not known: then each number says it for itself."""

    @property
    def is_turned(self) -> bool:
        """Whether what is shown is higher if it is better."""
        return bool(self.scoring.measure.complement) or self._is_negated

    @property
    def _is_negated(self) -> bool:
        return self.scoring.objective is ObjectiveName.METRIC and self.scoring.is_higher_better

    @property
    def _is_plain(self) -> bool:
        """Whether the numbers are of the size of 1 by nature: nats, shares, R²."""
        measure = self.scoring.measure
        return measure.unit == _NATS or bool(measure.complement)

    @property
    def is_amount(self) -> bool:
        """Whether the numbers may be of any size."""
        return not self._is_plain

    # Names

    @property
    def short(self) -> str:
        """The score's short name, for tables and axes: "BCE", "accuracy"."""
        if self._is_negated:
            return str(self.scoring.metric)
        return self.scoring.measure.complement or self.scoring.measure.short

    @property
    def name(self) -> str:
        """The score's name in sentences and on axes: "binary cross-entropy"."""
        return self.short if self.is_turned else self.scoring.measure.name

    @property
    def val(self) -> str:
        """The score in a table or a sentence: "val BCE"."""
        return f"val {self.short}" if self.scoring.is_of_rows else self.short

    @property
    def train(self) -> str:
        """What it is on the training rows, in a table or a sentence: "train BCE"."""
        return f"train {self.short}"

    @property
    def validation(self) -> str:
        """The score where there is room: "validation BCE"."""
        return f"validation {self.short}" if self.scoring.is_of_rows else self.short

    @property
    def unit(self) -> str:
        """The unit: "nats", "price²", "%"; "" if there is none."""
        measure = self.scoring.measure
        if measure.unit:
            return measure.unit
        kinds = (self.scoring.loss.name, self.scoring.objective)
        kind = kinds[self.scoring.objective is not ObjectiveName.LOSS]
        if kind in _SQUARED:
            return f"{self._target}²"
        return self._target if kind in _TARGETS else ""

    @property
    def _target(self) -> str:
        targets = self.task.targets
        is_named = self.task.kind is TaskKind.AMOUNT and len(targets) == 1
        return words.plain(words.shortened(targets[0], 20)) if is_named else "target"

    def with_unit(self, name: str) -> str:
        """Return the title of an axis: "BCE, nats"."""
        return f"{name}, {self.unit}" if self.unit else name

    @property
    def of_unit(self) -> str:
        """The unit behind a number, with its blank: " nats"."""
        return f" {self.unit}" if self.unit else ""

    # What is better

    @property
    def best(self) -> str:
        """What the best is: "lowest", "highest"."""
        return "highest" if self.is_turned else "lowest"

    @property
    def better(self) -> str:
        """What a better one is: "lower", "higher"."""
        return "higher" if self.is_turned else "lower"

    @property
    def worse(self) -> str:
        """What a worse one is: "higher", "lower"."""
        return "lower" if self.is_turned else "higher"

    @property
    def below(self) -> str:
        """On which side of another value the better ones are: "below", "above"."""
        return "above" if self.is_turned else "below"

    @property
    def above(self) -> str:
        """On which side the worse ones are: "above", "below"."""
        return "below" if self.is_turned else "above"

    @property
    def rises(self) -> str:
        """What an overfit trial's validation score does: "rises"."""
        return "falls" if self.is_turned else "rises"

    @property
    def rose(self) -> str:
        """What an overfit trial's score did: "rose", or "fell" if higher is better."""
        return "fell" if self.is_turned else "rose"

    @property
    def rise(self) -> str:
        """What an overfit trial's score does, as a noun: "rise"; "fall" if higher is better."""
        return "fall" if self.is_turned else "rise"

    # Numbers

    def shown(self, score: float) -> float:
        """Return the number that people see for a score: 0.93 for an error rate of 0.07."""
        if self._is_negated:
            return -score
        return 1 - score if self.is_turned else score

    def shown_all(self, scores: Array) -> Array:
        """Return the numbers that people see for many scores."""
        return -scores if self._is_negated else 1 - scores if self.is_turned else scores

    def shown_difference(self, difference: float) -> float:
        """Return the number that people see for a difference of two scores."""
        return -difference if self.is_turned else difference

    def decimals(self, error: float) -> int:
        """Return the decimals that numbers with this standard error deserve; it may be unknown.

        Below 0, places before the decimal point: -2 for hundreds.
        """
        if self._is_plain:
            return words.decimals_of(error)
        if not math.isfinite(error) or error <= 0:
            return words.decimals_of_size(self.size)
        return words.first_digits(error)

    def score(self, value: float, decimals: int | None = None) -> str:
        """Return a score as text: 0.5432; 2,900; 3.02e-6."""
        return self._text(self.shown(value), decimals)

    def precise(self, value: float) -> str:
        """Return a score with six digits, for those who compare two programs: 0.543210."""
        if self._is_plain:
            return f"{self.shown(value):.6f}"
        return words.amount(self.shown(value), 7)

    def amount(self, value: float, decimals: int | None = None) -> str:
        """Return the text of an error, or of a size that is no score."""
        return self._text(value, decimals)

    def gap(self, value: float, decimals: int | None = None) -> str:
        """Return the text of a gap: above 0, worse on the validation rows, whatever is shown."""
        return self._text(value, decimals)

    def gap_with_error(self, value: float, error: float) -> str:
        """Return a gap with its error, rounded to it."""
        return self._with_error(value, error, self.decimals(error))

    def with_error(self, value: float, error: float, decimals: int) -> str:
        """Return 0.577 ± 0.015; the value alone if the error is unknown."""
        return self._with_error(self.shown(value), error, decimals)

    def size_with_error(self, value: float, error: float, most: int | None = None) -> str:
        """Return the size of a difference with its error, without a sign."""
        decimals = self.decimals(error)
        decimals = decimals if most is None or not self._is_plain else min(decimals, most)
        return self._with_error(abs(value), error, decimals)

    def difference(self, value: float, error: float) -> str:
        """Return -0.017 ± 0.005 or +0.017 ± 0.005: rounded to the error."""
        turned = self.shown_difference(value)
        found = self._with_error(turned, error, self.decimals(error))
        return found if turned < 0 or found == words.MISSING else f"+{found}"

    def signed(self, value: float, error: float) -> str:
        """Return a difference as `difference` does, but without a plus."""
        return self._with_error(self.shown_difference(value), error, self.decimals(error))

    def signed_at(self, value: float, decimals: int) -> str:
        """Return a difference with its sign, rounded to so many decimals: +0.012."""
        turned = self.shown_difference(value)
        if self._is_plain:
            return f"{turned:+.{decimals}f}"
        return f"{'-' if turned < 0 else '+'}{self._text(abs(turned), decimals)}"

    def interval(self, low: float, high: float, decimals: int | None) -> str:
        """Return "0.530 to 0.556": the ends of a score's interval, the lower one first."""
        return self._ends(sorted((self.shown(low), self.shown(high))), decimals)

    def interval_of_difference(self, low: float, high: float, error: float) -> str:
        """Return the ends of a difference's interval, rounded to its error."""
        ends = sorted((self.shown_difference(low), self.shown_difference(high)))
        return self._ends(ends, self.decimals(error))

    def root(self, value: float) -> str:
        """Return "root 54" of a mean squared error, which is in the target's own unit; else ""."""
        found = self.root_alone(value, trailing=False)
        return f"root {found}" if found else ""

    def root_alone(self, value: float, *, trailing: bool = True) -> str:
        """Return the root of a mean squared error with three digits: "54.0"; else ""."""
        kinds = (self.scoring.loss.name, self.scoring.objective)
        kind = kinds[self.scoring.objective is not ObjectiveName.LOSS]
        if kind not in _SQUARED or not value >= 0 or not math.isfinite(value):
            return ""
        return words.amount(math.sqrt(value), 3, trailing=trailing)

    @property
    def description(self) -> str:
        """What is measured: "val MSE: mean squared error, in price²; lower is better"."""
        measure = "" if self.name == self.short else f": {self.name}"
        unit = f", in {self.unit}" if self.unit else ""
        return f"{self.val}{measure}{unit}; {self.better} is better"

    def mark(self, value: float) -> str:
        """Return a score beside a mark of a chart: three decimals, or three digits of an amount."""
        shown = self.shown(value)
        return f"{shown:.3f}" if self._is_plain else words.amount(shown, 3)

    def tick(self, value: float) -> str:
        """Return the label of a tick at a score: the number that people see."""
        return words.amount(self.shown(value), _TICK_DIGITS, trailing=False)

    def tick_of_amount(self, value: float) -> str:
        """Return the label of a tick at a difference of scores."""
        return words.amount(value, _TICK_DIGITS, trailing=False)

    def _ends(self, ends: list[float], decimals: int | None) -> str:
        return " to ".join(self._text(end, decimals) for end in ends)

    def _with_error(self, value: float, error: float, decimals: int) -> str:
        found = self._text(value, decimals)
        if found == words.MISSING or not math.isfinite(error):
            return found
        if self._is_plain:
            return f"{found} ± {self._text(error, decimals)}"
        size = self.size if self.size else value
        return f"{found} ± {words.rounded(error, decimals, size)}"

    def _text(self, value: float, decimals: int | None) -> str:
        if self._is_plain:
            return words.score(value, words.DECIMALS if decimals is None else decimals)
        if decimals is None:
            decimals = words.decimals_of_size(self.size or value)
        return words.rounded(value, decimals, self.size or value)


BCE = ScoreWords()
"""HIGGS' scores: binary cross-entropy in nats."""
