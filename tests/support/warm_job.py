"""Jobs of the service with real training, forked from a process that has imported TensorFlow.

    sweep serve --run-with "python -I tests/support/warm_job.py SOCKET {}"

What the service begins is this file: it hands its command, its output and its lock to `Forks`
behind SOCKET, which forks a process that carries the command out. That process holds the lock as
long as it lives; it dies when this file is killed, and this file ends as it ends. So to the
service, and to whoever kills it, it is a process as any other, but for the seconds of the imports.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

_MESSAGE = 65_536


def main() -> int:
    """Hand over to the fork, and end as it ends."""
    path, *command = sys.argv[1:]
    held = [int(one.name) for one in Path("/proc/self/fd").iterdir() if int(one.name) > 2]
    held = [one for one in held if _is_open(one)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(path)
        signal.signal(signal.SIGTERM, lambda number, frame: server.send(b"term"))
        asked = {
            "arguments": command[command.index("sweep") + 1 :],
            "folder": str(Path.cwd()), "environment": dict(os.environ),
        }  # fmt: skip
        socket.send_fds(server, [json.dumps(asked).encode()], [1, *held])
        code = int(server.recv(64) or b"1")
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # the one that listed them
        return False
    return True


class Forks:
    """Forks jobs for whoever asks at its socket, until it is closed."""

    def __init__(self, path: Path) -> None:
        import threading

        self.path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def wrapper(self) -> str:
        """What `--run-with` is given."""
        return f"{sys.executable} -I {Path(__file__).resolve()} {self.path} {{}}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        import threading

        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    """Fork a client's job; end it when the client dies, tell the client when it ends."""
    import multiprocessing
    from multiprocessing import connection

    with client:
        message, descriptors, _, _ = socket.recv_fds(client, _MESSAGE, 16)
        if not message:
            return
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.support.warm_imports"])
        copies = _Descriptors(descriptors)
        process = context.Process(target=_carry_out, args=(json.loads(message), copies))
        process.start()
        for one in descriptors:
            os.close(one)
        while process.is_alive():
            for ready in connection.wait([client, process.sentinel]):
                if ready is not client:
                    continue
                said = client.recv(64)
                if said == b"term":
                    process.terminate()
                elif not said:
                    process.kill()
                    process.join()
                    return
        process.join()
        client.send(str(process.exitcode).encode())


class _Descriptors:
    """Open files that go with a process to the fork."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __reduce__(self) -> Any:
        from multiprocessing.reduction import DupFd

        return _received, ([DupFd(one) for one in self.numbers],)


def _received(copies: list[Any]) -> list[int]:
    return [copy.detach() for copy in copies]


def _carry_out(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Be the command: its folder, its surroundings, its output, its lock."""
    os.setsid()
    out, *held = descriptors
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.close(out)
    for descriptor in held:
        os.set_inheritable(descriptor, True)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["sweep", *asked["arguments"]]
    import sweep.cli

    sweep.cli.main()


if __name__ == "__main__":
    sys.exit(main())
