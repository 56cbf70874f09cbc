"""How fast a HIGGS file becomes arrays: ours, the tutorial's pipeline, pandas, and the bare gunzip.

    python benchmarks/loading.py [--rows 200000] [--repeats 3]

Makes a file in HIGGS format from random float32 numbers, reads it in every way in turn, and
prints the medians as a Markdown table.
"""

import argparse
import gzip
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from isal import isal_zlib

from sweep.data.cache.cache import Cache
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.import_file import import_higgs
from sweep.data.higgs.rows import image, parse_rows

_CHUNK_BYTES = 1 << 18
_WRITE_ROWS = 10_000
_GZIP_WINDOW = 31  # zlib's word for "gzip"


def write_file(path: Path, rows: int) -> None:
    """`rows` rows of a random label and 28 random float32."""
    rng = np.random.default_rng(0)
    with gzip.open(path, "wb", compresslevel=6) as file:
        for start in range(0, rows, _WRITE_ROWS):
            n = min(_WRITE_ROWS, rows - start)
            values = rng.normal(1.0, 0.7, size=(n, 29)).astype(np.float32)
            values[:, 0] = rng.integers(0, 2, size=n)
            file.write(image(values))


def chunks(path: Path):
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def ours(path: Path) -> None:
    for _ in parse_rows(decompressed(chunks(path), path.name), path.name):
        pass


def ours_with_cache(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        import_higgs(Cache(Path(folder)), path)


def from_cache(path: Path) -> None:
    Cache(path.parent).open("higgs").x.sum()


def tutorial(path: Path) -> None:
    """As in TensorFlow's "Overfit and underfit"."""
    import tensorflow as tf

    def pack_row(*row):
        return tf.stack(row[1:], 1), row[0]

    rows = tf.data.experimental.CsvDataset(str(path), [0.0] * 29, compression_type="GZIP")
    for _ in rows.batch(10_000).map(pack_row).unbatch().batch(500):
        pass


def with_pandas(path: Path) -> None:
    pd.read_csv(path, header=None, dtype=np.float32)


def gunzip_with(new_decompressor: Callable) -> Callable[[Path], None]:
    def gunzip(path: Path) -> None:
        stream = new_decompressor(_GZIP_WINDOW)
        for chunk in chunks(path):
            stream.decompress(chunk)

    return gunzip


WAYS: dict[str, Callable[[Path], None]] = {
    "sweep: file to arrays": ours,
    "sweep: file to verified cache": ours_with_cache,
    "sweep: cache, verified and read": from_cache,
    "tutorial: CsvDataset, batch, map, unbatch": tutorial,
    "pandas.read_csv": with_pandas,
    "gunzip only, zlib": gunzip_with(zlib.decompressobj),
    "gunzip only, isal": gunzip_with(isal_zlib.decompressobj),
}


def seconds_of(way: Callable[[Path], None], path: Path) -> float:
    start = time.perf_counter()
    way(path)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "HIGGS.csv.gz"
        write_file(path, options.rows)
        import_higgs(Cache(path.parent), path)
        small = Path(folder) / "small.csv.gz"
        write_file(small, 1000)
        tutorial(small)  # TensorFlow's import is not what is measured
        seconds: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(options.repeats):
            for name, way in WAYS.items():
                seconds[name].append(seconds_of(way, path))
        print(f"{options.rows:,} rows, {path.stat().st_size / options.rows:.0f} bytes each in gzip")
    print("\n| way | rows/s, median | slowest | fastest |\n|---|---:|---:|---:|")
    for name, times in seconds.items():
        rates = [options.rows / t for t in (statistics.median(times), max(times), min(times))]
        print(f"| {name} | {' | '.join(f'{rate:,.0f}' for rate in rates)} |")


if __name__ == "__main__":
    main()
