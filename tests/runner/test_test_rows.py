"""The sealed test rows: intervals that cover, one opening, a ledger that stays."""

import ast
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from sweep.analysis.answers.chosen_trials import chosen
from sweep.analysis.frames.load import load
from sweep.data.split import load_test_rows
from sweep.metrics import auc
from sweep.records import Estimate, OutcomeStatus
from sweep.statistics.intervals import accuracy_interval, auc_interval, mean_interval
from sweep.store import Store
from tests.support import tiny, warm
from tests.support.elsewhere import without_package
from tests.support.sweeps import confirm, rows_of_losses, store_sweep, trained

ROOT = Path(__file__).parents[2]


def test_wilsons_interval_is_that_of_its_paper():
    """Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81 of 263, and 0 of 20."""
    found = accuracy_interval(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    found = accuracy_interval(0, 20)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0, 0.1611)


def test_delongs_variance_by_hand():
    """Signal 3, 1; background 2, 0: placements 1, 1/2 and 1/2, 1: variance 1/8/2 + 1/8/2."""
    found = auc_interval(np.array([3.0, 1.0, 2.0, 0.0]), np.array([1, 1, 0, 0]))
    assert found.value == 0.75
    half = 1.959964 * np.sqrt(1 / 8) / (0.75 * 0.25)
    assert found.low == pytest.approx(expit(np.log(3) - half), rel=1e-6)
    assert found.high == pytest.approx(expit(np.log(3) + half), rel=1e-6)


def test_an_interval_that_cannot_be_told_is_not_a_number():
    assert np.isnan(auc_interval(np.array([1.0, 2.0]), np.array([1, 1])).value)
    perfect = auc_interval(np.array([0.0, 0.1, 1.0, 1.1]), np.array([0, 0, 1, 1]))
    assert perfect.value == 1 and np.isnan(perfect.low)
    assert np.isnan(mean_interval(np.array([0.5])).low)


def test_intervals_hold_the_truth_95_times_in_100():
    random = np.random.default_rng(1)
    truth = 0.73
    big_y = (random.random(400_000) < 0.5).astype(int)
    big_z = random.normal(big_y * 1.0, 1)
    area = auc(big_z, big_y)
    inside = {"score": 0, "accuracy": 0, "auc": 0}
    n = 600
    for _ in range(n):
        y = (random.random(200) < 0.5).astype(int)
        found = auc_interval(random.normal(y * 1.0, 1), y)
        inside["auc"] += found.low < area < found.high
        right = accuracy_interval(int((random.random(200) < truth).sum()), 200)
        inside["accuracy"] += right.low < truth < right.high
        mean = mean_interval(random.exponential(0.5, 200))
        inside["score"] += mean.low < 0.5 < mean.high
    for name, count in inside.items():
        assert 0.925 <= count / n <= 0.975, f"{name}: {count / n}"


def test_nothing_but_the_ledger_reads_the_test_rows():
    """One function cuts them out of the data, one module calls it."""
    readers = []
    for path in sorted((ROOT / "sweep").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.id] if isinstance(node, ast.Name) else []
            names += [node.attr] if isinstance(node, ast.Attribute) else []
            if "load_test_rows" in names:
                readers.append(str(path.relative_to(ROOT)))
            cut = isinstance(node, ast.Subscript) and ast.unparse(node).endswith("['test']")
            if cut and isinstance(node.ctx, ast.Load) and "ranges" in ast.unparse(node):
                assert path == ROOT / "sweep" / "data" / "split.py", f"{path}:{node.lineno}"
    assert readers == ["sweep/runner/test_rows.py"]


@pytest.fixture(scope="module")
def place(fused_place, tmp_path_factory):
    return shutil.copytree(fused_place, tmp_path_factory.mktemp("copy") / "place")


def test_the_first_opening_is_free_and_the_second_is_stamped_on_every_report(place):
    before = json.loads(warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout)
    assert before["test"] == []
    assert "test set" not in warm.run(place, "report", "s", "--no-charts").stdout
    best = next(t for t in before["trials"] if t["status"] in ("finished", "stopped"))

    shown = warm.run(place, "test", "s").stdout
    assert f"{best['val_score']:.4f}" in shown and "test rows opened once" in shown
    refused = warm.run(place, "test", "0", code=3).stderr
    assert "no sweep named '0'" in refused and "sweep test --trial 0" in refused
    refused = warm.run(place, "test", "s", code=2).stderr
    assert f"opened for trial {best['trial']}" in refused and "--again" in refused
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        (first,) = store.openings()
    said = "best: lowest validation BCE of the trials trained in full; its own run"
    assert (first.trial, first.rule, first.rows) == (best["trial"], said, 20)
    assert first.score is not None and first.score.low < first.score.value < first.score.high

    other = next(t["trial"] for t in before["trials"] if t is not best)
    said = warm.run(place, "test", "s", "--trial", str(other), "--again", "-o", "json").stdout
    assert [line["rule"] for line in json.loads(said)["test"]] == ["best", "trial"]
    for form in ("table", "md", "json"):
        report = warm.run(place, "report", "s", "-o", form, "--no-charts").stdout
        if form == "json":
            assert len(json.loads(report)["test"]) == 2
        else:
            assert "test rows opened 2 times" in report
    assert warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout.startswith('{"schema')


def test_the_numbers_are_those_of_the_exported_model_on_the_sealed_rows(
    fused_place, tmp_path, keras
):
    place = shutil.copytree(fused_place, tmp_path / "place")
    warm.run(place, "test", "s")
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        sweep, (first,) = store.sweep(), store.openings()
    warm.run(place, "export", "s", str(first.trial), "m.keras")
    model = keras.models.load_model(place / "m.keras")
    rows = load_test_rows(sweep.data, place / "cache")
    z, y = np.asarray(model(rows.x))[:, 0].astype(float), rows.y
    assert first.score.value == pytest.approx(float(np.mean(np.logaddexp(0, z) - z * y)), rel=1e-6)
    assert first.accuracy.value == np.mean((z > 0) == (y > 0.5))
    assert first.auc.value == pytest.approx(auc(z, y))


def test_an_evaluation_that_was_cut_short_counts_as_an_opening(place, tmp_path):
    from sweep.analysis.report.text_files import to_markdown

    with store_sweep(tmp_path / "sweep.db", [trained(0.6, 0.5)]) as store:
        store.open_test(0, "best", 0.5, 10, "c0ffee")
        assert "opened, but the evaluation was not completed" in to_markdown(load(store))
        perfect = Estimate(1.0, float("nan"), float("nan"))
        store.fill_test(replace(store.openings()[0], score=perfect, accuracy=perfect, auc=perfect))
        assert "AUC 1.0000 (– to –)" in to_markdown(load(store))


def test_a_sweep_without_test_rows_says_so_and_opens_nothing(place):
    warm.run(place, *tiny.start("none", "fused", "--test-rows", "0"))
    assert "has no test rows" in warm.run(place, "test", "none", code=5).stderr
    with Store(place / "results" / "none" / "sweep.db", read_only=True) as store:
        assert store.openings() == []
    assert "no trained trial 99" in warm.run(place, "test", "none", "--trial", "99", code=3).stderr


def test_the_simplest_is_tested_by_its_rule_and_the_ledger_says_so(place):
    report = json.loads(warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout)
    (simplest,) = [one for one in report["trials"] if one["simplest"]]
    done = warm.run(place, "test", "s", "--rule", "simplest", "--again", "-o", "json")
    last = json.loads(done.stdout)["test"][-1]
    assert (last["rule"], last["trial"]) == ("simplest", simplest["trial"])
    assert last["val_score"] == simplest["val_score"]
    shown = warm.run(place, "report", "s", "--no-charts").stdout
    assert f"trial {simplest['trial']} (the simplest of the best: " in " ".join(shown.split())
    refused = warm.run(place, "test", "s", "--rule", "smallest", code=2).stderr
    assert "expected one of: best, simplest" in refused


@pytest.mark.parametrize(("seeds_of", "best"), [((0,), 1), ((2,), 1), ((0, 1), 0), ((2, 0), 1)])
def test_means_decide_only_when_the_first_in_rank_has_one(tmp_path, seeds_of, best):
    """Trial 1 is ahead in the search, trial 2 a baseline behind it, trial 0 between."""
    losses = rows_of_losses(0.58, 0.57, 0.60)
    names = (None, None, "Small")
    trials = [
        trained(float(one.mean()), losses=one, baseline=name, ended=OutcomeStatus.STOPPED)
        for one, name in zip(losses, names, strict=True)
    ]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        for trial in seeds_of:
            confirm(store, trial, 0.57 + trial / 100, 0.575 + trial / 100)
        frames = load(store)
    assert chosen(frames, "best").trial == best


@pytest.fixture(scope="module")
def confirmed_place(fused_place, tmp_path_factory):
    """The tiny sweep with two repeats of its three best trials."""
    place = shutil.copytree(fused_place, tmp_path_factory.mktemp("confirmed") / "place")
    warm.run(place, "confirm", "s", "--top", "3", "--seeds", "2")
    return place


def test_the_best_of_a_confirmed_sweep_is_that_with_the_best_mean(confirmed_place, tmp_path):
    shutil.copytree(confirmed_place, tmp_path, dirs_exist_ok=True)
    report = json.loads(warm.run(tmp_path, "report", "s", "-o", "json", "--no-charts").stdout)
    best = report["confirmed"][0]["trial"]
    with Store(tmp_path / "results" / "s" / "sweep.db", read_only=True) as store:
        repeats = load(store).confirmations
    first = repeats[(repeats["confirms"] == best) & (repeats["seed_number"] == 1)].iloc[0]
    tested = json.loads(warm.run(tmp_path, "test", "s", "-o", "json").stdout)["test"][-1]
    assert (tested["rule"], tested["trial"]) == ("best", best)
    assert (tested["run"], tested["val_score"]) == (first["trial"], first["val_score"])
    assert f"mean over 2 seeds, {report['confirmed'][0]['val_score']:.4f}" in tested["chosen_by"]


def validation_bce(place: Path, outputs_of, *, is_logit: bool) -> float:
    """Of what a model gives for the first 60 rows of the data."""
    rows = np.loadtxt(place / "rows.csv", delimiter=",", dtype=np.float32)[:60]
    z = np.asarray(outputs_of(rows[:, 1:]))[:, 0].astype(float)
    z = z if is_logit else np.log(z) - np.log1p(-z)
    return float(np.mean(np.logaddexp(0, z) - z * rows[:, 0]))


@pytest.mark.parametrize("options", [[], ["--ensemble"]])
def test_after_confirm_the_export_gives_the_score_that_the_test_states(
    confirmed_place, tmp_path, keras, options
):
    place = shutil.copytree(confirmed_place, tmp_path / "place")
    shown = json.loads(warm.run(place, "test", "s", "-o", "json", *options).stdout)
    (tested,), choice = shown["test"], shown["choice"]
    assert len(choice["runs"]) == (2 if options else 1) and choice["seed_numbers"][0] == 1
    exported = warm.run(place, "export", *options, "s", "m.keras")
    assert f"validation BCE {tested['val_score']:.6f}" in exported.stdout
    model = keras.models.load_model(place / "m.keras")
    found = validation_bce(place, model, is_logit=not options)
    assert found == pytest.approx(tested["val_score"], rel=1e-6)
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        sweep, (opening,) = store.sweep(), store.openings()
    rows = load_test_rows(sweep.data, place / "cache")
    outputs = np.asarray(model(rows.x))[:, 0].astype(float)
    z = np.log(outputs) - np.log1p(-outputs) if options else outputs
    score = float(np.mean(np.logaddexp(0, z) - z * rows.y))
    assert opening.score.value == pytest.approx(score, rel=1e-5)
    shown = " ".join(warm.run(place, "report", "s", "--no-charts").stdout.split())
    assert f"trial {tested['trial']} (the best: {tested['chosen_by']})" in shown
    note = f"Export the best with: sweep export s {choice['runs'][0]} best.keras"
    assert note in shown


def test_an_ensemble_is_better_than_its_members_on_average_and_needs_no_package(
    confirmed_place, tmp_path
):
    """Jensen: the BCE of the mean probability is at most the mean of the BCEs."""
    place = shutil.copytree(confirmed_place, tmp_path / "place")
    shown = json.loads(warm.run(place, "test", "s", "--ensemble", "-o", "json").stdout)
    assert shown["test"][0]["rule"] == "best-ensemble"
    assert shown["test"][0]["val_score"] <= np.mean(shown["choice"]["run_val_score"])
    warm.run(place, "export", "--ensemble", "s", str(shown["choice"]["trial"]), "m.keras")
    code = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model('m.keras')\n"
        "rows = np.loadtxt('rows.csv', delimiter=',', dtype=np.float32)[:60]\n"
        "p = model.predict(rows[:, 1:], verbose=0)[:, 0].astype(float)\n"
        "print(-np.mean(np.log(np.where(rows[:, 0] > 0.5, p, 1 - p))))\n"
        "assert not any(name == 'sweep' for name in sys.modules)"
    )
    assert float(without_package(place, code)) == pytest.approx(
        shown["test"][0]["val_score"], rel=1e-6
    )


def test_what_cannot_be_an_ensemble_is_refused_and_nothing_is_opened(fused_place, tmp_path):
    place = shutil.copytree(fused_place, tmp_path / "place")
    for command in (["test", "s"], ["export", "s", "m.keras"]):
        said = warm.run(place, *command, "--ensemble", code=3).stderr
        assert "at least two runs in full" in said and "sweep confirm s" in said
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        assert store.openings() == []
