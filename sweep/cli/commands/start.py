"""sweep start: a new search."""

import typer

from sweep.cli import data_options as of_data
from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.output import hint, warn
from sweep.cli.stopping import Stopping
from sweep.data.description import lines as data_lines
from sweep.errors import UsageError
from sweep.runner.cold_start import prepare
from sweep.settings import Budget
from sweep.space import find as spaces
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, free_name, new_folder
from sweep.words import plain


def start(
    context: typer.Context,
    space: opt.SpaceArgument,
    name: str | None = typer.Option(
        None,
        envvar="SWEEP_NAME",
        help="Name of the new sweep; by default the space's name and a number.",
    ),
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
    patience: opt.PatienceOption = opt.DEFAULT.patience or 0,
    trainer: opt.TrainerOption = opt.DEFAULT.trainer,
    baselines: opt.BaselinesOption = opt.DEFAULT.baselines,
    objective: opt.ObjectiveOption = opt.DEFAULT.objective,
    build: opt.BuildOption = opt.DEFAULT.build,
    max_time: opt.MaxTimeOption = None,
    max_trials: opt.MaxTrialsOption = None,
    target: opt.TargetOption = None,
    keep: opt.KeepOption = opt.DEFAULT.keep,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    tensorboard: opt.TensorboardOption = False,
    pool: opt.PoolOption = None,
    mixed: opt.MixedOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Search a space, and train its baselines beside the search.

    The search is Hyperband, unless --search names another.
    """
    settings = opt.settings_of(context)
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    budget = work.budget(max_time, max_trials, target, max_failures)
    path = spaces.find_space(space)
    folder = SweepFolder(results, name or free_name(results, path.stem))
    _refuse_existing(folder)
    with Stopping() as stopping:
        prepared = prepare(space, settings, cache, compared=True)
        for line in data_lines(prepared.split.manifest):
            hint(line)
        for line in (*prepared.split.concerns, *prepared.concerns):
            warn(line)
        work.say_of_space(prepared)
        folder = new_folder(results, path.stem) if name is None else folder.created()
        with folder.locked() as lock:
            _refuse_existing(folder)
            stopping.attend(folder, lock)
            from sweep.runner import prepare as sweeps

            sweeps.create(folder, prepared)
            hint(f"sweep {folder.name} on {prepared.split.source}, in {folder.path}")
            for line in prepared.fusion.lines:
                hint(plain(line))
            work.run(folder, prepared, budget, stopping, tensorboard, workers)


def _refuse_existing(folder: SweepFolder) -> None:
    if folder.exists:
        raise UsageError(
            f"sweep {folder.name} exists already; continue it with: sweep resume {folder.address}, "
            "or choose another --name"
        )
