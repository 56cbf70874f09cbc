"""Search spaces as trees, for tests: built with any `hp`, and worked out without one.

A tree is a list of nodes. Its model is the list of names and values that were asked for.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Plain:
    """A range or a choice on which nothing hangs."""

    name: str
    kind: str
    arguments: tuple[Any, ...]

    def ask(self, hp: Any) -> Any:
        return getattr(hp, self.kind)(self.name, *self.arguments)

    def holds(self, value: Any) -> bool:
        if self.kind == "Choice":
            return value in self.arguments[0]
        if self.kind == "Boolean":
            return isinstance(value, bool)
        return self.arguments[0] <= value <= self.arguments[1]


@dataclass(frozen=True)
class Switch:
    """A choice with a branch for each value, entered by `if`, and within a scope or not."""

    name: str
    kind: str
    values: tuple[Any, ...]
    branches: tuple[tuple[Any, ...], ...]
    scoped: bool


@dataclass(frozen=True)
class Loop:
    """A count, and a body that is asked for so many times; a body's node depends on its index."""

    name: str
    least: int
    most: int
    body: Plain


Tree = tuple[Any, ...]


def build(tree: Tree, hp: Any) -> list[tuple[str, Any]]:
    """The model of a tree, as a search space's `build(hp)` would make it."""
    model: list[tuple[str, Any]] = []
    for node in tree:
        if isinstance(node, Plain):
            model.append((node.name, node.ask(hp)))
        elif isinstance(node, Loop):
            count = hp.Int(node.name, node.least, node.most)
            model.append((node.name, count))
            model += build(tuple(turn(node, i) for i in range(count)), hp)
        else:
            asked = (node.values,) if node.kind == "Choice" else ()
            value = getattr(hp, node.kind)(node.name, *(list(one) for one in asked))
            model.append((node.name, value))
            for one, branch in zip(node.values, node.branches, strict=True):
                if node.scoped:
                    with hp.conditional_scope(node.name, [one]):
                        if value == one:
                            model += build(branch, hp)
                elif value == one:
                    model += build(branch, hp)
    return model


def turn(loop: Loop, index: int) -> Plain:
    return Plain(f"{loop.body.name}_{index}", loop.body.kind, loop.body.arguments)


def active(tree: Tree, values: dict[str, Any]) -> dict[str, Any]:
    """What is active under `values`, by name: the node, worked out without building."""
    found: dict[str, Any] = {}
    for node in tree:
        found[node.name] = node
        if isinstance(node, Loop):
            found |= {turn(node, i).name: turn(node, i) for i in range(values[node.name])}
        elif isinstance(node, Switch):
            at = node.values.index(values[node.name])
            found |= active(node.branches[at], values)
    return found


def names(tree: Tree) -> set[str]:
    """Every name that some build asks for."""
    found = set()
    for node in tree:
        found.add(node.name)
        if isinstance(node, Loop):
            found |= {turn(node, i).name for i in range(node.most)}
        elif isinstance(node, Switch):
            for branch in node.branches:
                found |= names(branch)
    return found


@st.composite
def trees(draw: Any, depth: int = 2, prefix: str = "") -> Tree:
    """Trees with nested switches, loops over counts, and one name with a range in each branch."""
    nodes: list[Any] = []
    for number in range(draw(st.integers(1, 3))):
        name = f"{prefix}h{number}"
        kind = draw(st.sampled_from(["plain", "loop", "switch"] if depth else ["plain"]))
        if kind == "plain":
            nodes.append(draw(plains(name)))
        elif kind == "loop":
            least = draw(st.integers(0, 2))
            most = draw(st.integers(least, least + 2))
            nodes.append(Loop(name, least, most, draw(plains(f"{name}_turn"))))
        else:
            nodes.append(draw(switches(name, depth)))
    return tuple(nodes)


@st.composite
def plains(draw: Any, name: str) -> Plain:
    low = draw(st.integers(1, 5))
    kind, arguments = draw(
        st.sampled_from(
            [
                ("Int", (low, low + 3)),
                ("Int", (low, 100 * low)),
                ("Float", (0.1 * low, 1.0 * low)),
                ("Choice", ([low, low + 1],)),
                ("Choice", (["relu", "elu"],)),
                ("Boolean", ()),
            ]
        )
    )
    return Plain(name, kind, arguments)


@st.composite
def switches(draw: Any, name: str, depth: int) -> Switch:
    kind, values = draw(
        st.sampled_from(
            [
                ("Boolean", (False, True)),
                ("Choice", ("a", "b", "c")),
                ("Choice", (3, 1)),
                ("Choice", (0.5, 0.0)),
            ]
        )
    )
    branches: list[Tree] = []
    for number, _ in enumerate(values):
        inner = draw(st.one_of(st.just(()), trees(depth=depth - 1, prefix=f"{name}.{number}.")))
        low = 10.0**number
        ranged = (Plain(f"{name}.rate", "Float", (low, 2 * low)),) if draw(st.booleans()) else ()
        branches.append((*ranged, *inner))
    return Switch(name, kind, values, tuple(branches), draw(st.booleans()))
