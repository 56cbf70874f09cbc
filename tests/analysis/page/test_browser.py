"""The HTML page in a real browser: no error, no request, and what is clicked answers."""

import io
import os
import shutil

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from sweep.analysis.frames.load import load
from sweep.analysis.page.write import write
from sweep.handle.html import to_html
from sweep.records import OutcomeStatus
from tests.support.hostile import EVIL
from tests.support.played_page import played_page
from tests.support.sweeps import store_sweep, trained

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        pytest.fail("chromium is not installed; .ci/run installs it", pytrace=False)
    pytest.skip("chromium is not installed: apt install chromium", allow_module_level=True)


WINDOW = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return (played_page(tmp_path_factory) / "report.html").as_uri()


class Watched:
    """Pages of a browser, and what it complains of or asks for while they are open."""

    def __init__(self, browser):
        self.browser, self.troubles, self.contexts = browser, [], []

    def open(self, where, **options):
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        page = context.new_page()
        say = self.troubles.append
        page.on("console", lambda m: m.type in ("error", "warning") and say(m.text))
        page.on("pageerror", lambda error: say(str(error)))
        page.on(
            "request", lambda r: r.url != where and not r.url.startswith("data:") and say(r.url)
        )
        page.goto(where)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]", state="attached")
        return page

    def close(self):
        for context in self.contexts:
            context.close()
        assert self.troubles == []


@pytest.fixture
def opened(browser):
    """Opens an address; fails on any complaint of the browser and any request."""
    watched = Watched(browser)
    yield watched.open
    watched.close()


@pytest.fixture(scope="module")
def one_a_scheme(browser, address):
    """The played page in either colours, opened once: a browser works for seconds to draw it."""
    watched, pages = Watched(browser), {}

    def page_in(scheme):
        if scheme not in pages:
            pages[scheme] = watched.open(address, color_scheme=scheme, viewport=WINDOW)
        return pages[scheme], watched

    yield page_in
    watched.close()


@pytest.fixture
def in_colours(one_a_scheme):
    """Gives the page in light or dark colours; a test that filters, sorts or turns puts it back."""
    used = []

    def page_in(scheme):
        page, watched = one_a_scheme(scheme)
        used.append((page, watched))
        return page

    yield page_in
    for page, watched in used:
        page.set_viewport_size(WINDOW)
        page.emulate_media(media="screen")
        assert watched.troubles == []


@pytest.fixture
def page(in_colours):
    return in_colours("light")


def column(page, name):
    """The cells of the rows that are shown."""
    names = page.locator("#trials thead th").all_text_contents()
    cells = f"#trials tbody tr:not([hidden]) td:nth-child({names.index(name) + 1})"
    return page.locator(cells).all_text_contents()


def numbers(cells):
    return [float(cell.replace(",", "")) for cell in cells if cell != "–"]


DRAWN = "() => Bokeh.documents[1].get_model_by_name('curves').data.xs.length"
"""How many trials' curves a page shows."""


def place_of(page, trial):
    """Where the frontier's chart draws a trial, in the window."""
    return page.evaluate(
        """(trial) => {
          for (const view of Object.values(Bokeh.index.roots ?? Bokeh.index)) {
            const plot = view.model.name === "frontier-plot" ? view : null;
            if (!plot) continue;
            for (const renderer of plot.model.renderers) {
              const data = renderer.data_source.data;
              const i = data.trial ? [...data.trial].indexOf(trial) : -1;
              if (i < 0) continue;
              const box = plot.el.getBoundingClientRect();
              const frame = plot.frame.bbox;
              const x = plot.frame.x_scale.compute(data.params[i]);
              const y = plot.frame.y_scale.compute(data.val_score[i]);
              return [box.left + x, box.top + y];
            }
          }
        }""",
        trial,
    )


def test_a_column_sorts_both_ways_with_what_is_missing_last(page):
    ranks = column(page, "rank")
    head = page.locator("#trials thead th", has_text="params").locator("button")
    head.click()
    sizes = numbers(column(page, "params"))
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]
    head.click()
    assert numbers(column(page, "params")) == sorted(sizes, reverse=True)
    page.locator("#trials thead th", has_text="gap").locator("button").click()
    gaps = column(page, "gap")
    assert gaps[-2:] == ["–", "–"] and numbers(gaps) == sorted(numbers(gaps))
    page.locator("#trials thead th", has_text="rank").locator("button").click()
    assert column(page, "rank") == ranks


def test_filters_show_the_trials_that_match_all(page):
    before = len(column(page, "rank"))
    filters = page.locator("#filters label")
    filters.filter(has_text="depth").locator("select").select_option("2")
    filters.filter(has_text="dropout").locator("select").select_option("0.5")
    depths, dropouts = column(page, "depth"), column(page, "dropout")
    assert 0 < len(depths) < before
    assert set(depths) == {"2"} and set(dropouts) == {"0.5"}
    assert page.locator("#matching").text_content() == f"{len(depths)} of {before} trials match."
    for name in ("depth", "dropout"):
        filters.filter(has_text=name).locator("select").select_option(index=0)
    assert len(column(page, "rank")) == before


def test_a_row_clicked_adds_its_curves_and_takes_them_away(page):
    before = page.evaluate(DRAWN)
    row = page.locator("#trials tbody tr").nth(5)
    trial = row.get_attribute("data-trial")
    row.click()
    assert f"trial {trial}" in page.locator("#chosen").text_content()
    assert "chosen" in row.get_attribute("class")
    assert page.evaluate(DRAWN) == before + 1
    row.press("Enter")
    assert page.evaluate(DRAWN) == before
    page.locator("#clear").click()
    assert page.evaluate(DRAWN) == 0 and page.locator("#chosen").text_content() == "no trial"


def test_a_point_tells_its_trial_and_a_click_draws_its_curves(page):
    trial = int(page.locator("#trials tbody tr").nth(8).get_attribute("data-trial"))
    page.locator("#frontier-plot").scroll_into_view_if_needed()
    x, y = place_of(page, trial)
    page.mouse.move(x, y, steps=4)
    page.get_by_text("settings:").wait_for()
    size = page.locator(f"tr[data-trial='{trial}'] td").nth(7).text_content()
    assert page.get_by_text("cut at epoch").count() == 1 and page.get_by_text(size).count() > 1
    page.mouse.click(x, y)
    page.wait_for_function(
        "(name) => document.querySelector('#chosen').textContent.includes(name)",
        arg=f"trial {trial}",
    )


def test_the_switch_changes_the_theme_and_the_charts_with_it(in_colours):
    page = in_colours("dark")
    assert page.evaluate(DRAWN) == 3
    look = """() => [getComputedStyle(document.body).backgroundColor,
      Bokeh.documents[0].get_model_by_name('frontier-plot').below[0].major_label_text_color]"""
    dark, ink = page.evaluate(look)
    page.locator("#theme").click()
    light, other_ink = page.evaluate(look)
    assert dark == "rgb(20, 23, 27)" and light == "rgb(255, 255, 255)" and ink != other_ink
    page.locator("#theme").click()
    assert page.evaluate(look) == [dark, ink]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_can_be_read_without_javascript(opened, address):
    page = opened(address, java_script_enabled=False)
    assert page.locator("figure.frontier img").is_visible()
    assert page.locator("#trials tbody tr").count() == 150
    assert not page.locator("#filters").is_visible() and not page.locator("#theme").is_visible()


def test_print_shows_the_static_charts(page):
    page.emulate_media(media="print")
    assert page.locator("figure.frontier img").is_visible()
    assert not page.locator("#frontier-plot").is_visible()
    assert page.pdf()[:5] == b"%PDF-"


def test_hostile_names_run_no_script(opened, tmp_path):
    trials = [
        trained(0.6, 0.5 + i / 100, baseline=EVIL, hyperparameters={EVIL: f"{EVIL}{i}"}, params=500)
        for i in range(3)
    ]
    trials.append(trained(ended=OutcomeStatus.FAILED, error=EVIL))
    with store_sweep(tmp_path / "sweep.db", trials, name=EVIL, data={"source": EVIL}) as store:
        write(load(store), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri(), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#trials tbody tr").nth(0).click()
    page.locator("#trials thead th button").nth(2).click()
    page.locator("#frontier-plot").scroll_into_view_if_needed()
    page.mouse.move(*place_of(page, 0), steps=4)
    page.wait_for_timeout(200)
    assert page.evaluate("window.hurt") is None
    assert page.locator("h1").text_content() == EVIL


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_baselines_are_marked_and_hollow_points_can_be_seen(in_colours, scheme):
    page = in_colours(scheme)
    look = """(name) => {
      const found = Bokeh.documents[0].get_model_by_name(name);
      const glyph = found.glyph;
      return [glyph.line_color?.value, glyph.text_color?.value,
        [...(found.data_source.data.text ?? [])]];
    }"""
    line, _, _ = page.evaluate(look, "points-cut")
    mark, _, _ = page.evaluate(look, "baselines")
    names = [page.evaluate(look, f"baseline-names-{side}") for side in ("left", "right")]
    paper = {"light": "#ffffff", "dark": "#14171b"}[scheme]
    assert contrast(line, paper) > 4.5 and contrast(mark, paper) > 7
    assert all(contrast(color, paper) > 7 for _, color, _ in names)
    written = {name for _, _, shown in names for name in shown}
    assert written == {"Tiny", "Small", "Medium", "Large", "L2", "Dropout", "Combined"}


def contrast(one, other):
    """WCAG's ratio of the luminances of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_hyperparameter_named_like_a_column_sorts_by_its_own_values(opened, tmp_path):
    trials = [
        trained(0.5 + n / 100, hyperparameters={"epochs": 10 * value, "class": "ab"[n % 2]})
        for n, value in enumerate((3, 1, 2))
    ]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        write(load(store), tmp_path / "report.html")
    page = opened((tmp_path / "report.html").as_uri())
    assert numbers(column(page, "hp.epochs")) == [30, 10, 20]
    page.get_by_role("button", name="hp.epochs", exact=True).click()
    assert numbers(column(page, "hp.epochs")) == [10, 20, 30]
    assert set(column(page, "hp.class")) == {"a", "b"}
    labels = page.locator("#filters label").all_text_contents()
    assert sum(label.startswith("hp.epochs") for label in labels) == 1


@pytest.mark.parametrize(("ink", "paper"), [("#111111", "#ffffff"), ("#eeeeee", "#111111")])
def test_a_notebooks_chart_has_the_ink_of_its_theme_and_a_wide_table_scrolls(
    browser, tmp_path, ink, paper
):
    settings = {f"hyperparameter_{n}": n for n in range(20)}
    with store_sweep(tmp_path / "s.db", [trained(0.5, hyperparameters=settings)]) as store:
        html = to_html(load(store))
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.set_content(f'<body style="color: {ink}; background: {paper}">{html}</body>')
    picture = Image.open(io.BytesIO(page.locator(".picture").screenshot())).convert("L")
    ground, others = picture.getpixel((3, 3)), picture.getextrema()
    box = page.locator(".wide").evaluate("e => [e.scrollWidth, e.clientWidth]")
    whole = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    is_dark = ink == "#eeeeee"
    assert ground < 40 if is_dark else ground > 215
    assert box[0] > box[1] and whole <= 700
    assert others[1] > 200 and others[0] < 50, "ink on it"
