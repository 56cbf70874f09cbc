"""The options of data: what they mean, and that a report's command gives the same ones again."""

import json

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from sweep.analysis.report.commands import options_of
from sweep.cli.app import app
from sweep.cli.commands.data import data_app
from sweep.cli.options import settings_of
from sweep.data.own_data import OwnData, Sizes
from sweep.errors import DataError, InvalidSpaceError, UsageError
from sweep.settings import Settings

TABLE = "size,colour,label\n" + "".join(
    f"{i * 0.37 % 5:.3f},{('red', 'blue')[i // 3 % 2]},{i * 7 % 5 // 2}\n" for i in range(120)
)


def settings_given(*options):
    start = get_command(app).commands["start"]
    return settings_of(start.make_context("start", ["capacity", *options]))


@pytest.mark.parametrize(
    "own",
    [
        OwnData(label=("a b", "3"), drop=("x,y",), task="amount", missing="mean", max_levels=7),
        OwnData(standardize=True, header=False, split="group:town", split_seed=3),
        OwnData(standardize=False, split_column="fold", class_weight="balanced"),
        OwnData(split="ordered", sizes=Sizes("", "20%", "17")),
    ],
)
def test_the_options_that_a_report_prints_mean_the_same_again(own):
    assert settings_given("--data", "my.csv", *options_of(own)).own == own


def test_without_options_the_settings_are_the_defaults():
    assert settings_given() == Settings()
    given = settings_given("--train-rows", "500", "--test-rows", "5")
    assert (given.train_rows, given.validation_rows, given.test_rows) == (500, 1000, 5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--train-rows", "many"), UsageError, "expected a number or a share such as 20%"),
        (("--train-rows", "0"), InvalidSpaceError, "--train-rows is 0, expected at least 1"),
        (("--task", "guess"), InvalidSpaceError, "expected one of: binary, classes, amount"),
        (("--missing", "zero"), InvalidSpaceError, "expected one of: mean, median, indicator"),
        (("--split", "sorted"), InvalidSpaceError, "ordered, shuffled, group:COLUMN"),
        (("--split", "group:"), InvalidSpaceError, "expected the name of a column after it"),
        (("--split", "ordered", "--split-column", "a"), InvalidSpaceError, "not both"),
        (("--max-levels", "1"), InvalidSpaceError, "expected at least 2"),
        (("--class-weight", "even"), InvalidSpaceError, "expected one of: balanced"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(options, error, message):
    with pytest.raises(error, match=message):
        settings_given(*options)


@pytest.fixture
def info(tmp_path):
    """Runs `sweep data info FILE …`; errors are raised as they reach main()."""
    path = tmp_path / "t.csv"
    path.write_text(TABLE)

    def run(*options):
        environment = {"SWEEP_CACHE": str(tmp_path / "cache")}
        result = CliRunner().invoke(data_app, ["info", str(path), *options], env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_info_shows_what_will_be_done_with_a_file(info):
    result = info("--validation-rows", "25%")
    assert result.exit_code == 0
    rows = {line.split()[1]: line.split() for line in result.stdout.splitlines()[2:5]}
    assert rows["size"][2:] == ["numbers", "0", "120", "input", "standardized"]
    assert rows["colour"][2:] == ["words", "0", "2", "input", "2", "columns"]
    assert rows["label"][2:] == ["numbers", "0", "3", "label"]
    assert "task: classes of 'label': 0, 1, 2 (only 3 different whole numbers)" in result.stdout
    assert "3 columns, 66 train, 30 validation, 24 test rows, shuffled (seed 0)" in result.stdout
    assert "warning: only 30 validation rows" in result.stderr


def test_info_as_json_holds_the_whole_record(info):
    found = json.loads(info("-o", "json").stdout)
    assert found["schema"] == "sweep.data/1"
    assert [column["name"] for column in found["columns"]] == ["size", "colour", "label"]
    assert found["data"]["row_ranges"]["train"] == [0, 72]
    assert found["input_shapes"] == {"x": [3]}


def test_info_shows_the_columns_before_it_refuses(info):
    with pytest.raises(DataError, match="no such column"):
        info("--label", "price")


def test_info_draws_the_columns(info, tmp_path):
    info("--charts", str(tmp_path / "charts"))
    assert [path.suffix for path in sorted((tmp_path / "charts").iterdir())] == [".png", ".svg"]
