"""The commands, and how their errors end: in one line and an exit code."""

import gc as garbage
from collections.abc import Callable
from typing import Annotated

import typer

from sweep import __version__
from sweep.cli.commands import (
    compare,
    confirm,
    data,
    doctor,
    export,
    extend,
    gc,
    ls,
    plan,
    report,
    resume,
    rm,
    serve,
    show,
    spaces,
    start,
    status,
    stop,
    test,
)
from sweep.cli.ending import GlobalOptions, ending

COMMANDS: dict[str, Callable[..., None]] = {
    "spaces": spaces.list_spaces,
    "plan": plan.plan,
    "start": start.start,
    "resume": resume.resume,
    "stop": stop.stop,
    "ls": ls.list_sweeps,
    "status": status.status,
    "report": report.report,
    "show": show.show,
    "compare": compare.compare,
    "export": export.export,
    "confirm": confirm.confirm,
    "extend": extend.extend,
    "test": test.test,
    "rm": rm.remove,
    "gc": gc.collect,
    "doctor": doctor.doctor,
}

_LOOKS = ("spaces", "ls", "status", "report", "show", "compare")
"""Commands that are done in a few seconds, and leave little garbage."""
_COLLECTED_AFTER = (50_000, 20, 100)
"""Objects, and younger collections, between two of their garbage: with Python's own numbers, a
sixth of a report's time would go into looking for garbage among the objects of libraries."""

app = typer.Typer(
    name="sweep",
    help="Find out which capacity and which regularisation generalise best.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # in boxes, names of options and variables are cut at 80 columns
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(data.data_app, name="data")
app.add_typer(serve.serve_app, name="serve")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"sweep {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback with errors.", envvar="SWEEP_DEBUG")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Find out which capacity and which regularisation generalise best."""
    context.ensure_object(GlobalOptions).debug = debug
    if context.invoked_subcommand in _LOOKS:
        garbage.set_threshold(*_COLLECTED_AFTER)
    garbage.freeze()
    garbage.enable()


def run() -> None:
    """Carry out the command line; errors end in one line and an exit code."""
    asked = GlobalOptions()
    with ending(asked):
        app(obj=asked, prog_name="sweep")  # as `python -m sweep`, too
