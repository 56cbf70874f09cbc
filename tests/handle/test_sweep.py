"""The handle of a stored sweep: it reads what the report shows, and its verbs are the commands'."""

import json
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

import sweep
from sweep.errors import NotFoundError, UsageError
from sweep.store import Store
from tests.support import warm


@pytest.fixture(scope="module")
def place(fused_place, tmp_path_factory):
    return shutil.copytree(fused_place, tmp_path_factory.mktemp("handle") / "place")


@pytest.fixture
def found(place, monkeypatch):
    monkeypatch.chdir(place)
    return sweep.open("s")


def test_a_sweep_is_opened_by_name_by_path_and_as_the_newest(place, found, monkeypatch):
    assert sweep.open().path.resolve() == (place / "results" / "s").resolve()
    assert sweep.open(place / "results" / "s").name == "s"
    assert [one.name for one in sweep.sweeps()] == ["s"]
    with pytest.raises(NotFoundError, match="no sweep named 'other' in results; there are: s"):
        sweep.open("other")
    monkeypatch.chdir(place / "results")
    assert sweep.open("s").path.resolve() == (place / "results" / "s").resolve(), "beside us"
    monkeypatch.chdir(place)
    with pytest.raises(NotFoundError, match="there is no folder"):
        sweep.open(place / "results" / "gone")
    with pytest.raises(NotFoundError, match=r"it holds no sweep\.db"):
        sweep.open(str(place / "results"))
    assert warm.run(place, "status", "./results/s").stdout


def test_tables_and_verdict_are_those_of_the_report(place, found):
    report = json.loads(warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout)
    assert found.state == report["sweep"]["state"]
    assert found.trials["val_score"].tolist() == [one["val_score"] for one in report["trials"]]
    l2 = [one["hyperparameters"].get("l2", np.nan) for one in report["trials"]]
    np.testing.assert_array_equal(found.trials["hyperparameter.l2"].to_numpy(), l2)
    assert found.trials.select_dtypes("number").shape[1] > 20, "numbers are numbers"
    assert set(found.epochs["trial"]) <= set(found.trials["trial"])
    first = report["trials"][0]
    assert found.best_hyperparameters(first["trial"]) == first["hyperparameters"]
    best = report["verdict"]["best"]["trial"]
    assert found.best_hyperparameters() == found.best_hyperparameters(best)
    with pytest.raises(NotFoundError, match="sweep s has no trial 99"):
        found.best_hyperparameters(99)
    facts = found.verdict.facts.to_json()
    assert facts["best"].items() <= report["verdict"]["best"].items()
    assert str(found.verdict).startswith("verdict: ")


def test_reading_starts_no_tensorflow(place):
    code = (
        "import sweep, sys; found = sweep.open('s'); found.trials; found.verdict; "
        "found.plots.frontier(); found._repr_html_(); print('tensorflow' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True)
    assert ran.stdout.strip() == "False", ran.stderr


def test_charts_are_figures_to_go_on_with(found):
    figure = found.plots.frontier()
    assert isinstance(figure, Figure) and figure is not found.plots.frontier()
    figure.axes[0].set_title("mine")
    with pytest.raises(UsageError, match="there is no chart 'pie'; there are: frontier"):
        found.plots.draw("pie")


def test_every_chart_of_the_catalogue_has_a_method_of_its_name(found):
    from sweep.analysis.charts.catalogue import FURTHER, charts

    plots = found.plots
    stems = {chart.stem.replace("-", "_") for chart in (*charts(), *FURTHER)}
    assert stems <= {*dir(plots)} and all(getattr(plots, stem).__doc__ for stem in stems)
    assert plots.learning_curves.__doc__ == (
        "Return the chart: BCE against epochs, train and validation."
    )
    with pytest.raises(AttributeError, match=r"no chart 'pie'; dir\(plots\) names all"):
        plots.pie()


def test_a_notebook_shows_verdict_trials_and_frontier(found):
    html = found._repr_html_()
    assert "<b>verdict</b>" in html and "data:image/png;base64," in html
    assert "best val BCE" in repr(found) and "/s': finished, " in repr(found)
    assert html.count("<tr>") == 1 + min(10, len(found.trials))
    assert "<script" not in html and "http" not in html


def test_report_writes_page_tables_and_charts(found, tmp_path):
    into = found.report(tmp_path / "report")
    names = {path.name for path in into.iterdir()}
    assert {"report.html", "trials.parquet", "epochs.parquet", "verdict.json"} <= names
    written = pl.read_parquet(into / "trials.parquet")
    assert written.height == len(found.trials)
    assert written.columns[: found.trials.shape[1]] == list(found.trials)


def test_the_best_model_gives_the_recorded_score_and_test_opens_once(place, found, tmp_path):
    from sweep.data.split import load_split
    from sweep.training.model import evaluate

    score = found.export(tmp_path / "best.keras")
    with Store(found.folder.database, read_only=True) as store:
        settings = store.sweep().settings
    rows = load_split(
        settings.data,
        train_rows=settings.train_rows,
        validation_rows=settings.validation_rows,
        test_rows=settings.test_rows,
    ).validation
    assert evaluate(found.best_model(), rows).score == pytest.approx(score, rel=1e-6)
    opening = found.test()
    assert opening.score is not None and np.isfinite(opening.score.value)
    with pytest.raises(UsageError, match="were opened for trial"):
        found.test()
    with pytest.raises(UsageError, match=r"must end in \.keras"):
        found.export(tmp_path / "best.h5")


def test_confirm_repeats_and_says_when_nothing_is_left(found, capsys, monkeypatch):
    def refuse(*_, **__):
        raise UsageError("the numerics differ")

    before = len(found.trials)
    with monkeypatch.context() as here, pytest.raises(UsageError, match="numerics"):
        here.setattr("sweep.verbs.confirming.prepare_again", refuse)
        found.confirm(seeds=1, top=1)
    assert len(found.frames.confirmations) == 0, "a confirmation that is refused leaves no runs"
    assert found.confirm(seeds=1, top=1) is found
    runs = found.frames.confirmations
    assert len(runs) > 0 and len(found.trials) == before
    found.confirm(seeds=1, top=1)
    assert "nothing to do" in capsys.readouterr().err
