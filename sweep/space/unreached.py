"""What a space's file says it asks for, but no build has reached; and numbers that may lead there.

A condition such as `if 600 < units < 620` or `if a == 5 and b == 6` is met by few values. The
numbers that stand in the file are tried as values: a condition compares with one of them.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from sweep.records import Value
from sweep.space.asked import Answer, Ask, Declaration
from sweep.space.needed import statements
from sweep.space.text import tree_of

_KINDS = ("Choice", "Int", "Float", "Boolean", "Fixed")
_MOST_NUMBERS = 200
_AS_WRITTEN = 0.9
"""The share of values that are taken from the numbers of the file, where one fits."""
_NEARLY = 1e-3
"""How far beside a number another is tried, in a range without steps: a share of it."""


@dataclass(frozen=True)
class CallPlace:
    """A call of `hp.Int`, `hp.Choice` … in a file: its name, if that is written out, and lines."""

    name: str
    first: int
    last: int
    function: int
    """The line of the function that it stands in; 0 outside of all."""
    fixed: bool = False
    """Whether it stands under a condition that no value changes, such as one on a constant."""

    def holds(self, lines: Iterable[int]) -> bool:
        return any(self.first <= line <= self.last for line in lines)


@dataclass(frozen=True)
class WrittenSpace:
    """What the text of a space's file tells of its hyperparameters."""

    file: str
    places: tuple[CallPlace, ...] = ()
    numbers: tuple[tuple[int, float], ...] = ()
    """Each with the line of the function that it stands in; 0 outside of all."""

    def unreached(self, asks: Iterable[Ask]) -> list[CallPlace]:
        """Return the calls that none of the asks came from, in functions of which one was reached.

        A function that no ask came from may be another search space's.
        """
        pattern = re.compile(rf"{re.escape(self.file)} line (\d+)")
        found = (pattern.fullmatch(ask.place) for ask in asks)
        lines = {int(one[1]) for one in found if one is not None}
        reached = {place.function for place in self.places if place.holds(lines)}
        return [one for one in self.places if one.function in reached and not one.holds(lines)]

    def answer(self, seed: int, places: Iterable[CallPlace]) -> Answer:
        """Return random values, of which many are numbers that may lead to the places.

        Those are the numbers of their functions and of the file's constants, and those beside them;
        not those that stand in `hp.Int(…)` and the like.
        """
        random, counted = Random(seed), iter(range(1_000_000))
        functions = {0, *(place.function for place in places)}
        numbers = [number for function, number in self.numbers if function in functions]

        def answer(declaration: Declaration) -> Value:
            fitting = _fitting(declaration, numbers)
            if fitting and random.random() < _AS_WRITTEN:
                return random.choice(fitting)
            return declaration.sample(seed + next(counted))

        return answer


def written(path: Path, name: str | None = None) -> WrittenSpace:
    """Return what a space's file says; nothing if it is no Python text that can be parsed.

    If the file defines the search space under `name`, only what that needs counts, and of several
    definitions of one name the last.
    """
    try:
        tree = _needed(tree_of(path), name)
    except (OSError, SyntaxError, ValueError):
        return WrittenSpace(path.name)
    shared = {
        name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
    }
    nodes = list(_walked(tree, _Where(own=frozenset(shared))))
    places = [
        CallPlace(name, node.lineno, node.end_lineno or node.lineno, at.function, at.fixed)
        for at, node in nodes
        if isinstance(node, ast.Call) and (name := _name_asked(node)) is not None
    ]
    numbers = {
        (at.function, node.value): None
        for at, node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    }
    return WrittenSpace(path.name, tuple(places), tuple(numbers)[:_MOST_NUMBERS])


def _needed(tree: ast.Module, name: str | None) -> ast.Module:
    found = statements(tree, name) if name is not None else []
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Assign)
    if not any(isinstance(one.node, kinds) and name in one.gives for one in found):
        return tree
    needed = [one.node for one in found if one.needed]
    last = {one.name: one for one in needed if isinstance(one, ast.FunctionDef)}
    body = [one for one in needed if not isinstance(one, ast.FunctionDef) or last[one.name] is one]
    return ast.Module(body, [])


@dataclass(frozen=True)
class _Where:
    """Where in a file something stands."""

    function: int = 0
    own: frozenset[str] = frozenset()
    """The names that the functions around it are given or set, and those said to be global."""
    fixed: bool = False


def _walked(node: ast.AST, at: _Where) -> Iterator[tuple[_Where, ast.AST]]:
    """All that stands in a part of a program and may be run, each with where that is."""
    for part, inside in _parts(node, at):
        yield inside, part
        if isinstance(part, ast.Call) and _name_asked(part) is not None:
            continue
        if isinstance(part, ast.FunctionDef):
            inside = replace(inside, function=part.lineno, own=inside.own | _own_names(part))
        yield from _walked(part, inside)


def _parts(node: ast.AST, at: _Where) -> Iterator[tuple[ast.AST, _Where]]:
    """What a part of a program is made of; of a condition that is written out, the branch taken."""
    if not isinstance(node, ast.If | ast.IfExp):
        yield from ((part, at) for part in ast.iter_child_nodes(node))
        return
    yield node.test, at
    branches = [one if isinstance(one, list) else [one] for one in (node.body, node.orelse)]
    if isinstance(node.test, ast.Constant):
        branches = branches[:1] if node.test.value else branches[1:]
    inside = replace(at, fixed=at.fixed or not _depends(node.test, at.own))
    yield from ((part, inside) for branch in branches for part in branch)


def _depends(test: ast.expr, own: frozenset[str]) -> bool:
    """Whether a condition may hang on what was asked for: on a name of the function, or a call."""
    return any(
        isinstance(part, ast.Call) or (isinstance(part, ast.Name) and part.id in own)
        for part in ast.walk(test)
    )


def _own_names(function: ast.FunctionDef) -> set[str]:
    parts = list(ast.walk(function))
    given = {part.arg for part in parts if isinstance(part, ast.arg)}
    kept = (part for part in parts if isinstance(part, ast.Name))
    return given | {one.id for one in kept if isinstance(one.ctx, ast.Store)}


def _name_asked(node: ast.Call) -> str | None:
    """The code of the name, if this is a call of `hp.Int`, `hp.Choice` and so on."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _KINDS:
        return None
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "name")]
    return ast.unparse(given[0]) if given else None


def _fitting(declaration: Declaration, numbers: Iterable[float]) -> list[Value]:
    """The numbers that a hyperparameter can have, and the values beside them."""
    if declaration.values is not None:
        known = set(numbers)
        return [one for one in declaration.values if one in known]
    near: list[float] = []
    for number in numbers:
        least = 1 if declaration.kind == "Int" else number * _NEARLY
        aside = declaration.step if declaration.sampling == "linear" else None
        near += [number - (aside or least), number, number + (aside or least)]
    values = (_drawable(declaration, one) for one in near if declaration.holds(one))
    return list(dict.fromkeys(one for one in values if declaration.holds(one)))


def _drawable(declaration: Declaration, number: float) -> Value:
    """The nearest value that can be drawn."""
    value: Value = declaration.parameter.prob_to_value(declaration.parameter.value_to_prob(number))
    return value
