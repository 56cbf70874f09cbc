"""One array in one .npy file: written block by block, opened as a verified memory map."""

import hashlib
import io
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.disk import writing

_HASH_ROWS = 1 << 16


class ArrayWriter:
    """Holds a .npy file open; how many rows it will have need not be known before."""

    def __init__(self, path: Path, dtype: str, row_shape: tuple[int, ...]) -> None:
        self.path, self.dtype, self.row_shape = path, dtype, row_shape
        self.rows = 0
        self._digest = hashlib.sha256()
        with writing(path):
            self._file = path.open("wb", buffering=0)
            self._write(header(dtype, (0, *row_shape)))

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of the array, without the file's header."""
        return self._digest.hexdigest()

    def append(self, values: NDArray[Any]) -> None:
        """Add `values` (n, *row_shape). Raises PlatformError when the disk is full."""
        data = np.ascontiguousarray(values, dtype=self.dtype)
        self._digest.update(data.data)
        with writing(self.path):
            self._write(data.reshape(-1).view(np.uint8).data)
        self.rows += len(data)

    def finish(self) -> None:
        """Write the number of rows into the header, and flush the file to the disk."""
        with writing(self.path):
            self._file.seek(0)
            self._write(header(self.dtype, (self.rows, *self.row_shape)))
            os.fsync(self._file.fileno())

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the .npy header of an array in C order: 128 bytes, whatever the number of rows."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def open_array(path: Path, dtype: str, shape: tuple[int, ...], sha256: str) -> NDArray[Any]:
    """Return the array in `path` as a read-only memory map, if type, shape and hash are right.

    Raises ValueError saying what is wrong with the file otherwise.
    """
    expected = header(dtype, shape)
    n_bytes = len(expected) + int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        with path.open("rb") as file:
            found, size = file.read(len(expected)), os.fstat(file.fileno()).st_size
            if size != n_bytes:
                raise ValueError(f"{size:,} bytes, expected {n_bytes:,}")
            if found != expected:
                raise ValueError(f"its header does not say {dtype} {shape}")
            array = np.asarray(np.memmap(file, dtype, "r", len(expected), shape))
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    if sha256_of(array) != sha256:
        raise ValueError("its content does not match the manifest (sha256)")
    return array


def sha256_of(array: NDArray[Any]) -> str:
    """Return the SHA-256 of the bytes of an array in C order."""
    digest = hashlib.sha256()
    for start in range(0, len(array), _HASH_ROWS):
        digest.update(np.ascontiguousarray(array[start : start + _HASH_ROWS]).data)
    return digest.hexdigest()
