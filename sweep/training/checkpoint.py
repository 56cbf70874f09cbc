"""The complete state of a trial, and its file.

Complete means: training on from it gives the same numbers, to the last bit, as never having
stopped. That is the weights *and* the optimizer's slots and iteration count (hence the place
in the learning-rate schedule), the states of the dropout generators, early stopping's count,
and the best epoch's weights (for the export) and validation losses (for comparing trials).
Shuffling needs no state: its order is a function of seed and epoch.

The file is an uncompressed NumPy archive, read without pickle; each array carries a CRC.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from sweep.disk import whole
from sweep.errors import DataError
from sweep.training.early_stopping import EarlyStopping

_FORMAT = "sweep.checkpoint/2"
_FORMATS_READ = ("sweep.checkpoint/1", _FORMAT)
_HEADER = "header"
_GROUPS = ("model", "optimizer", "best")
_LOSSES = "val_losses"

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class TrialState:
    """Everything that decides how a trial goes on.

    `model` and `best` hold the arrays of `keras.Model.variables` (trainable weights, then
    others, generators included) after `epoch` and after the best epoch; `optimizer` those of
    `optimizer.variables`. All in Keras' own order, so that trainers can exchange states.
    """

    epoch: int
    model: Arrays
    optimizer: Arrays
    best: Arrays
    early_stopping: EarlyStopping
    val_losses: np.ndarray | None = None
    """float32 (validation rows,): score of each row at the best epoch. None of a score without
    rows, before the first epoch, and in a checkpoint of format 1 until a better epoch."""


def write_checkpoint(
    path: Path, identity: str, state: TrialState, *, named_later: bool = False
) -> None:
    """Write `state` to `path`, whole or not at all, and flush it to the disk.

    `identity` names the sweep and trial it belongs to. Who writes many may flush their names at
    once, later (see `disk.whole`). Raises OSError.
    """
    arrays = {
        f"{group}/{index}": array
        for group in _GROUPS
        for index, array in enumerate(getattr(state, group))
    }
    if state.val_losses is not None:
        arrays[_LOSSES] = state.val_losses
    header = {
        "format": _FORMAT,
        "identity": identity,
        "epoch": state.epoch,
        "early_stopping": asdict(state.early_stopping),
        "arrays": sorted(arrays),  # a CRC covers an array's bytes, nothing its name
    }
    arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with (
        whole(path, through=path.with_suffix(".tmp"), flushed=True, named_later=named_later) as new,
        new.open("wb") as file,
    ):
        _save(file, arrays)


def _save(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Write what `numpy.savez` would; an array's bytes go from where they lie, without a copy."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            flat = np.ascontiguousarray(array).reshape(-1)
            header = npy.header_data_from_array_1_0(flat.reshape(array.shape))
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                npy.write_array_header_1_0(entry, header)
                entry.write(flat.view(np.uint8).data)


def read_checkpoint(path: Path, identity: str) -> TrialState:
    """Return the state kept in `path`.

    Raises DataError when the file is missing, damaged, or belongs to something else than
    `identity`.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no ordinary file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(archive[_HEADER].tobytes())
            arrays = {name: archive[name] for name in archive.files if name != _HEADER}
        if header["format"] not in _FORMATS_READ:
            raise ValueError(f"format {header['format']!r}")
        if header["format"] == _FORMAT and header["arrays"] != sorted(arrays):
            raise ValueError("its arrays are not those it was written with")
        groups = {group: _numbered(arrays, group) for group in _GROUPS}
        state = TrialState(
            epoch=int(header["epoch"]),
            early_stopping=EarlyStopping.from_json(header["early_stopping"]),
            val_losses=arrays.get(_LOSSES),
            **groups,
        )
    except Exception as error:  # zip, npy and JSON share no error of their own for damage
        raise DataError(
            f"checkpoint {path} is missing or damaged ({error}); "
            "restore it from a copy, or start the sweep anew under another name"
        ) from error
    if header["identity"] != identity:
        raise DataError(
            f"checkpoint {path} belongs to {header['identity']}, expected {identity}; "
            "it was moved or renamed: put the right file back"
        )
    return state


def _numbered(arrays: dict[str, np.ndarray], group: str) -> Arrays:
    count = sum(name.startswith(f"{group}/") for name in arrays)
    return tuple(arrays[f"{group}/{index}"] for index in range(count))
