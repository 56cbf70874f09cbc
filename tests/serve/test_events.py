"""Live events: none is missed and none told twice, wherever a stream is cut."""

import json
import re
import threading
import time

import pytest

from sweep.records import SweepState
from sweep.serve.live.place import PlaceInHistory
from sweep.serve.queue import audit, jobs
from sweep.serve.queue.job import JobKind, NewJob
from sweep.serve.work import forecast
from sweep.store import Store
from sweep.store.events import events_after
from tests.support.sweeps import record, store_sweep, trained

EPOCHS = 6


def told(lines):
    """Events of a stream as they come: kind, id and data."""
    fields = {}
    for line in lines:
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@pytest.fixture
def growing(service):
    """A sweep `grows` that waits to train."""
    (service.options.results / "grows").mkdir()
    path = service.options.results / "grows" / "sweep.db"
    waiting = trained(hyperparameters={"width": 8}, last_epoch=EPOCHS, ended=None)
    store_sweep(path, [waiting], name="grows", state="interrupted").close()
    return path


def train(path, epochs=EPOCHS, pause=0.05):
    with Store(path) as store:
        store.set_state(SweepState.RUNNING)
        (assignment,) = store.pending()
        for epoch in range(1, epochs + 1):
            time.sleep(pause)
            store.save_progress(assignment, "file", epoch, [record(epoch, 0.7 - 0.01 * epoch)])


def stored(path, after):
    with Store(path, read_only=True) as store:
        return [one.event for one in events_after(store, after, 100)]


def test_a_stream_cut_after_each_event_misses_none_and_tells_none_twice(client, growing):
    state = client.get("/api/v1/sweeps/grows").json()
    since = f"0.{state['identity']}.{state['event']}"
    thread = threading.Thread(target=train, args=(growing,))
    thread.start()
    heard = []
    while len(heard) < EPOCHS + 1:
        headers = {"Last-Event-ID": since}
        with client.stream("GET", "/api/v1/sweeps/grows/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for one in told(answer.iter_lines()):
                since = one.get("id", since)
                if one.get("event") in ("epochs", "sweep"):
                    heard.append(json.loads(one["data"])["event"])
                    break
                assert one.get("event") != "reset"
    thread.join()
    assert heard == stored(growing, state["event"])


def test_a_sweep_that_took_anothers_name_is_not_taken_for_it(client, growing):
    headers = {"Last-Event-ID": "0.another.1"}
    with client.stream("GET", "/api/v1/sweeps/grows/events", headers=headers) as answer:
        kinds = (one["event"] for one in told(answer.iter_lines()) if "event" in one)
        assert next(kinds) == "reset"


def test_a_listener_that_slept_too_long_is_told_to_read_all_again(client, growing):
    with Store(growing) as store:
        for _ in range(1001):
            store._db.execute("INSERT INTO event (at, kind) VALUES (1.0, 'sweep')")
        identity = store.sweep().identity
    headers = {"Last-Event-ID": f"0.{identity}.0"}
    with client.stream("GET", "/api/v1/sweeps/grows/events", headers=headers) as answer:
        kinds = [one["event"] for one in told(answer.iter_lines()) if "event" in one]
    assert kinds == ["reset"]  # and it is closed


def test_what_happens_in_the_queue_is_told_too(client, service):
    with client.stream("GET", "/api/v1/events?after=0..0") as answer:
        lines = told(answer.iter_lines())
        next(lines)
        asked = {"kind": "start", "space": {"name": "mine"}, "sweep": "new"}
        assert client.post("/api/v1/jobs", json=asked).status_code == 202
        found = next(one for one in lines if one.get("event") == "job")
        assert json.loads(found["data"]) == {"action": "start", "subject": "job 1"}
        assert PlaceInHistory.parsed(found["id"]) == PlaceInHistory(1)
        service.ending.set()
        assert next(one for one in lines if "event" in one)["event"] == "bye"


def test_no_more_than_so_many_listen(client, service):
    service.clients.n = 64
    answer = client.get("/api/v1/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    service.clients.n = 0


def test_a_page_misses_nothing_that_happens_while_it_is_made(client, service, monkeypatch):
    """A job ends between the reading of its state and the sending of the page."""
    from sweep.serve.pages import house, overview, sweep

    def happens(*arguments, **options):
        audit.enter(service.database, "Ada", "test", "job cancelled", "job 1")
        return forecast.forecast(*arguments, **options)

    jobs.add(service.database, NewJob(JobKind.CONFIRM, "small", {}), "Ada")
    monkeypatch.setattr(house, "forecast", happens)
    monkeypatch.setattr(overview, "forecast", happens)
    curves = sweep._CONTEXTS["curves"]
    monkeypatch.setitem(
        sweep._CONTEXTS, "curves", lambda who, *more: (happens(service), curves(who, *more))[1]
    )
    for path in ("/", "/jobs/1", "/sweeps/small"):
        before = audit.last_entry(service.database)
        page = client.get(path, headers={"Accept": "text/html"}).text
        place = PlaceInHistory.parsed(re.search(r'data-place="([^"]+)"', page)[1])
        assert place.entry == before < audit.last_entry(service.database), path
