"""Options that say how a file of a user's own is read, prepared and split."""

from typing import Annotated

import typer

from sweep.cli import completion
from sweep.data.own_data import CLASS_WEIGHTS, MISSING, SPLITS, TASKS, OwnData

TrainRowsOption = Annotated[
    str | None,
    typer.Option(
        "--train-rows",
        envvar="SWEEP_TRAIN_ROWS",
        help="Training rows: a number, or a share such as 60%. By default 10,000 of HIGGS, and all "
        "rows of a file that neither validate nor test.",
    ),
]
ValidationRowsOption = Annotated[
    str | None,
    typer.Option(
        "--validation-rows",
        envvar="SWEEP_VALIDATION_ROWS",
        help="Validation rows: a number, or a share such as 20%. By default 1,000 of HIGGS, and "
        "20% of a file, at most 10,000.",
    ),
]
TestRowsOption = Annotated[
    str | None,
    typer.Option(
        "--test-rows",
        envvar="SWEEP_TEST_ROWS",
        help="Test rows, kept sealed: a number, or a share. By default 10,000 of HIGGS, and 20% of "
        "a file, at most 10,000.",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        envvar="SWEEP_LABEL",
        help="Column to predict, by name or position from 1; several with commas, or with the "
        "option repeated; inputs for an autoencoder. By default the column called label, "
        "target, y or class.",
    ),
]
DropOption = Annotated[
    list[str] | None,
    typer.Option(
        "--drop", envvar="SWEEP_DROP", help="Columns to leave out, by name or position from 1."
    ),
]
TaskOption = Annotated[
    str,
    typer.Option(
        "--task",
        envvar="SWEEP_TASK",
        autocompletion=completion.values(*TASKS[1:]),
        help="What the label is: binary, classes, amount or labels; by default told from the "
        "values.",
    ),
]
MissingOption = Annotated[
    str,
    typer.Option(
        "--missing",
        envvar="SWEEP_MISSING",
        autocompletion=completion.values(*MISSING[1:]),
        help="What takes the place of missing numbers: mean or median of the training rows, or "
        "indicator: the mean, and a column that says where. By default, missing "
        "numbers are refused.",
    ),
]
MaxLevelsOption = Annotated[
    int,
    typer.Option(
        "--max-levels",
        envvar="SWEEP_MAX_LEVELS",
        help="Largest number of different words in a column; each becomes a column of 0 and 1.",
    ),
]
StandardizeOption = Annotated[
    bool | None,
    typer.Option(
        "--standardize/--no-standardize",
        envvar="SWEEP_STANDARDIZE",
        help="Whether numbers get mean 0 and spread 1 over the training rows; by default those of "
        "tables do, and numbers of HIGGS, of images and of sequences do not.",
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        envvar="SWEEP_HEADER",
        help="Whether the first line of a CSV names its columns; by default told from the lines.",
    ),
]
SplitOption = Annotated[
    str,
    typer.Option(
        "--split",
        envvar="SWEEP_SPLIT",
        autocompletion=completion.values(*SPLITS),
        help="How rows are put into parts: shuffled (the default for a file), ordered (training "
        "rows first, as for time series), or group:COLUMN to keep rows of one value together.",
    ),
]
SplitColumnOption = Annotated[
    str,
    typer.Option(
        "--split-column",
        envvar="SWEEP_SPLIT_COLUMN",
        help="A column that says train, validation or test for each row.",
    ),
]
SplitSeedOption = Annotated[
    int,
    typer.Option("--split-seed", envvar="SWEEP_SPLIT_SEED", help="Seed of the shuffled split."),
]
ClassWeightOption = Annotated[
    str,
    typer.Option(
        "--class-weight",
        envvar="SWEEP_CLASS_WEIGHT",
        autocompletion=completion.values(*CLASS_WEIGHTS[1:]),
        help="balanced: each class counts the same in the training loss. Scores stay unweighted.",
    ),
]

DEFAULT = OwnData()
