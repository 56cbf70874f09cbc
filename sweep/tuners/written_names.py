"""Names whose values a user's code writes to: they are what it has done, not what it does.

A script notes its scores in a list, a HyperModel its last model in an attribute. In a notebook they
are others each time; what they hold is no part of what `build` does.
"""

import dis
import types
from collections.abc import Iterator

_CHANGE = (
    *("append", "extend", "insert", "pop", "clear", "remove", "sort"),
    *("update", "setdefault", "add", "discard", "popitem"),
)
"""Methods that change a list, a dictionary or a set."""
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
_METHODS = ("LOAD_METHOD", "LOAD_ATTR")
_FIRST = "__init__"


def written_globals(code: types.CodeType) -> set[str]:
    """Return the global names that code, or code in it, sets, fills or empties."""
    found = set()
    for one in _with_inner(code):
        steps = list(dis.get_instructions(one))
        for at, step in enumerate(steps):
            if step.opname == "STORE_GLOBAL" or (
                step.opname in _LOADS and _is_changed(steps[at + 1 : at + 3])
            ):
                found.add(str(step.argval))
    return found


def written_attributes(kind: type) -> set[str]:
    """Return the attributes that a class's methods set, but for `__init__`."""
    found = set()
    for name, value in vars(kind).items():
        function = getattr(value, "__func__", value)
        if name == _FIRST or not isinstance(function, types.FunctionType):
            continue
        for code in _with_inner(function.__code__):
            steps = list(dis.get_instructions(code))
            for at, step in enumerate(steps):
                fills = step.opname in _METHODS and _is_changed(steps[at + 1 : at + 3])
                if step.opname == "STORE_ATTR" or fills:
                    found.add(str(step.argval))
    return found


def _is_changed(following: list[dis.Instruction]) -> bool:
    """Whether what was just loaded is changed: `x.append`, or `x[key] = value`."""
    if following and following[0].opname in _METHODS:
        return str(following[0].argval).removeprefix("NULL|self + ") in _CHANGE
    return any(step.opname == "STORE_SUBSCR" for step in following)


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _with_inner(one)
