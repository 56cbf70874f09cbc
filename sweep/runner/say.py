"""Who is told what a person should know while a sweep is prepared."""

from typing import Protocol


class Say(Protocol):
    """What shows lines to people: a terminal, a page, a log."""

    def hint(self, text: str) -> None:
        """Show what may help."""

    def warn(self, text: str) -> None:
        """Show what may be wrong."""
