"""A value handed to another process of this host: its arrays lie in a file, and are mapped there.

So all processes that read it share one copy, which the system may drop from memory and read again.
Reading unpickles: only for a file that the process was started with.
"""

import mmap
import pickle
from typing import IO, Any

_ALIGNED = 64
"""Bytes: arrays begin at a multiple, as NumPy has them."""


def write_mapped(value: object, file: IO[bytes]) -> None:
    """Write a value to an empty file: the pickle of all but its arrays, then these as they lie."""
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    pickle.dump((text, [one.nbytes for one in raw]), file)
    for one in raw:
        file.write(bytes(-file.tell() % _ALIGNED))
        file.write(one)
    file.flush()


def read_mapped(file: IO[bytes]) -> Any:
    """Return what was written to a file; its arrays cannot be written to."""
    file.seek(0)
    text, lengths = pickle.load(file)
    buffers: list[memoryview] = []
    if any(lengths):
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    place = file.tell()
    for length in lengths:
        place += -place % _ALIGNED
        buffers.append(whole[place : place + length] if length else memoryview(b""))
        place += length
    return pickle.loads(text, buffers=buffers)
