"""The built-in simulated events, cached: simulating them takes seconds."""

import hashlib
from pathlib import Path

from sweep.data.cache import Cache, Dataset
from sweep.data.manifest import Manifest, Origin
from sweep.data.ranges import DEFAULT_ROWS
from sweep.errors import DataError, PlatformError

BUILTIN_KIND = "builtin"
_SEED = 0
_VERSION_DIGITS = 12


def open_builtin(cache: Cache, rows: int, seed: int = _SEED) -> tuple[str, Dataset]:
    """At least `rows` events and their key in the cache; row i is the same however many.

    Events of another version of the simulator are never used, damaged ones are made again, and
    without a place to write they are made every time.
    """
    key = f"builtin-{_simulator_version()}-{seed}"
    try:
        dataset = cache.open(key)
    except DataError:
        dataset = None
    if dataset is None or dataset.manifest.rows < rows:
        dataset = _simulate(cache, key, max(rows, DEFAULT_ROWS), seed)
    return key, dataset


def _simulate(cache: Cache, key: str, rows: int, seed: int) -> Dataset:
    from sweep.data.simulate import SOURCE_NAME, simulate_events

    x, y = simulate_events(rows, seed)
    origin = Origin(BUILTIN_KIND, SOURCE_NAME, "sweep.data.simulate", seed)
    try:
        cache.store(key, origin, [(x, y)])
        stored = cache.open(key)
    except PlatformError:  # the cache only saves time here
        stored = None
    if stored is not None:
        return stored
    return Dataset(Manifest(origin, rows, int(y.sum()), "", "", "", ""), x, y)


def _simulator_version() -> str:
    """Changes whenever the simulator's source does."""
    from sweep.data import simulate

    source = Path(simulate.__file__).read_bytes()
    return hashlib.sha256(source).hexdigest()[:_VERSION_DIGITS]
