"""Pages: whole without a script, everything escaped, every button does what the API does."""

import re
import shutil
from dataclasses import replace

import pytest

from sweep.records import OutcomeStatus
from sweep.serve import pages
from sweep.serve.access import guard
from sweep.serve.queue import jobs, notes
from sweep.store import Store
from tests.support.sweeps import store_sweep, trained
from tests.support.visitors import FILLED, bare, sign_in

HTML = {"Accept": "text/html"}
HOSTILE = '<script>alert(1)</script>"\u202e'


def page_routes():
    """Method and path of every route of the pages."""
    return [
        (method, route.path)
        for router in pages.ROUTERS
        for route in router.routes
        for method in sorted(route.methods - {"HEAD"})
    ]


def filled(path):
    return re.sub(r"{(\w+)[^}]*}", lambda found: FILLED[found[1]], path)


@pytest.fixture
def browser(client, secrets):
    """A client that is signed in as a browser is, with all scopes."""
    secret = client.headers["Authorization"].removeprefix("Bearer ")
    client = bare(client)
    assert sign_in(client, secret).status_code == 204
    client.headers.update(HTML | {"Sec-Fetch-Site": "same-origin"})
    return client


def test_every_page_needs_a_token_and_sends_people_to_the_sign_in(client):
    client = bare(client)
    for method, path in page_routes():
        if path in guard.OPEN or path.startswith("/static/"):
            continue
        answer = client.request(method, filled(path), headers=HTML)
        if method == "GET":
            assert (answer.status_code, answer.headers["location"]) == (303, "/signin"), path
        else:
            assert answer.status_code in (401, 403), path


def test_every_page_refuses_a_foreign_host_and_every_button_another_page(browser, service):
    for method, path in page_routes():
        answer = browser.request(method, filled(path), headers={"Host": "evil.example"})
        assert answer.status_code == 421, path
        if method != "GET":
            headers = {"Sec-Fetch-Site": "cross-site"}
            answer = browser.request(method, filled(path), headers=headers, data={"a": "1"})
            assert answer.status_code == 403, path
    assert jobs.newest(service.database, 10) == []


def test_buttons_need_their_scope(client, secrets):
    client = bare(client)
    sign_in(client, secrets["read"])
    for method, path in page_routes():
        if method == "POST" and path not in ("/signout",):
            headers = {"Sec-Fetch-Site": "same-origin"}
            answer = client.post(filled(path), headers=headers, data={"a": "1"})
            assert answer.status_code == 403, path
    overview = client.get("/", headers=HTML).text
    assert "Drain the queue" not in overview


@pytest.mark.parametrize(
    "path",
    [
        "/", "/new", "/sweeps/small", "/sweeps/small/trials/1", "/sweeps/small/compare?a=0&b=1",
        "/frontier?sweep=small", "/ledger", "/spaces", "/devices", "/tokens",
    ],
)  # fmt: skip
def test_pages_are_whole_without_a_script(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text[:2000]
    assert answer.text.count("<h1>") == 1
    assert not re.search(r"<script(?![^>]*src=\"/static/)|\son\w+=|javascript:", answer.text)
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)


def test_the_head_of_an_answer_comes_alone(browser):
    for path in ("/", "/api/v1/sweeps/small"):
        answer = browser.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 100
    assert browser.head("/sweeps/none").status_code == 404


def test_parts_of_a_page_come_alone(browser):
    for part in ("state", "ladder", "frontier", "curves", "verdict", "trials", "failures", "log"):
        answer = browser.get("/sweeps/small", params={"part": part})
        assert answer.status_code == 200
        assert "<html" not in answer.text
    assert "<html" not in browser.get("/?part=work").text


def test_what_others_wrote_is_shown_not_obeyed(browser, service):
    name = "forged"
    (service.options.results / name).mkdir()
    trials = [
        trained(0.7, 0.6, baseline=HOSTILE, hyperparameters={HOSTILE: HOSTILE}),
        trained(0.7, error=HOSTILE, ended=OutcomeStatus.FAILED),
    ]
    with store_sweep(
        service.options.results / name / "sweep.db", trials, name=name, message=HOSTILE,
        identity=f"{HOSTILE}\r\nX: y",
        space={"name": HOSTILE, "hyperparameters": [HOSTILE]},
    ):  # fmt: skip
        pass
    notes.put(service.database, name, None, HOSTILE, [HOSTILE], HOSTILE)
    notes.put(service.database, name, 0, HOSTILE, [HOSTILE], HOSTILE)
    for path in ("/", f"/sweeps/{name}", f"/sweeps/{name}/trials/0", f"/sweeps/{name}/trials/1"):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert "&lt;script&gt;alert" in text, path
    answer = browser.get(f"/api/v1/sweeps/{name}")
    assert answer.status_code == 200
    assert "x" not in answer.headers


def test_a_search_is_started_stopped_and_noted_from_the_page(browser, service):
    form = {
        "do": "start", "space": "mine:", "sweep": "by-hand", "max_epochs": "9",
        "baselines-there": "1", "priority": "60", "budget-max_seconds": "90",
    }  # fmt: skip
    answer = browser.post("/new", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/1"), answer.text
    job = jobs.get(service.database, 1)
    assert job.options["settings"] == {"max_epochs": 9, "baselines": False}
    assert job.options["budget"]["max_seconds"] == 90
    assert (job.sweep, job.priority) == ("by-hand", 60)
    assert browser.get("/jobs/1").status_code == 200
    assert "by-hand" in browser.get("/").text
    for path, wrong in (
        ("/jobs/1/change", {"priority": "-5"}),
        ("/jobs/1/change", {"priority": "high"}),
        ("/sweeps/small/note", {"tags": "a/b"}),
        ("/sweeps/small/note", {"text": "a", "trial": "9" * 30}),
    ):
        assert browser.post(path, data=wrong).status_code == 422, wrong
    browser.post("/jobs/1/change", data={"held": "1"})
    assert jobs.get(service.database, 1).held
    browser.post("/jobs/1/cancel")
    assert jobs.get(service.database, 1).state == "cancelled"


def test_a_search_on_a_file_of_ones_own_is_asked_for_from_the_page(browser, service, tmp_path):
    (tmp_path / "houses.csv").write_text("a,price\n1,2\n")
    service.options = replace(service.options, data=tmp_path)
    assert ">houses.csv</option>" in browser.get("/new").text
    form = {
        "do": "start", "space": "mine:", "data": "houses.csv", "label": "price,a",
        "missing": "mean", "header": "yes", "standardize": "", "train_rows": "60%",
        "test_rows": "1,000", "search": "random", "trials": "3", "objective": "mae", "pool": "2",
    }  # fmt: skip
    assert browser.post("/new", data=form).status_code == 303
    job = jobs.get(service.database, 1)
    assert job.options["settings"] == {
        "data": str(tmp_path / "houses.csv"), "label": ["price,a"], "missing": "mean",
        "header": True, "train_rows": "60%", "test_rows": 1000, "search": "random", "trials": 3,
        "objective": "mae",
    }  # fmt: skip
    assert job.options["pool"] == "2"
    for wrong, told in (
        ({"data": "../houses.csv"}, "no file of the folder for data"),
        ({"data": "/etc/passwd"}, "no file of the folder for data"),
        ({"task": "guess"}, "--task is &#39;guess&#39;"),
        ({"train_rows": "some"}, "--train-rows is &#39;some&#39;"),
        ({"pool": "many"}, "--pool is &#39;many&#39;"),
        ({"factor": "2"}, "--factor is a setting of --search hyperband"),
        ({"label": "a\0b"}, "label"),
    ):
        answer = browser.post("/new", data=form | wrong)
        assert answer.status_code in (400, 422), wrong
        assert told in answer.text
    assert len(jobs.newest(service.database, 10)) == 1


def test_a_plan_is_waited_for_on_its_page(browser, service):
    browser.get("/new")
    service.planner.make = lambda number, path: None  # no process in this test
    answer = browser.post("/new", data={"do": "plan", "space": "mine:", "max_epochs": "9"})
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert "is being made" in browser.get(place).text
    assert 'name="max_epochs" value="9"' in browser.get(place).text
    service.planner._settle(1, 3, b"", b"error: no column 'price'")
    assert "no column &#39;price&#39;" in browser.get(place).text
    assert browser.get(f"{place.partition('#')[0]}&part=plan").text.lstrip().startswith("<h2")


def test_a_space_is_uploaded_read_and_approved_on_its_page(browser, service):
    assert "Uploads are off" not in browser.get("/spaces").text
    files = [("files", ("wide.py", b"def build(hp):\n    return None\n"))]
    answer = browser.post("/spaces", files=files)
    assert answer.status_code == 303, answer.text
    assert "nothing runs it" in browser.get(answer.headers["location"]).text
    for name, content in (("../x.py", b""), ("x.txt", b"1"), ("bad.py", b"\xff"), ("a.py", b"(")):
        answer = browser.post("/spaces", files=[("files", (name, content))])
        assert answer.status_code == 422, name
    service.options = replace(service.options, uploads=False)
    assert "Uploads are off" in browser.get("/spaces").text
    assert browser.post("/spaces", files=files).status_code == 403


def test_the_workers_of_a_pool_are_shown_and_answered(browser, service):
    with Store(service.options.results / "small" / "sweep.db") as store:
        first = store.add_worker("node-1", 17, "gpu 0")
        store.end_worker(first, HOSTILE)
    text = browser.get("/sweeps/small?part=workers").text
    assert "node-1" in text
    assert "<script>alert" not in text
    items = browser.get("/api/v1/sweeps/small/workers").json()["items"]
    assert [(one["worker"], one["host"], one["why"]) for one in items] == [(1, "node-1", HOSTILE)]
    assert items[0]["left_at"].endswith("Z")


def test_charts_are_pictures_that_are_kept(browser):
    for form, start in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        answer = browser.get(f"/api/v1/sweeps/small/charts/frontier.{form}")
        assert answer.content.startswith(start)
        etag = answer.headers["etag"]
        again = browser.get(
            f"/api/v1/sweeps/small/charts/frontier.{form}", headers={"If-None-Match": etag}
        )
        assert again.status_code == 304
    missing = browser.get("/api/v1/sweeps/small/charts/none.svg")
    assert missing.status_code == 404
    assert "there are: frontier" in missing.json()["detail"]


def test_a_form_that_cannot_be_is_shown_again_with_the_line_that_says_why(browser, service):
    form = {"do": "start", "space": "mine:", "max_epochs": "0", "sweep": "kept"}
    answer = browser.post("/new", data=form)
    assert answer.status_code == 422
    assert "--max-epochs is 0, expected at least 1" in answer.text
    assert 'value="kept"' in answer.text
    assert jobs.newest(service.database, 10) == []


def test_an_error_is_a_page_for_people(browser):
    answer = browser.get("/sweeps/none")
    assert answer.status_code == 404
    assert "no sweep named &#39;none&#39;" in answer.text
    assert browser.get("/sweeps/broken").status_code == 500


def test_the_overview_filters_by_range_and_gives_a_csv(browser):
    assert "/sweeps/small" in browser.get("/?low=0.5&high=0.6").text
    assert "/sweeps/small" not in browser.get("/?low=0.6").text
    table = browser.get("/sweeps.csv?find=small").text.splitlines()
    assert table[0].startswith("name,space,state")
    assert table[1].startswith("small,capacity,finished")


def test_a_whole_search_has_its_ladder_with_reasons(browser, service, whole_search):
    shutil.copytree(whole_search / "big", service.options.results / "big")
    text = browser.get("/sweeps/big").text
    assert re.search(
        r"trial \d+: [\d.]+, 1st of 81 on rung 0 of bracket 4; the best 25 went on", text
    )
    assert "ValueError: the loss is not finite in epoch 1" in text
