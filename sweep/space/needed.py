"""Which statements of a file its search space needs, where a file does more than to define.

Definitions are run all: imports, functions, classes, and names for values that nothing is called
for. Any other statement is run only if the search space needs a name that it gives or changes, or
needs what such a statement needs. What is not run is named to the user, by its line.
"""

import ast
import builtins
import symtable
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from sweep.space.entry import HYPERPARAMETERS, MADE
from sweep.space.methods import WORDS
from sweep.space.text import tree_of

_DECLARED = ("BASELINES", "SEARCH", "FILES", "CLASS_WEIGHT")
"""Names that are read of a space's module beside its search space."""
_MOST_SHOWN = 72
STAND_IN_HAS = ("shape", "ndim")
"""What is known of data that are not read."""
_NOT_PLAIN = (ast.Call, ast.Await, ast.Yield, ast.NamedExpr, ast.Lambda, ast.Starred)
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a file."""

    node: ast.stmt
    needed: bool
    """Whether the search space needs it."""
    needed_for: str | None = None
    """The name in the search space for whose sake it is needed; None for the space itself."""

    @property
    def gives(self) -> frozenset[str]:
        """The names at the top of the file that the statement gives or changes."""
        return _Names.of(self.node).gives

    @property
    def defines(self) -> bool:
        """Whether the statement only defines: it is run even if nothing is known to need it."""
        node = self.node
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if isinstance(node, kinds) or _is_text(node):
            return True
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ =="):
            return True  # is not run, as in any import
        plain = isinstance(node, ast.Assign | ast.AnnAssign | ast.Pass | ast.If | ast.Try)
        return plain and not any(isinstance(one, ast.Call | ast.Await) for one in ast.walk(node))

    def said(self) -> str:
        """Return the statement as `line N: its text`, in short."""
        text = " ".join(ast.unparse(self.node).split())
        short = text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
        return f"line {self.node.lineno}: {short}"


def statements(tree: ast.Module, wanted: str, stand_ins: Collection[str] = ()) -> list[Statement]:
    """Return the statements at the top of a file, each with whether `wanted` needs it.

    Names of `stand_ins` of which only the shape is read are not needed.
    """
    nodes = [_Names.of(node) for node in tree.body]
    needed: dict[str, str | None] = dict.fromkeys((wanted, *_DECLARED))
    chosen: dict[int, str | None] = {}
    grows = True
    while grows:
        grows = False
        for index, names in enumerate(nodes):
            given = next((name for name in needed if name in names.gives), None)
            if index not in chosen and given is not None:
                chosen[index] = needed[given]
                shapes = _only_shapes(tree.body[index], names, stand_ins)
                for name in names.reads - shapes:
                    first = name if given == wanted else needed[given]
                    needed.setdefault(name, first)
                grows = True
    return [
        Statement(node, index in chosen, chosen.get(index)) for index, node in enumerate(tree.body)
    ]


def shapes_read(needed: Iterable[Statement], stand_ins: Collection[str]) -> list[str]:
    """Return those of `stand_ins` that statements which are needed read the shape of, and only."""
    read: dict[str, None] = {}
    for one in needed:
        shapes = _only_shapes(one.node, _Names.of(one.node), stand_ins)
        read |= dict.fromkeys(sorted(shapes))
    return list(read)


def _only_shapes(node: ast.stmt, names: "_Names", stand_ins: Collection[str]) -> frozenset[str]:
    """Of the names that a statement reads, those whose shape is all that it reads of them."""
    wanted = names.reads & frozenset(stand_ins)
    if not wanted:
        return frozenset()
    of_shapes = [
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and one.attr in STAND_IN_HAS
    ]
    other = {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and not any(one is shape for shape in of_shapes)
    }
    return wanted - other


def searches_nearby(path: Path) -> list[str]:
    """Return the functions of hyperparameters and HyperModels of a file that was not run.

    If there is none, those that are defined inside another function; if there is none, the classes
    with such a method.
    """
    try:
        tree = tree_of(path)
    except (MemoryError, OSError, RecursionError, SyntaxError, ValueError):
        return []
    names = dict.fromkeys(one.name for one in tree.body if is_a_space(one))
    classes = dict.fromkeys(one.name for one in tree.body if _has_a_method(one))
    return list(names) or list(inner_searches(tree)) or list(classes)


def object_of(path: Path, name: str) -> str | None:
    """Return the name of the one object that a file makes of its class `name`, or None.

    One that is made inside a call, and kept by nobody, has the name of `made_in_a_call`.
    """
    tree = tree_of(path)
    made = [
        one.targets[0].id
        for one in tree.body
        if isinstance(one, ast.Assign)
        and isinstance(one.targets[0], ast.Name)
        and isinstance(one.value, ast.Call)
        and ast.unparse(one.value.func) == name
    ]
    if not made:
        inside = made_in_a_call(tree, name)
        return None if inside is None else inside.name
    return made[0] if len(made) == 1 else None


@dataclass(frozen=True)
class MadeInACall:
    """An object that a file makes inside a call, as in `kt.RandomSearch(Tune(width=32).build)`."""

    name: str
    """Which it is given here, as the file gives it none."""
    call: ast.Call

    @property
    def statement(self) -> ast.Assign:
        made = ast.Assign([ast.Name(self.name, ast.Store())], self.call)
        return ast.fix_missing_locations(ast.copy_location(made, self.call))

    def said(self) -> str:
        """Return in words how the object is made."""
        return f"{ast.unparse(self.call)}: made as in line {self.call.lineno}"


def made_in_a_call(tree: ast.Module, name: str) -> MadeInACall | None:
    """Return the one way in which a file makes an object of its class `name` inside a call.

    None if there are several, or if something is called for its arguments: they are to be values
    and names alone.
    """
    if not any(isinstance(one, ast.ClassDef) and one.name == name for one in tree.body):
        return None
    others = [one for one in tree.body if not (isinstance(one, ast.ClassDef) and one.name == name)]
    calls = {
        ast.unparse(node): node
        for one in others
        for node in ast.walk(one)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    }
    if len(calls) != 1:
        return None
    (call,) = calls.values()
    given = [*call.args, *(one.value for one in call.keywords)]
    if any(isinstance(node, _NOT_PLAIN) for one in given for node in ast.walk(one)):
        return None
    return MadeInACall(f"{MADE}{name}", call)


def inner_searches(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Return the functions of hyperparameters inside functions, each with that around it."""
    return {
        inner.name: outer
        for outer in tree.body
        if isinstance(outer, ast.FunctionDef)
        for inner in outer.body
        if isinstance(inner, ast.FunctionDef) and is_a_space(inner)
    }


def is_a_space(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.ClassDef]:
    """Return whether a statement defines a function of hyperparameters or a HyperModel."""
    if isinstance(node, ast.FunctionDef):
        return bool(node.args.args) and node.args.args[0].arg.lower() in HYPERPARAMETERS
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any(ast.unparse(base).endswith("HyperModel") for base in bases)


def _has_a_method(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    """Whether a statement defines a class with a method that takes the hyperparameters alone."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(one, ast.FunctionDef)
        and [arg.arg.lower() for arg in one.args.args if arg.arg not in ("self", "cls")]
        in [[word] for word in WORDS]
        for one in node.body
    )


@dataclass(frozen=True)
class _Names:
    """The names at the top of a file that a statement gives or changes, and those it reads."""

    gives: frozenset[str]
    reads: frozenset[str]

    @classmethod
    def of(cls, node: ast.stmt) -> "_Names":
        table = symtable.symtable(ast.unparse(node), "<statement>", "exec")
        gives = {one.get_name() for one in table.get_symbols() if one.is_assigned()}
        gives |= {one.get_name() for one in table.get_symbols() if one.is_imported()}
        reads = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
        for inner in _below(table):
            for one in inner.get_symbols():
                if one.is_global():
                    reads.add(one.get_name())
                    gives |= {one.get_name()} if one.is_declared_global() else set()
        changed = {root for part in _changed(node) if (root := _root(part)) is not None}
        return cls(frozenset(gives | changed), frozenset(reads - _BUILTINS))


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for inner in table.get_children():
        yield inner
        yield from _below(inner)


def _changed(node: ast.stmt) -> Iterator[ast.expr]:
    """What a statement may change without giving it a name anew.

    `x[0] = 1`, `x.y = 1`, `del x[0]`; and of a call whose result is not kept, `x.adapt(data)`, the
    object that it is a method of. Of what a call is given, only a `shuffle` changes something.
    """
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute | ast.Subscript) and isinstance(
            one.ctx, ast.Store | ast.Del
        ):
            yield one
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            call = one.value
            if isinstance(call.func, ast.Attribute):
                yield call.func.value
                yield from call.args if call.func.attr == "shuffle" else ()


def _root(expression: ast.expr) -> str | None:
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(expression, ast.Call) and _makes_an_object(expression):
            return None
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _makes_an_object(call: ast.Call) -> bool:
    """Whether a call is of a class, by its capital: what is done to an object changes it alone."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    return name[:1].isupper()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
