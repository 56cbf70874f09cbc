"""Commands, and the way their errors end: one line and an exit code."""

import os
import sys
import traceback
from typing import Annotated

import typer

from sweep import __version__
from sweep.cli import inspect, search, storage, trials
from sweep.cli.commands import confirm, data, doctor, extend, test
from sweep.cli.output import show_error
from sweep.errors import PlatformError, SweepError

_DEBUG = "SWEEP_DEBUG"
_NO_MEMORY = (
    b"error: there is too little memory; end other programs, or raise the limit of this shell"
    b" (ulimit) or container; what was saved stays\n"
)

app = typer.Typer(
    name="sweep",
    help="Find out which capacity and which regularisation generalise best.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.data_app, name="data")
search.register(app)
extend.register(app)
doctor.register(app)
inspect.register(app)
confirm.register(app)
test.register(app)
storage.register(app)
trials.register(app)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"sweep {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback with errors.", envvar=_DEBUG)
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Find out which capacity and which regularisation generalise best."""
    if debug:
        os.environ[_DEBUG] = "1"


def run() -> None:
    """Carry out the command line; errors end in one line and an exit code."""
    try:
        app()
    except SweepError as error:
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        try:
            show_error(error)
        except MemoryError:
            os.write(2, f"error: {error}\n".encode())
        sys.exit(error.exit_code)
    except MemoryError:
        os.write(2, _NO_MEMORY)  # whatever else writes may need some
        sys.exit(PlatformError.exit_code)
    except BrokenPipeError:  # the reader of our output has gone: `sweep report | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # a full disk, a folder that may not be written
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        where = f"{error.filename}: " if error.filename else ""
        show_error(f"{where}{error.strerror or error}; make room or permission there")
        sys.exit(PlatformError.exit_code)
