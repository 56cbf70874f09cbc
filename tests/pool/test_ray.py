"""Ray actors as workers: killed, lost with their node; and the search that goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ray")

from sweep.pool.face import Ready
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.testing.idle_briefing import IdleBriefing
from tests.pool.test_trainer import NEVER, comparable, undisturbed, work  # noqa: F401
from tests.support.runs import new_runner, new_store

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")

SPLIT = small_split(20, 10)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of a head with a core and a node with another one, on this machine."""
    import ray
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    ray.init(address=started.address, log_to_driver=False, logging_level="error")
    yield started
    ray.shutdown()
    started.shutdown()


def opened(briefing: IdleBriefing, n_workers: int) -> Any:
    from sweep.pool.ray_pool import RayPool

    return RayPool(briefing, SPLIT, n_workers)


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
    undisturbed: Any,  # noqa: F811
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


def test_states_of_many_megabytes_go_there_and_back_and_stops_are_heard(cluster: Any) -> None:
    pool, journal = opened(IdleBriefing(floats=3_000_000), 1), MemoryJournal()
    trainer = PooledTrainer(Team(pool))
    train_all(trainer, work(2), journal)
    assert journal.states[0].model[0].shape == (3_000_000,)
    train_all(trainer, work(2), journal, lambda: True)
    pool.close()


def test_an_actor_that_cannot_start_is_given_up_and_the_reason_is_said(cluster: Any) -> None:
    from sweep.errors import PlatformError

    pool = opened(IdleBriefing(fails_to_start="no TensorFlow here"), 1)
    with pytest.raises(PlatformError, match="ImportError: no TensorFlow here"):
        train_all(PooledTrainer(Team(pool)), work(), MemoryJournal())
    pool.close()
