"""Tells systemd that the service is ready, ends, or is alive; nothing happens elsewhere."""

import os
import socket
from contextlib import suppress


def notify(message: str) -> None:
    """Send a line such as READY=1 to the socket that systemd names in the environment."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(message.encode(), address)
