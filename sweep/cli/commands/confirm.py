"""sweep confirm: the best trials and the baselines are trained again with new seeds."""

from enum import StrEnum
from typing import Annotated

import typer

from sweep.cli import options as opt
from sweep.cli import output, work
from sweep.cli.output import hint
from sweep.cli.stopping import Stopping
from sweep.errors import UsageError
from sweep.runner.same_numbers import AllowedNumbers
from sweep.settings import Budget
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.verbs.confirming import SEEDS, TOP, Rounds, planned_repeats
from sweep.words import counted


class Until(StrEnum):
    """What `--until` may name."""

    DECIDED = "decided"


def confirm(
    name: opt.NameArgument = None,
    top: Annotated[
        int, typer.Option("--top", min=0, help="How many of the best trials to confirm.")
    ] = TOP,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            min=1,
            show_default=str(SEEDS),
            help="Seeds per trial; error bars need at least two.",
        ),
    ] = None,
    until: Annotated[
        Until | None,
        typer.Option(
            "--until",
            help="Instead of --seeds: give seeds to the leaders where they decide most, round by "
            "round, until they are told apart or no seeds would do so.",
        ),
    ] = None,
    max_runs: Annotated[
        int | None,
        typer.Option("--max-runs", min=1, help="With --until: train no more runs than this."),
    ] = None,
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

    The simplest trial that is tied with the best is trained again, too.
    """
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    budget = work.budget(max_time, None, None, max_failures)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    if max_runs is not None and until is None:
        raise UsageError(
            "--max-runs needs --until decided; without that, --top and --seeds say how many runs "
            "there are"
        )
    if seeds is not None and until is not None:
        raise UsageError("--until decided finds how many seeds it takes; leave out --seeds")
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        numbers = AllowedNumbers.asked(other_numerics)
        if until is not None:
            rounds = Rounds(folder, output, top, budget, max_runs)
            while (added := rounds.next()) is not None:
                work.confirm_stored(
                    folder, rounds.budget, stopping, stored_space, cache, numbers, workers, added,
                    until_decided=True,
                )  # fmt: skip
            hint(f"see: sweep report {folder.address}")
            return
        added = planned_repeats(folder, top, SEEDS if seeds is None else seeds)
        if added.pending == 0:
            hint(
                "nothing to do: these trials are already confirmed; "
                f"see: sweep report {folder.address}"
            )
            return
        hint(f"{counted(added.new, 'new run')} with other seeds, {added.pending} to train")
        work.confirm_stored(folder, budget, stopping, stored_space, cache, numbers, workers, added)
