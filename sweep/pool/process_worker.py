"""The process of a worker: `python -m sweep.pool.process_worker`, started by its head alone.

It owns nothing: when its head is gone it ends, and what it was at work on is trained again.
"""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from sweep.pool.briefing import read_briefing
from sweep.pool.channel import Channel, ClosedError
from sweep.pool.face import Alive, GivenAssignment, Lost
from sweep.pool.worker import Carrier

_BEAT_SECONDS = 5.0
"""Between two signs of life."""
_GRACE_SECONDS = 5.0
"""For the epoch under way and for the interpreter's end, once the head is gone."""


def work(channel: Channel, folder: Path, own: Path, most: int) -> None:
    """Carry out what comes through the channel, of the briefing in `folder`, until it is closed.

    `own` is for the worker's files, `most` is how many assignments it may hold.
    """
    carrier = Carrier(channel.send)
    for target in (_hear, _beat):
        threading.Thread(target=target, args=(channel, carrier), daemon=True).start()
    try:
        briefing, split = read_briefing(folder)
        opened = briefing.opened(split, own, most)
        channel.send(opened.ready)
        carrier.run(opened.trainer)
    except ClosedError:
        return
    except BaseException as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        channel.send(Lost(text))
        raise


def _hear(channel: Channel, carrier: Carrier) -> None:
    """Take orders: assignments, or the token of a request to stop."""
    try:
        while True:
            order: list[GivenAssignment] | int = channel.receive()
            if isinstance(order, int):
                carrier.stop(order)
            else:
                carrier.give(order)
    except ClosedError:
        carrier.close()
        time.sleep(_GRACE_SECONDS)
        os._exit(1)


def _beat(channel: Channel, carrier: Carrier) -> None:
    try:
        while True:
            time.sleep(_BEAT_SECONDS)
            channel.send(Alive())
    except ClosedError:
        return


def main(arguments: list[str]) -> None:
    """Start a worker: its socket's descriptor, cores, capacity and folders are its arguments."""
    descriptor, cores, most, folder, own = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's; the head says what to do
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    end = socket.socket(fileno=int(descriptor))
    work(Channel(end), Path(folder), Path(own), int(most))


if __name__ == "__main__":
    main(sys.argv[1:])
