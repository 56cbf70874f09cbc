"""A service in a thread of this process, asked over HTTP: for what needs no process of its own."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn

from sweep.serve.access import tokens
from sweep.serve.access.tokens import TokenScope
from sweep.serve.app import make_app
from sweep.serve.connections import ImpatientProtocol
from sweep.serve.options import ServeOptions
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.server import listen
from sweep.serve.service import Service
from sweep.serve.work.plans import Planner
from tests.support.forks import Forks
from tests.support.service import SPACE, environment
from tests.support.sweeps import confirm, hyperband, rows_of_losses, store_sweep, trained

PRELOADED = (
    "sweep.cli.app", "sweep.serve.server", "sweep.analysis.page.sections",
    "sweep.analysis.answers.verdict", "tests.support.sweeps",
)  # fmt: skip


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Forks services and their jobs: what they import was imported once."""
    place = tmp_path_factory.mktemp("forks")
    found = Forks(place / "forks", *PRELOADED, environment=environment(place))
    yield found
    found.close()


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a small finished sweep `small` and a damaged one."""
    results = tmp_path_factory.mktemp("stored") / "results"
    (results / "small").mkdir(parents=True)
    losses = rows_of_losses(0.60, 0.55, 0.58)
    trials = [
        trained(0.7, 0.6, losses=losses[0], baseline="Tiny"),
        trained(0.65, 0.55, losses=losses[1]),
        trained(0.62, 0.58, losses=losses[2]),
    ]
    with store_sweep(results / "small" / "sweep.db", trials, name="small") as store:
        confirm(store, 1, 0.56, 0.57)
    (results / "broken").mkdir()
    (results / "broken" / "sweep.db").write_bytes(b"no database" * 500)
    return results


@pytest.fixture(scope="session")
def whole_search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a whole played search `big`."""
    results = tmp_path_factory.mktemp("whole") / "results"
    (results / "big").mkdir(parents=True)
    hyperband(results / "big" / "sweep.db", name="big").close()
    return results


@pytest.fixture
def service(stored: Path, memory_path: Path) -> Iterator[Service]:
    """A service on a copy of `stored` whose dispatcher stands still."""
    results = memory_path / "results"
    shutil.copytree(stored, results)
    (memory_path / "spaces").mkdir()
    (memory_path / "spaces" / "mine.py").write_text(SPACE)
    options = ServeOptions(results=results, spaces=memory_path / "spaces", uploads=True)
    folder = QueueFolder(results).create()
    with QueueDatabase(folder.database) as database:
        planner = Planner(options, database)
        yield Service(options, database, planner)
        planner.close()


@pytest.fixture
def secrets(service: Service) -> dict[str, str]:
    """A token for each scope, by the scope's name."""
    return {
        scope.value: tokens.add(service.database, scope.value, frozenset({scope, TokenScope.READ}))[
            1
        ]
        for scope in TokenScope
    }


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """Where the service listens."""
    config = uvicorn.Config(
        make_app(service), http=ImpatientProtocol, log_level="critical", lifespan="off", port=0
    )
    server = uvicorn.Server(config)
    with listen(replace(service.options, port=0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        service.ending.set()
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(service: Service, address: str) -> Iterator[httpx.Client]:
    """A client with a token that allows everything."""
    _, secret = tokens.add(service.database, "all", frozenset(TokenScope))
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as found:
        yield found
