"""The help of the command line is complete."""

from collections.abc import Iterator

import click
from typer.main import get_command

from sweep.cli.app import app


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """All commands of a program, each with what people type for it."""
    yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


def test_every_option_says_what_it_is_for() -> None:
    mute = [
        f"{path} {option.opts[0]}"
        for path, command in commands(get_command(app), ("sweep",))
        for option in command.params
        if option.param_type_name == "option" and not getattr(option, "help", None)
    ]
    assert mute == []
