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
from sweep.serve.work import commands
from sweep.serve.work.plans import last_error
from sweep.settings import Settings

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


def test_a_start_takes_every_setting_that_may_be_asked_for(service, options):
    defaults = Settings()
    values = {
        name: value
        for name in forms.SettingsAsked.model_fields
        if (value := getattr(defaults, name)) is not None
    }
    values |= {"patience": 0, "baselines": False}
    job = job_of(service.database, JobKind.START, {"settings": values, "budget": BUDGET})
    found = parsed(commands.start_command(job, Path("/spaces/mine.py"), options))
    assert {name: str(found[name]) for name in values} == {n: str(v) for n, v in values.items()}
    assert (found["name"], found["max_time"]) == ("s", "90.000s")
    assert found["results"] == service.options.results


def test_a_preempted_search_has_what_is_left_of_its_time(service, options):
    job = job_of(service.database, JobKind.START, {"settings": {}, "budget": BUDGET})
    job = jobs.change(service.database, job.job, worked_seconds=60.0)
    assert parsed(commands.resume_command(job, options))["max_time"] == "30.000s"


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (JobKind.EXTEND, {"add_brackets": 2, "max_epochs": 9, "trials": 7, "budget": BUDGET}),
        (JobKind.CONFIRM, {"top": 3, "seeds": 2}),
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
