"""Where in a space's file a model's loss, last layer and inputs stand, if that can be told."""

import ast
from pathlib import Path
from typing import Any

from sweep.space.ends import End, end_of
from sweep.space.text import tree_of


def where(path: Path, model: Any) -> str:
    """Return " (loss: line 9, last layer: line 7)", or less of it, or nothing.

    A line is said only if exactly one place in the file fits.
    """
    calls = _calls(path)
    found = {
        "loss": [
            word.value.lineno
            for call in calls
            for word in call.keywords
            if _called(call) == "compile" and word.arg == "loss"
        ],
        "last layer": [call.lineno for call in calls if _makes(call, end_of(model))],
    }
    said = [f"{what}: line {lines[0]}" for what, lines in found.items() if len(lines) == 1]
    return f" ({', '.join(said)})" if said else ""


def where_input(path: Path) -> str:
    """Return " (line 7)", where the file says the shape of a model's inputs, or nothing."""
    said = [call.lineno for call in _calls(path) if _called(call) in ("Input", "InputLayer")]
    said += [
        word.value.lineno
        for call in _calls(path)
        for word in call.keywords
        if word.arg in ("input_shape", "input_dim")
    ]
    return f" (line {said[0]})" if len(said) == 1 else ""


def where_build(path: Path) -> str:
    """Return " (line 7)", where the file's one function of hyperparameters is, or nothing."""
    functions = [node for node in _nodes(path) if isinstance(node, ast.FunctionDef)]
    lines = [
        one.lineno
        for one in functions
        if [word.arg for word in one.args.args if word.arg != "self"][:1] == ["hp"]
        and one.name != "fit"
    ]
    return f" (line {lines[0]})" if len(lines) == 1 else ""


def where_named(path: Path, name: str, part: str | None = None) -> str:
    """Return " (line 7)", where the file gives `name` a value, or has `part` in it, or nothing."""
    values = [
        node.value
        for node in _nodes(path)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and any(
            isinstance(target, ast.Name) and target.id == name
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    ]
    lines = [value.lineno for value in values]
    parts = [
        one.lineno
        for value in values
        for one in ast.walk(value)
        if part is not None and isinstance(one, ast.Constant) and one.value == part
    ]
    said = parts if len(parts) == 1 else lines
    return f" (line {said[0]})" if len(said) == 1 else ""


def _nodes(path: Path) -> list[ast.AST]:
    try:
        return list(ast.walk(tree_of(path)))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in _nodes(path) if isinstance(node, ast.Call)]


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _makes(call: ast.Call, end: End) -> bool:
    """Whether a call makes a layer of this class, units and activation, all written out."""
    if _called(call) != end.name:
        return False
    words = {word.arg: word.value for word in call.keywords}
    given = list(call.args)
    if end.units is None:
        return True
    units = words.get("units", given[0] if given else None)
    activation = words.get("activation", given[1] if len(given) > 1 else None)
    written = activation.value if isinstance(activation, ast.Constant) else activation
    fits = written in (None, "linear") if end.activation == "linear" else written == end.activation
    return isinstance(units, ast.Constant) and units.value == end.units and fits
