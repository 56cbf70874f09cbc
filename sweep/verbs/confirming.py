"""Repeats the best trials and the baselines under other seeds."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.analysis.stored import load_frames
from sweep.errors import BudgetEndedError, NotFoundError, TooManyFailuresError
from sweep.records import SweepState, Value
from sweep.runner.cold_start import prepare_again
from sweep.runner.confirm import Added, planned_confirmations, refuse_unless_over
from sweep.runner.say import Say
from sweep.settings import Budget
from sweep.store import NewTrial, Store
from sweep.sweep_folder import SweepFolder
from sweep.verbs.interrupting import Interruption
from sweep.verbs.silent import Silent
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames
    from sweep.runner.limits import Ending

TOP = 8
"""Trials that are repeated if nothing else is asked for."""
SEEDS = 5
"""Seeds of each of them."""


def add_repeats(folder: SweepFolder, top: int = TOP, seeds: int = SEEDS) -> Added:
    """Store the runs that repeat the `top` best trials and the baselines under `seeds` seeds.

    The folder must be locked. Raises what `planned_repeats` raises.
    """
    added = planned_repeats(folder, top, seeds)
    with Store(folder.database) as store:
        added.store(store)
    return added


def planned_repeats(folder: SweepFolder, top: int = TOP, seeds: int = SEEDS) -> Added:
    """Return the runs that `add_repeats` would store. Stores nothing.

    Raises NotFoundError if no trial has a score, UsageError if the search is not over.
    """
    frames = load_frames(folder)
    refuse_unless_over(folder.name, frames.sweep.state, folder.address)
    baselines = frames.trials.loc[frames.trials["baseline"].notna(), "trial"]
    with Store(folder.database) as store:
        return planned_confirmations(store, _chosen(frames, top), baselines, seeds)


@dataclass(frozen=True)
class Round:
    """The runs that decide most between the leaders, as far as is known."""

    added: Added
    sentence: str
    """What is decided, and what is left open."""


def planned_round(folder: SweepFolder, top: int = TOP, most_runs: int | None = None) -> Round:
    """Return the next runs of `sweep confirm --until decided`, at most `most_runs`. Stores nothing.

    None are left when the leaders are told apart, or no seeds would do so. Raises what
    `planned_repeats` raises.
    """
    from sweep.analysis.answers.deciding import leaders

    frames = load_frames(folder)
    refuse_unless_over(folder.name, frames.sweep.state, folder.address)
    _chosen(frames, 1)  # refuses a sweep without a score
    found = leaders(frames, top)
    rows = frames.trials.set_index("trial")
    new: list[NewTrial] = []
    pending = 0
    with Store(folder.database) as store:
        for trial, seeds in zip(found.trials, found.seeds, strict=True):
            baselines = [trial] if rows["baseline"][trial] is not None else []
            of_trial = {trial: rows["hyperparameters"][trial]}
            added = planned_confirmations(store, of_trial, baselines, seeds)
            new, pending = [*new, *added.runs], added.pending - added.new
    new = new if most_runs is None else new[:most_runs]
    return Round(Added(tuple(new), len(new) + pending), found.sentence)


def confirm(
    folder: SweepFolder,
    say: Say,
    top: int = TOP,
    seeds: int = SEEDS,
    cache: Path | None = None,
    *,
    until_decided: bool = False,
    budget: Budget | None = None,
    max_runs: int | None = None,
) -> None:
    """Add repeats and train those that are to do, until they are done or Ctrl-C asks to stop.

    If `until_decided`, `seeds` is not asked: round by round those are trained that decide most
    between the leaders, at most `max_runs` of them. Raises BudgetEndedError if something else than
    Ctrl-C ended it before, TooManyFailuresError if too many runs failed.
    """
    budget = budget or Budget()
    with folder.locked(), Interruption(folder) as interrupts:
        if until_decided:
            rounds = Rounds(folder, say, top, budget, max_runs)
            ending = None
            while (added := rounds.next()) is not None:
                ending = _trained(folder, say, cache, interrupts, added, rounds.budget)
                if ending.state is not SweepState.FINISHED:
                    break
        else:
            added = planned_repeats(folder, top, seeds)
            if added.pending == 0:
                say.hint("nothing to do: these trials are already confirmed")
                return
            say.hint(f"{counted(added.new, 'new run')} with other seeds, {added.pending} to train")
            ending = _trained(folder, say, cache, interrupts, added, budget)
    if ending is None or ending.state is SweepState.INTERRUPTED:
        return
    if ending.state is SweepState.FINISHED:
        if ending.sentence is not None:
            say.warn(ending.sentence)
        return
    kind = TooManyFailuresError if ending.state is SweepState.FAILED else BudgetEndedError
    again = 'confirm(until="decided")' if until_decided else "confirm()"
    raise kind(f"{ending.sentence}; go on with {again}, or: sweep resume {folder.path}")


@dataclass
class Rounds:
    """The rounds of `--until decided`: what is trained next, and within which budget."""

    folder: SweepFolder
    say: Say
    top: int
    whole: Budget
    """Of all rounds together."""
    max_runs: int | None
    _begun: float = field(default_factory=time.monotonic)
    _runs: int = 0

    @property
    def budget(self) -> Budget:
        """What is left for the next round."""
        if self.whole.max_seconds is None:
            return self.whole
        left = self.whole.max_seconds - (time.monotonic() - self._begun)
        return replace(self.whole, max_seconds=max(left, 0.0))

    def next(self) -> Added | None:
        """Return the next runs, having said where the leaders stand; None at the end."""
        left = None if self.max_runs is None else self.max_runs - self._runs
        found = planned_round(self.folder, self.top, left)
        added = found.added
        if added.pending == 0:
            spent = left == 0 and found.sentence.startswith("undecided")
            self.say.hint(found.sentence + ("; --max-runs is spent" if spent else ""))
            return None
        self._runs += added.new
        self.say.hint(f"{found.sentence}; {counted(added.pending, 'run')} to train")
        return added


def _trained(
    folder: SweepFolder,
    say: Say,
    cache: Path | None,
    interrupts: Interruption,
    added: Added,
    budget: Budget,
) -> "Ending":
    """Train what is to do. A sweep that cannot be trained here is refused, and nothing stored."""
    with Store(folder.database) as store:
        prepared = prepare_again(folder, store.sweep(), cache, False, say=say)
        added.store(store)
        from sweep.runner import run as running
        from sweep.training.native_messages import native_messages_to

        folder.refuse_links()
        with native_messages_to(folder.native_log):
            observer, asked = Silent(), interrupts.requested
            return running.confirm(running.Work(folder, store, prepared, budget, observer, asked))


def _chosen(frames: "SweepFrames", top: int) -> dict[int, dict[str, Value]]:
    from sweep.analysis.answers.chosen_trials import to_confirm

    rows = frames.trials.set_index("trial")["hyperparameters"]
    found = {trial: rows[trial] for trial in to_confirm(frames, top)}
    if not found:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial with a score to confirm")
    return found
