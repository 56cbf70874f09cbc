"""Who is told what a person should know while a sweep is prepared."""

from typing import Protocol


class Say(Protocol):
    """Shows lines to people: the terminal, a page, a log."""

    def hint(self, text: str) -> None:
        """Show what may help."""

    def warn(self, text: str) -> None:
        """Show what may be wrong."""
