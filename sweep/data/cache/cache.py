"""The data cache: arrays parsed once, memory-mapped ever after, verified at every opening.

    <key>.json               manifest; names the folder that counts
    <key>.<random>/          x.npy (rows, 28) float32 · y.npy (rows,) uint8
    .new-<random>/           being written, locked by its writer

A folder is complete and on the disk before a manifest names it, and manifests are replaced by
renaming: a process killed at any instant leaves the old data or the new. Of two writers the last
one wins; both leave whole data.
"""

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sweep.data.cache.array_file import ArrayWriter, open_array
from sweep.data.cache.manifest import Manifest, Origin, read_manifest
from sweep.data.columns import N_FEATURES
from sweep.data.higgs.rows import Block, Float32Array, LabelArray
from sweep.disk import locked, new_folder, remove_abandoned, sync_folder, write_json, writing
from sweep.errors import DataError, PlatformError

HIGGS_KEY = "higgs"

_X_TYPE, _Y_TYPE = "<f4", "|u1"


def default_cache_dir() -> Path:
    """Return the platform's folder for caches of this user. Raises PlatformError without one."""
    from platformdirs import user_cache_dir

    try:
        return Path(user_cache_dir("sweep"))
    except RuntimeError as error:  # HOME is not set, and no account says it
        raise PlatformError(
            "there is no home folder to keep data in; set HOME, or choose a folder with --cache"
        ) from error


@dataclass(frozen=True)
class Dataset:
    """Verified arrays of the cache, memory-mapped and read-only."""

    manifest: Manifest
    x: Float32Array  # (rows, 28)
    y: LabelArray  # (rows,)


@dataclass(frozen=True)
class Cache:
    """A folder of data sets, each under a key."""

    root: Path

    def manifest_path(self, key: str) -> Path:
        return self.root / f"{key}.json"

    def manifest(self, key: str) -> Manifest | None:
        """Return the manifest under `key`. Raises DataError if it cannot be read."""
        return read_manifest(self.manifest_path(key), remedy(key))

    def keys(self) -> list[str]:
        """Return the keys that have a manifest."""
        return sorted(path.stem for path in self.root.glob("[!.]*.json"))

    def open(self, key: str) -> Dataset | None:
        """Return the arrays under `key`, verified; None if there are none.

        Raises DataError, naming the file and the remedy, when they do not match their manifest.
        """
        manifest = self.manifest(key)
        while manifest is not None:
            try:
                return self._open(key, manifest)
            except DataError:
                newer = self.manifest(key)
                if newer == manifest:  # not replaced while we looked: it is damaged
                    raise
                manifest = newer
        return None

    def store(self, key: str, origin: Origin, blocks: Iterable[Block]) -> Manifest:
        """Write `blocks` of x (n, 28) and y (n,), and let `key` mean them from then on.

        The cache stays as it was when `blocks` raises, and when the disk is full or may not be
        written (PlatformError).
        """
        with self.new_folder() as folder:
            manifest = _write(folder, key, origin, blocks)
            with writing(self.root):
                self.publish(key, folder, manifest.folder, manifest.to_json())
        return manifest

    def remove(self, key: str) -> None:
        """Remove the data under `key`."""
        with writing(self.root), locked(self.root / ".lock"):
            self.manifest_path(key).unlink(missing_ok=True)
            self._sweep_out(key, None)

    def _open(self, key: str, manifest: Manifest) -> Dataset:
        rows, folder = manifest.rows, self.root / manifest.folder

        def array(name: str, dtype: str, shape: tuple[int, ...], sha256: str) -> NDArray[Any]:
            try:
                return open_array(folder / name, dtype, shape, sha256)
            except ValueError as error:
                raise DataError(
                    f"cached {folder / name} is damaged: {error}; {remedy(key)}"
                ) from error

        x = array("x.npy", _X_TYPE, (rows, N_FEATURES), manifest.sha256_x)
        y = array("y.npy", _Y_TYPE, (rows,), manifest.sha256_y)
        return Dataset(manifest, x, y)

    @contextmanager
    def new_folder(self) -> Iterator[Path]:
        """A folder to write in, gone at the end unless renamed."""
        with writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with locked(self.root / ".lock"):
                folder, lock = new_folder(self.root)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    def publish(self, key: str, folder: Path, name: str, manifest: dict[str, Any]) -> None:
        """Rename a whole folder to `name`, which `manifest` names, and let `key` mean it."""
        final = self.root / name
        with locked(self.root / ".lock"):
            folder.rename(final)
            try:
                sync_folder(self.root)
                write_json(self.manifest_path(key), manifest)
            except BaseException:
                shutil.rmtree(final, ignore_errors=True)
                raise
            self._sweep_out(key, name)

    def _sweep_out(self, key: str, current: str | None) -> None:
        """Remove what `key` meant before, and what killed processes left."""
        for path in self.root.glob(f"{key}.*/"):
            if path.name != current:
                shutil.rmtree(path, ignore_errors=True)
        remove_abandoned(self.root)


def remedy(key: str) -> str:
    """Return what to do if the data under `key` are damaged."""
    if key == HIGGS_KEY:
        return "get it again with: sweep data fetch, or sweep data import FILE"
    return "remove the file, it is made again when needed"


def _write(folder: Path, key: str, origin: Origin, blocks: Iterable[Block]) -> Manifest:
    """Write x.npy and y.npy; the manifest that describes them."""
    n_signal = 0
    with (
        ArrayWriter(folder / "x.npy", _X_TYPE, (N_FEATURES,)) as x_file,
        ArrayWriter(folder / "y.npy", _Y_TYPE, ()) as y_file,
    ):
        for x, y in blocks:
            x_file.append(x)
            y_file.append(y)
            n_signal += int(y.sum())
        x_file.finish()
        y_file.finish()
    with writing(folder):
        sync_folder(folder)
    return Manifest(
        origin=origin,
        rows=x_file.rows,
        n_signal=n_signal,
        sha256_x=x_file.sha256,
        sha256_y=y_file.sha256,
        folder=f"{key}.{uuid.uuid4().hex[:12]}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
