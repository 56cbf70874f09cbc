"""sweep resume: a sweep that was stopped or killed continues."""

from sweep.cli import options as opt
from sweep.cli import output, work
from sweep.cli.output import hint
from sweep.cli.stopping import Stopping
from sweep.errors import DataError
from sweep.records import SweepState
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import AllowedNumbers
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep


def resume(
    name: opt.NameArgument = None,
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    max_time: opt.MaxTimeOption = None,
    max_trials: opt.MaxTrialsOption = None,
    target: opt.TargetOption = None,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    tensorboard: opt.TensorboardOption = False,
    pool: opt.PoolOption = None,
    mixed: opt.MixedOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Continue a sweep that was stopped or killed."""
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    folder = find_sweep(results, name)
    budget = work.budget(max_time, max_trials, target, max_failures)
    if name is None:
        hint(f"sweep {folder.name}")
    numbers = AllowedNumbers.asked(other_numerics)
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        with Store(folder.database) as store:
            sweep, problems = store.sweep(), store.problems()
            # a damaged database is not read further
            unconfirmed = not problems and any(a.confirms is not None for a in store.pending())
            compared = not problems and not store.references()
        if problems:
            raise DataError(
                f"{folder.database} is damaged ({problems[0]}); restore it from a copy, "
                f"or find out more with: sweep doctor {folder.address}"
            )
        if sweep.state is SweepState.FINISHED and unconfirmed:
            work.confirm_stored(folder, budget, stopping, stored_space, cache, numbers, workers)
            return
        if sweep.state is SweepState.FINISHED:
            hint(f"sweep {folder.name} is finished; see: sweep report {folder.address}")
            return
        prepared = prepare_again(
            folder, sweep, cache, stored_space, say=output, compared=compared, numbers=numbers
        )
        work.run(folder, prepared, budget, stopping, tensorboard, workers)
