"""Opens the sealed test rows for one run or ensemble, and enters it into the sweep's ledger."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sweep.data.split import Rows, load_test_rows
from sweep.errors import DataError, InvalidSpaceError
from sweep.metrics import example_losses
from sweep.runner.prepare import Prepared
from sweep.runner.retrain import best_model, ensemble_model
from sweep.statistics.intervals import accuracy_interval, auc_interval, mean_interval
from sweep.store import Exportable, Opening, Store
from sweep.sweep_folder import SweepFolder
from sweep.training.model import Model, predict_logits


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
    folder: SweepFolder, store: Store, prepared: Prepared, tested: Tested, cache: Path | None
) -> Opening:
    """Evaluate the best weights on the test rows. The folder must be locked.

    All that can go wrong is tried first: the rows are there and unchanged, and each model gives
    its recorded validation BCE again. Then the ledger's line is written, and only then is the
    model evaluated. Raises DataError or InvalidSpaceError with nothing opened.
    """
    try:
        model, val_score = _model(folder, store.sweep().identity, prepared, tested)
    except InvalidSpaceError as error:
        raise InvalidSpaceError(f"{error}; the test rows were not opened") from error
    rows = load_test_rows(prepared.split.manifest, cache)
    if len(rows.x) == 0:
        raise DataError(
            f"sweep {folder.name} has no test rows: its training rows are the last of "
            f"{prepared.split.source}; start a sweep with fewer --train-rows"
        )
    opening = store.open_test(tested.trial, tested.rule, val_score, len(rows.x), _sha256(rows))
    opening = _evaluated(opening, model, rows)
    store.fill_test(opening)
    return opening


def _model(
    folder: SweepFolder, identity: str, prepared: Prepared, tested: Tested
) -> tuple[Model, float]:
    """The model and its validation BCE, recorded or that of the ensemble."""
    if len(tested.members) > 1:
        return ensemble_model(folder, identity, prepared, tested.members)
    ((trial, found),) = tested.members.items()
    return best_model(folder, identity, prepared, trial, found), found.score


def _evaluated(opening: Opening, model: Model, rows: Rows) -> Opening:
    logits, labels = predict_logits(model, rows.array), rows.y
    n_right = int(((logits > 0) == (labels > 0.5)).sum())
    return replace(
        opening,
        score=mean_interval(example_losses(logits, labels)),
        accuracy=accuracy_interval(n_right, len(labels)),
        auc=auc_interval(logits, labels),
    )


def _sha256(rows: Rows) -> str:
    digest = hashlib.sha256(rows.array.tobytes())
    digest.update(rows.y.tobytes())
    return digest.hexdigest()
