"""sweep confirm: the best trials and the baselines are trained again with new seeds."""

from typing import TYPE_CHECKING, Annotated

import typer

from sweep.analysis.stored import load_frames
from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.output import hint
from sweep.cli.stopping import Stopping
from sweep.errors import NotFoundError
from sweep.records import Value
from sweep.runner.confirm import Added, add_confirmations, refuse_unless_over
from sweep.runner.same_numbers import Numbers
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames


def confirm(
    name: opt.NameArgument = None,
    top: Annotated[
        int, typer.Option("--top", min=0, help="How many of the best trials to confirm.")
    ] = 8,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Seeds per trial; error bars need at least two.")
    ] = 5,
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    max_time: opt.MaxTimeOption = None,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    pool: opt.PoolOption = None,
    mixed: opt.MixedOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Train the best trials, the simplest tied one and the baselines again with new seeds."""
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    budget = work.budget(max_time, None, None, max_failures)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        added = _add(folder, top, seeds)
        if added.pending == 0:
            hint(
                "nothing to do: these trials are already confirmed; "
                f"see: sweep report {folder.name}"
            )
            return
        hint(f"{counted(added.new, 'new run')} with other seeds, {added.pending} to train")
        numbers = Numbers.asked(other_numerics)
        work.confirm_stored(folder, budget, stopping, stored_space, cache, numbers, workers)


def _add(folder: SweepFolder, top: int, seeds: int) -> Added:
    frames = load_frames(folder)
    refuse_unless_over(folder.name, frames.sweep.state)
    baselines = frames.trials.loc[frames.trials["baseline"].notna(), "trial"]
    with Store(folder.database) as store:
        return add_confirmations(store, _chosen(frames, top), baselines, seeds)


def _chosen(frames: "SweepFrames", top: int) -> dict[int, dict[str, Value]]:
    from sweep.analysis.answers.chosen_trials import to_confirm

    rows = frames.trials.set_index("trial")["hyperparameters"]
    found = {trial: rows[trial] for trial in to_confirm(frames, top)}
    if not found:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial with a score to confirm")
    return found
