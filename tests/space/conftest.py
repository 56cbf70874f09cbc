"""What tests of search spaces share."""

import pytest

from sweep.space import discover
from tests.support.hasty import FEW_BUILDS


@pytest.fixture
def few_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A space is looked at in a few builds: for what does not depend on which there are."""
    for name, number in FEW_BUILDS.items():
        monkeypatch.setattr(discover, name, number)
