"""Rows in HIGGS format for the tests, made up: never real ones."""

import gzip
from pathlib import Path

import numpy as np

ROW_FORMAT = ",".join(["%.18e"] * 29) + "\n"


def random_rows(n, seed=1):
    """x (n, 28) float32 and y (n,) uint8."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 0.7, size=(n, 28)).astype(np.float32)
    x[:, 8] = rng.choice(np.float32([0.0, 1.087, 2.173]), size=n)
    y = rng.integers(0, 2, size=n).astype(np.uint8)
    return x, y


def as_csv(x, y):
    """Bytes in the official file's format."""
    values = np.concatenate([y[:, None].astype(np.float64), x.astype(np.float64)], axis=1)
    return "".join(ROW_FORMAT % tuple(row) for row in values.tolist()).encode()


def as_gzip(x, y):
    return gzip.compress(as_csv(x, y), compresslevel=1, mtime=0)


def write_file(path: Path, n, seed=1):
    """A .csv or .csv.gz with n rows; returns the path."""
    x, y = random_rows(n, seed)
    path.write_bytes(as_gzip(x, y) if path.suffix == ".gz" else as_csv(x, y))
    return path
