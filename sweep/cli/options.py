"""Options that several commands share: each declared once, each with its environment variable."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli import completion, output
from sweep.cli.output import hint
from sweep.errors import UsageError
from sweep.pool.places import pool_here
from sweep.runner.workers import Workers
from sweep.settings import SEARCHES, TRAINERS, Settings, settings_given
from sweep.words import shortened

DEFAULT = Settings()
"""Where the options' defaults come from."""


def possible(path: Path | None) -> Path | None:
    """Return an option's path. Raises UsageError if it is too long for any file."""
    try:
        if path is not None:
            path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{shortened(str(path), 80)}: {error.strerror}") from error
    return path


SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE",
        autocompletion=completion.spaces,
        help="A search-space file, or the name of one that is shipped: capacity, regularization, "
        "tutorial.",
    ),
]
NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=completion.sweeps,
        help="Name of the sweep; by default the newest.",
    ),
]
ResultsOption = Annotated[
    Path,
    typer.Option(
        "--results",
        envvar="SWEEP_RESULTS",
        callback=possible,
        help="Folder of all sweeps.",
    ),
]


def _cache(context: typer.Context, given: Path | None) -> Path | None:
    """Return the folder of the data cache: as given, else as the variable's old name has it."""
    old = os.environ.get(_OLD_CACHE)
    if not old or context.resilient_parsing:
        return possible(given)
    hint(
        f"{_OLD_CACHE} {'is not used' if given else 'still works'}; the folder of the data cache "
        f"is now called {_CACHE}, and SWEEP_DATASET says which data"
    )
    return possible(given or Path(old))


_CACHE, _OLD_CACHE = "SWEEP_CACHE", "SWEEP_DATA"
"""The old name was taken for the data, which `SWEEP_DATASET` says."""
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar=_CACHE,
        callback=_cache,
        help="Folder of the data cache; by default in the user's cache folder.",
    ),
]
SearchOption = Annotated[
    str,
    typer.Option(
        "--search",
        autocompletion=completion.values(*SEARCHES),
        envvar="SWEEP_SEARCH",
        help=f"How configurations are chosen; one of: {', '.join(SEARCHES)}.",
    ),
]
TrialsOption = Annotated[
    int | None,
    typer.Option(
        "--trials",
        envvar="SWEEP_TRIALS",
        help="Configurations that a search other than hyperband tries; by default 10, and all of "
        "a grid.",
    ),
]
ExecutionsOption = Annotated[
    int,
    typer.Option(
        "--executions",
        envvar="SWEEP_EXECUTIONS",
        help="Runs of each configuration, each under a seed of its own; not in hyperband.",
    ),
]
InitialPointsOption = Annotated[
    int | None,
    typer.Option(
        "--initial-points",
        envvar="SWEEP_INITIAL_POINTS",
        help="Random configurations at the beginning of a bayesian search; by default three for "
        "each hyperparameter.",
    ),
]
AlphaOption = Annotated[
    float,
    typer.Option(
        "--alpha",
        envvar="SWEEP_ALPHA",
        help="Variance of the noise that a bayesian search expects in scores, as a share of the "
        "variance of the scores.",
    ),
]
BetaOption = Annotated[
    float,
    typer.Option(
        "--beta",
        envvar="SWEEP_BETA",
        help="How much a bayesian search explores: standard deviations below the expected score.",
    ),
]
MaxEpochsOption = Annotated[
    int,
    typer.Option(
        "--max-epochs",
        envvar="SWEEP_MAX_EPOCHS",
        help="Largest number of epochs of a trial. Hyperband cuts most trials earlier; other "
        "searches cut none.",
    ),
]
FactorOption = Annotated[
    int,
    typer.Option(
        "--factor",
        envvar="SWEEP_FACTOR",
        help="One trial in FACTOR is trained further at each of Hyperband's cuts.",
    ),
]
IterationsOption = Annotated[
    int,
    typer.Option(
        "--iterations",
        envvar="SWEEP_ITERATIONS",
        help="How often Hyperband's whole schedule is run; 0 trains only the baselines.",
    ),
]
SeedsOption = Annotated[
    int,
    typer.Option(
        "--seeds", envvar="SWEEP_SEEDS", help="Seeds under which each baseline is trained."
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed",
        envvar="SWEEP_SEED",
        help="Seed of all random numbers: the same seed gives the same results.",
    ),
]
DataOption = Annotated[
    str,
    typer.Option(
        "--data",
        envvar="SWEEP_DATASET",
        autocompletion=completion.data_sources,
        help="auto (HIGGS if it is cached, else built-in events), builtin, higgs, or a file: CSV, "
        "Parquet, Feather, .npz or a folder of .npy files.",
    ),
]
TrainScoreRowsOption = Annotated[
    int | None,
    typer.Option(
        "--train-score-rows",
        envvar="SWEEP_TRAIN_SCORE_ROWS",
        help="Training rows, evenly apart, on which the training score is measured after each "
        "epoch; by default all. Few of them save up to a quarter of the arithmetic, and make the "
        "gap less certain.",
    ),
]
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", envvar="SWEEP_BATCH_SIZE", help="Rows per training step.")
]
ObjectiveOption = Annotated[
    str,
    typer.Option(
        "--objective",
        envvar="SWEEP_OBJECTIVE",
        help="What trials are ranked by: loss, accuracy, auc, average_precision, mae, mse, "
        "rmse, r2, or a metric of the models by its name.",
    ),
]
PatienceOption = Annotated[
    int,
    typer.Option(
        "--patience",
        envvar="SWEEP_PATIENCE",
        help="Epochs without a better validation score before a trial stops; 0 for never.",
    ),
]
TrainerOption = Annotated[
    str,
    typer.Option(
        "--trainer",
        autocompletion=completion.values(*TRAINERS),
        envvar="SWEEP_TRAINER",
        help="What trains the models: fused (many in one program), keras (one by one), or auto: "
        "fused where it can.",
    ),
]
BuildOption = Annotated[
    str | None,
    typer.Option(
        "--build",
        envvar="SWEEP_BUILD",
        metavar="NAME",
        help="Which function or HyperModel of the file is the search space, if there are several; "
        "of a script that also searches, only the lines that the search space needs are run.",
    ),
]
BaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        envvar="SWEEP_BASELINES",
        help="Whether to train the space's BASELINES in full beside the search.",
    ),
]
EnsembleOption = Annotated[
    bool,
    typer.Option(
        "--ensemble",
        help="Take all runs in full of the configuration under other seeds, as one model: the mean "
        "of their probabilities.",
    ),
]
StoredSpaceOption = Annotated[
    bool,
    typer.Option(
        "--stored-space",
        help="Run the copy of the search space that is stored with the sweep, if the original is "
        "lost. This is code from the results folder.",
    ),
]
OtherNumericsOption = Annotated[
    bool,
    typer.Option(
        "--other-numerics",
        envvar="SWEEP_OTHER_NUMERICS",
        help="Continue under other versions or on another processor than the sweep began with; "
        "every report will say so.",
    ),
]
MaxTimeOption = Annotated[
    str | None,
    typer.Option(
        "--max-time",
        envvar="SWEEP_MAX_TIME",
        help="Stop after this time, for example 90s, 45m or 2h.",
    ),
]
MaxTrialsOption = Annotated[
    int | None,
    typer.Option(
        "--max-trials", envvar="SWEEP_MAX_TRIALS", help="Stop after this number of trials."
    ),
]
TargetOption = Annotated[
    float | None,
    typer.Option(
        "--target", envvar="SWEEP_TARGET", help="Stop when a trial reaches this validation score."
    ),
]
KeepOption = Annotated[
    int,
    typer.Option(
        "--keep",
        envvar="SWEEP_KEEP",
        help="Number of best trials whose checkpoints are kept even if they were cut.",
    ),
]
MaxFailuresOption = Annotated[
    int,
    typer.Option(
        "--max-failures",
        envvar="SWEEP_MAX_FAILURES",
        help="Stop after this number of failed trials.",
    ),
]
PoolOption = Annotated[
    str | None,
    typer.Option(
        "--pool",
        envvar="SWEEP_POOL",
        metavar="N|gpus|ray[:N]",
        help="Train in a pool of workers: N processes, one for each GPU, or on a Ray cluster. The "
        "results are the same.",
    ),
]
MixedOption = Annotated[
    bool,
    typer.Option(
        "--mixed",
        envvar="SWEEP_MIXED",
        help="Let workers with other versions or other processors join the pool; every report will "
        "say so.",
    ),
]
TensorboardOption = Annotated[
    bool,
    typer.Option(
        "--tensorboard/--no-tensorboard",
        envvar="SWEEP_TENSORBOARD",
        help="Write TensorBoard logs into the sweep's folder when the run ends.",
    ),
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose/--quiet",
        "-v/-q",
        envvar="SWEEP_VERBOSE",
        help="Print which trials are trained together, and which programs are compiled.",
    ),
]
WidthOption = Annotated[
    int | None,
    typer.Option(
        "--width",
        min=20,
        help="Characters in a line of the table; by default the terminal's width or COLUMNS, and "
        "no limit in a file or pipe.",
    ),
]
TABLE_OR_JSON = ("table", "json")
TableOrJsonOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        autocompletion=completion.values(*TABLE_OR_JSON),
        help="Form of the output: table or json.",
    ),
]


def workers_of(pool: str | None, mixed: bool) -> Workers:
    """Return who trains, as `--pool` and `--mixed` say. Raises UsageError."""
    if pool is None:
        if mixed:
            raise UsageError("--mixed is about the workers of a pool; add --pool, or leave it out")
        return Workers()
    return Workers(pool_here(pool), mixed, output)


def settings_of(context: typer.Context) -> Settings:
    """Return the settings that a command's options give; the others have their defaults.

    An option belongs to the setting of its name. Raises InvalidSpaceError naming a bad one.
    """
    return settings_given(context.params)


def check_output(given: str, forms: Sequence[str]) -> None:
    """Raise UsageError unless `given` is one of the forms of output that a command has."""
    if given not in forms:
        raise UsageError(f"--output is {given!r}, expected one of: {', '.join(forms)}")
