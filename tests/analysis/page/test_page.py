"""The HTML page, as text: complete, escaped, bounded, whatever state the sweep is in."""

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sweep.analysis.charts import catalogue
from sweep.analysis.charts.catalogue import FURTHER, charts
from sweep.analysis.charts.frontier import frontier_data
from sweep.analysis.charts.frontier_drawing import draw_frontier
from sweep.analysis.frames.load import load
from sweep.analysis.page import pictures, plots, sections
from sweep.analysis.page.write import MOST_BYTES, ROWS, page, write
from sweep.cli.commands.report import report
from sweep.errors import PlatformError
from sweep.records import OutcomeStatus
from sweep.store import Store
from tests.support.hostile import EVIL
from tests.support.played_page import played_page
from tests.support.sweeps import confirm, rows_of_losses, store_sweep, trained

SECTIONS = (
    *("verdict", "frontier", "ranking", "overfitting", "regularisation"),
    *("reliability", "search", "cost", "failures", "provenance"),
)


class Outline(HTMLParser):
    """Ids in order, scripts, attributes that load something, and the text."""

    def __init__(self, content):
        super().__init__()
        self.ids, self.scripts, self.loads, self.words, self.tags = [], [], [], [], []
        self.in_script = None
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        if tag == "section":
            self.ids.append(values["id"])
        self.loads += [v for k, v in attributes if k in ("src", "href", "action", "data")]
        assert not any(name.startswith("on") for name in values), values
        if tag == "script":
            self.in_script = values.get("type", "script")

    def handle_endtag(self, tag):
        if tag == "script":
            self.in_script = None

    def handle_data(self, data):
        if self.in_script == "script":
            self.scripts.append(data)
        elif self.in_script is None:
            self.words.append(data)


def frames_of(tmp_path, trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with Store(played_page(tmp_path_factory) / "sweep.db", read_only=True) as store:
        return load(store)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return (played_page(tmp_path_factory) / "report.html").read_text(encoding="utf-8")


def test_the_page_has_its_sections_in_order_and_loads_nothing(content):
    outline = Outline(content)
    assert tuple(outline.ids) == SECTIONS
    for address in outline.loads:
        assert address.startswith(("#", "data:")), address
    words = " ".join(outline.words)
    assert "Not enough evidence" in words and "0.5658" in words and "still sealed" in words


def test_the_policy_names_exactly_the_scripts_there_are(content):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', content)
    policy = policy.replace("&#39;", "'")
    scripts = Outline(content).scripts
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy and "http" not in policy
    assert not re.search(r"script-src[^;]*unsafe", policy)


@pytest.mark.parametrize("state", ["running", "interrupted", "finished", "failed"])
def test_an_empty_sweep_has_a_page(tmp_path, state):
    outline = Outline(page(frames_of(tmp_path, [], state=state)))
    assert tuple(outline.ids) == SECTIONS and "No trial yet." in outline.words


def test_a_sweep_of_failures_has_a_page(tmp_path):
    bad = trained(ended=OutcomeStatus.FAILED, error=f"ValueError: {EVIL}", params=None)
    many = [bad] * (sections.FAILURES_SHOWN + 3)
    outline = Outline(page(frames_of(tmp_path, many, state="failed")))
    words = " ".join(outline.words)
    assert "3 more failed." in words and f"ValueError: {EVIL}" in words
    assert len(outline.scripts) == 1, "without a trial to draw, no chart library"


def test_a_running_sweep_has_a_page(tmp_path):
    trials = [trained(0.6, 0.5), trained(0.6, ended=None), trained(ended=None)]
    words = " ".join(Outline(page(frames_of(tmp_path, trials, state="running"))).words)
    assert "The sweep is not finished; this may change." in words


def test_what_a_sweep_holds_is_text_everywhere(tmp_path):
    trials = [
        trained(0.6, 0.55, baseline=EVIL, hyperparameters={EVIL: EVIL, "l2": 0.1}),
        trained(0.6, 0.54, hyperparameters={EVIL: "b", "l2": 0.0}),
        trained(ended=OutcomeStatus.FAILED, error=EVIL),
    ]
    data = {"source": EVIL, "fingerprint": EVIL}
    changes = {"name": EVIL, "message": EVIL, "data": data, "versions": {EVIL: EVIL}}
    content = page(frames_of(tmp_path, trials, **changes, space={"name": EVIL, "sha256": EVIL}))
    outline = Outline(content)
    assert outline.tags.count("script") == 4  # two of data, Bokeh's and ours
    assert outline.tags.count("img") == content.count('<figure class="static')
    assert "<img src=x" not in content and "window.hurt=1</script>" not in content
    assert " ".join(outline.words).count("window.hurt=1") > 5
    assert "{{7*7}}" in content and "49" not in outline.words


def test_thousands_of_trials_fit(tmp_path):
    values = {f"a_long_name_of_a_hyperparameter_{i}": "x" * 30 for i in range(8)}
    curve = [0.69 - 0.001 * epoch for epoch in range(14)]
    trials = [
        trained(*[v + i / 1e5 for v in curve], params=500 + i, hyperparameters=values)
        for i in range(1500)
    ]
    content = page(frames_of(tmp_path, trials))
    assert len(content.encode()) <= MOST_BYTES
    words = " ".join(Outline(content).words)
    assert f"The best {ROWS} of 1,500 trials" in words
    assert "The page has no room for the curves of the worst 72 trials." in words


def test_every_chart_is_in_the_page_or_the_reason_why_not(content):
    outline = Outline(content)
    assert outline.tags.count("img") == len(charts()) + len(FURTHER) - 1
    words = " ".join(" ".join(outline.words).split())
    [missing] = re.findall("No chart of [^.]*[.]", words)
    assert "in repeats”: no trial was repeated under other seeds" in missing


def test_pictures_that_do_not_fit_become_smaller_and_then_are_left_out(played, monkeypatch):
    monkeypatch.setattr(pictures, "FURTHER", ())
    everything = pictures.pictures(played, 10**8)
    assert everything.n_left_out == 0
    svg = sum(len(picture.address) for picture in everything.shown)
    assert all(one.address.startswith("data:image/svg+xml,") for one in everything.shown)
    smaller = pictures.pictures(played, svg - 1)
    assert smaller.n_left_out == 0
    assert sum(len(picture.address) for picture in smaller.shown) < svg
    nothing = pictures.pictures(played, 10)
    assert nothing.shown == [] and nothing.n_left_out == len(everything.shown)


def test_groups_say_where_trials_overfit(tmp_path):
    falling = [0.7, 0.65, 0.6, 0.58, 0.57, 0.56]
    rising = [0.6, 0.55, *(0.56 + 0.02 * n for n in range(12))]
    losses = rows_of_losses(0.56, 0.55, 0.7)
    trials = [
        trained(*falling, params=400, losses=losses[0], hyperparameters={"l2": 0.1}),
        trained(*rising, params=40_000, losses=losses[1], hyperparameters={"l2": 0.0}),
        trained(0.7, params=50_000, losses=losses[2], hyperparameters={"l2": 0.0}),
    ]
    frames = frames_of(tmp_path, trials)
    small, large = sections.by_capacity(frames).rows
    assert small[:2] == ("100–1k", "1") and small[4] == "0"
    assert large[:5] == ("10k–100k", "2", "1", "1", "1")
    assert {row[0] for row in sections.by_regularisation(frames).rows} == {"l2", "none"}


def test_confirmations_and_openings_stand_under_reliability(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.6), trained(0.61)]) as store:
        confirm(store, 0, 0.62, 0.64)
        store.open_test(0, "best", 0.6, 10_000, "c0ffee")
        words = " ".join(Outline(page(load(store))).words)
    assert "Repeats under other seeds" in words and "0.630 ± " in words
    assert "test rows opened once." in words and "sealed" not in words


def test_the_commands_name_what_differs_from_the_defaults(played):
    start, again = sections.again(played)
    words = shlex.split(start)
    assert words[:5] == ["sweep", "start", "capacity", "--name", "capacity-1"]
    assert words[words.index("--trainer") + 1] == "keras"
    assert "--max-epochs" not in words and "--seed" not in words
    assert again == "sweep report capacity-1 --html report.html"


def test_curves_are_those_of_the_best_trials(played, monkeypatch):
    monkeypatch.setattr(plots, "CURVE_POINTS", 100)
    found = plots.curves(played)
    assert sum(len(curve["val"]) for curve in found["trials"].values()) <= 100
    first = played.trials["trial"].iloc[0]
    assert next(iter(found["trials"])) == str(first) == found["first"][0]
    assert found["left_out"] == 148 - len(found["trials"])


def test_the_command_writes_the_page(tmp_path):
    (tmp_path / "results" / "s").mkdir(parents=True)
    store_sweep(tmp_path / "results" / "s" / "sweep.db", [trained(0.6)], name="s").close()
    file = tmp_path / "report.html"
    report("s", "table", charts=False, html=file, results=tmp_path / "results")
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(PlatformError, match="cannot write"):
        write(frames_of(tmp_path, [trained(0.6)]), tmp_path / "no-folder" / "report.html")


def test_files_and_page_of_one_report_share_what_they_draw(tmp_path, monkeypatch):
    frames = frames_of(tmp_path, [trained(0.6, 0.62), trained(0.61)])
    drawn = []
    chart = replace(charts()[0], draw=lambda found: drawn.append(1) or draw_frontier(found))
    monkeypatch.setattr(catalogue, "charts", lambda _=0: (chart,))
    monkeypatch.setattr(pictures, "charts", lambda: (chart,))
    before = frontier_data.cache_info().misses
    catalogue.write_charts(frames, tmp_path / "charts")
    page(frames)
    shared = pictures.pictures(frames, 10**6)
    assert len(drawn) == 1
    assert frontier_data.cache_info().misses == before + 1, "three show the frontier's numbers"
    assert pictures.pictures(replace(frames), 10**6) == shared, "nothing changes by being shared"
    assert len(drawn) == 2
