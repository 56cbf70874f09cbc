"""Where workers run on this host: the cores or the GPU of each; what `--pool` asks for."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from sweep.errors import UsageError

_MOST = 1024
_NO_GPU = "--pool gpus: there is no GPU here; use --pool N, or leave it out"
_HELP = "expected a number of workers, gpus, ray, or ray:N with a number"


@dataclass(frozen=True)
class PoolAsked:
    """What `--pool` asks for."""

    kind: str
    """processes, gpus or ray."""
    workers: int | None = None
    """None for as many as there is room for."""

    def __str__(self) -> str:
        if self.kind == "processes":
            return str(self.workers)
        return self.kind if self.workers is None else f"{self.kind}:{self.workers}"


def pool_asked(text: str) -> PoolAsked:
    """Return what the option's text asks for. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,9})|(gpus)|(ray)(?::(\d{1,9}))?", text.strip())
    if found is None:
        raise UsageError(f"--pool is {text!r}, {_HELP}")
    number = found[1] or found[4]
    workers = None if number is None else int(number)
    if workers is not None and not 1 <= workers <= _MOST:
        raise UsageError(f"--pool is {text!r}, expected from 1 to {_MOST:,} workers")
    return PoolAsked(found[2] or found[3] or "processes", workers)


def number_of_workers(asked: PoolAsked) -> int:
    """Return how many workers are asked for. Raises UsageError if that depends on a cluster."""
    if asked.workers is None:
        raise UsageError(
            f"--pool {asked} does not say how many workers there are, which a plan needs; "
            "for eight, write --pool ray:8"
        )
    return asked.workers


def pool_here(text: str) -> PoolAsked:
    """Return what the text asks for, if this host can have it. Raises UsageError.

    Asked before a sweep has its folder, so that what cannot be leaves none behind.
    """
    asked = pool_asked(text)
    if asked.kind == "ray" and find_spec("ray") is None:
        raise UsageError(
            '--pool ray needs Ray, which is not installed; pip install "keras-sweep[ray]"'
        )
    if asked.kind == "gpus" and not gpus(os.environ):
        raise UsageError(_NO_GPU)
    return asked


@dataclass(frozen=True)
class Place:
    """What one worker may use."""

    cores: tuple[int, ...]
    """Numbers of the processor's cores."""
    gpu: str | None = None
    """As CUDA_VISIBLE_DEVICES names it; None to leave that as it is."""


def shares(cores: tuple[int, ...], n_workers: int) -> list[tuple[int, ...]]:
    """Return which cores each worker gets: neighbours, each core once, unless there are too few."""
    if n_workers > len(cores):
        return [(cores[worker % len(cores)],) for worker in range(n_workers)]
    ends = [len(cores) * worker // n_workers for worker in range(n_workers + 1)]
    return [cores[a:b] for a, b in pairwise(ends)]


def gpus(environment: Mapping[str, str]) -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",") if name.strip()]
        return [] if names == ["-1"] else names
    found = Path("/dev").glob("nvidia[0-9]*")
    return sorted((path.name.removeprefix("nvidia") for path in found), key=int)


def places(asked: PoolAsked, environment: Mapping[str, str]) -> list[Place]:
    """Return where the workers of `--pool N` or `--pool gpus` run on this host.

    On a host with GPUs, N workers share them in turn. Raises UsageError if there is no GPU.
    """
    devices, cores = gpus(environment), tuple(sorted(os.sched_getaffinity(0)))
    if asked.kind == "gpus" and not devices:
        raise UsageError(_NO_GPU)
    n_workers = asked.workers or len(devices)
    found = shares(cores, n_workers)
    if not devices:
        return [Place(share) for share in found]
    return [Place(share, devices[n % len(devices)]) for n, share in enumerate(found)]
