"""Files of a report, written whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def atomically(path: Path, write: Callable[[str], object]) -> None:
    """Let `write` make a file of another name, then give it the right one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(name)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
