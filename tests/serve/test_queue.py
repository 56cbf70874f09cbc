"""The queue's database: jobs in their order, tokens by their hashes, answers kept by their keys."""

import dataclasses
import sqlite3

import pytest

from sweep.errors import DataError, InvalidSpaceError, LockedError, UsageError
from sweep.serve.access import sessions, tokens
from sweep.serve.access.tokens import TokenScope
from sweep.serve.queue import answers, audit, jobs
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.queue.job import JobKind, JobState, NewJob, Wanted


@pytest.fixture
def database(memory_path):
    with QueueDatabase(QueueFolder(memory_path / "results").database) as found:
        yield found


def new(sweep="s", **changes):
    return dataclasses.replace(NewJob(JobKind.RESUME, sweep, {"max_time": "2h"}), **changes)


def test_jobs_stand_in_line_by_priority_then_interruption_then_age(database):
    first, second, urgent = (
        jobs.add(database, new(name, priority=priority), "Ada").job
        for name, priority in (("a", 50), ("b", 50), ("c", 90))
    )
    assert [job.job for job in jobs.queued(database)] == [urgent, first, second]
    jobs.change(database, second, state=JobState.PREEMPTED.value)
    assert [job.job for job in jobs.queued(database)] == [urgent, second, first]
    running = jobs.change(database, urgent, state=JobState.RUNNING.value)
    assert [job.job for job in jobs.at_work(database)] == [urgent]
    assert running.version == 2
    assert running.options == {"max_time": "2h"}


def test_a_cancellation_is_not_taken_back_by_a_preemption(database):
    job = jobs.change(database, jobs.add(database, new(), "Ada").job, state="running")
    job = jobs.want(database, job, Wanted.CANCEL)
    assert jobs.want(database, job, Wanted.PREEMPT).wanted is Wanted.CANCEL
    ended = jobs.end(database, job, JobState.CANCELLED)
    assert ended.is_over
    assert ended.wanted is None


def test_a_damaged_or_newer_queue_is_refused_in_one_line(tmp_path):
    path = tmp_path / "queue.db"
    path.write_bytes(b"no database at all, but some bytes" * 40)
    with pytest.raises(DataError, match="put it aside"):
        QueueDatabase(path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(DataError, match="schema version 99"):
        QueueDatabase(path)


def test_a_second_server_on_one_results_folder_is_refused(tmp_path):
    folder = QueueFolder(tmp_path / "results")
    with folder.served(), pytest.raises(LockedError, match="serves"), folder.served():
        pass
    with folder.served():  # free again
        assert folder.rest.stat().st_mode & 0o077 == 0


def test_a_request_with_a_known_key_is_carried_out_once(database):
    made = []

    def make():
        made.append(jobs.add(database, new(), "Ada"))
        return answers.RequestAnswer(202, "/api/v1/jobs/1", {"job": 1})

    first = answers.once(database, "k", "Ada", "/jobs", b"{}", make)
    again = answers.once(database, "k", "Ada", "/jobs", b"{}", make)
    assert (again.status, again.location, again.body) == (202, first.location, first.body)
    assert again.is_kept
    assert len(made) == 1
    with pytest.raises(answers.OtherRequestError):
        answers.once(database, "k", "Ada", "/jobs", b'{"priority": 1}', make)
    answers.once(database, "k", "Bob", "/jobs", b"{}", make)
    assert len(made) == 2


def test_a_request_that_fails_leaves_nothing_under_its_key(database):
    def make():
        jobs.add(database, new(), "Ada")
        raise UsageError("no")

    with pytest.raises(UsageError):
        answers.once(database, "k", "Ada", "/jobs", b"{}", make)
    assert jobs.newest(database, 10) == []


def test_tokens_are_known_by_form_and_found_by_hash(database):
    token, secret = tokens.add(database, "laptop", frozenset({TokenScope.READ, TokenScope.RUN}))
    assert tokens.is_well_formed(secret)
    assert not tokens.is_well_formed(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    found = tokens.presented(database, secret)
    assert found == token
    assert found.allows(TokenScope.RUN)
    assert not found.allows(TokenScope.CODE)
    assert tokens.presented(database, tokens.new_secret()) is None
    stored = str([tuple(row) for row in database.rows("SELECT * FROM token")])
    assert secret not in stored
    with pytest.raises(UsageError, match="already"):
        tokens.add(database, "laptop", frozenset({TokenScope.READ}))
    with pytest.raises(InvalidSpaceError, match="expected one of"):
        tokens.scopes_of(["root"])


def test_an_expired_token_and_a_removed_ones_session_open_nothing(database, monkeypatch):
    token, secret = tokens.add(database, "a day", frozenset({TokenScope.READ}), days=1)
    cookie = sessions.sign_in(database, token)
    assert sessions.signed_in(database, cookie).name == "a day"
    now = token.created_at + 86_401
    monkeypatch.setattr("time.time", lambda: now)
    assert tokens.presented(database, secret) is None
    assert sessions.signed_in(database, cookie) is None
    monkeypatch.undo()
    tokens.remove(database, "a day")
    assert sessions.signed_in(database, cookie) is None


def test_signing_out_ends_the_session_at_the_server(database):
    token, _ = tokens.add(database, "t", frozenset({TokenScope.READ}))
    cookie = sessions.sign_in(database, token)
    sessions.sign_out(database, cookie)
    assert sessions.signed_in(database, cookie) is None


def test_the_audit_log_names_who_did_what(database):
    audit.enter(database, "Ada", "127.0.0.1", "start", "job 1", "capacity")
    audit.enter(database, "Bob", "127.0.0.1", "cancel", "job 1")
    newest, oldest = audit.entries(database, 10)
    assert (newest.who, newest.action, oldest.detail) == ("Bob", "cancel", "capacity")
    assert audit.entries(database, 10, before=newest.entry) == [oldest]
