"""Processes as workers: killed, stopped, not to be started; and the search that goes on."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from sweep.errors import PlatformError
from sweep.pool.face import Ready
from sweep.pool.places import Place
from sweep.pool.processes import ProcessPool
from sweep.pool.team import Patience, Team
from sweep.pool.trainer import PooledTrainer
from sweep.runner.pooled import StoreCrew
from sweep.runner.workers import IN_PROCESS
from sweep.store.workers import workers
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.testing.idle_briefing import Grief, IdleBriefing
from tests.support.pools import NEVER, comparable, work
from tests.support.runs import new_runner, new_store

SPLIT = small_split(20, 10)
HERE = Place(tuple(sorted(os.sched_getaffinity(0))))


def opened(briefing: IdleBriefing | None = None, n_workers: int = 2) -> ProcessPool:
    return ProcessPool(briefing or IdleBriefing(), SPLIT, [HERE] * n_workers)


def test_workers_killed_at_any_moment_change_nothing_in_the_tables(tmp_path, undisturbed):
    folder, store = new_store(tmp_path)
    pool, over = opened(IdleBriefing(seconds=0.02)), threading.Event()

    def kill() -> None:
        for turn in range(4):
            time.sleep(0.3)
            for pid in pool.processes[turn % 2 :][:1]:
                os.kill(pid, signal.SIGKILL)
            if over.is_set():
                return

    killer = threading.Thread(target=kill)
    killer.start()
    state = new_runner(folder, store, PooledTrainer(Team(pool), most_deaths=NEVER)).run()
    over.set()
    killer.join()
    pool.close()
    assert state == "finished"
    assert comparable(store) == undisturbed
    assert not list(Path(folder.checkpoints).glob("*.tmp"))


def test_an_assignment_that_kills_its_workers_fails_and_the_others_go_on():
    pool, journal = opened(IdleBriefing(grief=Grief(killed=1)), 1), MemoryJournal()
    train_all(PooledTrainer(Team(pool)), work(3), journal)
    pool.close()
    assert {n: one.status for n, one in journal.outcomes.items()} == {
        0: "completed", 1: "failed", 2: "completed"
    }  # fmt: skip
    assert journal.outcomes[1].error == "its worker died 3 times: killed by SIGKILL"


def test_a_worker_that_wants_too_much_memory_is_replaced_by_one_that_is_given_less():
    pool, journal = opened(IdleBriefing(grief=Grief(hungry=1)), 1), MemoryJournal()
    (seat,) = [worker.seat for worker in pool._workers.values()]
    train_all(PooledTrainer(Team(pool)), work(3), journal)
    pool.close()
    assert seat.most == 1
    assert [journal.outcomes[n].status for n in range(3)] == ["completed", "failed", "completed"]
    assert str(journal.outcomes[1].error).startswith("its worker died 3 times: MemoryError: ")


def test_a_worker_with_another_version_of_the_program_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "other" / "keras_sweep-0.0.1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: keras-sweep\nVersion: 0.0.1\n")
    paths = [str(folder.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    _, store = new_store(tmp_path)
    pool = opened(n_workers=1)
    with pytest.raises(PlatformError, match=r"has keras-sweep 0\.0\.1, and the head"):
        crew = StoreCrew(store, mixed=False, say=IN_PROCESS.say)
        train_all(PooledTrainer(Team(pool, crew)), work(), MemoryJournal())
    pool.close()
    assert not workers(store)


def test_a_worker_that_stands_still_is_replaced(tmp_path):
    grief = Grief(stopped=0, once=tmp_path / "once")
    pool, journal = opened(IdleBriefing(grief=grief), 1), MemoryJournal()
    team = Team(pool, patience=Patience(work=0.3))
    train_all(PooledTrainer(team), work(2), journal)
    pool.close()
    assert [one.status for one in journal.outcomes.values()] == ["completed"] * 2
    assert grief.once is not None and grief.once.exists()


def test_workers_that_do_not_start_are_given_up_and_the_reason_is_said():
    pool = opened(IdleBriefing(fails_to_start="no TensorFlow here"))
    expected = r"no worker of the pool can work \(ImportError: no TensorFlow here\)"
    with pytest.raises(PlatformError, match=expected):
        train_all(PooledTrainer(Team(pool)), work(), MemoryJournal())
    pool.close()


def test_a_refused_worker_is_not_replaced():
    class Crew:
        def joins(self, worker: int, ready: Ready) -> str | None:
            return "numpy 1 → 2"

        def probed(self, worker: int, sha256: str) -> str | None:
            return None

        def leaves(self, worker: int, why: str) -> None:
            assert why == "numpy 1 → 2"

        def number(self, worker: int) -> int | None:
            return None

    pool = opened(n_workers=1)
    with pytest.raises(PlatformError, match="can work \\(numpy 1 → 2\\)"):
        train_all(PooledTrainer(Team(pool, Crew())), work(), MemoryJournal())
    pool.close()


def test_nothing_is_left_behind_when_a_pool_is_closed():
    pool = opened(IdleBriefing(seconds=30))
    folder, pids = pool._folder, pool.processes
    assert (folder / "briefing").is_file()
    pool.give(0, [])
    pool.close()
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_states_of_many_megabytes_go_there_and_back():
    pool, journal = opened(IdleBriefing(floats=3_000_000), 1), MemoryJournal()
    train_all(PooledTrainer(Team(pool)), work(last=2), journal)
    pool.close()
    assert journal.states[0].model[0].shape == (3_000_000,)
