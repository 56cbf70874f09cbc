"""Pages: whole without a script, everything escaped, every button does what the API does."""

import re
import shutil

import pytest

from sweep.records import OutcomeStatus
from sweep.serve import pages
from sweep.serve.access import guard
from sweep.serve.queue import jobs
from tests.serve.test_access import FILLED, bare, sign_in
from tests.support.sweeps import store_sweep, trained

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
    headers = {"Sec-Fetch-Site": "same-origin"}
    note = {"text": HOSTILE, "tags": HOSTILE}
    browser.post(f"/sweeps/{name}/note", data=note, headers=headers)
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
    browser.post("/jobs/1/change", data={"held": "1"})
    assert jobs.get(service.database, 1).held
    browser.post("/jobs/1/cancel")
    assert jobs.get(service.database, 1).state == "cancelled"


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
