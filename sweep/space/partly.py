"""Runs of a file only what its search space needs: see `needed`.

Of data that the file reads, often only the shape is needed. That is known of the data of the sweep,
so a stand-in with this shape takes their place, and they are not read.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from sweep.space.entry import MADE
from sweep.space.inputs import Inputs
from sweep.space.needed import (
    MadeInACall,
    Statement,
    inner_searches,
    is_a_space,
    made_in_a_call,
    shapes_read,
    statements,
)
from sweep.space.stand_in import StandIn, called_as_inputs, stand_in_of
from sweep.space.text import tree_of

_FUTURE = "__future__"
_MOST_SAID = 12


@dataclass
class Partly:
    """What is run of a file for the sake of one search space."""

    wanted: str
    skipped: list[Statement] = field(default_factory=list)
    running: Statement | None = None
    shapes: dict[str, StandIn] = field(default_factory=dict)
    made: MadeInACall | None = None
    """The object that is wanted, if it is made inside a call."""
    n_defined: int = 0
    """How often the file defines a search space of this name."""
    last_line: int = 0

    def run(self, path: Path, module: ModuleType, inputs: Inputs | None) -> None:
        """Run what `wanted` needs, and definitions, and keep what was not run.

        Raises what the statements raise; `running` is then the one that did.
        """
        tree = _with_inner(tree_of(path), self.wanted)
        if self.wanted.startswith(MADE):
            self.made = made_in_a_call(tree, self.wanted.removeprefix(MADE))
        if self.made is not None:
            tree = ast.Module([*tree.body, self.made.statement], [])
        flags = _future_flags(tree)
        stand_in = stand_in_of(inputs)
        names = _names_of_inputs(tree) if stand_in is not None else []
        found = statements(tree, self.wanted, names)
        if stand_in is not None:
            read = shapes_read([one for one in found if one.needed], names)
            given = {name for one in found if one.needed for name in one.gives}
            self.shapes = {name: stand_in for name in read if name not in given}
            vars(module).update(self.shapes)
        self._count(tree)
        for one in found:
            if not one.needed and not one.defines:
                self.skipped.append(one)
                continue
            code = compile(
                ast.Module([one.node], []), str(path), "exec", flags=flags, dont_inherit=True
            )
            if one.needed:
                self.running = one
                exec(code, vars(module))
                self.running = None
                continue
            try:
                exec(code, vars(module))
            except Exception:  # a package that is missing, a name that was not made
                self.skipped.append(one)

    def _count(self, tree: ast.Module) -> None:
        named = [one for one in tree.body if is_a_space(one) and one.name == self.wanted]
        self.n_defined = len(named)
        self.last_line = named[-1].lineno if named else 0

    def advice(self) -> str:
        """Return what to write instead of the statement that failed, or nothing."""
        one = self.running
        name = one.needed_for if one is not None else None
        if one is None or name is None or isinstance(one.node, ast.Import | ast.ImportFrom):
            return ""
        return (
            f"; {self.wanted} needs it for {name}: write there what {name} is without it, "
            f"such as {name} = 10 for a number"
        )

    def said(self, path: Path) -> tuple[str, ...]:
        """Return in words what a person should know of how the file was run."""
        lines = []
        if self.n_defined > 1:
            lines.append(
                f"{path.name} defines {self.wanted} {self.n_defined} times; the last, at line "
                f"{self.last_line}, is taken"
            )
        lines += [self.made.said()] if self.made is not None else []
        lines += [
            f"{name}: its shape is that of the data, ({', '.join(map(str, one.shape[1:]))}) a row"
            for name, one in self.shapes.items()
        ]
        if self.skipped:
            called = self.wanted.removeprefix(MADE)
            lines += [f"{called} needs only a part of {path.name}; not run:"]
            lines += _listed(self.skipped)
        return tuple(lines)


def _listed(skipped: Sequence[Statement]) -> list[str]:
    """A line for each of the first statements, and the lines of the others."""
    if len(skipped) <= _MOST_SAID:
        return [one.said() for one in skipped]
    first, rest = skipped[: _MOST_SAID - 1], skipped[_MOST_SAID - 1 :]
    numbers = ", ".join(str(one.node.lineno) for one in rest)
    return [*(one.said() for one in first), f"lines {numbers}"]


def _with_inner(tree: ast.Module, wanted: str) -> ast.Module:
    """The tree; a search space that is defined inside a function is put after it, with its own."""
    if any(is_a_space(one) and one.name == wanted for one in tree.body):
        return tree
    outer = inner_searches(tree).get(wanted)
    return tree if outer is None else ast.Module([*tree.body, *outer.body], [])


def _names_of_inputs(tree: ast.Module) -> list[str]:
    """The names in a file that are called as the rows of inputs are."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return sorted(filter(called_as_inputs, names))


def _future_flags(tree: ast.Module) -> int:
    """The compiler's flags for the file's `from __future__ import …`."""
    import __future__

    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == _FUTURE
        for alias in node.names
    ]
    flags = 0
    for name in names:
        flags |= getattr(__future__, name).compiler_flag
    return flags
