"""A small split that can be learned."""

import numpy as np

from sweep.data.split import Rows, Split
from sweep.data.split_record import SplitRecord

N_FEATURES = 28


def small_split(train: int = 200, validation: int = 60) -> Split:
    """Rows whose label says whether a noisy product of two features is positive.

    200 rows in batches of 64 leave a smaller last batch.
    """
    random = np.random.default_rng(7)

    def rows(count: int) -> Rows:
        x = random.normal(size=(count, N_FEATURES)).astype(np.float32)
        noise = random.normal(size=count)
        return Rows(x, (x[:, 0] * x[:, 1] + x[:, 2] + noise > 0).astype(np.float32))

    return Split(rows(train), rows(validation), "test rows", SplitRecord("test"))
