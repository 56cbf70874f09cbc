"""Commands in processes of their own, forked from one that has imported the command line alone.

As with `python -m sweep`, nothing that takes long to import is there before a command imports it;
only the half second in which Python and the command line start is saved.
"""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_SERVER = "from tests.support import light; light.serve()"
_ROOT = Path(__file__).parents[2]
_HEAVY = ("tensorflow", "keras", "keras_tuner", "pandas")


def run(
    place: Path,
    *arguments: str,
    redirected: str = "",
    imported: str = "sweep.cli.app",
    tells_heavy: bool = False,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Carry out `sweep arguments` in folder `place`, with `more` in its environment.

    `redirected` is what a shell's line would end with, as in `REDIRECTED`; `imported` is the module
    that the process begins with. If it `tells_heavy`, the last line of its output names what it
    has imported that takes long.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SWEEP_")}
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = {
            "place": str(place), "arguments": arguments, "environment": {**environment, **more},
            "out": str(out), "err": str(err), "redirected": redirected, "tells_heavy": tells_heavy,
        }  # fmt: skip
        server = _server(imported)
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@cache
def _server(imported: str) -> Any:
    """It ends with this process, which holds the other end of its input."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, imported],
        cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.communicate)
    return server


def serve() -> None:
    """Fork for each line of the input, and print with which code the child ended."""
    import_module(sys.argv[1])
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _carry_out(**json.loads(line))
            return  # and the interpreter ends as it does after a command
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _carry_out(
    place: str,
    arguments: list[str],
    environment: Mapping[str, str],
    out: str,
    err: str,
    redirected: str,
    tells_heavy: bool,
) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, path in ((0, None), (1, out), (2, err)):
        opened = nothing if path is None else os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, descriptor)
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["sweep", *arguments]
    for one in REDIRECTED[redirected]:
        one()
    import sweep.cli

    try:
        sweep.cli.main()
    finally:
        if tells_heavy:
            print(*sorted({*_HEAVY} & {*sys.modules}))


def _close(descriptor: int, name: str) -> None:
    """As Python starts in a process without it."""
    os.close(descriptor)
    setattr(sys, name, None)
    setattr(sys, f"__{name}__", None)


def _full(descriptor: int) -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)


def _head() -> None:
    """Somebody who reads one line."""
    ours, theirs = os.pipe()
    os.posix_spawnp(
        "head", ["head", "-1"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, ours, 0)]
    )
    os.dup2(theirs, 1)
    os.close(ours)
    os.close(theirs)


_NO_STDOUT, _NO_STDERR = partial(_close, 1, "stdout"), partial(_close, 2, "stderr")
REDIRECTED: dict[str, tuple[Callable[[], None], ...]] = {
    "": (),
    "<&-": (partial(_close, 0, "stdin"),),
    ">&-": (_NO_STDOUT,),
    "2>&-": (_NO_STDERR,),
    ">&- 2>&-": (_NO_STDOUT, _NO_STDERR),
    "2>/dev/full": (partial(_full, 2),),
    ">/dev/full": (partial(_full, 1),),
    "| head -1": (_head,),
}
"""What a shell does for these, by how they are written."""
