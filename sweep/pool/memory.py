"""Whether this host or container has run out of memory: the kernel counts whom it has killed."""

from contextlib import suppress
from pathlib import Path

_COUNTS = (
    "/proc/vmstat",
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)


def n_killed() -> int:
    """Return how many processes were killed for want of memory so far, as far as it is told."""
    found = 0
    for name in _COUNTS:
        with suppress(OSError):
            for line in Path(name).read_text().splitlines():
                word, _, number = line.partition(" ")
                if word == "oom_kill" and number.strip().isdigit():
                    found += int(number)
    return found
