"""How a command ends when something goes wrong: words on stderr and an exit code."""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sweep.cli.output import show_error
from sweep.errors import PlatformError, SweepError

_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
"""What a disk can do to us. Any other OSError that arrives here is a fault of the program."""
_FAULT = 1
_NO_MEMORY = (
    "there is too little memory; end other programs, or raise the limit of this shell (ulimit) "
    "or container; what was saved stays"
)
_NO_FOLDER = "the folder that this command was started in has been removed; go to another one"


@dataclass
class GlobalOptions:
    """What the options before the command ask for; filled in while the command line is read."""

    debug: bool = False


@contextmanager
def ending(asked: GlobalOptions) -> Iterator[None]:
    """End the process if an error is raised inside, by its exit code; say what a user can mend.

    Whatever else is raised is a fault of the program: a traceback, and the request to report it.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, what cannot be written still ends in one line
    except SystemExit as ended:
        # Typer ends without a word at a broken pipe; stdout and stderr raise none (see `streams`)
        if isinstance(ended.__context__, BrokenPipeError):
            _end_fault(ended.__context__)
        raise
    except SweepError as error:
        _end(error, error.exit_code, asked.debug)
    except MemoryError:
        _end(_NO_MEMORY, PlatformError.exit_code, asked.debug)
    except OSError as error:
        if _is_folder_gone():
            _end(_NO_FOLDER, PlatformError.exit_code, asked.debug)
        if error.errno not in _OF_THE_MACHINE:
            _end_fault(error)
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or error}; make room or permission there"
        _end(text, PlatformError.exit_code, asked.debug)
    except Exception as error:
        _end_fault(error)


def _is_folder_gone() -> bool:
    try:
        return not Path.cwd()
    except FileNotFoundError:
        return True


def _end(error: object, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    try:
        show_error(error)
    except MemoryError:  # words in colour take some
        os.write(2, f"error: {error}\n".encode())
    sys.exit(code)


def _end_fault(error: Exception) -> NoReturn:
    traceback.print_exception(error)
    show_error(
        "this is a fault of sweep, please report it with the lines above: "
        f"{type(error).__name__}: {error}"
    )
    sys.exit(_FAULT)
