"""All faults of a space's file, gathered so that one message names them all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sweep.errors import InvalidSpaceError, SpaceFaultsError

_MOST = 12


@dataclass
class Faults:
    """The faults of one file that were found so far, each in one line."""

    path: Path
    found: list[str] = field(default_factory=list)

    def add(self, error: InvalidSpaceError, suffix: str = "") -> None:
        """Keep the faults that an error names. Another with the same words is not kept."""
        for text in error.faults if isinstance(error, SpaceFaultsError) else (str(error),):
            if not any(known == text or known.startswith(f"{text} (with ") for known in self.found):
                self.found.append(text + suffix)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the InvalidSpaceError that is raised inside, and go on."""
        try:
            yield
        except InvalidSpaceError as error:
            self.add(error)

    def refuse(self) -> None:
        """Raise InvalidSpaceError if there are faults: one as it is, several with their number."""
        if len(self.found) == 1:
            raise InvalidSpaceError(self.found[0])
        if self.found:
            short = [text.replace(str(self.path), self.path.name) for text in self.found]
            left = len(short) - _MOST
            more = (f"and {left} more",) if left > 0 else ()
            raise SpaceFaultsError(str(self.path), (*short[:_MOST], *more))
