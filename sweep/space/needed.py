"""Which statements of a file its search space needs, where a file does more than to define.

Definitions are run all: imports, functions, classes, and names for values that nothing is called
for. Any other statement is run only if the search space needs a name that it gives or changes, or
needs what such a statement needs. What is not run is named to the user, by its line.
"""

import ast
import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweep.space.entry import HYPERPARAMETERS

_DECLARED = ("BASELINES", "SEARCH", "FILES", "CLASS_WEIGHT")
"""Names that are read of a space's module beside its search space."""
_MOST_SHOWN = 72
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a file."""

    node: ast.stmt
    needed: bool
    """Whether the search space needs it."""

    @property
    def defines(self) -> bool:
        """Whether it only defines: it is run even if nothing is known to need it."""
        node = self.node
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if isinstance(node, kinds) or _is_text(node):
            return True
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ =="):
            return True  # is not run, as in any import
        plain = isinstance(node, ast.Assign | ast.AnnAssign | ast.Pass | ast.If | ast.Try)
        return plain and not any(isinstance(one, ast.Call | ast.Await) for one in ast.walk(node))

    def said(self) -> str:
        """Return `line N: its text`, in short."""
        text = " ".join(ast.unparse(self.node).split())
        short = text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
        return f"line {self.node.lineno}: {short}"


def statements(tree: ast.Module, wanted: str) -> list[Statement]:
    """Return the statements at the top of a file, each with whether `wanted` needs it."""
    nodes = [_Names.of(node) for node in tree.body]
    needed, chosen = {wanted, *_DECLARED}, set[int]()
    grows = True
    while grows:
        grows = False
        for index, names in enumerate(nodes):
            if index not in chosen and names.gives & needed:
                chosen.add(index)
                needed |= names.reads
                grows = True
    return [Statement(node, index in chosen) for index, node in enumerate(tree.body)]


def searches_nearby(path: Path) -> list[str]:
    """Return the functions of hyperparameters and HyperModels of a file that was not run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (MemoryError, OSError, RecursionError, SyntaxError, ValueError):
        return []
    return [one.name for one in tree.body if _may_be_a_space(one)]  # type: ignore[attr-defined]


def _may_be_a_space(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return bool(node.args.args) and node.args.args[0].arg.lower() in HYPERPARAMETERS
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any(ast.unparse(base).endswith("HyperModel") for base in bases)


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
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
