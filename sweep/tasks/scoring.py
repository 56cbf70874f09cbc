"""Scoring: the loss and the objective of a sweep, and what the score is called on screen."""

from dataclasses import asdict, dataclass, field

from sweep.exact import Text
from sweep.records import Json
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.task import Task, TaskKind


@dataclass(frozen=True)
class Measure:
    """What a score is called, and how its numbers are to be read."""

    short: str
    """In tables and on axes, behind "val" or "train": "BCE"."""
    name: str
    """In sentences: "binary cross-entropy"."""
    unit: str = ""
    """"nats" of cross-entropies; "" of shares, and of amounts in the target's own unit."""
    complement: str = ""
    """What 1 − score is called, if people know that better: "accuracy"."""


@dataclass(frozen=True)
class Scoring:
    """What a trial's score measures. The default is that of HIGGS: BCE in nats."""

    loss: Loss = field(default_factory=Loss)
    objective: ObjectiveName = ObjectiveName.LOSS
    metric: Text = ""
    """Of the objective `metric`: the metric's name."""
    is_higher_better: bool = False
    """Of the objective `metric`: whether it is to be maximised; then the score is −value."""
    is_of_rows: bool = True
    """Of the objective `metric`: whether validation rows are known to have it; else it is a number
    that a script returned, under a name of its own."""

    @property
    def measure(self) -> Measure:
        """What the score is called."""
        if self.objective is ObjectiveName.METRIC:
            sign = "−" if self.is_higher_better else ""
            return Measure(f"{sign}{self.metric}", f"{sign}{self.metric}")
        if self.objective is not ObjectiveName.LOSS:
            return _OBJECTIVES[self.objective]
        if self.loss.name is LossName.OWN:
            return Measure(self.loss.called or "loss", self.loss.called or "loss")
        return _LOSSES[self.loss.name]

    @property
    def is_binary_crossentropy(self) -> bool:
        """Whether the score is the BCE in nats: then JSON has its older names, too."""
        return (self.objective is ObjectiveName.LOSS) and (
            self.loss.name is LossName.BINARY_CROSSENTROPY
        )

    def to_json(self) -> Json:
        """Return it as JSON, without what is said only of a script's own number."""
        return {k: v for k, v in asdict(self).items() if k != "is_of_rows" or not v}


BINARY_CROSSENTROPY = Scoring()
"""The scoring of HIGGS."""

_OBJECTIVES = {
    ObjectiveName.ACCURACY: Measure("error rate", "error rate", complement="accuracy"),
    ObjectiveName.AUC: Measure("1 − AUC", "1 − AUC", complement="AUC"),
    ObjectiveName.AVERAGE_PRECISION: Measure(
        "1 − average precision", "1 − average precision", complement="average precision"
    ),
    ObjectiveName.MAE: Measure("MAE", "mean absolute error"),
    ObjectiveName.MSE: Measure("MSE", "mean squared error"),
    ObjectiveName.RMSE: Measure("RMSE", "root of the mean squared error"),
    ObjectiveName.R2: Measure("1 − R²", "1 − R²", complement="R²"),
}
_LOSSES = {
    LossName.BINARY_CROSSENTROPY: Measure("BCE", "binary cross-entropy", "nats"),
    LossName.CROSSENTROPY: Measure("cross-entropy", "cross-entropy", "nats"),
    LossName.SQUARED_ERROR: Measure("MSE", "mean squared error"),
    LossName.ABSOLUTE_ERROR: Measure("MAE", "mean absolute error"),
    LossName.HUBER: Measure("Huber loss", "Huber loss"),
    LossName.LOG_COSH: Measure("log-cosh", "log-cosh loss"),
    LossName.POISSON: Measure("Poisson loss", "Poisson loss"),
    LossName.SQUARED_LOG_ERROR: Measure("MSLE", "mean squared logarithmic error"),
    LossName.PERCENTAGE_ERROR: Measure("MAPE", "mean absolute percentage error", "%"),
}


def default_loss(task: Task) -> LossName:
    """Return the loss that the task of a data set is scored by if no model says another."""
    if task.kind is TaskKind.CLASSES:
        return LossName.CROSSENTROPY
    if task.kind is TaskKind.AMOUNT:
        return LossName.SQUARED_ERROR
    return LossName.BINARY_CROSSENTROPY
