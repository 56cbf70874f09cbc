"""Options that several commands share: each declared once, each with its environment variable."""

from pathlib import Path
from typing import Annotated

import typer

SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE",
        help="A search-space file, or a shipped one: capacity, regularization, tutorial.",
    ),
]
NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The sweep; the latest when left out.")
]
ResultsOption = Annotated[
    Path, typer.Option("--results", envvar="SWEEP_RESULTS", help="Folder that holds the sweeps.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="SWEEP_DATA",
        help="Folder of the data cache; the platform's user cache folder by default.",
    ),
]
MaxEpochsOption = Annotated[
    int,
    typer.Option(
        "--max-epochs", envvar="SWEEP_MAX_EPOCHS", help="Epochs of a trial that is never cut."
    ),
]
FactorOption = Annotated[
    int,
    typer.Option("--factor", envvar="SWEEP_FACTOR", help="Keep one trial in FACTOR at each rung."),
]
IterationsOption = Annotated[
    int,
    typer.Option(
        "--iterations",
        envvar="SWEEP_ITERATIONS",
        help="Runs of the whole Hyperband; 0: only baselines.",
    ),
]
SeedsOption = Annotated[
    int,
    typer.Option("--seeds", envvar="SWEEP_SEEDS", help="Train each baseline under so many seeds."),
]
SeedOption = Annotated[
    int, typer.Option("--seed", envvar="SWEEP_SEED", help="Same seed, same results.")
]
DataOption = Annotated[
    str,
    typer.Option(
        "--data",
        envvar="SWEEP_DATASET",
        help="auto (cached HIGGS, else built-in events), builtin, higgs, or a CSV file.",
    ),
]
TrainRowsOption = Annotated[
    int,
    typer.Option("--train-rows", envvar="SWEEP_TRAIN_ROWS", help="Rows behind the validation."),
]
ValidationRowsOption = Annotated[
    int,
    typer.Option("--validation-rows", envvar="SWEEP_VALIDATION_ROWS", help="The first rows."),
]
TestRowsOption = Annotated[
    int | None,
    typer.Option("--test-rows", envvar="SWEEP_TEST_ROWS", help="Sealed rows behind those."),
]
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", envvar="SWEEP_BATCH_SIZE", help="Rows a step.")
]
PatienceOption = Annotated[
    int,
    typer.Option(
        "--patience",
        envvar="SWEEP_PATIENCE",
        help="Epochs without a better validation BCE before a trial stops; 0 for never.",
    ),
]
TrainerOption = Annotated[
    str, typer.Option("--trainer", envvar="SWEEP_TRAINER", help="auto, fused or keras.")
]
BaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        envvar="SWEEP_BASELINES",
        help="Train the space's BASELINES in full beside the search.",
    ),
]
StoredSpaceOption = Annotated[
    bool,
    typer.Option(
        "--stored-space",
        help="Run the copy of the search space that is stored with the sweep: code from the "
        "results folder, for when the original is lost.",
    ),
]
OtherNumericsOption = Annotated[
    bool,
    typer.Option(
        "--other-numerics",
        envvar="SWEEP_OTHER_NUMERICS",
        help="Go on under other versions or on another processor than the sweep began with; every "
        "report will say so.",
    ),
]
MaxTimeOption = Annotated[
    str | None,
    typer.Option(
        "--max-time", envvar="SWEEP_MAX_TIME", help="End after this long: 90, 90s, 45m, 2h."
    ),
]
MaxTrialsOption = Annotated[
    int | None,
    typer.Option("--max-trials", envvar="SWEEP_MAX_TRIALS", help="Train at most so many trials."),
]
TargetOption = Annotated[
    float | None,
    typer.Option("--target", envvar="SWEEP_TARGET", help="End when a validation BCE is this low."),
]
KeepOption = Annotated[
    int,
    typer.Option(
        "--keep",
        envvar="SWEEP_KEEP",
        help="Keep the checkpoints of this many best trials though they were cut.",
    ),
]
MaxFailuresOption = Annotated[
    int,
    typer.Option(
        "--max-failures", envvar="SWEEP_MAX_FAILURES", help="Give up after so many failed trials."
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
        help="Say which trials are fused and which programs are compiled.",
    ),
]
