"""What a build asks for: each hyperparameter as it is declared, and the hyperparameters object.

`Asked` is handed to a search space's `build(hp)` in place of Keras Tuner's own object. It writes
down what is asked, in order, and answers each name at the moment when it is asked. It differs
from Keras Tuner's in three things: one name has one value in one build, an inactive hyperparameter
has none, and a scope may be opened inside any other scope.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras_tuner

from sweep.records import Value

_BITS_64 = range(-(2**63), 2**63)
_OURS = (str(Path(keras_tuner.__file__).parent), __file__, str(contextlib.__file__))


class AskedWronglyError(Exception):
    """A hyperparameter that cannot be searched as it is asked for. One line with name and place."""


class UnforeseenError(Exception):
    """A hyperparameter that no build asked for while the space was looked at. One line."""


@dataclass(frozen=True)
class Declaration:
    """A hyperparameter as one call of `hp.Int`, `hp.Choice` … declares it."""

    name: str
    kind: str
    """Choice, Int, Float, Boolean or Fixed."""
    values: tuple[Value, ...] | None
    """All values that can be drawn; None for a range."""
    min_value: float | None
    max_value: float | None
    step: float | None
    sampling: str | None
    type_name: str
    """Of the values: a choice among 1 and 2 is another than one among 1.0 and 2.0."""
    parameter: Any = field(compare=False, repr=False)
    """Keras Tuner's own `HyperParameter`."""

    @property
    def default(self) -> Value:
        value: Value = self.parameter.default
        return value

    @property
    def is_switch(self) -> bool:
        """Whether the values are words or True and False."""
        return self.values is not None and self.type_name in ("str", "bool")

    def sample(self, seed: int) -> Value:
        """Return Keras Tuner's random value for a seed."""
        value: Value = self.parameter.random_sample(seed)
        return value

    def holds(self, value: object) -> bool:
        """Return whether `value` may be drawn."""
        if self.values is not None:
            return value in self.values
        return isinstance(value, int | float) and self.min_value <= value <= self.max_value  # type: ignore[operator]  # a range has both ends


@dataclass(frozen=True)
class ConditionalScope:
    """A `conditional_scope`: its content is active if the parent has one of the values."""

    parent: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Ask:
    """One call of `hp.Int`, `hp.Choice` … in a build."""

    declaration: Declaration
    scopes: tuple[ConditionalScope, ...]
    """The scopes around the call, outermost first."""
    active: bool
    value: Value | None
    place: str
    """`FILE line N` of the user."""


Answer = Callable[[Declaration], Value]
"""Gives a value for a hyperparameter that is asked for the first time in a build."""


def unforeseen(declaration: Declaration) -> Value:
    """Raise UnforeseenError: no configuration has a value for a name that is asked for only now.

    Its default would be one value of many that nobody drew, in a table that does not show it. A
    name with a single value has that one.
    """
    if declaration.values is not None and len(set(declaration.values)) == 1:
        return declaration.default
    raise UnforeseenError(
        f"{_place()} asks for {declaration.name!r}, which no build asked for when the space was "
        "looked at, so no value was drawn; ask for it before the condition that it depends on, or "
        "let that condition be a hyperparameter of its own, such as hp.Boolean"
    )


class Asked(keras_tuner.HyperParameters):  # type: ignore[misc]  # Keras Tuner has no types
    """Hyperparameters for one build: `given` values first, `answer` for the names without one."""

    def __init__(self, given: Mapping[str, Value], answer: Answer | None = None) -> None:
        super().__init__()
        self.asks: list[Ask] = []
        self._answer = answer or (lambda declaration: declaration.default)
        self._given = dict(given)
        self._within: list[tuple[ConditionalScope, bool]] = []
        self._names: list[str] = []
        self._first: dict[str, Ask] = {}
        self.values = dict(given)

    def Choice(  # noqa: N802  # Keras Tuner's name
        self,
        name: str,
        values: Any,
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return one of `values`; None if inactive."""
        return self._ask(
            "Choice", name, parent_name, parent_values, values, ordered=ordered, default=default
        )

    def Int(  # noqa: N802
        self,
        name: str,
        min_value: Any,
        max_value: Any,
        step: Any = None,
        sampling: str = "linear",
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return an integer from a range; None if inactive."""
        ends = (min_value, max_value, step, sampling, default)
        return self._ask("Int", name, parent_name, parent_values, *ends)

    def Float(  # noqa: N802
        self,
        name: str,
        min_value: Any,
        max_value: Any,
        step: Any = None,
        sampling: str = "linear",
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return a number from a range; None if inactive."""
        ends = (min_value, max_value, step, sampling, default)
        return self._ask("Float", name, parent_name, parent_values, *ends)

    def Boolean(  # noqa: N802
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return True or False; None if inactive."""
        return self._ask("Boolean", name, parent_name, parent_values, default)

    def Fixed(  # noqa: N802
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return `value`; None if inactive."""
        return self._ask("Fixed", name, parent_name, parent_values, value)

    def get(self, name: str) -> Any:
        """Return the value of an active hyperparameter, also if it was given and is asked later.

        Raises ValueError if the hyperparameter is inactive, KeyError if there is none.
        """
        full = self._full(name)
        if full in self._first:
            return self._first[full].value
        if any(ask.declaration.name == full for ask in self.asks):
            raise ValueError(f"{full} is currently inactive.")
        if full in self._given:
            return self._given[full]
        raise KeyError(f"{full} does not exist.")

    @contextlib.contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put `name/` before the names that are asked inside."""
        self._names.append(name)
        try:
            yield
        finally:
            self._names.pop()

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Make what is asked inside active only if the parent has one of `parent_values`."""
        full = self._full(parent_name)
        known = self._first.get(full)
        if known is None and all(ask.declaration.name != full for ask in self.asks):
            raise ValueError(f"conditional_scope({full!r}) stands before {full!r} is asked for")
        many = isinstance(parent_values, list | tuple | set | frozenset | range)
        scope = ConditionalScope(full, tuple(parent_values) if many else (parent_values,))
        holds = known is not None and known.value in scope.values
        self._within.append((scope, holds))
        try:
            yield
        finally:
            self._within.pop()

    def is_active(self, hyperparameter: Any) -> bool:
        """Return whether the hyperparameter has a value in this build."""
        return str(getattr(hyperparameter, "name", hyperparameter)) in self._first

    def _full(self, name: str) -> str:
        return "/".join([*self._names, str(name)])

    def _ask(
        self, kind: str, name: str, parent: str | None, values: Any, *arguments: Any, **named: Any
    ) -> Any:
        if parent:
            with self.conditional_scope(parent, values):
                return self._ask(kind, name, None, None, *arguments, **named)
        maker = keras_tuner.HyperParameters()
        getattr(maker, kind)(self._full(name), *arguments, **named)
        ask = self._answered(_declaration(maker.space[0]))
        self.asks.append(ask)
        return ask.value

    def _answered(self, declaration: Declaration) -> Ask:
        place = _place()
        name, scopes = declaration.name, tuple(scope for scope, _ in self._within)
        if any(scope.parent == name for scope in scopes):
            raise AskedWronglyError(
                f"{place} asks for {name!r} inside a scope on {name!r} itself; give another name"
            )
        if not all(holds for _, holds in self._within):
            return Ask(declaration, scopes, False, None, place)
        first = self._first.get(name)
        if first is None:
            _refuse_unstorable(declaration, place)
            if name not in self.values:
                self.values[name] = self._answer(declaration)
            first = Ask(declaration, scopes, True, self.values[name], place)
            self._first[name] = first
            self.space.append(declaration.parameter)
            return first
        if first.declaration != declaration:
            raise AskedWronglyError(
                f"{place} asks for {name!r} otherwise than {first.place} in the same model; "
                "a model has one value for a name: give another name"
            )
        return Ask(declaration, scopes, True, first.value, place)

    def begin_again(self) -> None:
        """Forget what was asked, and keep the values that were answered."""
        self.asks.clear()
        self.space.clear()
        self._first.clear()
        self._within.clear()
        self._names.clear()

    @property
    def active(self) -> dict[str, Value]:
        """The values that were asked for, in the order of the asks."""
        return {name: self.values[name] for name in self._first}


def _declaration(parameter: Any) -> Declaration:
    is_range = hasattr(parameter, "min_value")
    values = None if is_range else tuple(parameter.values)
    ends = ("min_value", "max_value", "step", "sampling")
    low, high, step, sampling = (getattr(parameter, one) if is_range else None for one in ends)
    kind, type_name = type(parameter).__name__, type(parameter.default).__name__
    return Declaration(
        parameter.name, kind, values, low, high, step, sampling, type_name, parameter
    )


def _refuse_unstorable(declaration: Declaration, place: str) -> None:
    """Raise AskedWronglyError for a name or value that no database or JSON file can hold."""
    said = (declaration.name, *(declaration.values or ()))
    for text in (one for one in said if isinstance(one, str)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise AskedWronglyError(
                f"{place} asks for {declaration.name!a} with the text {text!a}, which is "
                "no valid Unicode (a lone surrogate)"
            ) from error
    numbers = (*said, declaration.min_value, declaration.max_value)
    for number in numbers:
        if isinstance(number, int) and number not in _BITS_64:
            raise AskedWronglyError(
                f"{place} asks for {declaration.name!r} with the integer {_short(number)}, "
                "which has more than 64 bits"
            )
        if isinstance(number, float) and number != number:
            raise AskedWronglyError(
                f"{place} asks for {declaration.name!r} with NaN, which equals nothing"
            )


def _short(number: int) -> str:
    return hex(number) if number.bit_length() < 200 else f"of {number.bit_length()} bits"


def _place() -> str:
    """`FILE line N` of the nearest frame that is neither Keras Tuner's nor this file's."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    if frame is None:
        return "build(hp)"
    return f"{Path(frame.f_code.co_filename).name} line {frame.f_lineno}"
