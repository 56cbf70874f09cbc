"""A pooled trainer is a trainer like any other, whatever becomes of workers and messages."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sweep.pool.face import Done, EpochTrained, GivenAssignment, KeptState, Lost, Ready, Said
from sweep.pool.team import Patience, Team
from sweep.pool.threads import FaultRates, ThreadPool
from sweep.pool.trainer import PooledTrainer
from sweep.records import Assignment, Outcome, OutcomeStatus
from sweep.testing import IdleTrainer, MemoryJournal, made_up_record, made_up_state, train_all
from sweep.testing.trainer_contract import BATCH, SPLIT, MakeTrainer, TrainerContract
from sweep.training.queue import Queue
from tests.support.pools import NEVER, comparable, work
from tests.support.runs import new_runner, new_store


class TestPooledTrainer(TrainerContract):
    """What its trainer promises, a pool passes on; what that measures is in its own tests."""

    trains_elsewhere = True
    test_the_losses_kept_are_those_of_the_best_epoch = None
    test_a_loss_that_is_not_finite_fails_its_trial_alone = None
    test_records_hold_what_keras_reports = None
    test_the_same_seed_gives_the_same_numbers_and_another_seed_others = None
    test_early_stopping_counts_across_rungs = None
    test_a_trial_without_losses_gets_them_with_its_next_best_epoch = None

    @pytest.mark.parametrize("kind", ["normalised"])  # has states of every sort
    def test_promotion_continues_a_trial_to_the_last_bit(
        self, make_trainer: MakeTrainer, journal: MemoryJournal, whole: MemoryJournal, kind: str
    ) -> None:
        super().test_promotion_continues_a_trial_to_the_last_bit(make_trainer, journal, whole, kind)

    @pytest.fixture
    def make_trainer(self, keras: Any) -> Iterator[MakeTrainer]:
        from sweep.training.auto_trainer import AutoTrainer

        pools: list[ThreadPool] = []

        def make(build: Any, patience: int | None = None) -> PooledTrainer:
            for before in pools:  # Keras builds in one thread at a time
                before.close()
            pool = ThreadPool(lambda: AutoTrainer(build, SPLIT, BATCH, patience, 1e9), 1)
            pools.append(pool)
            return PooledTrainer(Team(pool))

        yield make
        for pool in pools:
            pool.close()


CHAOS = {
    "nothing": FaultRates(),
    "doubled and delayed": FaultRates(doubled=0.3, delayed=0.3),
    "deaths": FaultRates(deaths=0.05, delayed=0.2, seed=1),
    "all at once": FaultRates(doubled=0.2, delayed=0.2, lost=0.03, deaths=0.03, seed=2),
}


@pytest.mark.parametrize("faults", CHAOS.values(), ids=CHAOS)
def test_whatever_becomes_of_workers_and_messages_the_tables_are_the_same(
    tmp_path, undisturbed, faults
):
    folder, store = new_store(tmp_path)
    pool = ThreadPool(lambda: IdleTrainer(keeps_each_epoch=True), 3, faults)
    team = Team(pool, patience=Patience(work=0.3, epochs=1))
    assert new_runner(folder, store, PooledTrainer(team, most_deaths=NEVER)).run() == "finished"
    pool.close()
    assert comparable(store) == undisturbed
    assert pool.n_started > 3 or not faults.deaths


class ScriptedPool:
    """A pool whose worker 0 says what a test lets it say."""

    def __init__(self, *first: Said) -> None:
        self.said = [*first] or [(0, Ready(4))]
        self.given: list[tuple[int, GivenAssignment]] = []
        self.closed: list[tuple[int | None, str | None]] = []
        self.stopped = 0

    def give(self, worker: int, work: Any) -> None:
        self.given += [(worker, one) for one in work]
        for one in work:
            self.answer(worker, one)

    def answer(self, worker: int, given: GivenAssignment) -> None:
        raise NotImplementedError

    def events(self, timeout: float) -> list[Said]:
        said, self.said = self.said, []
        return said

    def stop(self, token: int) -> None:
        self.stopped += 1

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        self.closed.append((worker, refused))
        if worker is not None:
            self.said.append((worker, Lost(refused or "closed")))


def done(token: int, *epochs: int) -> Done:
    records = tuple(made_up_record(0, epoch) for epoch in epochs)
    outcome = Outcome(OutcomeStatus.COMPLETED, 2, trainer="idle")
    return Done(token, outcome, made_up_state(epochs[-1]), records)


class Deadly(ScriptedPool):
    """Each worker that gets trial 1 dies; trial 0 goes well, unless it is in company."""

    def answer(self, worker: int, given: GivenAssignment) -> None:
        held = [one for number, one in self.given if number == worker]
        if given.assignment.trial == 1:
            self.said += [(worker, Lost("killed by signal 9")), (worker + 1, Ready(4))]
        elif len(held) == 1 and worker > 0:
            self.said.append((worker, done(given.token, 1, 2)))


def test_an_assignment_that_kills_its_workers_fails_alone_after_three_of_them():
    pool, journal = Deadly(), MemoryJournal()
    train_all(PooledTrainer(Team(pool)), work(2), journal)
    assert journal.outcomes[0].status == "completed"
    assert journal.outcomes[1].status == "failed"
    assert journal.outcomes[1].error == "its worker died 3 times: killed by signal 9"
    given = [one.assignment.trial for _, one in pool.given]
    assert (given.count(0), given.count(1)) == (2, 3), "the other one lost its worker once"


class Climbing(ScriptedPool):
    """Each worker keeps one epoch more, then dies."""

    def answer(self, worker: int, given: GivenAssignment) -> None:
        epoch = 1 + (0 if given.state is None else given.state.epoch)
        kept = KeptState(given.token, made_up_state(epoch), (made_up_record(0, epoch),))
        if epoch == 9:
            self.said.append((worker, done(given.token, 9)))
        else:
            self.said += [(worker, kept), (worker, Lost("gone")), (worker + 1, Ready(1))]


def test_an_assignment_that_gets_further_each_time_may_lose_any_number_of_workers():
    pool, journal = Climbing(), MemoryJournal()
    train_all(PooledTrainer(Team(pool)), work(last=9), journal)
    assert journal.outcomes[0].status == "completed"
    assert [record.epoch for record in journal.records[0]] == [*range(1, 10)]


class Silent(ScriptedPool):
    """Worker 0 never says a word about its work, worker 1 carries it out."""

    def answer(self, worker: int, given: GivenAssignment) -> None:
        if worker == 0:
            self.said.append((0, EpochTrained(NEVER, made_up_record(0, 1))))
        else:
            self.said.append((worker, done(given.token, 1, 2)))

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        super().close(worker, refused)
        self.said.append((1, Ready(1)))


def test_a_worker_that_says_nothing_of_its_work_is_given_up():
    clock = iter(range(NEVER))
    pool, journal = Silent(), MemoryJournal()
    team = Team(pool, patience=Patience(alive=NEVER, work=30), clock=lambda: next(clock))
    train_all(PooledTrainer(team), work(), journal)
    assert pool.closed == [(0, None)]
    assert journal.outcomes[0].status == "completed"
    assert not journal.live, "what came under a token that does not count is not told"


class Gate:
    """A trainer that trains an epoch whenever it is let."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may = threading.Semaphore(0)

    def train(self, source: Any, journal: Any, stop: Any) -> Any:
        while not stop() and (one := source.take()) is not None:
            self.begun.release()
            self.may.acquire()
            record, state = made_up_record(one.trial, 1), made_up_state(1)
            journal.epoch(one, record)
            if stop():
                journal.checkpoint(one, state, [record])
        yield from ()


def test_when_asked_to_stop_workers_end_their_epoch_and_it_is_kept():
    gate, journal = Gate(), MemoryJournal()
    pool = ThreadPool(lambda: gate, 1, capacity=3)
    trainer, asked = PooledTrainer(Team(pool)), threading.Event()

    def ask() -> None:
        gate.begun.acquire()
        asked.set()
        pool_told.wait()
        gate.may.release()

    pool_told = threading.Event()
    tell = pool.stop

    def stop(token: int) -> None:
        tell(token)
        pool_told.set()

    pool.stop = stop  # type: ignore[method-assign]
    asking = threading.Thread(target=ask)
    asking.start()
    assert [*trainer.train(Queue(work(3)), journal, asked.is_set)] == []
    asking.join()
    pool.close()
    assert [*journal.records] == [0], "what waited was not begun"
    assert journal.states[0].epoch == 1


class Stranger(ScriptedPool):
    """Worker 0 computes something else for the probe than worker 1."""

    def answer(self, worker: int, given: GivenAssignment) -> None:
        epochs = (1,) if given.assignment.trial < 0 else (1, 2)
        self.said.append((worker, done(given.token, *epochs)))


def test_a_worker_joins_when_its_probe_is_as_it_must_be():
    class Crew:
        def __init__(self) -> None:
            self.left: list[tuple[int, str]] = []

        def joins(self, worker: int, ready: Ready) -> str | None:
            return None

        def probed(self, worker: int, sha256: str) -> str | None:
            assert len(sha256) == 64
            return "other numbers" if worker == 0 else None

        def leaves(self, worker: int, why: str) -> None:
            self.left.append((worker, why))

        def number(self, worker: int) -> int | None:
            return worker

    pool, crew, journal = Stranger((0, Ready(1)), (1, Ready(1))), Crew(), MemoryJournal()
    probe = Assignment(-1, -1, 0, 0, 1, {}, 1)
    train_all(PooledTrainer(Team(pool, crew, probe)), work(), journal)
    assert pool.closed == [(0, "other numbers")]
    assert crew.left == [(0, "other numbers")]
    assert [ended.worker for ended in journal.ended] == [1]
    assert [worker for worker, one in pool.given if one.assignment.trial == 0] == [1]
