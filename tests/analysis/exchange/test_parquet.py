"""Reports for other programs: the JSON schema and Parquet files."""

import json
import math

import jsonschema
import polars as pl
import pytest
from typer.testing import CliRunner

from sweep.analysis.exchange.parquet import write_parquet
from sweep.analysis.frames.load import TRIAL_COLUMNS, load
from sweep.analysis.report.trials_json import json_schema, to_json
from sweep.cli.app import app
from sweep.errors import PlatformError
from sweep.records import OutcomeStatus
from tests.support.sweeps import hyperband, rows_of_losses, store_sweep, trained


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with hyperband(tmp_path_factory.mktemp("played") / "sweep.db") as store:
        yield load(store)


def judged(tmp_path):
    """Trials with losses, one failed, one running, one not begun: every kind of null."""
    trials = [
        trained(float(losses.mean()), losses=losses, hyperparameters={"l2": 0.0, "size": size})
        for losses, size in zip(rows_of_losses(0.6, 0.61), (1, "big"), strict=True)
    ]
    others = [
        trained(math.nan, ended=OutcomeStatus.FAILED, error="ValueError: no", params=None),
        trained(0.65, ended=None, params=None, last_epoch=9),
        trained(ended=None),
    ]
    with store_sweep(tmp_path / "sweep.db", [*trials, *others], state="interrupted") as store:
        return load(store)


def test_reports_keep_their_schema(played, tmp_path):
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    for frames in (played, judged(tmp_path)):
        jsonschema.validate(json.loads(to_json(frames)), schema)
    properties = schema["properties"]["trials"]["items"]["properties"]
    described = {name: one["description"] for name, one in properties.items()}
    older = {name for name in described if name.endswith(("_bce", "_bce_se"))}
    assert {name: described[name] for name in described if name not in older} == TRIAL_COLUMNS
    assert older == {"val_bce", "val_bce_se", "train_bce"}


@pytest.mark.parametrize(
    "path", [("schema",), ("trials", 0, "rank"), ("trials", 0, "status"), ("sweep", "progress")]
)
def test_the_schema_refuses_what_is_no_report(played, path):
    document = json.loads(to_json(played, 1))
    *way, last = path
    place = document
    for key in way:
        place = place[key]
    place[last] = "something else"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(json_schema()))


def test_the_schema_is_printed():
    done = CliRunner().invoke(app, ["report", "--schema"])
    assert done.exit_code == 0 and done.stdout == json_schema()


def test_parquet_holds_every_trial_and_epoch_at_full_precision(played, tmp_path):
    write_parquet(played, tmp_path / "new")
    trials = pl.read_parquet(tmp_path / "new" / "trials.parquet")
    epochs = pl.read_parquet(tmp_path / "new" / "epochs.parquet")
    assert trials["val_score"][:148].to_list() == played.trials["val_score"][:148].tolist()
    assert trials["hyperparameter.width"].to_list() == played.hyperparameters["width"].tolist()
    assert epochs["val_score"].to_list() == played.epochs["val_score"].tolist()
    for written in (trials, epochs):
        assert written["val_bce"].to_list() == written["val_score"].to_list()
    dictionary = json.loads((tmp_path / "new" / "dictionary.json").read_text())
    assert list(dictionary["trials.parquet"]) == trials.columns
    assert list(dictionary["epochs.parquet"]) == epochs.columns


def test_parquet_has_null_for_what_is_missing_and_text_for_mixed_values(tmp_path):
    frames = judged(tmp_path)
    write_parquet(frames, tmp_path)
    trials = pl.read_parquet(tmp_path / "trials.parquet").sort("trial")
    assert trials["params"].null_count() == 3  # failed, running, not begun: not known yet
    assert trials["val_score"].null_count() == 2
    assert trials["hyperparameter.size"].to_list() == ["1", "big", None, None, None]
    assert trials["tied"].dtype == pl.Boolean and trials["bracket"].dtype == pl.Int64
    assert not pl.read_parquet(tmp_path / "epochs.parquet")["val_score"].is_nan().any()


def test_an_empty_sweep_can_be_written(tmp_path):
    with store_sweep(tmp_path / "sweep.db", []) as store:
        write_parquet(load(store), tmp_path)
    assert pl.read_parquet(tmp_path / "trials.parquet").height == 0


def test_a_folder_that_cannot_be_made_is_one_clear_error(played, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="cannot write into"):
        write_parquet(played, tmp_path / "file")


def test_parquet_needs_a_folder():
    done = CliRunner().invoke(app, ["report", "-o", "parquet"])
    assert done.exit_code != 0 and "--folder" in str(done.exception)
