"""The dispatcher with real processes: the urgent first, nothing twice, nothing lost by a kill."""

import os
import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from sweep.runner import stop as stopping
from sweep.serve.access.tokens import Token, TokenScope
from sweep.serve.options import ServeOptions
from sweep.serve.queue import audit, jobs
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.queue.job import JobState
from sweep.serve.service import Service
from sweep.serve.work import control, settle
from sweep.serve.work.ask import ask
from sweep.serve.work.asked import ResumeAsked, StartAsked
from sweep.serve.work.devices import Device, devices
from sweep.serve.work.dispatcher import Dispatcher
from sweep.serve.work.plans import Planner
from sweep.sweep_folder import SweepFolder
from tests.support.quick_sweep import EPOCHS
from tests.support.service import ROOT, SPACE

ADA = Token(1, "Ada", frozenset(TokenScope), 0.0, None, None)
LEFT = []
"""Processes that outlive the service that began them."""
ONE = (Device("cpu:1", "cpu"),)


@pytest.fixture
def options(memory_path, monkeypatch, forks):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    spaces = memory_path / "spaces"
    spaces.mkdir()
    for name in ("mine", "fails"):
        (spaces / f"{name}.py").write_text(SPACE)
    yield ServeOptions(
        results=memory_path / "results",
        spaces=spaces,
        devices=ONE,
        run_with=forks.quick(),
        retry_seconds=(0.0, 0.1, 0.1),
        least_free_bytes=0,
    )
    while LEFT:
        LEFT.pop().wait(20)


@contextmanager
def opened(options):
    """A service and a dispatcher that turns when it is told; closing it is a kill for the queue."""
    with QueueDatabase(QueueFolder(options.results).create().database) as database:
        service = Service(options, database, Planner(options, database))
        dispatcher = Dispatcher(service)
        yield service, dispatcher
        LEFT.extend(child.process for child in dispatcher._children.values())


def start(service, name, space="mine", **more):
    asked = {"kind": "start", "space": {"name": space}, "sweep": name, **more}
    return ask(service, StartAsked(**asked), ADA).job


def turn_until(service, dispatcher, number, *states, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        dispatcher.turn()
        job = jobs.get(service.database, number)
        if job.state in states:
            return job
        time.sleep(0.02)
    raise AssertionError(f"job {number} is {job}")


def epochs_of(options, name):
    with closing(sqlite3.connect(options.results / name / "sweep.db")) as db:
        return [row[0] for row in db.execute("SELECT epoch FROM epoch ORDER BY epoch")]


def whole(options, name):
    return epochs_of(options, name) == list(range(1, EPOCHS + 1))


def until_epoch(options, name, epoch):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if len(epochs_of(options, name)) >= epoch:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.02)
    raise AssertionError("the sweep does not train")


def test_a_job_runs_to_its_end_and_one_that_cannot_start_says_why(options):
    with opened(options) as (service, dispatcher):
        good, bad = start(service, "a"), start(service, "b", space="fails")
        assert turn_until(service, dispatcher, good, "finished").exit_code == 0
        failed = turn_until(service, dispatcher, bad, "failed")
        assert failed.error == "search space fails.py defines no build(hp)"
        assert failed.exit_code == 4
        assert "job finished" in [one.action for one in audit.entries(service.database, 20)]
    assert whole(options, "a")


def test_an_urgent_job_stops_another_which_goes_on_afterwards(options):
    with opened(options) as (service, dispatcher):
        first = start(service, "slow")
        turn_until(service, dispatcher, first, "running")
        until_epoch(options, "slow", 2)
        urgent = start(service, "urgent", priority=90, preempt=True)
        assert turn_until(service, dispatcher, urgent, "running").place == "cpu:1"
        stopped = jobs.get(service.database, first)
        assert (stopped.state, stopped.reason) == ("preempted", "stopped for an urgent job")
        turn_until(service, dispatcher, urgent, "finished")
        turn_until(service, dispatcher, first, "finished")
    assert whole(options, "slow")
    assert whole(options, "urgent")


def test_one_job_a_device_and_each_on_a_device_that_suits_it(options):
    two = (Device("gpu:0", "gpu", gpu=0), *ONE)
    with opened(replace(options, devices=two)) as (service, dispatcher):
        numbers = [
            start(service, n, device=d) for n, d in (("a", "cpu"), ("b", "cpu"), ("c", "any"))
        ]
        dispatcher.turn()
        found = [jobs.get(service.database, number) for number in numbers]
        assert [one.place for one in found] == ["cpu:1", None, "gpu:0"]
        assert found[1].state == "waiting"
        for number in numbers:
            turn_until(service, dispatcher, number, "finished")


def test_a_cancelled_job_is_gone_or_stops_and_its_sweep_can_go_on(options):
    with opened(options) as (service, dispatcher):
        running, waiting = start(service, "a"), start(service, "b")
        turn_until(service, dispatcher, running, "running")
        until_epoch(options, "a", 1)
        assert control.cancel(service, waiting).state == "cancelled"
        assert control.cancel(service, running).wanted == "cancel"
        turn_until(service, dispatcher, running, "cancelled")
        assert not whole(options, "a")
        assert control.cancel(service, running).state == "cancelled"
        again = ask(service, ResumeAsked(kind="resume", sweep="a"), ADA).job
        turn_until(service, dispatcher, again, "finished")
    assert whole(options, "a")


def test_a_drained_queue_and_a_held_job_start_nothing(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a", held=True)
        dispatcher.turn()
        assert jobs.get(service.database, number).reason == "held"
        jobs.change(service.database, number, held=False)
        service.pause(True)
        dispatcher.turn()
        assert jobs.get(service.database, number).state == "waiting"
        service.pause(False)
        turn_until(service, dispatcher, number, "running")
        control.cancel(service, number, now=True)
        turn_until(service, dispatcher, number, "cancelled")


def test_a_killed_process_goes_on_a_few_times_and_then_fails_with_its_last_words(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        for kill in range(1, 4):
            job = turn_until(service, dispatcher, number, "running")
            until_epoch(options, "a", 2 * kill)
            os.killpg(job.pid, signal.SIGKILL)
            while jobs.get(service.database, number).kills < kill:
                dispatcher.turn()
        assert turn_until(service, dispatcher, number, "finished").kills == 3
    assert whole(options, "a")


def test_a_process_that_dies_without_getting_further_is_not_begun_for_ever(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        killed = set()
        while (job := jobs.get(service.database, number)).state != "failed":
            dispatcher.turn()
            if job.pid not in {None, *killed} and job.state == "running":
                os.killpg(job.pid, signal.SIGKILL)
                killed.add(job.pid)
        assert len(killed) == 2
        assert "was killed" in job.error


def test_a_service_killed_at_any_moment_finds_its_jobs_again(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        turn_until(service, dispatcher, number, "running")
        until_epoch(options, "a", 2)
    # the service is gone; its job runs on, and is adopted
    with opened(options) as (service, dispatcher):
        dispatcher.turn()
        assert jobs.get(service.database, number).state == "running"
        turn_until(service, dispatcher, number, "finished")
    assert whole(options, "a")


def test_a_job_that_ended_while_nobody_served_is_settled_by_what_its_sweep_stored(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        turn_until(service, dispatcher, number, "running")
    until_epoch(options, "a", EPOCHS)
    LEFT[-1].wait(20)
    with opened(options) as (service, dispatcher):
        dispatcher.turn()
        assert jobs.get(service.database, number).state == "finished"


def test_a_job_killed_while_nobody_served_is_not_taken_for_one_that_said_why_it_failed(options):
    library = "E0000 00:00:1.2 3 cuda_platform.cc:52] CUDA error: Failed call to cuInit\n"
    own = "error: search space mine.py defines no build(hp)\n"
    with opened(options) as (service, _):
        job = jobs.get(service.database, start(service, "a"))
        folder = SweepFolder(options.results, "a")
        for said, state in (
            (library, None),
            (own, "failed"),
            (f"{own}$ sweep start again\n{library}", None),
            (f"{library}$ sweep start again\n{own}{library}", "failed"),
        ):
            log = options.results / "job.log"
            log.write_text(f"$ sweep start\n{said}")
            ended = settle.how_it_ended(job, None, folder, log, log)
            assert ended.state == state, said


def test_a_job_that_was_to_start_when_the_service_was_killed_starts_once(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        jobs.change(service.database, number, state=JobState.STARTING.value, started_at=time.time())
    with opened(options) as (service, dispatcher):
        turn_until(service, dispatcher, number, "running")
        turn_until(service, dispatcher, number, "finished")
    assert whole(options, "a")


def test_a_sweep_stopped_from_a_terminal_leaves_its_job_interrupted(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        turn_until(service, dispatcher, number, "running")
        until_epoch(options, "a", 1)
        stopping.request(service.sweep("a"))
        turn_until(service, dispatcher, number, "interrupted")


def test_an_ending_service_stops_its_jobs_which_go_on_with_the_next(options):
    with opened(options) as (service, dispatcher):
        number = start(service, "a")
        turn_until(service, dispatcher, number, "running")
        until_epoch(options, "a", 1)
        service.ending.set()
        dispatcher.stop_all()
        turn_until(service, dispatcher, number, "preempted")
    with opened(options) as (service, dispatcher):
        turn_until(service, dispatcher, number, "finished")
    assert whole(options, "a")


def test_devices_are_read_from_options_and_do_not_share_cores():
    found = devices(["gpu:0", "cpu:2", "cpu:1"], cores=range(4))
    assert [(one.name, one.cores) for one in found] == [
        ("gpu:0", ()), ("cpu:2", (0, 1)), ("cpu:1", (2,)),
    ]  # fmt: skip
    assert found[1].environment() == {"CUDA_VISIBLE_DEVICES": "-1"}
    for bad in (["gpu"], ["cpu:0"], ["cpu:9"], ["gpu:0", "gpu:0"]):
        with pytest.raises(Exception, match="--device"):
            devices(bad, cores=range(4))
