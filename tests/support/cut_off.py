"""A network of its own for a command, which leads nowhere, and what the command tried there."""

import ctypes
import json
import socket
import subprocess
from multiprocessing import util
from pathlib import Path

CLONE_NEWNET = 0x40000000


def counters() -> dict[str, int]:
    """What the kernel counts in this network, attempts without a route too."""
    found = {}
    lines = Path("/proc/self/net/snmp").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        kind = names.split()[0]
        if kind in ("Ip:", "Tcp:", "Udp:"):
            numbers = zip(names.split()[1:], values.split()[1:], strict=True)
            found |= {f"{kind}{name}": int(value) for name, value in numbers}
    outgoing = ("Ip:OutRequests", "Ip:OutNoRoutes", "Tcp:ActiveOpens", "Udp:OutDatagrams")
    return {name: found[name] for name in outgoing}


def cut_off() -> None:
    """Give the process a network without any route, and count at its end what it tried."""
    assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0

    def count() -> None:
        tried = counters()
        with socket.socket() as one:
            one.connect_ex(("192.0.2.1", 9))  # so that one sees that the counters count
        Path("tried").write_text(json.dumps([tried, counters()]))

    util.Finalize(None, count, exitpriority=0)


def may_cut_off() -> bool:
    """Whether a network of its own may be made here."""
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def assert_nothing_tried(place: Path) -> None:
    """A command that was `cut_off` in folder `place` did not try to reach anything."""
    tried, after = json.loads((place / "tried").read_text())
    assert set(tried.values()) == {0}
    assert after != tried
