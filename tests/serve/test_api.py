"""The API: resources, versions, pages, problems, and every answer held to its description."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS as KNOWN
from schemathesis.checks import load_all_checks

from sweep.records import SweepState
from sweep.runner.stop import request
from sweep.serve.app import make_app
from sweep.serve.queue import jobs
from sweep.store import Store

load_all_checks()
CHECKS = KNOWN.get_by_names(
    ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
START = {"kind": "start", "space": {"name": "mine"}, "settings": {"max_epochs": 9}}


def test_every_answer_is_as_the_description_says(service, client, address):
    """Requests of all kinds, good and bad, to every route but the endless streams."""
    headers = {"Authorization": client.headers["Authorization"], "If-Match": "*"}
    client.post("/api/v1/jobs", json={**START, "sweep": "one"})
    document = make_app(service).openapi()
    for path in [path for path in document["paths"] if path.endswith("events") or "plans" in path]:
        del document["paths"][path]
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        send_some(found.ok(), address, headers)


def send_some(operation, address, headers):
    """Send an operation some requests that are as described, some that are not."""
    few = settings(
        max_examples=3, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @few
    @given(case=operation.as_strategy())
    def send(case):
        answer = case.call(base_url=address, headers=headers)
        expected = "/problems/damaged" in answer.text or operation.path == "/readyz"
        assert answer.status_code < 500 or expected, answer.text
        case.validate_response(answer, checks=CHECKS)

    send()


def test_a_start_is_a_job_that_can_be_found_changed_and_cancelled(client):
    answer = client.post("/api/v1/jobs", json=START)
    assert answer.status_code == 202
    job = client.get(answer.headers["location"])
    assert job.json()["sweep"] == "mine-1"
    assert job.json()["position"] == 1
    etag = job.headers["etag"]
    change = {"priority": 90}
    path = "/api/v1/jobs/1"
    assert client.patch(path, json=change).status_code == 428
    assert client.patch(path, json=change, headers={"If-Match": 'W/"99"'}).status_code == 412
    changed = client.patch(path, json=change, headers={"If-Match": etag})
    assert changed.json()["priority"] == 90
    assert client.patch(path, json=change, headers={"If-Match": etag}).status_code == 412
    for _ in range(2):
        assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert client.patch(path, json=change, headers={"If-Match": "*"}).status_code == 400


def test_a_post_sent_twice_with_its_key_is_one_job(client):
    headers = {"Idempotency-Key": "a"}
    first = client.post("/api/v1/jobs", json=START, headers=headers)
    again = client.post("/api/v1/jobs", json=START, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    other = client.post("/api/v1/jobs", json={**START, "priority": 1}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert len(client.get("/api/v1/jobs").json()["items"]) == 1


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({**START, "settings": {"max_epochs": 0}}, 422, "--max-epochs is 0, expected at least 1"),
        ({**START, "settings": {"epochs": 9}}, 422, "/settings/epochs: Extra inputs"),
        ({**START, "settings": {"data": "/etc/passwd"}}, 422, "expected auto, builtin or higgs"),
        ({**START, "space": {"name": "none"}}, 404, "there are: capacity, mine"),
        ({**START, "space": {"name": "mine", "sha256": "0" * 64}}, 422, "look again"),
        ({**START, "sweep": "../up"}, 422, "cannot name a sweep"),
        ({**START, "sweep": "small"}, 409, "exists already"),
        ({**START, "device": "gpu"}, 422, "expected one of: any, machine"),
        ({"kind": "resume", "sweep": "small"}, 400, "is finished"),
        ({"kind": "resume", "sweep": "none"}, 404, "no sweep named 'none'"),
        ({"kind": "dance", "sweep": "small"}, 422, "dance"),
        ({"kind": "extend", "sweep": "small", "add_brackets": -1}, 422, "greater than or equal"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_refused_in_one_line_and_starts_nothing(client, asked, status, words):
    answer = client.post("/api/v1/jobs", json=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert words in problem["detail"]
    assert "\n" not in problem["detail"]
    assert client.get("/api/v1/jobs").json()["items"] == []


def test_a_body_that_cannot_be_read_is_told_why(client):
    path = "/api/v1/jobs"
    for body, kind, status, words in (
        (b"{bad", "application/json", 400, "no JSON, from character 1 on"),
        (b"[" * 100_000, "application/json", 400, "parsing the body"),
        (b'{"kind": "resume"}', "text/plain", 415, "must be application/json"),
        (b'{"kind": "resume"}', "application/json", 422, "/sweep: Field required"),
        (b"[]", "application/json", 422, "the body: Input should be a valid dictionary"),
        (b"", "application/json", 422, "the body: Field required"),
    ):
        answer = client.post(path, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_a_path_says_which_methods_it_has(client):
    for path, methods in (
        ("/api/v1/jobs", "GET, HEAD, POST, OPTIONS"),
        ("/api/v1/jobs/1", "GET, HEAD, PATCH, OPTIONS"),
        ("/api/v1/jobs/1/cancel", "POST, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ):
        asked = client.options(path)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
        refused = client.delete(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
        assert methods in refused.json()["detail"]


def test_a_sweep_whose_space_is_not_the_services_own_needs_a_token_for_code(client, secrets):
    asked = {"kind": "confirm", "sweep": "small"}
    headers = {"Authorization": f"Bearer {secrets['run']}"}
    answer = client.post("/api/v1/jobs", json=asked, headers=headers)
    assert answer.status_code == 422
    assert "scope code" in answer.json()["detail"]
    assert client.post("/api/v1/jobs", json=asked).status_code == 202


def test_a_poll_of_what_has_not_changed_is_a_304(client):
    for path in ("/api/v1/sweeps/small", "/api/v1/sweeps/small/report"):
        first = client.get(path)
        assert first.status_code == 200
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_collections_come_page_by_page(client):
    numbers, path = [], "/api/v1/sweeps/small/trials?page_size=2"
    while path:
        answer = client.get(path)
        numbers += [one["trial"] for one in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url")
    assert sorted(numbers) == [0, 1, 2]
    for bad in ("x", "!!", "bnVsbA", "LTE"):
        assert client.get(f"/api/v1/sweeps?page_token={bad}").status_code == 400


def test_the_list_shows_the_best_with_its_error_and_what_is_damaged(client):
    found = {one["name"]: one for one in client.get("/api/v1/sweeps").json()["items"]}
    assert found["broken"]["state"] == "damaged"
    assert "restore it from a copy" in found["broken"]["message"]
    best = found["small"]["best"]
    assert (best["trial"], round(best["score"], 4)) == (1, 0.55)
    assert 0 < best["score_se"] < 0.1
    damaged = client.get("/api/v1/sweeps/broken/trials")
    assert (damaged.status_code, damaged.json()["type"]) == (500, "/problems/damaged")


def test_the_report_is_the_terminals_in_every_form(client, service):
    from sweep.analysis.report.trials_json import to_json
    from sweep.analysis.stored import load_frames

    path = "/api/v1/sweeps/small/report"
    printed = json.loads(to_json(load_frames(service.sweep("small"))))
    assert client.get(path).json() == printed
    assert client.get(path, headers={"Accept": "text/csv"}).text.startswith("rank,trial")


def test_a_sweep_is_removed_only_in_the_version_that_was_seen(client, service):
    path = "/api/v1/sweeps/small"
    assert client.delete(path).status_code == 428
    assert client.delete(path, headers={"If-Match": 'W/"other"'}).status_code == 412
    etag = client.get(path).headers["etag"]
    with service.sweep("small").locked():
        answer = client.delete(path, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["exit_code"]) == (409, 9)
        assert not request(service.sweep("broken"))
    assert client.delete(path, headers={"If-Match": etag}).status_code == 204
    assert client.get(path).status_code == 404


def test_an_uploaded_space_runs_only_after_its_hash_is_approved(client, service):
    files = {"wide.py": '"""Wide."""\nimport parts\n\ndef build(hp): ...\n', "parts.py": "A = 1\n"}
    space = client.post("/api/v1/spaces", json={"name": "wide", "files": files})
    assert space.status_code == 201
    sha256 = space.json()["sha256"]
    assert client.get(space.headers["location"]).json()["files"] == files
    asked = {"kind": "start", "space": {"name": "wide", "sha256": sha256}}
    assert "approval" in client.post("/api/v1/jobs", json=asked).json()["reason"]
    approved = client.put(f"/api/v1/spaces/{sha256}/approval", json={"approved": True}).json()
    assert (approved["is_approved"], approved["approved_by"]) == (True, "all")
    for bad in ({"wide.py": "def build(:"}, {"x.py": ""}, {**files, "unused.py": ""}, {"../a": ""}):
        answer = client.post("/api/v1/spaces", json={"name": "wide", "files": bad})
        assert answer.status_code == 422, bad
    assert not (service.folder.spaces.parent / "a").exists()


def test_notes_and_tags_are_kept_beside_the_sweeps(client):
    path = "/api/v1/sweeps/small/note"
    asked = {"text": "<b>watch this</b>", "tags": ["paper"]}
    assert client.put(path, json=asked).status_code == 200
    assert client.get(path).json()["text"] == "<b>watch this</b>"
    assert client.get(path, params={"trial": 1}).json()["text"] == ""
    assert client.get("/api/v1/sweeps/small").json()["tags"] == ["paper"]


def test_a_token_made_by_http_is_shown_once(client):
    asked = {"name": "ci", "scopes": ["run"], "days": 30}
    made = client.post("/api/v1/tokens", json=asked).json()
    assert made["scopes"] == ["read", "run"]
    listed = client.get("/api/v1/tokens").text
    assert made["secret"] not in listed
    assert client.post("/api/v1/tokens", json=asked).status_code == 400
    assert client.delete("/api/v1/tokens/ci").status_code == 204


def test_the_queue_drains_and_says_so(client, service):
    assert client.get("/readyz").status_code == 200
    client.patch("/api/v1/queue", json={"paused": True})
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "drained\n")
    client.patch("/api/v1/queue", json={"paused": False})
    assert jobs.counts(service.database)["waiting"] == 0


def test_metrics_are_in_prometheus_form(client, service):
    from prometheus_client.parser import text_string_to_metric_families

    folder = service.sweep("small")
    with folder.locked():  # as if a pool were at work on it
        with Store(folder.database) as store:
            store.set_state(SweepState.RUNNING)
            lost, _ = (store.add_worker("node", number, "cpu") for number in (1, 2))
            store.end_worker(lost, "it was ended")
        text = client.get("/metrics").text
    found = {one.name: one.samples for one in text_string_to_metric_families(text)}
    assert {"sweep_jobs", "sweep_disk_free_bytes", "sweep_build_info"} <= set(found)
    crew = {one.labels["state"]: one.value for one in found["sweep_workers"]}
    assert crew == {"working": 1.0, "lost": 1.0}
    assert found["sweep_failed_trials"][0].labels == {"sweep": "small"}
