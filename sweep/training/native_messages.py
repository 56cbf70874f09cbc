"""Where messages of TensorFlow's C++ parts go: they write to file descriptor 2 directly."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweep.streams import words_to


@contextmanager
def native_messages_to(path: Path) -> Iterator[None]:
    """Append what native code writes to file descriptor 2 to the file `path`.

    Python's own `sys.stderr` goes on to the terminal, so progress is not torn by stray lines.
    """
    sys.stderr.flush()
    before = sys.stderr
    kept = os.dup(2)
    with path.open("ab") as file, words_to(kept, before) as terminal:
        os.dup2(file.fileno(), 2)
        sys.stderr = terminal
        try:
            yield
        finally:
            terminal.flush()
            sys.stderr = before
            os.dup2(kept, 2)


@contextmanager
def silenced() -> Iterator[None]:
    """Drop what is written to file descriptor 2, unless the block raises: then show all of it."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(kept, sink.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
