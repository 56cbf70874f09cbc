"""Commands of Python forked from a process that has imported what they need.

    server = Forks(path, "tests.support.warm_imports")
    Popen([*server.client, "-m", "sweep", "serve"])

The client hands its arguments, folder, surroundings and open files to the server, which forks a
process that carries them out. That one dies when the client is killed, has the open files that the
client was given under their numbers, and the client ends as it ends: to whoever begins, stops or
kills it, it is a process as any other, but for the seconds of the imports.
"""

import fcntl
import json
import os
import selectors
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_MESSAGE = 65_536
_MOST_FILES = 16
_NO_DESCRIPTOR = 500
"""More than a client has open."""


class Forks:
    """A server of forks, until it is closed or this process ends."""

    def __init__(self, path: Path, *preloaded: str, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.support.forks", "serve", str(path), *preloaded]
        self.path = path
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    @property
    def client(self) -> list[str]:
        """What stands before `-m MODULE ARGUMENTS`."""
        return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(self.path)]

    @property
    def wrapper(self) -> str:
        """What `--run-with` is given, so that jobs are forked."""
        return f"{shlex.join(self.client)} {{}}"

    def quick(self, **environment: str) -> str:
        """What `--run-with` is given, so that jobs are those of `tests.support.quick_sweep`."""
        before = [f"{name}={value}" for name, value in environment.items()]
        return f"env {shlex.join([*before, *self.client])} -m tests.support.quick_sweep {{}}"

    def close(self) -> None:
        """End the server, and with it what it has forked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def pid_of(self, client: int) -> int:
        """The process that carries out what a client asked for."""
        return int(Path(f"{self.path}.{client}").read_text())


def ask(path: str, arguments: list[str]) -> int:
    """Be a client: hand over, and end as the fork ends."""
    held = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208  (quick)
    held = [one for one in held if one > 2 and _is_open(one)]
    asked = {
        "arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ),  # noqa: PTH109
        "held": held,
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(path)
        socket.send_fds(server, [json.dumps(asked).encode()], [1, 2, *held])
        for one in held:
            os.close(one)
        pid = server.recv(64)
        signal.signal(signal.SIGTERM, lambda number, frame: server.send(b"term"))
        Path(f"{path}.{os.getpid()}").write_bytes(pid)
        code = int(server.recv(64) or b"1")
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # the one that listed them
        return False
    return True


def serve(path: str, until: Any, ready: Callable[[], None]) -> None:
    """Be the server, until the one that began it closes the other end of `until`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(16)
    woken, waker = socket.socketpair()
    for one in (woken, waker):
        one.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waker.fileno())
    clients: dict[int, socket.socket] = {}
    selector = selectors.DefaultSelector()
    for thing in (listener, woken, until):
        selector.register(thing, selectors.EVENT_READ)
    ready()
    while True:
        for key, _ in selector.select():
            if key.fileobj is until:
                for pid in clients:
                    os.kill(pid, signal.SIGKILL)
                os._exit(0)
            if key.fileobj is listener:
                client, _ = listener.accept()
                pid = _fork(client)
                if pid:
                    clients[pid] = client
                    selector.register(client, selectors.EVENT_READ, pid)
            elif key.fileobj is woken:
                woken.recv(4096)
                _tell_of_ends(clients, selector)
            elif key.data in clients:  # it may have ended just now
                _obey(key.fileobj, key.data)


def _obey(client: Any, pid: int) -> None:
    said = b""
    with suppress(OSError):  # killed
        said = client.recv(64)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM if said == b"term" else signal.SIGKILL)


def _tell_of_ends(clients: dict[int, socket.socket], selector: Any) -> None:
    while clients:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        client = clients.pop(pid)
        selector.unregister(client)
        with suppress(OSError):  # it was killed
            client.send(str(os.waitstatus_to_exitcode(status)).encode())
        client.close()


def _fork(client: socket.socket) -> int:
    """Fork what a client asks for; 0 if it has gone."""
    message, descriptors = b"", list[int]()
    with suppress(OSError):
        message, descriptors, _, _ = socket.recv_fds(client, _MESSAGE, _MOST_FILES)
    if not message:
        return 0
    pid = os.fork()
    if not pid:
        code = 1
        try:
            client.close()
            code = _carry_out(json.loads(message), descriptors)
        finally:
            os._exit(code)
    for one in descriptors:
        os.close(one)
    with suppress(OSError):  # killed already, which is seen in a moment
        client.send(str(pid).encode())
    return pid


def _carry_out(asked: dict[str, Any], descriptors: list[int]) -> int:
    """Be the command: its folder, its surroundings, its files; return its exit code."""
    import runpy
    import traceback

    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    apart = [fcntl.fcntl(one, fcntl.F_DUPFD, _NO_DESCRIPTOR) for one in descriptors]
    for one in descriptors:
        os.close(one)
    for place, one in zip((1, 2, *asked["held"]), apart, strict=True):
        os.dup2(one, place)  # what the server has open under that number is of no use here
        os.close(one)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    module = asked["arguments"][asked["arguments"].index("-m") :][1:]
    sys.argv = [module[0], *module[1:]]
    code: Any = 0
    try:
        runpy.run_module(module[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        for module in sys.argv[3:]:
            __import__(module)
        serve(sys.argv[2], sys.stdin, lambda: print("ready", flush=True))
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
