"""What jobs run are commands that the terminal takes, with every option that may be asked for."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from sweep.cli.app import app
from sweep.serve.options import ServeOptions
from sweep.serve.queue import jobs
from sweep.serve.queue.job import JobKind, NewJob
from sweep.serve.work import asked as forms
from sweep.serve.work import commands, plans
from sweep.serve.work.plans import last_error

COMMANDS = typer.main.get_command(app).commands
BUDGET = {"max_seconds": 90.0, "max_trials": 3, "target": 0.5, "max_failures": 2}


def parsed(arguments):
    """The parameters that a command takes from its arguments; fails if it refuses one."""
    return COMMANDS[arguments[0]].make_context(arguments[0], list(arguments[1:])).params


def job_of(database, kind, options):
    return jobs.add(database, NewJob(kind, "s", options), "Ada")


@pytest.fixture
def options(service):
    return replace(service.options, cache=Path("/cache"))


OWN = {
    "data": "/data/t.csv", "label": ["price", "size"], "drop": ["id"], "task": "amount",
    "missing": "median", "max_levels": 9, "standardize": False, "header": True,
    "split": "ordered", "split_column": "part", "split_seed": 3, "class_weight": "balanced",
    "train_rows": "60%", "validation_rows": 100, "test_rows": "0.2",
}  # fmt: skip
OTHERS = {
    "search": "bayesian", "trials": 4, "executions": 2, "initial_points": 3, "alpha": 0.5,
    "beta": 1.5, "max_epochs": 9, "factor": 2, "iterations": 2, "seed": 7, "batch_size": 50,
    "patience": 0, "trainer": "keras", "baselines": False, "seeds": 2, "keep": 3,
    "objective": "mae", "build": "wide", "train_score_rows": 20,
}  # fmt: skip
NOT_SETTINGS = {
    "name", "space", "results", "cache", "max_time", "max_trials", "target", "max_failures",
    "pool", "mixed", "tensorboard", "verbose",
}  # fmt: skip


def test_all_that_may_be_asked_for_is_an_option_and_every_option_may_be_asked_for(service, options):
    values = OWN | OTHERS
    assert set(forms.SettingsAsked.model_validate(values).model_fields_set) == set(values)
    assert set(values) == set(forms.SettingsAsked.model_fields)
    known = {one.name for one in COMMANDS["start"].params}
    assert known - NOT_SETTINGS == set(values)
    asked = {"settings": values, "budget": BUDGET, "pool": "2", "mixed": True}
    job = job_of(service.database, JobKind.START, asked)
    found = parsed(commands.start_command(job, Path("/spaces/mine.py"), options))
    for name, value in values.items():
        is_text = name in forms.SIZES
        assert found[name] == (str(value) if is_text else value), name
    assert (found["name"], found["max_time"]) == ("s", "90.000s")
    assert (found["pool"], found["mixed"]) == ("2", True)
    assert found["results"] == service.options.results
    going_on = parsed(commands.resume_command(job, options))
    assert (going_on["pool"], going_on["mixed"]) == ("2", True)
    planned = {name: value for name, value in values.items() if name not in plans.NOT_PLANNED}
    arguments = ["plan", "mine", *commands.options_of(planned | {"pool": "2"})]
    assert parsed(arguments)["label"] == OWN["label"]


def test_a_preempted_search_has_what_is_left_of_its_time(service, options):
    job = job_of(service.database, JobKind.START, {"settings": {}, "budget": BUDGET})
    job = jobs.change(service.database, job.job, worked_seconds=60.0)
    assert parsed(commands.resume_command(job, options))["max_time"] == "30.000s"


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (
            JobKind.EXTEND,
            {"add_brackets": 2, "trials": 7, "pool": "2", "mixed": True, "budget": BUDGET},
        ),
        (JobKind.CONFIRM, {"top": 3, "seeds": 2, "pool": "gpus"}),
        (JobKind.TEST, {"rule": "simplest", "ensemble": True, "again": True}),
        (JobKind.TEST, {"trial": 4}),
        (JobKind.EXPORT, {"trial": 4, "retrain": True}),
        (JobKind.EXPORT, {"ensemble": True}),
    ],
)
def test_every_other_kind_is_a_command_too(service, options, kind, asked):
    job = job_of(service.database, kind, asked)
    found = parsed(commands.other_command(job, options, Path("/models/s.keras")))
    for name, value in asked.items():
        if kind is not JobKind.EXPORT and name != "budget":
            assert found[name] == value
    if kind is JobKind.EXPORT:
        trial = [str(asked["trial"])] if "trial" in asked else []
        assert found["arguments"] == ["s", *trial, "/models/s.keras"]


def test_a_wrapper_stands_around_the_whole_command():
    found = commands.whole_command(["resume", "s"], "bwrap --ro-bind / / {}")
    assert found[:4] == ["bwrap", "--ro-bind", "/", "/"]
    assert found[-5:] == ["-P", "-m", "sweep", "resume", "s"]
    with pytest.raises(Exception, match=r"--run-with needs \{\}"):
        ServeOptions(results=Path("r"), run_with="bwrap")


def test_the_line_that_says_why_is_found_in_what_a_command_printed():
    assert last_error("epoch 1\nerror: no room\nbye\n") == "no room"
    assert last_error("╭─ Error ─╮\n│ No such option: --x │\n╰──╯\n") == "No such option: --x"
    assert last_error("") == "it ended without a word"
