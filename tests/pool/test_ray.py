"""Ray actors as workers: killed, lost with their node; and the search that goes on."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")

from sweep.pool.face import Ready
from sweep.pool.team import Patience, Team
from sweep.pool.trainer import PooledTrainer
from sweep.runner.journal import StoreJournal
from sweep.store import NewTrial, Planned, Store
from sweep.store.workers import workers
from sweep.testing import IdleTrainer, MemoryJournal, small_split, train_all
from sweep.testing.idle_briefing import Grief, IdleBriefing
from tests.support.pools import NEVER, comparable, work
from tests.support.runs import new_runner, new_store

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")

SPLIT = small_split(20, 10)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of a head with a core and a node with another one, on this machine."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_log_monitor": False}
    started = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=started.address, log_to_driver=False, logging_level="error")
    yield started
    ray.shutdown()
    started.shutdown()


def opened(briefing: IdleBriefing, n_workers: int, **more: Any) -> Any:
    from sweep.pool.ray_pool import RayPool

    return RayPool(briefing, SPLIT, n_workers, **more)


class Crew:
    """Takes everybody, and remembers who died of what."""

    def __init__(self) -> None:
        self.joined: list[Ready] = []
        self.left: list[str] = []

    def joins(self, worker: int, ready: Ready) -> str | None:
        self.joined.append(ready)
        return None

    def probed(self, worker: int, sha256: str) -> str | None:
        return None

    def leaves(self, worker: int, why: str) -> None:
        self.left.append(why)

    def number(self, worker: int) -> int | None:
        return worker


def test_an_actor_killed_and_a_node_lost_change_nothing_in_the_tables(
    tmp_path: Any,
    undisturbed: Any,
    cluster: Any,
) -> None:
    folder, store = new_store(tmp_path)
    node, crew = cluster.add_node(num_cpus=1), Crew()
    pool = opened(IdleBriefing(seconds=0.1), 2)

    def disturb() -> None:
        while len(crew.joined) < 2:
            time.sleep(0.05)
        os.kill(crew.joined[0].process, signal.SIGKILL)
        while len(crew.left) < 1:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    state = new_runner(folder, store, PooledTrainer(Team(pool, crew), most_deaths=NEVER)).run()
    disturbing.join()
    pool.close()
    assert state == "finished"
    assert comparable(store) == undisturbed
    assert crew.left


def test_an_actor_that_stands_still_is_replaced(tmp_path: Any, cluster: Any) -> None:
    grief = Grief(stopped=0, once=tmp_path / "once")
    pool, journal = opened(IdleBriefing(grief=grief), 1), MemoryJournal()
    team = Team(pool, patience=Patience(work=0.5))
    train_all(PooledTrainer(team), work(2), journal)
    pool.close()
    assert [one.status for one in journal.outcomes.values()] == ["completed"] * 2
    assert (tmp_path / "once").exists()


def test_actors_end_with_their_head_and_what_is_left_is_trained_without_them(
    tmp_path: Any, cluster: Any
) -> None:
    tables = []
    for name in ("whole", "broken"):
        folder, store = new_store(tmp_path / name)
        store.add_wave({}, [Planned(NewTrial(None, 0, 0, seed, {}), 4) for seed in range(20)])
        if name == "broken":
            kill_a_head(tmp_path / name, cluster.address, store)
        with store:
            idle = IdleTrainer(keeps_each_epoch=True)
            train_all(idle, store.pending(), StoreJournal(folder, store, "id"))
            tables.append(comparable(store))
    assert tables[0] == tables[1]


def kill_a_head(root: Any, address: str, store: Store) -> None:
    """Have a head carry out some of what waits; return when it and its actors are gone."""
    command = [sys.executable, "-m", "tests.support.ray_head", str(root)]
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "RAY_ADDRESS": address}
    head = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until(lambda: head.poll() is None and len(store.pending()) < 18)
    head.kill()
    assert head.wait() == -signal.SIGKILL
    assert store.pending(), "it was to be killed before its end"
    processes = [one.process for one in workers(store)]
    assert processes
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


def until(is_so: Any) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_states_of_many_megabytes_go_there_and_back_and_stops_are_heard(cluster: Any) -> None:
    """With rows of more than the limit too: the worker has those of its host."""
    briefing = IdleBriefing(floats=3_000_000, names_rows=True, needs_rows=30)
    pool, journal = opened(briefing, 1, most_bytes=100), MemoryJournal()
    trainer = PooledTrainer(Team(pool))
    train_all(trainer, work(2), journal)
    assert journal.states[0].model[0].shape == (3_000_000,)
    train_all(trainer, work(2), journal, lambda: True)
    pool.close()


def test_rays_own_answer_to_a_signal_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    from sweep.pool import ray_pool

    def init(**options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))

    monkeypatch.setattr(ray_pool.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray_pool.ray, "init", init)
    before = signal.getsignal(signal.SIGTERM)
    assert ray_pool._join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cluster_that_was_killed_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweep.pool import ray_pool

    joined: list[str] = []
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray_pool.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray_pool.ray, "init", lambda address, **_: joined.append(address))
    kept = tmp_path / "ray" / "ray_current_cluster"
    kept.parent.mkdir()
    ray_pool._join()
    with socket.create_server(("127.0.0.1", 0)) as door:
        living = f"127.0.0.1:{door.getsockname()[1]}"
        kept.write_text(living)
        ray_pool._join()
    for text in (living, "", "nothing", "127.0.0.1:99999"):  # its door is closed by now
        kept.write_text(text)
        ray_pool._join()
    assert joined == ["local", living, "local", "local", "local", "local"]


def test_an_actor_that_cannot_start_is_given_up_and_the_reason_is_said(cluster: Any) -> None:
    from sweep.errors import PlatformError

    pool = opened(IdleBriefing(fails_to_start="no TensorFlow here"), 1)
    with pytest.raises(PlatformError, match="ImportError: no TensorFlow here"):
        train_all(PooledTrainer(Team(pool)), work(), MemoryJournal())
    pool.close()


def test_the_cluster_file_of_the_page_is_one_to_ray() -> None:
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()
    (text,) = re.findall(r"```yaml\n(cluster_name: .*?)```", page, re.DOTALL)
    validate_config(prepare_config(yaml.safe_load(text)))
