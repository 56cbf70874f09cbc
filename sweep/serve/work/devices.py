"""The devices that jobs may run on: GPUs by number, shares of the cores, or the whole machine."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweep.errors import UsageError

ANY = "any"
_GPU = re.compile(r"gpu:(\d{1,3})")
_CPU = re.compile(r"cpu:(\d{1,4})")


@dataclass(frozen=True)
class Device:
    """A place for one job at a time."""

    name: str
    kind: str
    """gpu, cpu or machine."""
    gpu: int | None = None
    cores: tuple[int, ...] = ()
    """Cores that a job is kept to; none for all."""

    def suits(self, asked: str) -> bool:
        """Return whether a job that asks for any device, a kind or a name may run here."""
        return asked in (ANY, self.kind, self.name)

    def environment(self) -> dict[str, str]:
        """Return the variables that keep a process to this device."""
        if self.kind == "gpu":
            return {"CUDA_VISIBLE_DEVICES": str(self.gpu)}
        return {"CUDA_VISIBLE_DEVICES": "-1"} if self.kind == "cpu" else {}


MACHINE = Device("machine", "machine")


def devices(given: Sequence[str], cores: Iterable[int] | None = None) -> tuple[Device, ...]:
    """Return the devices of options like gpu:0 and cpu:8; the machine if there are none.

    Shares of the cores do not overlap. Raises UsageError for what cannot be.
    """
    if not given:
        return (MACHINE,)
    free = list(_cores() if cores is None else cores)
    n_cores, found = len(free), list[Device]()
    for text in given:
        if match := _GPU.fullmatch(text):
            found.append(Device(text, "gpu", int(match[1])))
        elif (match := _CPU.fullmatch(text)) and int(match[1]):
            wanted = int(match[1])
            taken, free = tuple(free[:wanted]), free[wanted:]
            if len(taken) < wanted:
                raise UsageError(
                    f"--device {text} asks for more cores than are left of this machine's {n_cores}"
                )
            same = sum(one.name.split("#")[0] == text for one in found)
            found.append(Device(f"{text}#{same + 1}" if same else text, "cpu", cores=taken))
        else:
            raise UsageError(f"--device is {text[:40]!r}, expected gpu:NUMBER or cpu:CORES")
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise UsageError(f"--device {', '.join(names)}: the same GPU twice")
    return tuple(found)


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
