"""Where a listener stands: the last line of the audit log and the last event of a sweep it has."""

import re
from dataclasses import dataclass, replace

_FORM = re.compile(r"(\d{1,18})\.([\w-]{0,64})\.(\d{1,18})")


@dataclass(frozen=True)
class PlaceInHistory:
    """A place in the history of the queue and of one sweep, as the `id` of an event names it."""

    entry: int
    """Of the audit log."""
    identity: str = ""
    """Of the sweep; an event of another one of its name is not the next."""
    event: int = 0

    def __str__(self) -> str:
        return f"{self.entry}.{self.identity}.{self.event}"

    @classmethod
    def parsed(cls, text: str) -> "PlaceInHistory | None":
        """Return the place that an `id` names; None for what is no id of ours."""
        found = _FORM.fullmatch(text)
        return None if found is None else cls(int(found[1]), found[2], int(found[3]))

    def after_entry(self, entry: int) -> "PlaceInHistory":
        """Return the place behind a line of the audit log."""
        return replace(self, entry=entry)

    def after_event(self, event: int) -> "PlaceInHistory":
        """Return the place behind an event of the sweep."""
        return replace(self, event=event)
