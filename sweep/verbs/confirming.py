"""Repeats the best trials and the baselines under other seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.analysis.stored import load_frames
from sweep.errors import BudgetEndedError, NotFoundError, TooManyFailuresError
from sweep.records import SweepState, Value
from sweep.runner.cold_start import prepare_again
from sweep.runner.confirm import Added, planned_confirmations, refuse_unless_over
from sweep.runner.say import Say
from sweep.settings import Budget
from sweep.store import Store
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
    refuse_unless_over(folder.name, frames.sweep.state)
    baselines = frames.trials.loc[frames.trials["baseline"].notna(), "trial"]
    with Store(folder.database) as store:
        return planned_confirmations(store, _chosen(frames, top), baselines, seeds)


def confirm(
    folder: SweepFolder, say: Say, top: int = TOP, seeds: int = SEEDS, cache: Path | None = None
) -> None:
    """Add repeats and train those that are to do, until they are done or Ctrl-C asks to stop.

    Raises BudgetEndedError if something else than Ctrl-C ended it before, TooManyFailuresError if
    too many runs failed.
    """
    with folder.locked(), Interruption(folder) as interrupts:
        added = planned_repeats(folder, top, seeds)
        if added.pending == 0:
            say.hint("nothing to do: these trials are already confirmed")
            return
        say.hint(f"{counted(added.new, 'new run')} with other seeds, {added.pending} to train")
        ending = _trained(folder, say, cache, interrupts, added)
    if ending.state in (SweepState.FINISHED, SweepState.INTERRUPTED):
        return
    kind = TooManyFailuresError if ending.state is SweepState.FAILED else BudgetEndedError
    raise kind(f"{ending.sentence}; go on with confirm(), or: sweep resume {folder.path}")


def _trained(
    folder: SweepFolder, say: Say, cache: Path | None, interrupts: Interruption, added: Added
) -> "Ending":
    """Train what is to do. A sweep that cannot be trained here is refused, and nothing stored."""
    with Store(folder.database) as store:
        prepared = prepare_again(folder, store.sweep(), cache, False, say=say)
        added.store(store)
        from sweep.runner import prepare as sweeps
        from sweep.training.native_messages import native_messages_to

        folder.refuse_links()
        with native_messages_to(folder.native_log):
            observer, asked = Silent(), interrupts.requested
            return sweeps.confirm(sweeps.Work(folder, store, prepared, Budget(), observer, asked))


def _chosen(frames: "SweepFrames", top: int) -> dict[int, dict[str, Value]]:
    from sweep.analysis.answers.chosen_trials import to_confirm

    rows = frames.trials.set_index("trial")["hyperparameters"]
    found = {trial: rows[trial] for trial in to_confirm(frames, top)}
    if not found:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial with a score to confirm")
    return found
