"""What is tested is what is exported: one rule, over random sweeps and case by case."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.analysis.answers.chosen_trials import chosen, named
from sweep.analysis.answers.verdict import Verdict, verdict
from sweep.analysis.frames.load import SweepFrames, load
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.analysis.report import openings
from sweep.analysis.report.commands import export_command
from sweep.analysis.report.verdict_words import lines as verdict_lines
from sweep.analysis.stored import load_frames
from sweep.cli.commands.export import export as export_command_line
from sweep.cli.commands.test import test as evaluate_command
from sweep.errors import NotFoundError
from sweep.records import Outcome, OutcomeStatus
from sweep.runner.confirm import confirmations
from sweep.store import Store, TrialLosses
from sweep.sweep_folder import SweepFolder
from sweep.tasks.score_words import ScoreWords
from sweep.verbs import exporting, testing
from sweep.verbs import taken as taken_module
from tests.support.examples import examples
from tests.support.sweeps import confirm, record, rows_of_losses, store_sweep, trained

IN_FULL = (TrialStatus.FINISHED, TrialStatus.STOPPED)
STOPPED, CUT = OutcomeStatus.STOPPED, OutcomeStatus.COMPLETED


class PreparedError(Exception):
    """The command has chosen, and would now load the data."""


@dataclass
class Seen:
    """What a command took."""

    taken: Any = None


def what_is_taken(
    verb: Any, command: Any, monkeypatch: pytest.MonkeyPatch, *given: Any, **named: Any
):
    """The `Taken` of a command that is ended before it prepares anything; or its refusal.

    `verb` is the module that does what the command asks for.
    """
    seen, real = Seen(), taken_module.taken

    def taken(*arguments: Any, **options: Any) -> Any:
        seen.taken = real(*arguments, **options)
        return seen.taken

    def prepare(*_: Any, **__: Any) -> None:
        raise PreparedError

    with monkeypatch.context() as patch:
        patch.setattr(verb, "taken", taken)
        patch.setattr(verb, "prepare_again", prepare)
        patch.setattr(taken_module, "load_frames", frames_of)
        try:
            command(*given, **named)
        except PreparedError:
            return seen.taken
        except NotFoundError as error:
            return str(error)
    raise AssertionError("it went on")


@functools.lru_cache(1)
def frames_of(folder: SweepFolder) -> SweepFrames:
    """Three commands read each sweep, which does not change between them."""
    return load_frames(folder)


def random_sweep(path: Path, random: np.random.Generator) -> Store:
    """Trials cut, stopped, finished and failed, with errors or without; some are repeated."""
    n = int(random.integers(1, 7))
    losses = rows_of_losses(*random.uniform(0.4, 0.8, n), rows=200)
    trials = []
    for one in losses:
        ended = [STOPPED, CUT, CUT, OutcomeStatus.FAILED][random.integers(4)]
        epochs = 81 if random.random() < 0.2 else int(random.integers(1, 9))
        scores = [float(one.mean()) + 0.01 * i for i in range(epochs)]
        baseline = "Small" if random.random() < 0.3 else None
        kept = one if random.random() < 0.9 else None
        trials.append(trained(*scores, losses=kept, baseline=baseline, ended=ended))
    store = store_sweep(path, trials)
    for trial in random.permutation(n)[: random.integers(0, n + 1)]:
        repeat(store, int(trial), random, is_baseline=trials[trial].baseline is not None)
    return store


def repeat(store: Store, trial: int, random: np.random.Generator, *, is_baseline: bool) -> None:
    """Up to four seeds of the trial: in full, failed, or still to do."""
    new = confirmations({trial: {"width": 8}}, [trial] if is_baseline else [], 4, 0)
    before = store.last_assignment()
    store.add_confirmations(new[: random.integers(0, 5)], 81)
    for assignment in store.stored_after(before):
        score = float(random.uniform(0.4, 0.8))
        kind = random.integers(5)
        if kind == 0:
            done = Outcome(OutcomeStatus.FAILED, 0, 500, 1.0, "the loss is not finite")
            store.finish(assignment, done, [], "keras")
        elif kind > 1:
            losses = TrialLosses(1, rows_of_losses(score, rows=200)[0])
            done = Outcome(STOPPED, 1, 500, 1.0)
            store.finish(assignment, done, [record(1, score)], "keras", losses=losses)


@pytest.mark.parametrize("seed", range(examples(60)))
def test_test_and_export_take_the_same_run_in_full_and_its_score_is_stated(
    tmp_path, monkeypatch, seed
):
    path = tmp_path / "s" / "sweep.db"
    path.parent.mkdir()
    with random_sweep(path, np.random.default_rng(seed)) as store:
        frames = load(store)
    tested = what_is_taken(testing, evaluate_command, monkeypatch, "s", results=tmp_path)
    options = {"results": tmp_path, "retrain": True}
    exported = what_is_taken(
        exporting, export_command_line, monkeypatch, ["s", "m.keras"], **options
    )
    if isinstance(tested, str):
        assert tested == exported
        assert not frames.trials["status"].isin(IN_FULL).any() or "evaluated" in tested
        return
    assert tested == exported
    choice, ((trial, found),) = tested.choice, tested.members.items()
    every = {
        **frames.trials.set_index("trial").to_dict("index"),
        **frames.confirmations.set_index("trial").to_dict("index"),
    }
    assert every[trial]["status"] in IN_FULL
    assert choice.run.trial == trial == tested.trial
    assert choice.run.val_score == found.score == every[trial]["val_score"]
    assert every[trial].get("confirms", choice.trial) == choice.trial
    if choice.is_by_mean:
        means = frames.confirmed[frames.confirmed["val_score_se"].notna()]  # of two runs or more
        assert choice.trial == means["trial"].iloc[0]
        assert choice.mean == pytest.approx(np.mean([run.val_score for run in choice.runs]))
        assert choice.run.seed_number == min(run.seed_number for run in choice.runs)
    else:
        in_full = frames.trials[frames.trials["status"].isin(IN_FULL)]
        assert choice.run.val_score == in_full["val_score"].min() and choice.mean is None
    exactly = export_command("s", choice).split()
    assert exactly == ["sweep", "export", "s", str(trial), "best.keras"]
    by_number = what_is_taken(
        exporting, export_command_line, monkeypatch, ["s", str(trial), "m.keras"], **options
    )
    assert by_number.members == tested.members


def test_a_trial_that_was_cut_is_not_tested_though_it_is_first_in_rank(tmp_path):
    trials = [trained(0.5), trained(0.7, 0.6, ended=STOPPED)]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        frames = load(store)
    choice = chosen(frames, "best")
    assert (choice.trial, choice.run.trial, choice.run.val_score) == (1, 1, 0.6)
    assert "trained in full; its own run" in openings.reason(choice, ScoreWords())


def test_a_trial_that_was_cut_is_tested_by_its_first_repeat_in_full(tmp_path):
    """Its own run has 0.5; the mean decides; seed 1 is not the best of the seeds."""
    losses = rows_of_losses(0.50, 0.60)
    trials = [trained(0.5, losses=losses[0]), trained(0.6, losses=losses[1], ended=STOPPED)]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.58, 0.54)
        confirm(store, 1, 0.61, 0.62)
        frames = load(store)
    choice = chosen(frames, "best")
    assert (choice.trial, choice.run.seed_number, choice.run.val_score) == (0, 1, 0.58)
    assert choice.mean == pytest.approx(0.56)
    assert "lowest mean over 2 seeds, 0.5600; its run with seed number 1" in openings.reason(
        choice, ScoreWords()
    )
    assert [run.val_score for run in named(frames, 1).runs] == [0.61, 0.62]


def test_what_decides_over_seeds_is_named_the_mean_or_the_expected_score(tmp_path):
    """Trial 1 has the higher mean, and less of it is the luck of an epoch."""
    losses = rows_of_losses(0.50, 0.51)
    trials = [trained(float(one.mean()), losses=one) for one in losses]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.55, 0.57)
        confirm(store, 1, 0.56, 0.58)
        frames = load(store)
        by_mean = verdict_words(verdict(frames))
        expected = frames.confirmed.assign(expected_score=[0.60, 0.58]).iloc[::-1]
        frames = replace(frames, confirmed=expected.reset_index(drop=True))
        by_expected = verdict_words(verdict(frames))
    choice = chosen(frames, "best")
    assert (choice.trial, choice.expected) == (1, 0.58)
    assert (
        "lowest expected score over 2 seeds, 0.5800: mean over 2 seeds, 0.5700, without the luck "
        "of the epochs; its run with seed number 1"
    ) in openings.reason(choice, ScoreWords())
    assert "the first by its mean is trial 0" in by_mean
    assert "the first by its expected score is trial 1: mean val BCE 0.57" in by_expected


def verdict_words(found: Verdict) -> str:
    return " ".join(sentence for _, sentence in verdict_lines(found))


@pytest.mark.parametrize(
    ("state", "advice"), [("finished", "sweep confirm"), ("interrupted", "sweep resume")]
)
@pytest.mark.parametrize("rule", ["best", "simplest"])
def test_a_sweep_without_a_run_in_full_is_refused_with_advice(tmp_path, state, advice, rule):
    losses = rows_of_losses(0.5, 0.6)
    trials = [trained(float(one.mean()), losses=one) for one in losses]
    with store_sweep(tmp_path / "sweep.db", trials, state=state) as store:
        frames = load(store, address="elsewhere/s")
    with pytest.raises(NotFoundError, match=f"{advice} elsewhere/s"):
        chosen(frames, rule)


def test_an_ensemble_needs_two_runs_in_full(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.5, ended=STOPPED)]) as store:
        with pytest.raises(NotFoundError, match="sweep confirm capacity-1"):
            named(load(store), 0)
        confirm(store, 0, 0.6)
        with pytest.raises(NotFoundError, match="at least two runs in full"):
            named(load(store), 0)
