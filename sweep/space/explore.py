"""Builds of a search space, each remembered: what is asked for, given the values before.

The asks of a build are a path in a tree: which hyperparameter comes next follows from the values
of those before. A path that is known is followed without building.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.asked import Answer, Ask, Asked, AskedWronglyError, Declaration
from sweep.space.build import Build, Model, build_failed, name_of
from sweep.space.faults import Faults
from sweep.space.place import users_frame
from sweep.space.same_model import Outline, outline


@dataclass(frozen=True)
class Trace:
    """What one build asked for, in order."""

    asks: tuple[Ask, ...]
    error: Exception | None = None
    """What `build` raised: the asks end there."""

    @property
    def active(self) -> dict[str, Ask]:
        """The asks that have a value, the first of each name."""
        found: dict[str, Ask] = {}
        for ask in self.asks:
            if ask.active:
                found.setdefault(ask.declaration.name, ask)
        return found

    @property
    def values(self) -> dict[str, Value]:
        """The value of each active hyperparameter: the configuration."""
        return {name: ask.value for name, ask in self.active.items() if ask.value is not None}


@dataclass
class _Node:
    """A point between two asks: which declaration is next, or the trace that ends here."""

    declaration: Declaration | None = None
    place: str = ""
    trace: Trace | None = None
    children: dict[str, "_Node"] = field(default_factory=dict)


@dataclass
class Explorer:
    """Follows a space's `build(hp)` and keeps what each build asked for."""

    path: Path
    build: Build
    n_builds: int = 0
    compares: bool = True
    """Whether models of the same values are compared."""
    check: Callable[[Model], None] | None = None
    """Raises InvalidSpaceError if a model cannot be trained; asked for each that is built."""
    whole: Build | None = None
    """Builds models that can be trained, where those of `build` can only be looked at."""
    faults: Faults = field(init=False)
    """What `check` raised."""
    _outlines: dict[str, Outline] = field(default_factory=dict)
    _weights: WeakValueDictionary[int, Any] = field(default_factory=WeakValueDictionary)
    """The weights to be trained of all models that are still there, by identity."""
    _root: _Node = field(default_factory=_Node)

    def __post_init__(self) -> None:
        self.faults = Faults(self.path)

    def follow(self, answer: Answer) -> Trace:
        """Return what a build asks for if `answer` gives the values, each name asked once.

        Builds a model only if these values were not seen. Raises InvalidSpaceError if the space
        asks in a way that cannot be searched, or if the same values lead to other asks.
        """
        values: dict[str, Value] = {}
        node = self._root
        while node.trace is None:
            if node.declaration is None:
                return self.run(values, answer)[0]
            value = answer(node.declaration)
            values[node.declaration.name] = value
            child = node.children.get(_key(value))
            if child is None:
                return self.run(values, answer)[0]
            node = child
        return node.trace

    def given(self, values: Mapping[str, Value]) -> Trace:
        """Return what a build asks for with these values, and defaults for the other names.

        A value that its hyperparameter cannot have is left out.
        """
        return self.follow(suggested(values))

    def run(self, values: Mapping[str, Value], answer: Answer) -> tuple[Trace, Model]:
        """Build a model, known or not; returns what was asked for, and the model, None if failed.

        Raises InvalidSpaceError as `follow` does.
        """
        hp = Asked(values, answer)
        self.n_builds += 1
        model, error = None, None
        try:
            model = (self._first() if self.n_builds == 1 else self.build)(hp)
        except AskedWronglyError as wrong:
            raise InvalidSpaceError(f"{name_of(self.build)} of {self.path}: {wrong}") from wrong
        except Exception as failed:
            error = failed
        trace = Trace(tuple(hp.asks), error)
        self._keep(trace)
        self._compare(trace, model)
        if self.check is not None and error is None:
            self._check(trace, model)
        return trace, model

    def digests(self, trace: Trace) -> dict[str, str]:
        """Return what tells the model of a trace from others, by part; nothing if it failed."""
        found = self.outline_of(trace.values)
        return {} if found is None else found.digests()

    def outline_of(self, values: Mapping[str, Value]) -> Outline | None:
        """Return what the model of these values looks like; None if it was not built."""
        return self._outlines.get(repr(values))

    def failed(self, trace: Trace) -> InvalidSpaceError:
        """Return the error that says in one line where the build of a failed trace failed."""
        hp = Asked(trace.values)
        return build_failed(
            self.path, hp, trace.error or Exception("no error"), name_of(self.build)
        )

    def check_repeatable(self, values: Mapping[str, Value]) -> None:
        """Build the model of `values` once more.

        Raises InvalidSpaceError if an earlier one had other layers, settings or parameter counts.
        """
        self.run(values, suggested(values))

    def _first(self) -> Build:
        """What builds the first model: layers that the user keeps can be trained afterwards."""
        return self.whole or self.build

    def _check(self, trace: Trace, model: Model) -> None:
        if self.check is None:
            return
        try:
            self._check_whole(self.check, model, trace.values)
        except InvalidSpaceError as wrong:
            is_default = self.n_builds == 1 or not trace.values
            self.faults.add(wrong, "" if is_default else f" (with {json.dumps(trace.values)})")

    def _check_whole(
        self, check: Callable[[Model], None], model: Model, values: Mapping[str, Value]
    ) -> None:
        """Raise what `check` finds, if it finds that in a model that can be trained as well."""
        try:
            check(model)
        except InvalidSpaceError:
            if self.whole is None:
                raise
            check(self.whole(Asked(values)))

    def _compare(self, trace: Trace, model: Model) -> None:
        """Raise InvalidSpaceError if the values of `trace` gave another model before."""
        if trace.error is not None or not self.compares:
            return
        self._refuse_kept_weights(model)
        now = outline(model)
        before = self._outlines.setdefault(repr(trace.values), now)
        difference = before.difference(now)
        if difference is not None:
            raise InvalidSpaceError(
                f"{name_of(self.build)} of {self.path} gives another model {_once_more(trace)}: "
                f"{difference}; let every choice come from hp"
            )

    def _refuse_kept_weights(self, model: Model) -> None:
        """Raise InvalidSpaceError if a weight that is trained is an earlier model's too."""
        weights: Iterable[Any] = getattr(model, "trainable_variables", ())
        for weight in weights:
            is_known = self._weights.get(id(weight)) is weight
            if is_known:
                raise InvalidSpaceError(
                    f"{name_of(self.build)} of {self.path} gives two models the same weights "
                    f"{weight.path!r}: what one trial learns would go into the next; make that "
                    "layer inside the function, or set its trainable=False"
                )
            self._weights[id(weight)] = weight

    def _keep(self, trace: Trace) -> None:
        node = self._root
        for ask in trace.active.values():
            self._check_same(node, ask, trace)
            node.declaration, node.place = ask.declaration, ask.place
            node = node.children.setdefault(_key(ask.value), _Node())
        self._check_same(node, None, trace)
        if node.trace is None:
            node.trace = trace

    def _check_same(self, node: _Node, ask: Ask | None, trace: Trace) -> None:
        """Raise InvalidSpaceError if another build went on differently from here."""
        known = node.trace is not None or node.declaration is not None
        now = ask.declaration if ask is not None else None
        if not known or node.declaration == now:
            return
        if ask is None and trace.error is not None:
            raise InvalidSpaceError(
                f"{name_of(self.build)} of {self.path} fails in one of two builds with the same "
                f"values: {users_frame(trace.error, self.path)}"
            )
        names = [_called(node.declaration, node.place), _called(now, ask.place if ask else "")]
        raise InvalidSpaceError(
            f"{name_of(self.build)} of {self.path} asks for other hyperparameters with the same "
            f"values: once {names[0]}, once {names[1]}; let every choice come from hp"
        )


def _once_more(trace: Trace) -> str:
    values = trace.values
    return f"for the same values {json.dumps(values)}" if values else "when it is called again"


def suggested(values: Mapping[str, Value]) -> Answer:
    """Return an answer that gives `values` to the names that can have them, else defaults."""

    def answer(declaration: Declaration) -> Value:
        value = values.get(declaration.name)
        fits = value is not None and declaration.holds(value)
        return value if fits and value is not None else declaration.default

    return answer


Follow = Callable[[Answer], Mapping[str, Value]]
"""The configuration that comes of answers: what a search draws with."""


def _called(declaration: Declaration | None, place: str) -> str:
    return "nothing more" if declaration is None else f"{declaration.name!r} ({place})"


def _key(value: object) -> str:
    return repr(value)
