from typing import Any

import pytest

from sweep.testing import IdleTrainer
from tests.support.pools import comparable
from tests.support.runs import new_runner, new_store


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, keras: Any) -> Any:
    """The tables of a search without a pool."""
    folder, store = new_store(tmp_path_factory.mktemp("undisturbed"))
    new_runner(folder, store, IdleTrainer(keeps_each_epoch=True)).run()
    return comparable(store)
