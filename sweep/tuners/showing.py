"""What a script sees while it searches: lines, as Keras prints them, or one place in a notebook."""

import sys
import time
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

from sweep.words import counted, duration

_SECONDS = 0.25
"""Between two looks of a notebook at the same search."""


@dataclass(frozen=True)
class HowFar:
    """How far a search is."""

    n_done: int
    n_assignments: int
    latest: str
    """What the run that ended last has come to; empty before the first has ended."""
    best: str
    """The best score so far and its trial; empty before there is one."""
    n_epochs: int | None
    """Trained in this process; None where only the script knows."""
    seconds: float
    """Since the search went on in this process."""

    @property
    def text(self) -> str:
        """All of it in a line."""
        best = f" · best {self.best}" if self.best else ""
        return (
            f"[{self.n_done}/{self.n_assignments}] {self.latest}{best} · {duration(self.seconds)}"
        )


class Show(Protocol):
    """Where words about a search go."""

    def line(self, text: str) -> None:
        """Show a line that stays."""

    def ended(self, standing: HowFar) -> None:
        """Show how far a search is, now that a run has ended."""

    def epoch(self, standing: HowFar) -> None:
        """Show how far a search is, now that an epoch has ended."""

    def close(self) -> None:
        """Show what is still to be shown: nothing more will come."""


class Silence:
    """Shows nothing, for verbose=0."""

    def line(self, text: str) -> None:
        return

    def ended(self, standing: HowFar) -> None:
        return

    def epoch(self, standing: HowFar) -> None:
        return

    def close(self) -> None:
        return


class Lines:
    """A line for each run, on stdout."""

    def line(self, text: str) -> None:
        print(text, flush=True)

    def ended(self, standing: HowFar) -> None:
        self.line(standing.text)

    def epoch(self, standing: HowFar) -> None:
        return

    def close(self) -> None:
        return


@dataclass
class InPlace:
    """One piece of a notebook's output, drawn anew as the search goes on."""

    handle: Any = None
    """IPython's `DisplayHandle`, once there is something to show."""
    drawn_at: float = 0.0
    waiting: HowFar | None = field(default=None, repr=False)
    """What has not been drawn yet."""

    def line(self, text: str) -> None:
        print(text, flush=True)

    def ended(self, standing: HowFar) -> None:
        self.epoch(standing)

    def epoch(self, standing: HowFar) -> None:
        self.waiting = standing
        if time.monotonic() - self.drawn_at >= _SECONDS:
            self.close()

    def close(self) -> None:
        if self.waiting is None:
            return
        from IPython.display import display

        shown = {"text/plain": self.waiting.text, "text/html": to_html(self.waiting)}
        if self.handle is None:
            self.handle = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.handle.update(shown, raw=True)
        self.waiting, self.drawn_at = None, time.monotonic()


def show_of(verbose: Any) -> Show:
    """Return where words go: nowhere for 0, in place in a notebook, else to stdout."""
    if verbose == 0:
        return Silence()
    return InPlace() if _in_notebook() else Lines()


def to_html(standing: HowFar) -> str:
    """Return a bar, what is done and the best, and the run that ended last."""
    done, of = standing.n_done, standing.n_assignments
    epochs = "" if standing.n_epochs is None else f" · {counted(standing.n_epochs, 'epoch')}"
    best = f" · best <b>{escape(standing.best)}</b>" if standing.best else ""
    latest = f'<br><span style="opacity:.75">{escape(standing.latest)}</span>'
    return (
        '<div style="font:13px/1.5 system-ui,sans-serif">'
        f'<progress value="{done}" max="{of}" style="width:14em;vertical-align:middle"></progress> '
        f"{done} of {of} steps{best}{epochs} · {escape(duration(standing.seconds))}"
        f"{latest if standing.latest else ''}</div>"
    )


def _in_notebook() -> bool:
    """Whether this is a Jupyter kernel, whose front end draws HTML."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None
