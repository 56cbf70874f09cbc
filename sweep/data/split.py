"""Train, validation and test rows. (Being written: load_split follows.)"""

from dataclasses import dataclass
from typing import Any

import numpy as np

DEFAULT_VALIDATION_ROWS = 1_000
DEFAULT_TRAIN_ROWS = 10_000
DEFAULT_TEST_ROWS = 10_000


@dataclass(frozen=True)
class Rows:
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Split:
    train: Rows
    validation: Rows
    source: str
    manifest: dict[str, Any]
