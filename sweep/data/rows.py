"""The rows of a split and what they mean: the values that trainers, references and exports take."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.array_file import sha256_of
from sweep.data.columns import FEATURES
from sweep.data.labels import concerns_of
from sweep.data.split_record import SplitRecord
from sweep.data.tables.preparation import Preparation
from sweep.errors import DataError
from sweep.tasks.task import HIGGS_TASK, Task

Inputs = NDArray[Any] | dict[str, NDArray[Any]]
"""What a model takes: one float32 array (rows, …), or named arrays if it has several inputs."""


MEMORY = "memory"
"""The kind of data of a script, in a sweep's settings and in the record of its split."""


@dataclass(frozen=True)
class Rows:
    """The features and targets of one part of a split."""

    x: Inputs
    """(rows, …) float32; or named arrays, of which those of integers keep their type."""
    y: NDArray[np.float32]
    """As `sweep.tasks.task` lays it out: (rows,), or (rows, targets); (rows, …) of an autoencoder
    whose inputs have more axes."""
    weights: NDArray[np.float32] | None = None
    """How much each row counts in the training loss, (rows,); None if all count the same."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def array(self) -> NDArray[np.float32]:
        """The one input array. Raises DataError if there are several."""
        if isinstance(self.x, dict):
            raise DataError(f"one input array expected, the data have {', '.join(self.x)}")
        return self.x

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """All input arrays by name; the only one is called "x"."""
        return self.x if isinstance(self.x, dict) else {"x": self.x}

    def take(self, rows: NDArray[np.integer] | slice) -> "Rows":
        """Return the rows of these numbers, in their order."""
        weights = None if self.weights is None else self.weights[rows]
        if isinstance(self.x, dict):
            taken = {name: array[rows] for name, array in self.x.items()}
            return Rows(taken, self.y[rows], weights)
        return Rows(self.x[rows], self.y[rows], weights)


@dataclass(frozen=True)
class Split:
    """The rows that trials may see, and where they come from."""

    train: Rows
    validation: Rows
    source: str
    """Name for people: "built-in simulated events", "HIGGS (…)", or a file's name."""
    manifest: SplitRecord
    task: Task = HIGGS_TASK
    columns: tuple[str, ...] = FEATURES
    """Names of the columns of x (rows, columns), or of the inputs; () of images and sequences."""
    preparation: Preparation | None = None
    """What made the rows from raw columns; None where they are as they were."""
    class_weights: tuple[float, ...] = ()
    """Of each class in the training loss, by its number; () for the same of every row."""
    scored_rows: int | None = None
    """Training rows on which the training score is measured; None for all."""

    @property
    def is_of_script(self) -> bool:
        """Whether a script has given the rows, and asks for what Keras Tuner tells of a trial."""
        return self.manifest.kind == MEMORY

    @property
    def concerns(self) -> list[str]:
        """What makes scores on it doubtful, a sentence each."""
        return concerns_of(self.manifest)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of a row of each input; the only one is called "x"."""
        return {name: array.shape[1:] for name, array in self.train.inputs.items()}

    @property
    def n_scored(self) -> int:
        """Number of training rows on which the training score is measured."""
        return len(self.train) if self.scored_rows is None else self.scored_rows

    @property
    def scored_places(self) -> NDArray[np.int64]:
        """Places of the training rows on which the training score is measured, evenly apart."""
        return evenly_apart(self.n_scored, len(self.train))

    @cached_property
    def scored_train(self) -> Rows:
        """The training rows on which the training score is measured."""
        return self.train if self.scored_rows is None else self.train.take(self.scored_places)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the arrays and all that says what they mean: equal if that is."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation):
            y = rows.y[:, None] if rows.y.ndim == 1 else rows.y  # as a column: it is stored
            for array in (*rows.inputs.values(), y):
                digest.update(f"{array.shape} {sha256_of(array)}\n".encode())
        if self.manifest.task is not None:  # HIGGS format means one thing
            meaning = (self.task, self.columns, self.preparation, self.class_weights)
            digest.update(repr((*meaning, [*self.train.inputs])).encode())
        return digest.hexdigest()


def evenly_apart(count: int, of: int) -> NDArray[np.int64]:
    """Return `count` of the places from 0 to `of` - 1, evenly apart."""
    return np.arange(count) * of // count
