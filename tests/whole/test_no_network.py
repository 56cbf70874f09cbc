"""Nothing leaves the machine: a sweep runs in a network of its own, which leads nowhere."""

import ctypes
import json
import socket
import subprocess
from multiprocessing import util
from pathlib import Path

import pytest

from tests.support import tiny, warm

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


COMMANDS = {
    "start": tiny.start("s", "auto"),
    "report": ["report", "--all-charts", "--html", "page.html", "--tensorboard"],
    "confirm": ["confirm", "s", "--top", "1", "--seeds", "1"],
    "test": ["test", "s"],
    "export": ["export", "s", "best.keras"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_tries_to_reach_anything(tmp_path_factory, command):
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("no network of its own may be made here")
    place = tmp_path_factory.getbasetemp() / "no-network"
    if command == "start":
        tiny.make_place(place)
    warm.run(place, *COMMANDS[command], before=cut_off)
    tried, after = json.loads((place / "tried").read_text())
    assert set(tried.values()) == {0}
    assert after != tried
