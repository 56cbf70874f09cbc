"""Opens the sealed test rows for one run or ensemble, and enters it into the sweep's ledger."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path

from sweep.data.split import Rows, load_test_rows
from sweep.errors import DataError, InvalidSpaceError
from sweep.records import Estimate
from sweep.runner.prepare import Prepared
from sweep.runner.retrain import best_model, ensemble_model
from sweep.statistics.intervals import accuracy_interval, auc_interval, mean_interval
from sweep.store import Exportable, Opening, Store
from sweep.sweep_folder import SweepFolder
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.task import Task, TaskKind
from sweep.training.model import Model, evaluate
from sweep.training.predictions import measured, predict

_OF_AMOUNTS = (ObjectiveName.MAE, ObjectiveName.RMSE)
_RARE = 0.2
"""Share of class 1 in the test rows below which its average precision is told, too."""


@dataclass(frozen=True)
class Tested:
    """What the test rows are opened for."""

    trial: int
    """Its number for the ledger: the run, or the trial of the ranking for an ensemble."""
    rule: str
    """How it was chosen, as the ledger keeps it (see `Opening.rule`)."""
    members: Mapping[int, Exportable]
    """By number: the run, or the members of the ensemble if there are more."""


def open_test(
    folder: SweepFolder,
    store: Store,
    prepared: Prepared,
    tested: Tested,
    cache: Path | None,
    given: Rows | None = None,
) -> Opening:
    """Evaluate the best weights on the test rows. The folder must be locked.

    `given` are rows in place of the sweep's own. All that can go wrong is tried first: the rows are
    there and unchanged, and each model gives its recorded validation score again. Then the ledger's
    line is written, and only then is the model evaluated. Raises DataError or InvalidSpaceError
    with nothing opened.
    """
    try:
        model, val_score = _model(folder, store.sweep().identity, prepared, tested)
    except InvalidSpaceError as error:
        raise InvalidSpaceError(f"{error}; the test rows were not opened") from error
    rows = load_test_rows(prepared.split.manifest, cache) if given is None else given
    if len(rows) == 0:
        raise DataError(
            f"sweep {folder.name} has no test rows: its training rows are the last of "
            f"{prepared.split.source}; start a sweep with fewer --train-rows"
        )
    opening = store.open_test(tested.trial, tested.rule, val_score, len(rows), _sha256(rows))
    opening = _evaluated(opening, model, rows, prepared)
    store.fill_test(opening)
    return opening


def _model(
    folder: SweepFolder, identity: str, prepared: Prepared, tested: Tested
) -> tuple[Model, float]:
    """The model and its validation score, recorded or that of the ensemble."""
    if len(tested.members) > 1:
        return ensemble_model(folder, identity, prepared, tested.members)
    ((trial, found),) = tested.members.items()
    return best_model(folder, identity, prepared, trial, found), found.score


def _evaluated(opening: Opening, model: Model, rows: Rows, prepared: Prepared) -> Opening:
    """The opening with the score and what else suits the task, each with its interval."""
    task, scoring = prepared.split.task, prepared.scored.scoring
    found = evaluate(model, rows, task, scoring)
    score = Estimate(found.score, nan, nan) if found.losses is None else mean_interval(found.losses)
    measures = _measures(model, rows, task)
    if scoring.objective is not ObjectiveName.LOSS:
        measures["loss"] = mean_interval(found.row_losses)
    return replace(
        opening,
        score=score,
        accuracy=measures.pop("accuracy", None),
        auc=measures.pop("auc", None),
        measures=measures,
    )


def _measures(model: Model, rows: Rows, task: Task) -> dict[str, Estimate]:
    """Accuracy of classes, AUC of two, average precision of a rare one, errors of amounts."""
    predicted = predict(model, rows.x, task)
    if task.kind is TaskKind.AMOUNT:
        z, y = measured(model, predicted, task), rows.y.reshape(len(rows), -1)
        z = z.reshape(len(rows), -1)
        by_name = {name: mean_interval(row_values(name, z, y)) for name in _OF_AMOUNTS}
        r2 = mean_interval(row_values(ObjectiveName.R2, z, y))
        return {str(name): one for name, one in by_name.items()} | {"r2": _complement(r2)}
    wrong = row_values(ObjectiveName.ACCURACY, predicted, rows.y)
    if task.kind is TaskKind.LABELS:  # a share of each row
        return {"accuracy": _complement(mean_interval(wrong))}
    measures = {"accuracy": accuracy_interval(int((wrong == 0).sum()), len(rows))}
    if task.kind is TaskKind.BINARY:
        measures["auc"] = auc_interval(predicted, rows.y)
        if float(rows.y.mean()) < _RARE:
            missed = mean_interval(row_values(ObjectiveName.AVERAGE_PRECISION, predicted, rows.y))
            measures[ObjectiveName.AVERAGE_PRECISION] = _complement(missed)
    return measures


def _complement(of: Estimate) -> Estimate:
    return Estimate(1 - of.value, 1 - of.high, 1 - of.low)


def _sha256(rows: Rows) -> str:
    digest = hashlib.sha256()
    for array in (*rows.inputs.values(), rows.y):
        digest.update(array.tobytes())
    return digest.hexdigest()
