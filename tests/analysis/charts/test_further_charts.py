"""The numbers of the charts of `--all-charts`, and that each is drawn or left out with a reason."""

import math
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.catalogue import FURTHER, write_further
from sweep.analysis.charts.catalogue import charts as all_charts
from sweep.analysis.charts.curves_by_capacity import N_CURVES, decades
from sweep.analysis.charts.gap_and_onset import overfitting
from sweep.analysis.charts.importance import importance
from sweep.analysis.charts.other_seeds import confirmed_data, draw_confirmed
from sweep.analysis.charts.parallel import draw_parallel, logarithmic, parallel
from sweep.analysis.charts.regularisation import ENOUGH, draw_heat, heat_maps
from sweep.analysis.charts.rungs import ladder
from sweep.analysis.charts.time_line import time_line
from sweep.analysis.frames.load import load
from sweep.cli.commands.report import report
from sweep.records import OutcomeStatus
from tests.support.sweeps import LADDERS, confirm, hyperband, rows_of_losses, store_sweep, trained


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with hyperband(tmp_path_factory.mktemp("played") / "sweep.db") as store:
        yield load(store)


def frames_of(tmp_path, *trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


def test_each_decade_holds_its_own_trials_and_counts_their_onsets(played):
    found = decades(played)
    assert [decade.power for decade in found] == [2, 3, 4, 5]
    trials = played.trials.set_index("trial")
    long = trials[(trials["epochs"] >= 3) & trials["val_score"].notna()]
    assert sum(decade.n_trials for decade in found) == len(long)
    assert sum(decade.n_onset for decade in found) == long["onset_epoch"].notna().sum() > 0
    for decade in found:
        params = trials.loc[decade.trials["trial"], "params"]
        assert params.between(10**decade.power, 10 ** (decade.power + 1) - 1).all()
        assert len(decade.trials) == min(decade.n_trials, N_CURVES)


def test_the_gap_is_that_of_every_evaluated_trial(played):
    data = overfitting(played)
    assert len(data.points) == 148
    outside = ~data.points["gap"].between(*data.gap)
    assert outside.sum() == data.n_outside < 10
    settings = played.hyperparameters.loc[data.points.index]
    expected = (settings["l2"] != 0) | (settings["dropout"] != 0)
    assert ((data.points["kind"] != "none") == expected).all()


def test_a_heat_maps_cells_are_medians_over_the_trials_of_the_search(played):
    maps = heat_maps(played)
    assert [one.name for one in maps] == ["l2", "dropout"]
    search = played.trials[played.trials["baseline"].isna() & played.trials["val_score"].notna()]
    for one in maps:
        assert one.count.sum() == len(search)
        assert (np.isnan(one.median) == (one.count == 0)).all()
    l2 = maps[0]
    assert l2.values == ["0", "1e-5", "1e-4", "1e-3", "1e-2"]
    column = l2.sizes.index("10k–30k")
    strong = played.hyperparameters.loc[search.index, "l2"] == 0.01
    sized = search["params"].between(10**4, 10**4.5)
    assert l2.median[4, column] == search.loc[strong & sized, "val_score"].median()
    assert l2.count[4, column] == (strong & sized).sum()
    assert (l2.count >= ENOUGH).any() and (l2.count < ENOUGH).any()


def test_many_values_of_a_regulariser_become_bins(tmp_path):
    trials = [
        trained(0.6 + i / 1000, hyperparameters={"l2": 1e-5 * (i + 1)}, params=500)
        for i in range(24)
    ]
    (one,) = heat_maps(frames_of(tmp_path, *trials))
    assert len(one.values) == 6 and one.count.sum() == 24 and set(one.count.ravel()) == {4}


def test_the_hyperparameter_that_decides_is_the_most_important(tmp_path):
    random = np.random.default_rng(0)
    trials = [
        trained(
            0.6 + 0.02 * (number % 5) + random.normal(0, 0.002),
            hyperparameters={"noise": float(random.random()), "kind": "abcde"[number % 5]},
        )
        for number in range(60)
    ]
    found = importance(frames_of(tmp_path, *trials))
    assert found.names == ["kind", "noise"]
    assert found.low[0] > 0.5 and found.r2 > 0.8
    assert found.low[1] < 0.05
    assert (found.low <= found.mean).all() and (found.mean <= found.high).all()


def test_parallel_places_lie_on_the_axes_and_the_best_is_on_top(played):
    data = parallel(played)
    names = [axis.name for axis in data.axes]
    assert names == [*played.hyperparameter_names, "params", "val BCE"]
    for axis in data.axes:
        assert np.nanmin(axis.place) >= 0 and np.nanmax(axis.place) <= 1 + 1e-12
    assert data.axes[-1].place[0] == 1
    width = {label: place for place, label in data.axes[0].ticks}
    shown = [str(v) for v in played.hyperparameters["width"]][: len(data.axes[0].place)]
    assert [width[label] for label in shown] == data.axes[0].place.tolist()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ((241, 241, 241), {0.0: "241"}),
        ((240, 241, 242), {0.0: "240", 1.0: "242"}),
        ((1, 10, 1000), {0.0: "1", 1 / 3: "10", 2 / 3: "100", 1.0: "1k"}),
    ],
)
def test_ticks_of_a_logarithmic_axis_lie_on_it(params, expected):
    ticks = dict(logarithmic("params", np.array(params, dtype=float)).ticks)
    assert all(0 <= place <= 1 for place in ticks)
    shown = {round(place, 2): label for place, label in ticks.items()}
    assert {round(place, 2): label for place, label in expected.items()}.items() <= shown.items()


def test_the_ladders_steps_pool_the_brackets(tmp_path):
    with hyperband(tmp_path / "sweep.db", failures=0) as store:
        steps = {(step.first, step.last): step for step in ladder(load(store)).steps}
    assert list(steps) == [(1, 3), (3, 9), (9, 27), (27, 81)]
    assert {pair: step.n_trials for pair, step in steps.items()} == {
        pair: sum(
            upper[0]
            for rungs in LADDERS
            for lower, upper in pairwise(rungs)
            if (lower[1], upper[1]) == pair
        )
        for pair in steps
    }
    for step in steps.values():
        assert step.low < step.correlation < step.high


@pytest.mark.parametrize(
    ("after", "expected"),
    [((1, 2, 3, 4, 5), 1.0), ((5, 4, 3, 2, 1), -1.0), ((2, 1, 4, 3, 5), 0.8)],
)
def test_a_correlation_is_spearmans(after, expected):
    from sweep.analysis.charts.rungs import _correlation

    r, low, high = _correlation(np.arange(5.0), np.array(after, dtype=float))
    assert r == pytest.approx(expected)
    if abs(expected) == 1:
        assert math.isnan(low) and math.isnan(high)
    else:  # tanh(1.0986 ± 1.5923)
        assert (low, high) == pytest.approx((-0.4572, 0.9908), abs=1e-4)


def test_the_time_line_counts_epochs_and_finds_pauses(played):
    data = time_line(played)
    assert data.epochs[-1] == len(played.epochs)
    assert (np.diff(data.ended) >= 0).all()
    assert data.planned_epochs == 1767 + 567
    assert data.pauses == []
    moved = played.assignments.copy()
    moved.loc[100:, "ended_at"] += 3600
    (pause,) = time_line(type(played)(**{**vars(played), "assignments": moved})).pauses
    assert pause[1] - pause[0] == pytest.approx(3600, abs=60)


def confirmed_sweep(tmp_path):
    """Three trials, the second a baseline; the first two trained again with two seeds each."""
    own = trained(0.62, losses=rows_of_losses(0.62)[0], baseline="Tiny")
    best = trained(0.60, losses=rows_of_losses(0.60)[0], ended=OutcomeStatus.STOPPED)
    trials = [best, own, trained(0.65)]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.62, 0.64)
        confirm(store, 1, 0.61, 0.63)
        return load(store)


def test_confirmed_scores_stand_against_the_searchs_with_the_spread_of_the_seeds(tmp_path):
    frames = confirmed_sweep(tmp_path)
    data = confirmed_data(frames)
    points = data.points.set_index("trial")
    assert sorted(points.index) == [0, 1]
    np.testing.assert_allclose(
        points.loc[0, ["search_val_score", "val_score"]].tolist(), [0.60, 0.63]
    )
    assert points.loc[1, "val_score"] == pytest.approx(0.62), "a baseline's own run is in its mean"
    assert points.loc[0, "seed_se"] == pytest.approx(0.01, rel=1e-3), "half of 0.64 - 0.62"
    assert (points["low"] < points["val_score"]).all() and (
        points["val_score"] < points["high"]
    ).all()
    assert data.bias is not None and data.bias.value == pytest.approx(-0.03), "of the search alone"
    assert data.span[0] < points["low"].min() and points["high"].max() < data.span[1]
    words = " ".join(
        item.get_text() for item in draw_confirmed(frames).findobj(Text) if item.get_text()
    )
    assert "No difference found between" in words and "Tiny" in words, "of one trial alone"
    written, left_out = write_further(frames, tmp_path / "charts")
    assert "confirmed" in {path.stem for path in written} - set(left_out)


def test_the_command_writes_all_charts_and_says_which_it_cannot(tmp_path, capsys):
    (tmp_path / "one").mkdir()
    hyperband(tmp_path / "one" / "sweep.db").close()
    report("one", all_charts=True, results=tmp_path)
    charts = tmp_path / "one" / "charts"
    stems = {chart.stem for chart in (*all_charts(), *FURTHER)} - {"confirmed"}
    assert {path.name for path in charts.iterdir()} == {
        "verdict.json",
        *(f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")),
    }
    for path in charts.glob("*.png"):
        with Image.open(path) as image:
            assert image.size == (1500, 900)
    said = capsys.readouterr().err
    assert "no chart confirmed: no trial was repeated under other seeds" in said
    assert str(charts) in said


def test_what_cannot_be_drawn_is_left_out_with_its_reason_and_no_old_file_stays(tmp_path):
    old = tmp_path / "importance.png"
    old.write_text("of an earlier report")
    written, left_out = write_further(frames_of(tmp_path, trained(0.6)), tmp_path)
    assert written == [] and set(left_out) == {chart.stem for chart in FURTHER}
    assert left_out["importance"] == "fewer than 30 searched trials have a score"
    assert not old.exists()


@pytest.mark.parametrize("chart", FURTHER, ids=lambda chart: chart.stem)
def test_an_empty_sweep_has_too_few_data_for_each(tmp_path, chart):
    frames = frames_of(tmp_path, state="running")
    with style.styled(), pytest.raises(TooFewDataError):
        chart.draw(frames)


def test_trials_within_the_error_have_much_the_same_colour_and_the_bar_says_so(tmp_path):
    means = np.linspace(0.600, 0.601, 12)
    losses = rows_of_losses(*means, spread=0.1)
    trials = [
        trained(float(mean), losses=kept, hyperparameters={"l2": 10.0 ** -(1 + n % 2)}, params=500)
        for n, (mean, kept) in enumerate(zip(means, losses, strict=True))
    ]
    frames = frames_of(tmp_path, *trials)
    data = parallel(frames)
    low, high = data.colours
    assert high - low == pytest.approx(4 * data.error) and high - low > 10 * np.ptp(means)
    for draw in (draw_parallel, draw_heat):
        figure = draw(frames)
        (bar,) = [a for a in figure.axes if "validation BCE, nats" in a.get_ylabel()]
        assert sorted(bar.get_ylim())[1] - sorted(bar.get_ylim())[0] > 10 * np.ptp(means)
        assert "4 standard errors" in " ".join(text.get_text() for text in figure.texts)


def test_a_chart_without_errors_does_not_claim_them(played):
    assert math.isnan(parallel(played).error)
    texts = " ".join(text.get_text() for text in draw_parallel(played).texts)
    assert "standard error" not in texts and "unknown" in texts
