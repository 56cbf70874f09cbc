"""Runs a user's code: where its imports are found, what it leaves behind, what it read.

Whatever the code does to the working directory, the streams or the signal handlers is undone,
and an exit or a KeyboardInterrupt of its own becomes an error. A real Ctrl-C goes on as one.
"""

import importlib
import importlib.util
import inspect
import os
import signal
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn, TypeVar

from sweep.space.find import SHIPPED

T = TypeVar("T")

_INSTALLED = ("site-packages", "dist-packages")
_LIBRARY = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_PACKAGE = str(Path(__file__).parents[1])
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class EndedByItselfError(Exception):
    """A user's code tried to end the program, by `sys.exit` or another BaseException."""


@dataclass
class Home:
    """The folder that a search space is run in, and all that was loaded from there."""

    folder: Path
    modules: dict[str, ModuleType] = field(default_factory=dict)
    """What the user's code imported that is neither installed nor Python's own, by name."""
    opened: set[Path] = field(default_factory=set)
    """Files in the folder that the user's code read through `open`."""
    policy: Any = None
    """Keras' `DTypePolicy` that the space's file set; None until it has been run."""
    _paths: list[str] = field(default_factory=list)
    """What the user's code added to `sys.path`."""

    def run(self, call: Callable[[], T]) -> T:
        """Return `call()`.

        Raises EndedByItselfError for an exit of the code's own, and any other error as it is.
        """
        with _surroundings(), _int_handler() as interrupted, self._imports(), self._reading():
            try:
                if sys.stderr is not None:
                    sys.stderr = _Lent(sys.stderr)
                with redirect_stdout(sys.stderr):  # our stdout may be read by a program
                    return call()
            except Exception:
                raise
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt) and interrupted:
                    raise
                raise EndedByItselfError(f"{type(error).__name__}: {error}") from error

    @contextmanager
    def _imports(self) -> Iterator[None]:
        """The folder is searched first, and no module of another space is taken for its own."""
        path, bytecode = list(sys.path), sys.dont_write_bytecode
        for name, module in _LOADED.items():
            if name not in self.modules and sys.modules.get(name) is module:
                del sys.modules[name]
        sys.modules.update(self.modules)
        known = set(sys.modules)
        sys.path[:] = [str(self.folder), *self._paths, *path]
        sys.dont_write_bytecode = True
        try:
            yield
        finally:
            before = {str(self.folder), *path}
            self._paths = [one for one in dict.fromkeys(sys.path) if one not in before]
            sys.path[:], sys.dont_write_bytecode = path, bytecode
            new = {name: sys.modules[name] for name in set(sys.modules) - known}
            own = {
                name: module
                for name, module in new.items()
                if is_users(_file(module)) and name.partition(".")[0] != SHIPPED
            }
            self.modules |= own
            _LOADED.update(own)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        _listen()
        reader = (threading.get_ident(), self._read)
        _READERS.append(reader)
        try:
            yield
        finally:
            _READERS.remove(reader)

    def _read(self, name: object, imported: bool) -> None:
        """Take in a file that is opened; what is imported by its name is among the modules."""
        if isinstance(name, str | bytes):
            path = Path(os.path.abspath(os.fsdecode(name)))  # noqa: PTH100  # links stay links
            if not path.is_relative_to(self.folder) or path.suffix == ".pyc" or not is_users(path):
                return
            if not imported or all(_file(one) != path for one in tuple(sys.modules.values())):
                self.opened.add(path)


class _Lent:
    """A stream that whoever has it may write to, and does not close: others hold it, too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        """Close nothing; what was written arrives."""
        with suppress(OSError, ValueError):
            self._stream.flush()


_LOADED: dict[str, ModuleType] = {}
"""The modules of every search space run so far."""
_READERS: list[tuple[int, Callable[[object, bool], None]]] = []
"""Who hears what a thread opens."""
_listening = threading.Event()


def is_users(path: Path | None) -> bool:
    """Return whether a file is neither installed, nor Python's own, nor ours."""
    if path is None:
        return False
    text = str(path)
    if any(part in _INSTALLED for part in path.parts) or text.startswith(_PACKAGE + os.sep):
        return False
    return not text.startswith(tuple(one + os.sep for one in _LIBRARY)) and text[:1] != "<"


def _file(module: ModuleType) -> Path | None:
    name = getattr(module, "__file__", None)
    return Path(name) if isinstance(name, str) else None


def _listen() -> None:
    """Have `open` tell the readers. A hook cannot be taken away, so there is one only."""
    if not _listening.is_set():
        _listening.set()
        sys.addaudithook(_opened)


def _is_an_import() -> bool:
    """Whether Python's import system reads the file: it does so only if no bytecode is cached."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")


def _opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _READERS or (arguments[2] or 0) & _WRITES:
        return
    imported = _is_an_import()
    name = _source_of(arguments[0]) if imported else arguments[0]
    for thread, read in tuple(_READERS):
        if thread == threading.get_ident():
            read(name, imported)


def _source_of(name: object) -> str | None:
    """The file of Python that the import system runs when it reads a file or its bytecode."""
    text = os.fsdecode(name) if isinstance(name, str | bytes) else ""
    if text.endswith(".pyc"):
        with suppress(ValueError):
            return importlib.util.source_from_cache(text)
    return text if text.endswith(".py") else None


@contextmanager
def _surroundings() -> Iterator[None]:
    """Put back the working directory, the streams, their descriptors and the signal handlers."""
    folder = _working_directory()
    streams = sys.stdin, sys.stdout, sys.stderr
    kept = {number: copy for number in (0, 1, 2) if (copy := _copied(number)) is not None}
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    leave, filters = os._exit, list(warnings.filters)
    os._exit = _exit_of(leave)  # type: ignore[assignment]  # as a function of Python's
    try:
        yield
    finally:
        os._exit = leave
        # a warning that the code makes an error would end what is ours
        added = [one for one in warnings.filters if one not in filters and one[0] != "error"]
        warnings.filters[:] = [*added, *filters]  # type: ignore[index]  # it is a list
        for number, copy in kept.items():
            if not _same(number, copy):
                os.dup2(copy, number)
            os.close(copy)
        sys.stdin, sys.stdout, sys.stderr = streams
        for number, name, mode in ((1, "stdout", "w"), (2, "stderr", "w")):
            stream = getattr(sys, name)
            if stream is not None and getattr(stream, "closed", False):
                setattr(sys, name, open(os.dup(number), mode))  # noqa: PTH123, SIM115
        if folder is not None and folder != _working_directory():
            os.chdir(folder)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


def _exit_of(leave: Callable[[int], NoReturn]) -> Callable[[int], NoReturn]:
    """An `os._exit` that raises in this thread, so that no code 0 says that all went well.

    Other threads leave by it, and children of a fork.
    """
    here = os.getpid(), threading.get_ident()

    def exits(status: int) -> NoReturn:
        if (os.getpid(), threading.get_ident()) == here:
            raise SystemExit(status)
        leave(status)

    return exits


def _working_directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:  # it was deleted
        return None


def _copied(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:  # it is closed
        return None


def _same(number: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(number), os.fstat(other))
    except OSError:
        return False


@contextmanager
def _int_handler() -> Iterator[list[int]]:
    """Yield a list that gets an entry if a real Ctrl-C arrives; its handler hears of it as before.

    `signal.SIGINT` is put back.
    """
    heard: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield heard
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield heard
    finally:
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, before)


def forget() -> None:
    """Take the modules of all search spaces run so far for unknown: files may have changed."""
    importlib.invalidate_caches()
    for name, module in _LOADED.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
    _LOADED.clear()
