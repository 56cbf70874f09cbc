import csv
import io
import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from sweep import words
from sweep.analysis.frames.load import load
from sweep.analysis.report.header import header
from sweep.analysis.report.layout import lay_out
from sweep.analysis.report.table import Column, columns, notes
from sweep.analysis.report.terminal import render_table, report
from sweep.analysis.report.text_files import to_csv, to_markdown
from sweep.analysis.report.trials_json import to_json
from sweep.cli.app import app
from sweep.errors import UsageError
from sweep.records import OutcomeStatus
from sweep.settings import Settings
from tests.support.printed import printed
from tests.support.sweeps import NAMES, hyperband, rows_of_losses, store_sweep, trained

FAILED = OutcomeStatus.FAILED
EVIL = "\x1b[31m[bold]red[/bold]\x07 a|b <b> \u202egnp\nnext"


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with hyperband(tmp_path_factory.mktemp("played") / "sweep.db") as store:
        yield load(store)


def frames_of(tmp_path, *trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


def test_the_header_says_what_the_numbers_are_of(played):
    assert header(played) == [
        ("sweep", "capacity-1"),
        ("space", "capacity"),
        ("data", "built-in simulated events"),
        ("split", "rows 0–999 validation, 1,000–10,999 train, 11,000–20,999 test"),
        ("seed", "0"),
        ("state", "finished"),
        ("trials", dict(header(played))["trials"]),
        ("epochs", f"{len(played.epochs):,} of at most 2,334"),
        ("failed", "2 trials, all with: ValueError: the loss is not finite in epoch 1"),
        ("baselines", "Tiny, Small, Medium, Large, L2, Dropout, Combined"),
    ]
    counts = played.trials["status"].value_counts()
    assert dict(header(played))["trials"] == (
        f"150 of 150: {counts['finished']} finished, {counts['stopped']} stopped early, "
        f"{counts['cut']} cut by Hyperband, 2 failed"
    )


def test_the_header_of_an_ended_search_says_why(tmp_path):
    frames = frames_of(tmp_path, state="budget", message="--max-time ended the search", plan={})
    lines = dict(header(frames))
    assert lines["state"] == "budget: --max-time ended the search"
    assert "left out" not in lines, "the plan is unknown"


def test_what_a_budget_left_out_is_said(tmp_path):
    plan = {"trials": 5, "epochs": 30, "baselines": 1, "baseline_epochs": 9}
    begun = trained(0.6, 0.5)
    ended = {"state": "budget", "message": "--max-trials 2", "plan": plan}
    frames = frames_of(tmp_path, begun, begun, trained(ended=None), **ended)
    assert dict(header(frames))["left out"] == "4 trials, 35 epochs"
    progress = json.loads(to_json(frames))["sweep"]["progress"]
    assert progress["left_out"] == {"trials": 4, "epochs": 35}
    (tmp_path / "sweep.db").unlink()
    finished = frames_of(tmp_path, begun, state="finished", plan=plan)
    assert "left out" not in dict(header(finished))
    assert json.loads(to_json(finished))["sweep"]["progress"]["left_out"] is None


def test_the_header_counts_what_has_begun(tmp_path):
    waiting, running = trained(0.6), trained(0.6, ended=None, last_epoch=3)
    frames = frames_of(tmp_path, waiting, running, trained(ended=None), state="running")
    lines = dict(header(frames))
    assert lines["trials"] == "2 of 150: 1 waiting, 1 running, 1 pending"
    assert lines["epochs"] == "2 of at most 2,334"


def test_the_table_has_the_columns_asked_for(played):
    lines = printed(render_table(played, 3)).splitlines()
    assert lines[0].split() == ["decay_", "val", "train", "best"]
    assert lines[1].split() == [
        *("rank", "trial", "width", "depth", "l2", "dropout", "steps", "params", "BCE", "BCE"),
        *("gap", "epoch", "onset", "epochs", "rung", "seconds", "status"),
    ]
    assert len(lines) > 5 and lines[2].split()[0] == "1"
    assert "The best 3 of 150 trials." in lines


def test_the_table_rounds_and_marks(tmp_path):
    frames = frames_of(
        tmp_path,
        trained(0.65432, 0.61234, 0.70001, train_score=0.6, baseline="Large", params=803_329),
        trained(
            *[0.7, 0.65],
            hyperparameters={"width": 512, "l2": 1e-4},
            train_score=0.66,
            params=28_161,
        ),
        trained(0.5, ended=FAILED, error="ValueError: no"),
    )
    lines = printed(render_table(frames)).splitlines()
    first, second = lines[2].split(), lines[3].split()
    assert first[:3] == ["1", "0", "Large"]
    for cell in ("803,329", "0.6123", "0.0123", ">3", "0.8"):
        assert cell in first
    for cell in ("512", "1e-4", "28,161", "-0.0100", "cut"):
        assert cell in second
    assert "cut at 2" in lines[3]
    assert "trial 2 failed: ValueError: no" in lines
    assert any(line.startswith("cut at N: Hyperband ended the trial") for line in lines)


def test_training_scores_of_some_rows_are_said_with_the_error_of_the_gap(tmp_path):
    settings = replace(Settings(), train_score_rows=2_000, validation_rows=200)
    (losses,) = rows_of_losses(0.6, rows=200)
    one = trained(0.6, train_score=0.5, losses=losses)
    frames = frames_of(tmp_path, one, settings=settings.to_json())
    (note,) = [line for line in notes(frames) if "measured on" in line]
    error = float(frames.trials["val_score_se"].iloc[0]) * math.sqrt(1 + 200 / 2_000)
    assert note == (
        "train BCE is measured on 2,000 of 10,000 training rows, evenly apart: the gap of trial 0 "
        f"is {frames.score_words.gap_with_error(float(frames.trials['gap'].iloc[0]), error)}."
    )


@pytest.mark.parametrize("width", [60, 80, 100, 110, 120, 200])
def test_the_table_fits_the_terminal_and_says_what_it_hides(played, width):
    output = printed(report(played, 10), width=width)
    assert max(map(len, output.splitlines())) <= width
    for name in ("rank", "trial", "params", "gap", "onset", "status", *NAMES):
        assert name.split("_")[0] in output
    assert ("Not shown" in output) == (width < 120)


def test_nothing_is_hidden_or_coloured_when_not_a_terminal(played):
    output = printed(report(played))
    assert "\x1b" not in output and "…" not in output and "Not shown" not in output
    assert len(output.splitlines()) > 150


def test_a_terminal_gets_colours_unless_it_does_not_want_them(played):
    terminal = {"force_terminal": True, "color_system": "standard", "width": 120}
    assert "\x1b[" in printed(render_table(played, 3), **terminal)
    assert "\x1b[1;" not in printed(render_table(played, 3), **terminal, no_color=True)


@pytest.mark.parametrize("markup", [True, False])
def test_stored_strings_cannot_steer_a_terminal(tmp_path, markup):
    frames = frames_of(
        tmp_path,
        trained(0.6, baseline=EVIL, hyperparameters={EVIL: EVIL}),
        trained(ended=FAILED, error=EVIL),
        message=EVIL,
        data={"source": EVIL},
    )
    output = printed(report(frames), force_terminal=False, markup=markup)
    assert not set(output) & set("\x1b\x07\u202e")
    assert "[bold]red[/bold]" in output  # shown, not obeyed
    for form in (to_markdown(frames), to_csv(frames)):
        assert not set(form) & set("\x1b\x07\u202e")
    assert not set(to_json(frames)) & set("\x1b\x07\u202e")


def test_json_carries_everything_at_full_precision(played):
    document = json.loads(to_json(played))
    assert document["schema"] == "sweep.report/1"
    assert document["sweep"]["name"] == "capacity-1"
    assert document["sweep"]["progress"]["trials_planned"] == 150
    assert document["sweep"]["data"] == json.loads(json.dumps(played.sweep.data.to_json()))
    assert len(document["trials"]) == 150
    for trial, row in zip(document["trials"], played.trials.to_dict("records"), strict=True):
        assert list(trial) == [*played.trials.columns, "val_bce", "val_bce_se", "train_bce"]
        assert trial["val_bce"] == trial["val_score"]
        for name in played.trials.columns:
            value = trial[name]
            if value is None:
                assert row[name] is None or row[name] != row[name] or str(row[name]) == "<NA>"
            else:
                assert value == row[name]


def test_json_has_null_where_there_is_no_number(tmp_path):
    frames = frames_of(
        tmp_path,
        trained(math.nan, ended=FAILED, params=None, hyperparameters={"scale": math.inf}),
    )
    assert "NaN" not in to_json(frames) and "Infinity" not in to_json(frames)
    (trial,) = json.loads(to_json(frames))["trials"]
    for name in ("params", "val_score", "train_score", "gap", "best_epoch", "onset_epoch"):
        assert trial[name] is None
    assert trial["hyperparameters"] == {"scale": None}
    assert trial["rank"] == 1


def test_json_is_of_the_best_trials_when_asked(played):
    assert [t["rank"] for t in json.loads(to_json(played, 3))["trials"]] == [1, 2, 3]


def test_csv_reads_back(played):
    rows = list(csv.DictReader(io.StringIO(to_csv(played))))
    assert len(rows) == 150
    assert [float(row["val_score"]) for row in rows[:148]] == played.trials["val_score"][
        :148
    ].tolist()
    assert {row["width"] for row in rows} == {"8", "16", "32", "64", "128", "256", "512"}


def test_csv_tells_a_hyperparameter_from_a_column(tmp_path):
    frames = frames_of(tmp_path, trained(0.6, hyperparameters={"epochs": 7, "width": 16}))
    (row,) = csv.DictReader(io.StringIO(to_csv(frames)))
    assert (row["epochs"], row["hyperparameter.epochs"], row["width"]) == ("1", "7", "16")


@pytest.mark.parametrize("given", [[], ["--width", "90"]])
@pytest.mark.parametrize("columns", ["", "100", "many", "0"])
def test_a_table_at_a_pipe_is_as_wide_as_was_asked(tmp_path, given, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    (tmp_path / "capacity-1").mkdir()
    hyperband(tmp_path / "capacity-1" / "sweep.db").close()
    arguments = ["--results", str(tmp_path), *given]
    done = CliRunner().invoke(app, ["report", "--no-charts", "--top", "9", *arguments])
    widest = max(map(len, done.stdout.splitlines()))
    limit = 90 if given else 100 if columns == "100" else None
    assert widest <= limit if limit else widest > 150
    assert ("Not shown" in done.stdout) == (limit is not None)
    done = CliRunner().invoke(app, ["ls", *arguments])
    assert max(map(len, done.stdout.splitlines())) <= (limit or 1000)


def test_a_width_is_for_a_table_only(tmp_path):
    (tmp_path / "capacity-1").mkdir()
    hyperband(tmp_path / "capacity-1" / "sweep.db").close()
    arguments = ["--results", str(tmp_path), "--width", "90", "-o", "csv"]
    done = CliRunner().invoke(app, ["report", "--no-charts", *arguments])
    assert isinstance(done.exception, UsageError) and "--width" in str(done.exception)


COLLIDING = ("params", "gap", "epochs", "class", "trial", "val_score", "status", "seed", "val BCE")
"""Names of hyperparameters that are, or look like, names of columns."""
PREFIXED = ("hp.params", "hp.hp.params", "hyperparameter.gap", "hp.width", "width")


def test_a_hyperparameter_named_like_a_column_has_a_name_of_its_own_everywhere(tmp_path):
    settings = {name: number for number, name in enumerate((*COLLIDING, *PREFIXED))}
    frames = frames_of(tmp_path, trained(0.6, hyperparameters=settings))
    heads = [column.name for column in columns(frames)]
    assert len(set(heads)) == len(heads)
    assert {f"hp.{name}" for name in COLLIDING} <= set(heads)
    assert {"hp.width", "width", "hp.hp.params", "hp.hp.hp.params"} <= set(heads)
    assert "hp.NAME: the hyperparameter NAME" in printed(report(frames), width=200)
    (written, row) = csv.reader(io.StringIO(to_csv(frames)))
    assert len(set(written)) == len(written)
    found = dict(zip(written, row, strict=True))
    assert found["hyperparameter.gap"] == str(settings["gap"])
    assert found["hyperparameter.hyperparameter.gap"] == str(settings["hyperparameter.gap"])
    (table,) = [line for line in to_markdown(frames).splitlines() if line.startswith("| rank")]
    names = table.strip("| ").split(" | ")
    assert len(set(names)) == len(names)
    (trial,) = json.loads(to_json(frames))["trials"]
    assert trial["hyperparameters"] == settings


def test_markdown_is_one_table_with_an_equal_number_of_cells(tmp_path):
    frames = frames_of(tmp_path, trained(0.6, baseline=EVIL), trained(0.61))
    lines = [line for line in to_markdown(frames).splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("state", ["interrupted", "running", "finished"])
def test_every_form_of_an_empty_sweep_can_be_made(tmp_path, state):
    frames = frames_of(tmp_path, state=state)
    assert "0 of 150" in printed(report(frames))
    assert json.loads(to_json(frames))["trials"] == []
    assert len(to_csv(frames).splitlines()) == 1
    assert to_markdown(frames).startswith("# Sweep capacity-1\n")


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([16, 512], ["16", "512"]),
        ([500, 20_000], ["500", "20,000"]),
        ([0.0, 1e-5, 1e-2, 0.25], ["0", "1e-5", "1e-2", "0.25"]),
        ([0.0, 0.05, 0.5], ["0", "0.05", "0.5"]),
        ([2.5e-4], ["2.5e-4"]),
        (["relu", None, True], ["relu", "–", "True"]),
        ([math.inf, -1e9], ["inf", "-1e9"]),
    ],
)
def test_settings_of_one_column_share_a_style(values, shown):
    assert words.settings(values) == shown


def test_a_diverged_bce_does_not_widen_the_table():
    assert words.score(1.23456e9) == "1.23e+09"
    assert words.score(math.nan) == "–"


def test_the_command_shows_the_best_500_and_says_how_to_see_all(tmp_path, monkeypatch):
    """The other forms hold all."""
    folder = tmp_path / "many"
    folder.mkdir()
    trials = [trained(0.7, 0.6 + n / 10_000, params=10 + n) for n in range(510)]
    store_sweep(folder / "sweep.db", trials, name="many").close()
    options = ["many", "--no-charts", "--results", str(tmp_path)]
    done = CliRunner().invoke(app, ["report", *options])
    assert done.exit_code == 0 and "The best 500 of 510 trials." in done.stdout
    assert f"all trials: sweep report {tmp_path / 'many'} --top 510" in done.stderr
    everything = CliRunner().invoke(app, ["report", *options, "--top", "510"])
    assert len(everything.stdout.splitlines()) >= len(done.stdout.splitlines()) + 9
    assert "all trials" not in everything.stderr
    whole = CliRunner().invoke(app, ["report", *options, "-o", "csv"])
    assert len(whole.stdout.splitlines()) == 511


def test_only_columns_that_a_table_has_are_said_to_be_hidden():
    columns = [Column("trial", ["1" * 20]), Column("seconds", ["1" * 20])]
    assert lay_out(columns, 41).hidden == []
    narrow = lay_out(columns, 40)
    assert narrow.hidden == ["seconds"]
    assert [sized.column.name for sized in narrow.shown] == ["trial"]


def test_a_hyperparameter_called_like_a_column_stands_beneath_and_is_not_hidden():
    columns = [Column("trial", ["1"]), Column("seconds", ["2" * 20], is_hyperparameter=True)]
    assert lay_out(columns, 10).hidden == []
    assert lay_out(columns, 10).beneath(0, 40) == [f"      seconds={'2' * 20}"]


def test_huge_texts_and_thousands_of_hyperparameters_are_cut_with_a_note(tmp_path):
    huge, names = "x y " * 100_000, [f"h{n}" for n in range(2_000)]
    good = trained(0.6, hyperparameters={**dict.fromkeys(names, 1.0), "h0": huge})
    bad = replace(good, records=(), ended=OutcomeStatus.FAILED, error=huge)
    space = {"name": "c", "sha256": "x", "hyperparameters": names}
    frames = load(store_sweep(tmp_path / "s.db", [good, bad], message=huge, space=space))
    table = printed(render_table(frames, None))
    for text in (table, to_markdown(frames)):
        assert len(text) < 60_000
        assert "1,900 more hyperparameters" in " ".join(text.split())
        assert "characters more" in " ".join(text.split())
