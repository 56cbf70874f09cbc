"""How much memory programs may take on this machine, and how many run at the same time."""

import functools
import os
from pathlib import Path

from sweep.training.fused.program.backend import on_gpu

_SHARE = 0.25
"""Part of the host's memory for programs; the rest is for the data, the compiler and others."""

_GPU_BYTES = 4 << 30
"""Bytes for programs on a GPU of any size: more trials at the same time would bring little."""

_MOST_GROUPS = 8

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@functools.cache
def groups_at_once() -> int:
    """Return how many programs run at the same time: on a CPU one more than cores, on a GPU one.

    One more, because some programs wait: for their epoch to be recorded, for a model to be read or
    to be compiled. Measured on two cores: two programs have 1.15 times the throughput of one at 512
    units, 1.5 times at 16; a whole search takes 0.97 of the time with three.
    """
    return 1 if on_gpu() else min(_MOST_GROUPS, len(os.sched_getaffinity(0)) + 1)


@functools.cache
def program_bytes() -> int:
    """Return how many bytes one program may take; all at once take as many times as much.

    On a CPU it is a part of all the host's memory, free or not. The slots of a program follow from
    it, and the last bit of the results from them: so a sweep keeps it (see `sweep.numerics`), and
    goes on with what it kept on any machine.
    """
    together = _GPU_BYTES if on_gpu() else int(_SHARE * _host_bytes())
    return max(1, together // groups_at_once())


def _host_bytes() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_LIMITS:
        path = Path(name)
        if path.exists() and path.read_text().strip().isdigit():
            total = min(total, int(path.read_text()))
    return total
