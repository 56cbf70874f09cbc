"""A search looks at its space in a few builds: what they are for is tested with the spaces."""

import pytest

from sweep.space import discover
from tests.support.hasty import FEW_BUILDS


@pytest.fixture(autouse=True)
def _few_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in FEW_BUILDS.items():
        monkeypatch.setattr(discover, name, number)
