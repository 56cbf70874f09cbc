import hashlib
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sweep.analysis.charts import frontier, style
from sweep.analysis.charts.axes import colour_range, log_ticks, magnitude, score_range
from sweep.analysis.charts.catalogue import STEMS, write_charts
from sweep.analysis.charts.curves import curves_data, draw_curves
from sweep.analysis.charts.frontier import frontier_data
from sweep.analysis.charts.frontier_drawing import draw_frontier
from sweep.analysis.charts.label_places import Box, place
from sweep.analysis.charts.learning_rates import draw_rates, schedules
from sweep.analysis.frames.load import load
from sweep.analysis.frames.no_skill import NoSkill
from sweep.errors import PlatformError
from sweep.metrics import NO_SKILL
from sweep.records import OutcomeStatus
from sweep.store import Reference
from tests.support.sweeps import (
    BASELINES,
    Trained,
    hyperband,
    record,
    rows_of_losses,
    store_sweep,
    trained,
)

FAILED = OutcomeStatus.FAILED


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with hyperband(tmp_path_factory.mktemp("played") / "sweep.db") as store:
        yield load(store)


def frames_of(tmp_path, *trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


def words(figure):
    return " ".join(item.get_text() for item in figure.findobj() if hasattr(item, "get_text"))


# Numbers


def test_the_frontier_shows_every_evaluated_trial_and_counts_the_failed(played):
    data = frontier_data(played)
    assert len(data.points) == 148 and data.n_failed == 2
    assert data.points["baseline"].notna().sum() == 7
    assert data.points["is_cut"].sum() == (played.trials["status"] == "cut").sum()
    assert data.points["val_score"].iloc[-1] == played.trials["val_score"].iloc[0]
    assert data.steps["val_score"].iloc[-1] == played.trials["val_score"].iloc[0]
    assert data.x[0] < data.points["params"].min() and data.points["params"].max() < data.x[1]


def test_diverged_trials_do_not_stretch_the_chart(tmp_path):
    good = [trained(0.65, 0.6, params=100 * (i + 1)) for i in range(20)]
    frames = frames_of(tmp_path, *good, trained(1e9), trained(3e5, params=900))
    data = frontier_data(frames)
    assert data.n_outside == 2
    assert 0.55 < data.y[0] < 0.6 < NO_SKILL < data.y[1] < 0.8
    assert "2 trials is off the chart" in words(draw_frontier(frames))


def test_a_trial_whose_size_is_not_known_yet_is_counted(tmp_path):
    frames = frames_of(tmp_path, trained(0.6, ended=None, params=None, last_epoch=9), trained(0.7))
    data = frontier_data(frames)
    assert (len(data.points), data.n_unsized) == (1, 1)
    assert data.points["is_cut"].all()


def test_a_model_without_parameters_has_a_place_on_the_chart(tmp_path):
    frames = frames_of(tmp_path, trained(0.69, params=0), trained(0.6, params=100))
    assert frontier_data(frames).steps["params"].tolist() == [1, 100]
    assert len(write_charts(frames, tmp_path / "charts")) == 6


def with_evidence(frames):
    """Three trials confirmed, two of one size; and two references, beside no skill."""
    means = {
        "params": [10_000, 800_000, 800_000],
        "val_score": [0.58, 0.6, 0.57],
        "val_score_se": [0.01, 0.01, 0.01],
        "val_score_low": [0.56, 0.58, 0.55],
        "val_score_high": [0.6, 0.62, 0.59],
    }
    names = {"no skill": 0.693, "logistic regression": 0.64, "boosted trees": 0.54}
    references = [Reference(name, value, 0.01, np.zeros(1), 1.0) for name, value in names.items()]
    return replace(frames, confirmed=pd.DataFrame(means), references=tuple(references))


def test_the_frontier_shows_means_over_seeds_references_and_the_simplest_good_trial(tmp_path):
    means, params = (0.600, 0.6003, 0.640), (900, 300, 100)  # paired errors of 0.0009
    trials = [
        trained(mean, params=size, losses=losses)
        for mean, size, losses in zip(means, params, rows_of_losses(*means), strict=True)
    ]
    plain = frames_of(tmp_path, *trials)
    frames = with_evidence(plain)
    data = frontier_data(frames)
    assert data.simplest["trial"].tolist() == [1]
    assert plain.trials.query("simplest == True")["trial"].tolist() == [1]
    assert data.band["val_score"].tolist() == [0.58, 0.57], "the lowest mean up to each size"
    assert data.confirmed["x"].is_monotonic_increasing and data.confirmed["x"].nunique() == 3
    assert [name for name, _ in data.references] == ["logistic regression", "boosted trees"]
    assert data.y[0] < 0.54, "a better reference is on the chart"
    shown, before = words(draw_frontier(frames)), words(draw_frontier(plain))
    for label in ("mean over other seeds", "boosted trees: 0.540", "logistic regression: 0.640"):
        assert label in shown and label not in before
    assert "simplest within one" in before


@settings(deadline=None)
@given(
    st.lists(st.floats(0.01, 1e6) | st.just(math.nan), max_size=30),
    st.lists(st.floats(0.01, 1e6), max_size=30),
    st.floats(0.02, 0.7),
)
def test_the_range_holds_the_best_trial_and_no_skill(train, val, level):
    low, high = score_range(np.array([*train, *val]), np.array(val), NoSkill(level, level))
    assert math.isfinite(low) and math.isfinite(high) and low < high
    assert low < level < high
    if val and min(val) < level:
        assert low < min(val) < high
        assert high - low < 2 * (level - min(val)) * 1.5 + 0.01


@given(st.lists(st.floats(0.2, 0.9), min_size=1), st.integers(-30, 30))
def test_the_range_grows_with_the_size_of_the_scores(val, power):
    """Powers of two, which multiply without rounding."""
    size, values = 2.0**power, np.array(val)
    plain = score_range(values, values, NoSkill())
    level = NoSkill(size * NO_SKILL, size * NO_SKILL, scale=size)
    assert score_range(size * values, size * values, level) == tuple(size * end for end in plain)


def test_curves_are_those_of_the_best_trials_and_the_baselines(played):
    data = curves_data(played)
    search = played.trials[played.trials["baseline"].isna()]
    assert [curve.trial for curve in data.best] == search["trial"].head(6).tolist()
    assert [curve.label.split(":")[0] for curve in data.baselines] == list(BASELINES)
    for curve in (*data.best, *data.baselines):
        assert curve.val_score[curve.best_epoch - 1] == curve.val_best == np.nanmin(curve.val_score)
        assert len(curve.epoch) == len(curve.train_score) == len(curve.val_score)


def test_smoothing_averages_the_curve_and_keeps_the_recorded_best(tmp_path):
    frames = frames_of(tmp_path, trained(0.7, 0.6, 0.65))
    (curve,) = curves_data(frames, smoothing=1).best
    np.testing.assert_allclose(curve.val_score, [0.65, 0.65, 0.625])
    assert (curve.best_epoch, curve.val_best) == (2, 0.6)


def test_schedules_are_grouped_and_named_by_the_hyperparameter_that_makes_them(played):
    found = schedules(played)
    assert sum(len(one.trials) for one in found) == 148
    assert len(found) == 5
    assert {one.label.split(",")[0].split(" = ")[0] for one in found} == {"decay_steps"}


def test_a_shorter_trial_shares_the_schedule_it_began(tmp_path):
    def following(rates, **values):
        records = [record(e, 0.6, rate=rate) for e, rate in enumerate(rates, start=1)]
        return Trained(records, values, last_epoch=len(rates))

    frames = frames_of(
        tmp_path,
        following([1e-3, 5e-4, 2e-4], decay="fast"),
        following([1e-3, 5e-4], decay="fast"),
        following([1e-3, 9e-4, 8e-4], decay="slow"),
    )
    first, second = schedules(frames)
    assert (first.trials, first.label) == ([0, 1], "decay = fast, 2 trials")
    assert (second.trials, second.label) == ([2], "decay = slow, trial 2")


# Labels


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(30, 470), st.floats(30, 270)), min_size=1, max_size=8))
def test_labels_overlap_neither_each_other_nor_the_marks(anchors):
    sizes = [(45.0, 12.0)] * len(anchors)
    boxes = place(anchors, sizes, (500, 300), np.array(anchors))
    for i, box in enumerate(boxes):
        assert box.within(500, 300)
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
        assert not any(box.overlaps(Box(*anchor, 2, 2)) for anchor in anchors)


def test_labels_find_a_place_even_where_there_is_none():
    boxes = place([(5, 5)] * 40, [(45.0, 12.0)] * 40, (50, 20), np.empty((0, 2)))
    assert len(boxes) == 40


# Files


@pytest.fixture(scope="module")
def written(played, tmp_path_factory):
    return write_charts(played, tmp_path_factory.mktemp("charts") / "new")


def test_each_chart_is_written_as_png_and_svg(written):
    assert [path.name for path in written] == [
        f"{stem}{suffix}" for stem in STEMS for suffix in (".png", ".svg")
    ]
    assert sorted(written[0].parent.iterdir()) == sorted(written)  # no temporary file stays
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.size == (1500, 900)
                assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_the_same_sweep_gives_the_same_files(played, written, tmp_path):
    again = write_charts(played, tmp_path)
    for one, other in zip(written, again, strict=True):
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
        assert digests[0] == digests[1], one.name


@pytest.mark.parametrize("draw", [draw_frontier, draw_curves, draw_rates])
def test_every_chart_names_the_sweep_and_its_data(played, draw):
    with style.styled():
        shown = words(draw(played))
    assert "capacity-1" in shown and "built-in simulated events" in shown


@pytest.mark.parametrize(
    "trials",
    [
        (),
        (trained(ended=None),),
        (trained(ended=FAILED, error="boom"), trained(ended=FAILED, error="boom")),
    ],
    ids=["empty", "pending", "all failed"],
)
def test_a_sweep_without_results_gives_charts_that_say_so(tmp_path, trials):
    frames = frames_of(tmp_path, *trials, state="interrupted")
    for draw in (draw_frontier, draw_curves, draw_rates):
        assert style.NOTHING in words(draw(frames))
    assert len(write_charts(frames, tmp_path / "charts")) == 6


def test_names_that_mean_something_to_matplotlib_are_only_names(tmp_path):
    name = "$\\frac{1}$ 模型 _x_"
    frames = frames_of(
        tmp_path, trained(0.6, baseline=name), trained(0.61), data={"source": name}, name="a"
    )
    assert len(write_charts(frames, tmp_path / "charts")) == 6


def test_a_large_sweep_is_drawn_as_an_image_within_the_svg(played, written, tmp_path, monkeypatch):
    assert b"<image" not in written[1].read_bytes()
    monkeypatch.setattr(frontier, "CROWD", 20)
    assert frontier_data(played).is_crowded
    assert b"<image" in write_charts(replace(played), tmp_path)[1].read_bytes()


def test_a_folder_that_cannot_be_written_is_one_clear_error(played, tmp_path):
    (tmp_path / "charts").write_text("a file")
    with pytest.raises(PlatformError, match="cannot write charts into"):
        write_charts(played, tmp_path / "charts")


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        (0.93, 87, [1, 10, 3, 30]),
        (200, 1.3e6, [1e3, 1e4, 1e5, 1e6]),
        (0.93, 2.2, [1, 2]),
        (5.7e-4, 1.3e-3, [6e-4, 7e-4, 8e-4, 9e-4, 1e-3]),
        (1.54e-3, 2.6e-3, [1.75e-3, 2e-3, 2.25e-3, 2.5e-3]),
    ],
)
def test_logarithmic_ticks_are_plain_numbers(first, last, ticks):
    assert sorted(log_ticks(first, last)) == pytest.approx(sorted(ticks))


@pytest.mark.parametrize(
    ("first", "last", "ends", "ticks"),
    [
        (0.93, 87, [81], [1, 3, 10, 30, 81]),
        (0.93, 33, [30], [1, 3, 10, 30]),
        (195, 2e6, [313, 803_329], [313, 1e3, 1e4, 1e5, 803_329]),
        (0.93, 2.2, [1], [1, 2]),
        (100, 1e5, [1_000, 1_001], [100, 1_001, 1e4, 1e5]),
    ],
)
def test_a_tick_stands_where_the_data_end_and_none_too_near(first, last, ends, ticks):
    assert log_ticks(first, last, ends) == pytest.approx(ticks)


def test_a_difference_within_the_error_never_has_the_two_ends_of_a_colour_scale():
    values = np.array([0.600, 0.604])
    low, high = colour_range(values, 0.005, 1.0)
    assert high - low == pytest.approx(0.02)
    assert low + high == pytest.approx(values.sum())
    assert colour_range(values, 0.0005, 1.0) == tuple(values)
    assert colour_range(values, float("nan"), 1.0) == tuple(values)


@pytest.mark.parametrize(
    ("value", "shown"), [(800, "800"), (1e3, "1k"), (3e5, "300k"), (2e6, "2M"), (5e-4, "0.0005")]
)
def test_magnitudes(value, shown):
    assert magnitude(value) == shown
