"""sweep plan: what a search would train, and about how long that takes."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from sweep.cli import data_options as of_data
from sweep.cli import options as opt
from sweep.cli.output import display, hint, out, warn
from sweep.cli.rung_table import rung_table
from sweep.cli.trial_lines import print_json
from sweep.cli.work import say_of_space
from sweep.data.description import lines as data_lines
from sweep.pool.places import PoolAsked, number_of_workers, pool_asked
from sweep.runner.cold_start import prepare
from sweep.words import counted, duration, plain

if TYPE_CHECKING:
    from sweep.runner.estimate import Survey
    from sweep.runner.prepare import Prepared


def plan(
    context: typer.Context,
    space: opt.SpaceArgument,
    search: opt.SearchOption = opt.DEFAULT.search,
    trials: opt.TrialsOption = opt.DEFAULT.trials,
    executions: opt.ExecutionsOption = opt.DEFAULT.executions,
    max_epochs: opt.MaxEpochsOption = opt.DEFAULT.max_epochs,
    factor: opt.FactorOption = opt.DEFAULT.factor,
    iterations: opt.IterationsOption = opt.DEFAULT.iterations,
    initial_points: opt.InitialPointsOption = opt.DEFAULT.initial_points,
    alpha: opt.AlphaOption = opt.DEFAULT.alpha,
    beta: opt.BetaOption = opt.DEFAULT.beta,
    seed: opt.SeedOption = opt.DEFAULT.seed,
    seeds: opt.SeedsOption = opt.DEFAULT.seeds,
    data: opt.DataOption = opt.DEFAULT.data,
    train_rows: of_data.TrainRowsOption = None,
    validation_rows: of_data.ValidationRowsOption = None,
    test_rows: of_data.TestRowsOption = None,
    label: of_data.LabelOption = None,
    drop: of_data.DropOption = None,
    task: of_data.TaskOption = of_data.DEFAULT.task,
    missing: of_data.MissingOption = of_data.DEFAULT.missing,
    max_levels: of_data.MaxLevelsOption = of_data.DEFAULT.max_levels,
    standardize: of_data.StandardizeOption = None,
    header: of_data.HeaderOption = None,
    split: of_data.SplitOption = of_data.DEFAULT.split,
    split_column: of_data.SplitColumnOption = of_data.DEFAULT.split_column,
    split_seed: of_data.SplitSeedOption = of_data.DEFAULT.split_seed,
    class_weight: of_data.ClassWeightOption = of_data.DEFAULT.class_weight,
    train_score_rows: opt.TrainScoreRowsOption = opt.DEFAULT.train_score_rows,
    batch_size: opt.BatchSizeOption = opt.DEFAULT.batch_size,
    trainer: opt.TrainerOption = opt.DEFAULT.trainer,
    baselines: opt.BaselinesOption = opt.DEFAULT.baselines,
    objective: opt.ObjectiveOption = opt.DEFAULT.objective,
    build: opt.BuildOption = opt.DEFAULT.build,
    pool: opt.PoolOption = None,
    output: opt.TableOrJsonOption = "table",
    cache: opt.CacheOption = None,
) -> None:
    """Show what a search would train, and about how long that takes."""
    opt.check_output(output, opt.TABLE_OR_JSON)
    settings = opt.settings_of(context)
    asked = None if pool is None else pool_asked(pool)  # of another host, too
    if asked is not None:
        number_of_workers(asked)
    prepared = prepare(space, settings, cache)
    for line in data_lines(prepared.split.manifest):
        hint(line)
    for line in (*prepared.split.concerns, *prepared.concerns):
        warn(line)
    say_of_space(prepared)
    if output == "json":
        _print_json(prepared, asked)
    else:
        _print_plan(prepared, asked)


def _print_json(prepared: "Prepared", asked: PoolAsked | None) -> None:
    from sweep.runner.estimate import Survey
    from sweep.training.native_messages import native_messages_to

    survey, made = Survey(prepared), prepared.plan_record()
    refusals = {reason: n for reason, n in survey.refusals.items() if reason is not None}
    smallest, largest = survey.extremes()
    with native_messages_to(Path(os.devnull)):
        seconds = survey.seconds()
    print_json(
        {
            "schema": "sweep.plan/1",
            "source": prepared.split.source,
            "concerns": list(prepared.split.concerns),
            "rungs": [asdict(rung) for rung in prepared.plan.rungs],
            "trials": made.trials,
            "assignments": made.assignments,
            "epochs": made.epochs,
            "baselines": made.baselines,
            "baseline_epochs": made.baseline_epochs,
            "confirmations": made.confirmations,
            "fused": survey.refusals[None],
            "programs": survey.programs,
            "refusals": refusals,
            "params_smallest": smallest,
            "params_largest": largest,
            "seconds": seconds,
            **_pool_json(survey, asked),
        },
        prepared.scored.scoring,
    )


def _print_plan(prepared: "Prepared", asked: PoolAsked | None) -> None:
    from sweep.runner.estimate import Survey
    from sweep.training.native_messages import native_messages_to

    console = out()
    made = prepared.plan_record()
    if prepared.plan.rungs:
        display(rung_table(prepared.plan.rungs))
        console.print()
    steps = f"{counted(made.assignments, 'assignment')}, " if prepared.settings.has_rungs else ""
    console.print(
        f"{counted(made.trials or 0, 'trial')}, {steps}"
        f"{counted(made.epochs or 0, 'epoch')}; {counted(made.baselines, 'baseline')} beside, "
        f"{counted(made.baseline_epochs, 'epoch')}"
    )
    if made.confirmations:
        epochs = made.confirmations * prepared.settings.max_epochs
        whose = "more run" if prepared.settings.executions > 1 else "more baseline run"
        runs = counted(made.confirmations, whose)
        console.print(f"{runs} with other seeds, {counted(epochs, 'epoch')}")
    survey = Survey(prepared)
    _print_fused(survey, console)
    smallest, largest = survey.extremes()
    console.print(f"models of {smallest:,} to {largest:,} trainable parameters")
    hint("training a small and a large model for a moment …")
    with native_messages_to(Path(os.devnull)):
        seconds = survey.seconds()
    console.print(
        f"about {duration(seconds)} on this machine if nothing stops early, "
        f"on {prepared.split.source}"
    )
    if asked is not None:
        _print_pool(survey, asked, console)


def _pool_json(survey: "Survey", asked: PoolAsked | None) -> dict[str, object]:
    from sweep.runner.estimate_pool import estimate_pool

    if asked is None:
        return {}
    found = estimate_pool(survey, asked)
    return {
        "pool": {
            "workers": found.workers,
            "seconds": found.seconds,
            "busy": found.busy,
            "worth_it": found.is_worth_it,
        }
    }


def _print_pool(survey: "Survey", asked: PoolAsked, console: Console) -> None:
    """Print what a pool would bring, and whether it is worth its start."""
    from sweep.runner.estimate_pool import estimate_pool

    found = estimate_pool(survey, asked)
    whose = "each with a share of its cores" if found.shares_cores else "each as fast as it is"
    console.print(
        f"about {duration(found.seconds)} with {counted(found.workers, 'worker')} on this machine, "
        f"{whose}; workers would train {found.busy:.0%} of the time"
    )
    if not found.is_worth_it:
        console.print("for this search, a pool of workers is not worth its start")


def _print_fused(survey: "Survey", console: Console) -> None:
    """Print how many trials will be trained together, and why the others will not."""
    counts = survey.refusals
    if not counts:
        return
    fused = counts.pop(None, 0)
    console.print(
        f"{fused} of {counted(fused + sum(counts.values()), 'trial')} are fused with others; "
        f"programs to compile: {survey.programs}"
    )
    for reason, number in counts.most_common():
        console.print(f"{number} trained by Keras: {plain(reason)}")
