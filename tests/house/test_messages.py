"""Commands, options, pages and extras that the program's own texts name exist."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import click
import typer

from sweep.cli.app import app
from tests.house.pages import ROOT

SOURCES = sorted(
    path for ending in ("py", "j2", "js") for path in (ROOT / "sweep").rglob(f"*.{ending}")
)
ADDED = {"--help", "--install-completion", "--show-completion"}
"""Options that click and Typer add."""
OF_OTHERS = re.compile(
    r"--(verify|quiet|porcelain|untracked-files|error-unmatch|ro-bind|logdir|no|xla|tf)(_\w+)?"
)
"""Options of git, bwrap, TensorBoard and XLA; --no-, put before an option's name."""
NO_VERBS = {"identity", "seed", "computes"}
"""What follows the word sweep in a sentence or a name, at a place where a command might begin."""
_VALUE = "X"
"""What stands for a value in a text."""
_COMMAND = re.compile(r"(?:`|: |, or |^)sweep ((?:[a-z]+)(?: [^`;,)\n]*)?)")
_OPTION = re.compile(r"(?<![\w(-])--[a-z][a-z-]*[a-z](?![\w-]|:url)")
"""Of a style sheet, `var(--picture)` and `--picture:url` are none."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Return the texts of a source with their lines; a value in a text is `_VALUE`."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    inside: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside.update(node.values)
            parts = [
                str(one.value) if isinstance(one, ast.Constant) else _VALUE for one in node.values
            ]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.lineno, node.value


@cache
def options() -> dict[str, set[str]]:
    """Return the options of each command: {"start": {"--seed", …}, "data fetch": …}."""

    def of(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
        named = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        yield " ".join(path), named | ADDED
        for name, inner in getattr(command, "commands", {}).items():
            yield from of(inner, (*path, name))

    return dict(of(typer.main.get_command(app), ()))


def unknown(text: str) -> Iterator[str]:
    """Return the commands and options that a text names and that do not exist."""
    known = options()
    every = set().union(*known.values())
    for named in _COMMAND.findall(text):
        words = named.split()
        verb = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        if verb in NO_VERBS:
            continue
        if verb not in known:
            yield f"sweep {verb}"
            continue
        mine = known[verb] if words[1:] else every  # of `sweep VERB` alone, more may be said
        yield from (f"sweep {verb} {one}" for one in _OPTION.findall(named) if one not in mine)
    named_alone = set(_OPTION.findall(text)) - every
    yield from sorted(one for one in named_alone if not OF_OTHERS.fullmatch(one))


def places(find: Callable[[str], Iterable[str]]) -> list[str]:
    """Return where a text of the program names what does not exist, and what that is."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {named}"
        for path in SOURCES
        for line, text in texts(path)
        for named in find(text)
    ]


def test_commands_and_options_that_messages_name_exist():
    assert places(unknown) == []


def test_an_unknown_command_and_an_option_of_another_command_are_found():
    assert [*unknown("continue with: sweep go NAME")] == ["sweep go"]
    assert [*unknown("see: sweep stop X --trials 3, or add --top 2")] == ["sweep stop --trials"]
    assert [*unknown("add --twice")] == ["--twice"]


def test_pages_and_extras_that_messages_name_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])

    def missing(text: str) -> Iterator[str]:
        yield from (
            page for page in re.findall(r"\bdocs/[\w./-]+\w", text) if not (ROOT / page).is_file()
        )
        yield from set(re.findall(r"\bkeras-sweep\[(\w+)\]", text)) - extras

    assert places(missing) == []
