"""The HTML page of a large sweep, which takes ten seconds to draw."""

from pathlib import Path

import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.page.write import write
from tests.support.once import made_once
from tests.support.sweeps import hyperband


def played_page(factory: pytest.TempPathFactory) -> Path:
    """A folder with a Hyperband sweep, `sweep.db`, and its page, `report.html`."""

    def make(folder: Path) -> None:
        with hyperband(folder / "sweep.db") as store:
            write(load(store), folder / "report.html")

    return made_once(factory, "page", make)
