"""The worker's end of a pool on Ray: what an actor does in its process. It imports no Ray."""

import fcntl
import os
import queue
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweep.data.split import Split
from sweep.disk import new_space_folder, remove_abandoned_spaces
from sweep.pool.briefing import Opens
from sweep.pool.face import Alive, Event, GivenAssignment, Lost
from sweep.pool.worker import Carrier

_POLL_SECONDS = 5.0
"""After which an actor that has nothing to say gives a sign of life."""
_OF_THE_NODE = "sweep-cores-{}"


@dataclass(frozen=True)
class Share:
    """What each actor asks Ray for."""

    cores: int
    gpus: int = 0


class Actor:
    """A worker in a process of Ray's. What it says is fetched by `poll`."""

    def __init__(self, briefing: Opens, split: Split | None, share: Share, most: int) -> None:
        self._said: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._carrier = Carrier(self._said.put)
        # a core is claimed by the thread that imports TensorFlow: what it starts inherits it
        work = partial(self._work, briefing, split, share, most)
        threading.Thread(target=work, daemon=True).start()

    def _work(self, briefing: Opens, split: Split | None, share: Share, most: int) -> None:
        try:
            if not share.gpus:
                _claim_cores(share.cores)
            remove_abandoned_spaces()  # what workers that were killed have left on this node
            rows = split or briefing.own_rows()
            opened = briefing.opened(rows, new_space_folder(), most)
            self._said.put(opened.ready)
            self._carrier.run(opened.trainer)
        except BaseException as error:
            self._said.put(Lost(" ".join(f"{type(error).__name__}: {error}".split())))

    def give(self, work: Sequence[GivenAssignment]) -> None:
        """Take assignments."""
        self._carrier.give(work)

    def stop(self, token: int) -> None:
        """End the epoch under way."""
        self._carrier.stop(token)

    def poll(self) -> list[Event]:
        """Return what was said since; wait for the first, or give a sign of life."""
        found: list[Event] = []
        with suppress(queue.Empty):
            found.append(self._said.get(timeout=_POLL_SECONDS))
            while True:
                found.append(self._said.get_nowait())
        return found or [Alive()]


_claimed: list[int] = []
"""Descriptors that hold this process' cores until it ends."""


def _claim_cores(number: int) -> None:
    """Keep this thread, and those it starts, to cores of the node that no other actor has.

    To Ray cores are numbers only: without this each actor would start groups for all of them.
    """
    folder = Path(tempfile.gettempdir()) / _OF_THE_NODE.format(os.getuid())
    folder.mkdir(mode=0o700, exist_ok=True)
    found: list[int] = []
    for core in sorted(os.sched_getaffinity(0)):
        if len(found) == number:
            break
        descriptor = os.open(folder / str(core), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            _claimed.append(descriptor)
            found.append(core)
    if len(found) == number:
        os.sched_setaffinity(0, found)
