"""Whether a sweep would go on under what it began with: numerics and versions compared."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from importlib.metadata import version

from sweep.errors import PlatformError
from sweep.numerics import Numerics, differences, version_differences
from sweep.store import SweepRow

_VERSIONS_OF = ("keras-sweep", "tensorflow", "keras", "keras-tuner", "numpy")


def versions(backend: str | None = None) -> dict[str, str]:
    """Return the versions of Python and of the packages that compute; of JAX if it is used."""
    packages = (*_VERSIONS_OF, "jax") if backend == "jax" else _VERSIONS_OF
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


class AllowedNumbers(Enum):
    """Whether a command may go on if its numbers would differ in their last digits."""

    SAME = "no"
    OTHER = "yes, and the sweep keeps what differed: its reports say so"
    BESIDE = "yes, as nothing that is computed goes into the sweep"

    @classmethod
    def asked(cls, other_numerics: bool) -> "AllowedNumbers":
        """Return what the option --other-numerics asks for."""
        return cls.OTHER if other_numerics else cls.SAME


@dataclass(frozen=True)
class Compared:
    """How this process differs from the one that began a sweep, a line for each difference."""

    changing: tuple[str, ...] = ()
    """What changes the last digits of numbers, and has not been accepted before."""
    slight: tuple[str, ...] = ()
    """What should change none, or is of a sweep that began before numerics were kept."""


def compared(
    sweep: SweepRow, here: Numerics, versions_here: Mapping[str, str] | None = None
) -> Compared:
    """Compare with what is stored. A sweep that stored no numerics is only warned about.

    The versions are those of this process, unless they are given.
    """
    found_here = versions(here.backend) if versions_here is None else versions_here
    serious, slight = version_differences(sweep.versions, found_here)
    stored = sweep.settings.numerics
    if stored is None:
        return Compared(slight=(*serious, *slight))
    found = [*differences(stored, here), *serious]
    new = tuple(line for line in found if line not in stored.accepted)
    return Compared(new, tuple(slight))


def refuse_other(sweep: SweepRow, found: Compared) -> None:
    """Raises PlatformError, which names all that would change numbers, if anything would."""
    if found.changing:
        raise PlatformError(
            f"sweep {sweep.name} would not get the same numbers here: {'; '.join(found.changing)}; "
            "go on where it began, or with --other-numerics: every report will say so"
        )


def accepted(stored: Numerics, found: Compared) -> Numerics:
    """Return the numerics with the differences that somebody has accepted."""
    return replace(stored, accepted=(*stored.accepted, *found.changing))
