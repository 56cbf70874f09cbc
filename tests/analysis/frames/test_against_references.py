"""Is a network worth it: the best against models without one, on the same rows."""

import json

import jsonschema
import numpy as np
import pytest

from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import load
from sweep.analysis.page import sections
from sweep.analysis.page.write import page
from sweep.analysis.report.trials_json import json_schema, to_json
from sweep.analysis.report.verdict_words import lines
from sweep.records import Outcome, OutcomeStatus
from sweep.store import NewTrial, Reference, TrialLosses
from tests.support.sweeps import record, rows_of_losses, store_sweep, trained

TREES = 0.60


def references(*models):
    """Names and losses."""
    return [Reference(name, float(v.mean()), 0.01, v, 1.0) for name, v in models]


def sweep_with(path, *scores, others=(), trees=TREES, seeds=()):
    """Trials with these scores, boosted trees and others with theirs; the best under `seeds`."""
    losses = rows_of_losses(*scores, trees, *others, *seeds)
    n = len(scores)
    models = [("no skill", np.full(1000, 0.69, "f4")), ("boosted trees", losses[n])]
    models += [(f"other {i}", one) for i, one in enumerate(losses[n + 1 : n + 1 + len(others)])]
    trials = [
        trained(score, losses=one, ended=OutcomeStatus.STOPPED)
        for score, one in zip(scores, losses, strict=False)
    ]
    with store_sweep(path, trials) as store:
        store.set_references(references(*models))
        new = [
            NewTrial(None, None, None, 50 + i, {"width": 16}, confirms=0, seed_number=i)
            for i in range(1, len(seeds) + 1)
        ]
        store.add_confirmations(new, 1)
        for assignment, score, one in zip(
            store.pending(), seeds, losses[len(losses) - len(seeds) :], strict=True
        ):
            done = Outcome(OutcomeStatus.STOPPED, 1, 500, 1.0)
            store.finish(assignment, done, [record(1, score)], "keras", losses=TrialLosses(1, one))
        return load(store)


def said(frames):
    return dict(lines(verdict(frames))).get("network")


def test_the_difference_is_that_of_the_rows_with_an_error_over_rows_and_seeds(tmp_path):
    frames = sweep_with(tmp_path / "sweep.db", 0.58, 0.65)
    (found,) = frames.advantages
    assert (found.reference, found.trial, found.seeds) == ("boosted trees", 0, 1)
    assert found.value == pytest.approx(-0.02, abs=1e-6)
    assert found.se == pytest.approx(np.hypot(0.02 * np.sqrt(2 / 1000), 0.005), rel=0.02)
    assert found.low < found.value - 1.9 * found.se < found.value + 1.9 * found.se < found.high
    assert verdict(frames).worth is True
    assert said(frames).startswith("A network is worth it: the val BCE of trial 0 is 0.0200 ±")


@pytest.mark.parametrize(
    ("best", "others", "worth", "words"),
    [
        (0.58, (0.62,), True, "A network is worth it"),
        (0.58, (0.581,), None, "Not enough evidence that"),
        (0.58, (0.56,), False, "Other 0 beats the best network found (trial 0) by 0.02"),
        (0.62, (0.64,), False, "Boosted trees beat the best network found (trial 0) by 0.02"),
        (0.5999, (), None, "Not enough evidence that"),
    ],
)
def test_a_network_must_beat_every_reference(tmp_path, best, others, worth, words):
    worse = (best + 0.1 + n / 100 for n in range(4))
    frames = sweep_with(tmp_path / "sweep.db", best, *worse, others=others)
    assert verdict(frames).worth is worth
    assert said(frames).startswith(words)


def test_selection_bias_is_taken_off(tmp_path):
    """Of twenty trials that are alike the best is ahead by chance alone."""
    random = np.random.default_rng(3)
    rows = random.exponential(0.5, 1000)
    noisy = [(rows + random.normal(0, 0.2, 1000)).astype("f4") for _ in range(21)]
    *networks, trees = sorted(noisy, key=lambda one: float(one.mean()))
    trials = [trained(float(one.mean()), losses=one) for one in networks]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        store.set_references(references(("boosted trees", trees)))
        frames = load(store)
    (found,) = frames.advantages
    assert found.high < 0 < found.too_good  # without the correction it would pass
    assert found.is_better is None
    assert "before correcting for selection bias" in said(frames)


def test_the_mean_over_seeds_is_taken_where_there_is_one(tmp_path):
    frames = sweep_with(tmp_path / "sweep.db", 0.57, 0.65, seeds=(0.59, 0.61))
    (found,) = frames.advantages
    assert (found.seeds, found.too_good) == (2, 0.0)
    assert found.value == pytest.approx(0.0, abs=1e-6)
    assert found.se > 0.009  # half the difference of the two seeds
    assert "mean val BCE of 2 runs of trial 0" in said(frames)


def test_nothing_is_said_without_losses_or_references(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.6), trained(0.7)]) as store:
        store.set_references(references(("boosted trees", rows_of_losses(0.6)[0])))
        assert load(store).advantages == () and said(load(store)) is None
    with store_sweep(tmp_path / "other.db", [trained(0.6, losses=rows_of_losses(0.6)[0])]) as store:
        assert load(store).advantages == ()
        store.set_references(references(("boosted trees", np.ones(7, "f4"))))  # of other rows
        assert load(store).advantages == ()


def test_the_json_and_the_page_hold_it(tmp_path):
    frames = sweep_with(tmp_path / "sweep.db", 0.58, 0.65, others=(0.62,))
    document = json.loads(to_json(frames))
    jsonschema.validate(document, json.loads(json_schema()))
    assert document["verdict"]["worth"] is True
    values = [one["value"] for one in document["verdict"]["advantages"]]
    assert values == pytest.approx([-0.02, -0.04], abs=1e-6)
    table = sections.references(frames)
    assert [row[0] for row in table.rows] == ["no skill", "boosted trees", "other 0"]
    assert table.rows[0][2] == "–" and table.rows[1][2].startswith("-0.0200 ± 0.0051")
    assert "A network is worth it" in page(frames)
