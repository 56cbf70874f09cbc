"""How a command at work is asked to stop: by Ctrl-C, by SIGTERM, or by `sweep stop`.

The first request lets the epoch under way end and be saved, if that takes a few seconds only: a
trainer leaves it out when it takes longer (see `training.grace`), and the process is ended here if
the trainer does not come to that. The second one ends the process on the spot. Any instant is a
good one for that: what counts is committed whole (see `runner.journal`), and an epoch left out is
trained again, to the same bits.
"""

import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType, TracebackType

from sweep.cli.output import err, hint, show_error
from sweep.errors import PlatformError, SweepError
from sweep.sweep_folder import Lock, SweepFolder

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EPOCH_SECONDS = 5.0
"""For a trainer to ask whether to stop: one step of a model can take longer."""
_ALL_SECONDS = 9.0
"""For that, for the epoch under way and for saving: `docker stop` kills after 10."""
_POLL_SECONDS = 0.2


class Stopping:
    """While open, `requested()` tells whether to stop; `code` is the exit status then.

    A thread listens: Python's own signal handlers wait until compiled code returns, which may
    take an epoch. Until `saving` there is nothing to save, and a request ends the process.
    """

    def __init__(self) -> None:
        self.code = 128 + signal.SIGTERM
        self._folder: SweepFolder | None = None
        self._lock: Lock | None = None
        self._saves = False
        self._asked_at: float | None = None
        self._heeded = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stopping":
        self._ear, mouth = os.pipe()
        os.set_blocking(mouth, False)
        self._mouth = mouth
        self._wakeup_before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, _heard_by_the_thread)
        self._thread = threading.Thread(target=self._listen, name="stopping", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._mouth, b"\0")
        self._thread.join()
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned
        os.close(self._ear)
        os.close(self._mouth)

    def attend(self, folder: SweepFolder, lock: Lock) -> None:
        """Obey `sweep stop` too, from now on; end the process if the folder is taken away."""
        folder.stop_request.unlink(missing_ok=True)  # of an earlier run
        self._lock = lock
        self._folder = folder

    def saving(self) -> None:
        """Leave it to the main thread, from now on, to ask `requested()`, to save and to end."""
        self._saves = True

    def requested(self) -> bool:
        self._heeded = self._asked_at is not None
        return self._heeded

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._ear], [], [], _POLL_SECONDS)
            for number in os.read(self._ear, 64) if ready else b"":
                if number == 0:
                    return
                self._ask(number)
            if self._lock is not None and not self._lock.stands():
                self._end_bereft()
            if self._asked_at is None:
                if self._folder is not None and self._folder.stop_is_requested:
                    self._ask(signal.SIGTERM)
            else:
                waited = time.monotonic() - self._asked_at
                if waited > (_ALL_SECONDS if self._heeded else _EPOCH_SECONDS):
                    self._end_now(
                        "the epoch under way is discarded, what was saved before it counts"
                    )

    def _ask(self, number: int) -> None:
        self.code = 128 + number
        if not self._saves:
            self._end_now("stopped")
        if self._asked_at is not None:
            self._end_now("killed")
        self._asked_at = time.monotonic()
        hint("stopping after this epoch; press again to stop at once")

    def _end_bereft(self) -> None:
        """End the process at once: what it writes could harm a sweep in this one's place."""
        path = self._folder.path if self._folder else ""
        error = PlatformError(f"{path} was removed or replaced while the sweep was at work in it")
        show_error(error)
        self.code = error.exit_code
        self._exit()

    def _end_now(self, why: str) -> None:
        folder = self._folder
        begun = folder is not None and folder.exists
        hint(f"{why}; continue with: sweep resume {folder.address}" if folder and begun else why)
        self._exit()

    def _exit(self) -> None:
        err().show_cursor(True)
        with suppress(OSError, SweepError):
            sys.stdout.flush()
        os._exit(self.code)


def _heard_by_the_thread(number: int, frame: FrameType | None) -> None:
    """Python writes the signal's number to the wake-up descriptor only if it has a handler."""
