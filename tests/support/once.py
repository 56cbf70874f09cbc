"""What takes seconds to make, made once for all processes of a run of the tests."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.disk import locked


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` as `make(folder)` left it, for this process and for those beside it.

    All of them read it; who changes something takes a copy. A `make` that failed is tried again.
    """
    own = factory.getbasetemp()
    top = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once"
    top.mkdir(exist_ok=True)
    folder, mark = top / name, top / f"{name}.done"
    with locked(top / f"{name}.lock"):
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            mark.touch()
    return folder
