"""sweep confirm: the best trials and the baselines again, with seeds that nobody chose."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.inspect import load_frames
from sweep.cli.output import hint, unfamiliar
from sweep.cli.stopping import Stopping
from sweep.errors import NotFoundError, UsageError
from sweep.records import SweepState, Value
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_OVER = (SweepState.FINISHED, SweepState.BUDGET)


def register(app: typer.Typer) -> None:
    app.command("confirm")(confirm)


def confirm(
    name: opt.NameArgument = None,
    top: Annotated[int, typer.Option("--top", min=0, help="So many of the best trials.")] = 8,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Under so many seeds each; errors need two.")
    ] = 5,
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    max_time: opt.MaxTimeOption = None,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Train the best trials, the simplest tied one and the baselines again with fresh seeds."""
    work.log_to_stderr(verbose)
    budget = work.budget(max_time, None, None, max_failures)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        n_new, n_to_do = _add(folder, top, seeds)
        if n_to_do == 0:
            hint(f"nothing to add: all that is confirmed; see: sweep report {folder.name}")
            return
        hint(f"{n_new} runs more with other seeds, {n_to_do} to do")
        numerics = work.Numbers.asked(other_numerics)
        go_on(folder, budget, stopping, stored_space, cache, numerics)


def go_on(
    folder: SweepFolder,
    budget: Budget,
    stopping: Stopping,
    stored_space: bool,
    cache: Path | None,
    numerics: work.Numbers,
) -> None:
    """Train the confirmations that are still to do. The folder must be locked."""
    with Store(folder.database) as store:
        sweep = store.sweep()
    prepared = work.prepare_again(folder, sweep, cache, stored_space, numerics)
    work.confirm(folder, prepared, budget, stopping)


def _add(folder: SweepFolder, top: int, seeds: int) -> tuple[int, int]:
    """Store the confirmations that are missing; how many these are, and how many are to do."""
    frames = load_frames(folder)
    if frames.sweep.state not in _OVER:
        raise UsageError(
            f"sweep {folder.name} is {frames.sweep.state}; its best trials are known when the "
            f"search is over: sweep resume {folder.name}"
        )
    from sweep.runner.confirm import confirmations

    with unfamiliar(folder), Store(folder.database) as store:
        chosen = _chosen(frames, top)
        settings = frames.sweep.settings
        there = store.confirmed_seeds()
        baselines = frames.trials.loc[frames.trials["baseline"].notna(), "trial"]
        new = confirmations(chosen, baselines, seeds, settings.seed, there)
        store.add_confirmations(new, settings.max_epochs)
        return len(new), sum(a.confirms is not None for a in store.pending())


def _chosen(frames: "SweepFrames", top: int) -> dict[int, dict[str, Value]]:
    from sweep.analysis.answers.which_trials import to_confirm

    rows = frames.trials.set_index("trial")["hyperparameters"]
    found = {trial: rows[trial] for trial in to_confirm(frames, top)}
    if not found:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial with a score to confirm")
    return found
