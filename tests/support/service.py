"""A service in a process of its own, spoken to over HTTP on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.forks import Forks

SPACE = '"""A space for tests."""\n\n\ndef build(hp):\n    return None\n'
ROOT = Path(__file__).parents[2]
OVER = ("finished", "budget", "failed", "interrupted", "cancelled")


@dataclass
class Served:
    """A service at work: its process, its address, a token with all scopes."""

    process: "subprocess.Popen[str]"
    url: str
    token: str
    said: Path
    forks: Forks | None = None
    """What has forked the process, if it was forked."""
    line: str = ""
    """The address as it is printed, with the token."""

    def client(self, **headers: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"} | headers
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def kill(self) -> None:
        """SIGKILL, as when the machine fails."""
        if self.forks is None:
            self.process.kill()
        else:
            os.kill(self.forks.pid_of(self.process.pid), signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """SIGTERM, as systemd does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def environment(place: Path) -> dict[str, str]:
    found = {k: v for k, v in os.environ.items() if not k.startswith("SWEEP_")}
    return found | {"PYTHONPATH": str(ROOT), "SWEEP_CACHE": str(place / "cache")}


def python_of(forks: Forks | None) -> list[str]:
    """What begins a command of Python: forked, or from the beginning."""
    return [sys.executable] if forks is None else forks.client


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def begin(
    place: Path,
    *options: str,
    token: str | None = None,
    module: str = "sweep",
    forks: Forks | None = None,
) -> Served:
    """Begin a service on `place`/results; it listens when this returns."""
    port = free_port()
    said = place / "said.txt"
    with said.open("a") as out:
        process = subprocess.Popen(
            [*python_of(forks), "-m", module, "serve", "--port", str(port), *options],
            cwd=place, env=environment(place), stdout=subprocess.PIPE, stderr=out, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("http"), said.read_text()
    found = re.search(r"token=(swp_\w+)", line)
    secret = found[1] if found else token
    assert secret is not None
    return Served(process, f"http://127.0.0.1:{port}", secret, said, forks, line)


@contextmanager
def served(
    place: Path,
    *options: str,
    token: str | None = None,
    module: str = "sweep",
    forks: Forks | None = None,
) -> Iterator[Served]:
    """A service, ended at the end."""
    one = begin(place, *options, token=token, module=module, forks=forks)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end()
        if one.process.stdout is not None:
            one.process.stdout.close()


def until(client: httpx.Client, job: int, *states: str, seconds: float = 90) -> dict[str, Any]:
    """A job once it is in one of the states, or over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/api/v1/jobs/{job}").json()
        if found["state"] in (states or OVER):
            return found
        assert not (states and found["state"] in OVER), found
        time.sleep(0.1)
    raise AssertionError(f"job {job} is still {found['state']}: {found}")
