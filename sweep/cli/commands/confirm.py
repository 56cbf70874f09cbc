"""sweep confirm: the best trials and the baselines are trained again with new seeds."""

from typing import Annotated

import typer

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.output import hint
from sweep.cli.stopping import Stopping
from sweep.runner.same_numbers import AllowedNumbers
from sweep.settings import Budget
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.verbs.confirming import SEEDS, TOP, planned_repeats
from sweep.words import counted


def confirm(
    name: opt.NameArgument = None,
    top: Annotated[
        int, typer.Option("--top", min=0, help="How many of the best trials to confirm.")
    ] = TOP,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Seeds per trial; error bars need at least two.")
    ] = SEEDS,
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
    """Train the best trials and the baselines again with new seeds.

    So is the simplest trial that is tied with the best.
    """
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    budget = work.budget(max_time, None, None, max_failures)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        added = planned_repeats(folder, top, seeds)
        if added.pending == 0:
            hint(
                "nothing to do: these trials are already confirmed; "
                f"see: sweep report {folder.name}"
            )
            return
        hint(f"{counted(added.new, 'new run')} with other seeds, {added.pending} to train")
        numbers = AllowedNumbers.asked(other_numerics)
        work.confirm_stored(folder, budget, stopping, stored_space, cache, numbers, workers, added)
