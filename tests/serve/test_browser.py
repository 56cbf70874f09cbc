"""The pages in a real browser: live, silent, and within a phone's width."""

import os
import shutil
import time

import pytest
from playwright.sync_api import sync_playwright

from sweep.records import OutcomeStatus
from sweep.serve import pages
from tests.support import service as served
from tests.support.accessibility import BAD, FAULTS
from tests.support.service import SPACE
from tests.support.sweeps import store_sweep, trained

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        pytest.fail("chromium is not installed; .ci/run installs it", pytrace=False)
    pytest.skip("chromium is not installed: apt install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield found
        found.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory, whole_search, forks):
    """A service with a whole played search, whose jobs train nothing."""
    place = tmp_path_factory.mktemp("browser")
    (place / "spaces").mkdir()
    (place / "spaces" / "mine.py").write_text(SPACE)
    shutil.copytree(whole_search, place / "results")
    for name in ("failing", "broken"):
        (place / "results" / name).mkdir()
    error = "ResourceExhaustedError: " + "no_room_for_so_large_a_tensor" * 10
    failed = trained(0.7, error=error, ended=OutcomeStatus.FAILED)
    store_sweep(
        place / "results" / "failing" / "sweep.db", [trained(0.7), failed, failed],
        name="failing", state="failed", message=f"2 of 3 trials have failed: {error}",
    ).close()  # fmt: skip
    (place / "results" / "broken" / "sweep.db").write_bytes(b"no database" * 500)
    quick = forks.quick(STANDS_STILL_WHILE=str(place / "still"))
    options = ("--spaces", "spaces", "--run-with", quick)
    with served.served(place, *options, forks=forks) as found:
        with found.client(Accept="text/html") as client:
            client.get("/sweeps/big")  # pandas is there from now on
            held = {"kind": "start", "space": {"name": "mine"}, "sweep": "held", "held": True}
            client.post("/api/v1/jobs", json=held)
        found.still = place / "still"
        yield found


def complains(message):
    """Whether a browser's message is of a fault; that a damaged sweep answers 500 is none."""
    is_known = message.location["url"].endswith("/sweeps/broken")
    return message.type in ("error", "warning") and not is_known


@pytest.fixture
def signed_in(browser, one):
    """Opens pages as somebody signed in; fails on complaints and on requests elsewhere."""
    troubles, contexts = [], []

    def opened(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complains(m) and troubles.append(m.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: r.url.startswith((one.url, "data:")) or troubles.append(r.url))
        page.on("dialog", lambda dialog: dialog.accept())
        if options.get("java_script_enabled", True):
            page.goto(f"{one.url}/signin")
            page.goto(f"{one.url}/signin#token={one.token}")  # as pasted into this page
        else:
            page.goto(f"{one.url}/signin")
            page.fill("input[name=token]", one.token)
            page.click("main button")
        page.wait_for_url(f"{one.url}/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def test_a_search_is_started_watched_stopped_and_gone_on_with_from_the_page(signed_in, one):
    page = signed_in()
    one.still.touch()
    page.goto(f"{one.url}/new?space=mine")
    page.fill("input[name=sweep]", "live")
    page.click("button[value=start]")
    page.wait_for_selector("a[href='/sweeps/live']")
    page.goto(f"{one.url}/sweeps/live")
    page.evaluate("window.same = true")
    page.wait_for_selector("[data-part=curves] polyline", state="attached")
    page.click("button:has-text('Stop')")
    page.wait_for_selector(".state.interrupted")
    page.click("button:has-text('Go on')")
    page.wait_for_selector("a[href='/sweeps/live']")
    page.goto(f"{one.url}/sweeps/live")
    page.evaluate("window.same = true")
    page.wait_for_selector("[data-part=state] .state.running")
    one.still.unlink()
    page.wait_for_selector("[data-part=state] .state.finished")
    assert page.evaluate("window.same")  # the page was not read again
    page.click("a:has-text('Report')")
    page.wait_for_selector("h1:has-text('live')")


def test_paused_updates_stay_away_until_they_are_wanted(signed_in, one):
    page = signed_in()
    page.click("#pause")
    assert page.get_attribute("#pause", "aria-pressed") == "true"
    with one.client() as client:
        asked = {"kind": "start", "space": {"name": "mine"}, "sweep": "later", "held": True}
        client.post("/api/v1/jobs", json=asked)
    time.sleep(1)
    assert "later" not in page.inner_text("main")
    page.click("#pause")
    page.wait_for_selector("text=later")


PAGES = (
    "/", "/new", "/sweeps/big", "/sweeps/big/trials/3", "/sweeps/big/compare?a=0&b=3",
    "/frontier?sweep=big", "/spaces", "/tokens", "/ledger", "/devices", "/signin",
    "/spaces/{sha256}", "/sweeps/failing", "/sweeps/failing/trials/1", "/sweeps/broken", "/jobs/1",
    "/?find=none",
)  # fmt: skip
NO_PAGES = ("/static/{file}", "/sweeps.csv", "/sweeps/{name}/trials.csv", "/sweeps/{name}/report")
"""Files, and the report, which has its own tests in a browser."""


def test_no_page_is_left_out():
    routes = {
        route.path: route.path_regex
        for router in pages.ROUTERS
        for route in router.routes
        if "GET" in route.methods and route.path not in NO_PAGES
    }
    looked_at = [path.partition("?")[0] for path in PAGES]
    missing = [path for path, its in routes.items() if not any(map(its.match, looked_at))]
    assert missing == []


PAPER = "getComputedStyle(document.body).backgroundColor"
PHONE, DESK = {"width": 320, "height": 640}, {"width": 1280, "height": 800}


def test_pages_fit_a_phone_and_can_be_read_in_both_themes(signed_in, one):
    page = signed_in(viewport=PHONE, color_scheme="light")
    with one.client() as client:
        sha256 = client.get("/api/v1/spaces").json()["items"][0]["sha256"]
    other = "dark"
    for path in PAGES:
        page.goto(one.url + path.format(sha256=sha256))
        paper, found = page.evaluate(PAPER), page.evaluate(FAULTS)
        page.set_viewport_size(DESK)
        found += page.evaluate(FAULTS)
        page.emulate_media(color_scheme=other)
        assert page.evaluate(PAPER) != paper
        found += page.evaluate(FAULTS)
        page.set_viewport_size(PHONE)
        found += page.evaluate(FAULTS)
        assert found == [], path
        other = "light" if other == "dark" else "dark"  # each is opened first on every other page


def test_a_bad_page_is_found_out(browser):
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.set_content(BAD)
    found = " ".join(page.evaluate(FAULTS))
    page.close()
    for fault in (
        "no language", "no title", "outside of the landmarks: <div>lost", "a nav unnamed",
        "a level left out", "id twice: a", "contrast 2.8", "no name: <a", "no name: <input",
        "no name: <select", "jumps: <button", "no alt", "empty th", "a table unnamed",
        "named by nothing", "a name without a role", "out of the keyboard's reach",
        "cut off: left of all", "wider than the window",
    ):  # fmt: skip
        assert fault in found, fault


def test_the_keyboard_reaches_what_the_mouse_does(signed_in, one):
    page = signed_in()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto(f"{one.url}/new")
    stops = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
        .filter((one) => one.checkVisibility() && one.type !== "hidden").map((one, i) => {
            one.dataset.stop = i; return i; })"""
    )
    for stop in stops:  # in the order of the page, each seen to have the focus
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
            return [Number(one.dataset.stop), style.outlineStyle, style.outlineWidth]; }"""
        )
        assert focus == [stop, "solid", "2px"]
    assert len(stops) > 30


def test_everything_can_be_done_without_a_script(signed_in, one):
    page = signed_in(java_script_enabled=False)
    page.goto(f"{one.url}/sweeps/big")
    assert page.locator("svg circle").count() > 100
    page.fill("textarea[name=text]", "seen")
    page.click("text=Keep")
    assert page.input_value("textarea[name=text]") == "seen"
    page.goto(f"{one.url}/")
    page.check("input[value=big]")
    page.click("text=Compare the marked")
    page.wait_for_selector("h1:has-text('One frontier')")
