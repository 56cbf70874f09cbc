"""Compiled programs kept on disk: the next process on this machine neither traces nor compiles.

    ~/.cache/sweep-programs/<fingerprint>/  of the processor, the versions and our own code
        <program>.graph                     what was traced, its functions under lasting names
        xla_compile_cache__….pb             what XLA made of one, found by those names
        jax/                                JAX's own cache
        .new-<random>/                      where XLA of one process reads and writes; locked by it

XLA's files are machine code that is run as it is found. So a file is moved out of a process's own
folder once it is whole and on the disk, a folder that others could write to is not used, and none
of this lies in the data cache, which may come from others.

TensorFlow reads the cache's folder from an environment variable alone, so it is set here and not at
the command line's edge, where all else that concerns the environment is.
"""

import atexit
import hashlib
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sweep.disk import locked, move, new_folder, remove_abandoned, write_bytes
from sweep.training import tensorflow_private
from sweep.training.tensorflow_private import (
    TF_XLA_FLAGS,
    XLA_CACHE,
    XLA_CACHE_FILES,
    xla_cache_flags,
)

_MOST_FILES = 400
"""Files, some 200 MB, beyond which the folder is emptied; a search of a shipped space needs 16."""
_UNUSED_SECONDS = 30 * 86_400
"""Seconds without use after which folders of other versions and processors are removed."""
_LEAST_FREE = 100 << 20
"""Free bytes on the disk below which no program is kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProgramCache:
    """The folder that keeps programs of this machine and these versions, opened by a process."""

    folder: Path
    own: Path
    """The folder in which XLA of this process reads and writes; it has links to kept programs."""

    def graph(self, program: str) -> bytes | None:
        """Return the graph that `keep_graph` was given for `program`, None if there is none."""
        try:
            return self._graph(program).read_bytes()
        except FileNotFoundError:
            return None

    def keep_graph(self, program: str, graph: bytes) -> None:
        """Write the graph of `program` to the folder. Raises OSError if that is not possible."""
        self.folder.mkdir(exist_ok=True)
        write_bytes(self._graph(program), graph)

    def keep_compiled(self) -> None:
        """Move what XLA has compiled since the last call to the folder, and leave links.

        Raises OSError if that is not possible.
        """
        self.folder.mkdir(exist_ok=True)
        for file in self.own.glob(XLA_CACHE_FILES):
            kept = self.folder / file.name
            if not file.is_symlink():
                with suppress(FileNotFoundError, FileExistsError):  # another thread moved it
                    move(file, kept)
                    file.symlink_to(kept)

    def forget(self) -> None:
        """Remove all programs from the folder, and keep none from this process any more.

        For a program that failed: nobody knows which file was the cause. XLA still writes to
        `own`, which becomes a link to a temporary folder of the system, as the disk or the quota
        may be full here.
        """
        _opened.cache = None
        with suppress(OSError):
            for file in [*self.folder.glob("*.graph"), *self.folder.glob(XLA_CACHE_FILES)]:
                file.unlink(missing_ok=True)
            if self.own.is_symlink():
                self.own.unlink()
            else:
                shutil.rmtree(self.own)
            elsewhere = tempfile.mkdtemp(prefix="sweep-programs-")
            atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
            self.own.symlink_to(elsewhere)

    def _graph(self, program: str) -> Path:
        return self.folder / f"{program}.graph"


@dataclass
class _Opened:
    """What this process has opened; another thread may forget it at any time."""

    cache: ProgramCache | None = None


_opened = _Opened()


def default_root() -> Path | None:
    """Return the folder for compiled programs among this user's caches; None without a home."""
    from platformdirs import user_cache_dir

    try:
        return Path(user_cache_dir("sweep-programs"))
    except RuntimeError as error:  # HOME is not set, and no account says it
        _log.info("compiled programs are not kept: %s", error)
        return None


def opened() -> ProgramCache | None:
    """Return the cache that TensorFlow was started with, unless it has been forgotten."""
    return _opened.cache


def open_for_tensorflow(root: Path) -> None:
    """Open the cache in `root` and have XLA use it, by the environment variable TF_XLA_FLAGS.

    To be called once in a process, before TensorFlow's first operation, which reads the variable.
    If programs cannot be kept, the reason is logged and nothing is raised.
    """
    flags = os.environ.get(TF_XLA_FLAGS, "")
    if XLA_CACHE in flags:
        return
    try:
        cache = _open(root)
    except OSError as error:
        _log.info("compiled programs are not kept: %s", error)
        return
    os.environ[TF_XLA_FLAGS] = f"{flags} {xla_cache_flags(cache.own)}".strip()
    _opened.cache = cache


def folder_for_jax(root: Path) -> Path | None:
    """Return the folder in `root` where JAX may keep its programs.

    None if programs cannot be kept; the reason is logged.
    """
    try:
        return _folder(root) / "jax"
    except OSError as error:
        _log.info("compiled programs are not kept: %s", error)
        return None


def _open(root: Path) -> ProgramCache:
    """A cache in `root`, with a folder of this process. Raises OSError if it cannot be used."""
    if any(mark in str(root.absolute()) for mark in " \t\n'\""):
        raise OSError(f"{TF_XLA_FLAGS} cannot hold a name with spaces or quotes: {root}")
    folder = _folder(root)
    with locked(root / ".lock"):
        remove_abandoned(folder)
        own, _ = new_folder(folder)
    kept = list(folder.glob(XLA_CACHE_FILES))
    for file in kept:
        (own / file.name).symlink_to(file)
    _log.info("%d compiled programs in %s", len(kept), folder)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return ProgramCache(folder, own)


def _folder(root: Path) -> Path:
    """The folder in `root` of this machine and these versions. Raises OSError if it is not safe."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = root.stat()
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise PermissionError(f"others can write to {root}")
    if shutil.disk_usage(root).free < _LEAST_FREE:
        raise OSError(f"less than {_LEAST_FREE >> 20} MB free for {root}")
    folder = root.absolute() / _fingerprint()
    with locked(root / ".lock"):
        folder.mkdir(exist_ok=True)
        os.utime(folder)
        for other in root.iterdir():
            if other.is_dir() and time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        if len(files) > _MOST_FILES:
            for file in files:
                file.unlink(missing_ok=True)
    return folder


def _fingerprint() -> str:
    """A hash of all that a compiled program depends on beside its own graph."""
    known = hashlib.sha256()
    for fact in _facts():
        known.update(fact.encode() + b"\0")
    for source in _sources():
        known.update(source.read_bytes())
    return known.hexdigest()[:16]


def _sources() -> list[Path]:
    """The files of ours that decide what is compiled: all that a program traces is in them."""
    program = Path(__file__).parent
    layers = program.parent / "layers"
    beside = (program.parent / "description.py", Path(tensorflow_private.__file__))
    return [*sorted(program.glob("*.py")), *sorted(layers.glob("*.py")), *beside]


def _facts() -> Iterator[str]:
    yield platform.python_version()
    for package in ("keras", "numpy", "tensorflow"):
        yield version(package)
    yield str(sorted(os.sched_getaffinity(0)))  # XLA divides a loop among the cores there are
    yield platform.machine()
    with suppress(OSError):  # Linux alone has it
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        yield from sorted({line for line in about if line.startswith(_OF_PROCESSOR)})
    for name, value in sorted(os.environ.items()):
        if name.startswith(("XLA_", "TF_", "KERAS_")):
            yield f"{name}={value}"


_OF_PROCESSOR = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU ")
"""How the lines of /proc/cpuinfo begin that say what a processor can do; the others change."""
