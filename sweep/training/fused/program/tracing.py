"""Programs are traced one after the other, and before other work in Python.

Python runs one thread at a time. Where three programs are traced at once, while models are read,
all are ready late, and until then a core has nothing to do. In turns the first is compiled, outside
of Python, while the second is traced.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Tracing:
    """Who traces a program in this process, and who waits for that."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._changed = threading.Condition()
        self.wanted = 0
        """How many threads trace, or wait for their turn."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only thread that traces."""
        with self._changed:
            self.wanted += 1
        try:
            with self._one:
                yield
        finally:
            with self._changed:
                self.wanted -= 1
                self._changed.notify_all()

    def wait(self) -> None:
        """Return when nobody traces, or waits to."""
        with self._changed:
            self._changed.wait_for(lambda: not self.wanted)


TRACING = Tracing()
