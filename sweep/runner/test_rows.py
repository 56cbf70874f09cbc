"""Opens the sealed test rows for one trial, once, and enters it into the sweep's ledger."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

from sweep.data.split import Rows, load_test_rows
from sweep.errors import DataError, InvalidSpaceError
from sweep.metrics import example_losses
from sweep.runner.prepare import Prepared
from sweep.runner.retrain import state_of
from sweep.statistics.intervals import accuracy_interval, auc_interval, bce_interval
from sweep.store import Exportable, Opening, Store
from sweep.sweep_folder import SweepFolder
from sweep.training.model import Model, build_model, evaluate, predict_logits, set_state

_TOLERANCE = 1e-6


def open_test(
    folder: SweepFolder,
    store: Store,
    prepared: Prepared,
    trial: int,
    found: Exportable,
    rule: str,
    cache: Path | None,
) -> Opening:
    """Evaluate the trial's best weights on the test rows. The folder must be locked.

    All that can go wrong is tried first: the rows are there and unchanged, and the model gives
    its recorded validation BCE again. Then the ledger's line is written, and only then is the
    model evaluated. Raises DataError or InvalidSpaceError with nothing opened.
    """
    model = build_model(prepared.space.build, found.hyperparameters, found.seed)
    state = state_of(folder, store.sweep().identity, prepared, trial, found)
    set_state(model.variables, state.best)
    bce = evaluate(model, prepared.split.validation).bce
    if not math.isclose(bce, found.score, rel_tol=_TOLERANCE):
        raise InvalidSpaceError(
            f"trial {trial} has validation BCE {bce:.7f} now, recorded was {found.score:.7f}; "
            "build(hp) must return the same model each time; the test rows were not opened"
        )
    rows = load_test_rows(prepared.split.manifest, cache)
    if len(rows.x) == 0:
        raise DataError(
            f"sweep {folder.name} has no test rows: its training rows are the last of "
            f"{prepared.split.source}; start a sweep with fewer --train-rows"
        )
    opening = store.open_test(trial, rule, found.score, len(rows.x), _sha256(rows))
    opening = _evaluated(opening, model, rows)
    store.fill_test(opening)
    return opening


def _evaluated(opening: Opening, model: Model, rows: Rows) -> Opening:
    logits, labels = predict_logits(model, rows.x), rows.y
    n_right = int(((logits > 0) == (labels > 0.5)).sum())
    return replace(
        opening,
        bce=bce_interval(example_losses(logits, labels)),
        accuracy=accuracy_interval(n_right, len(labels)),
        auc=auc_interval(logits, labels),
    )


def _sha256(rows: Rows) -> str:
    digest = hashlib.sha256(rows.x.tobytes())
    digest.update(rows.y.tobytes())
    return digest.hexdigest()
