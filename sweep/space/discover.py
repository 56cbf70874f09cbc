"""Every hyperparameter that a search space's `build(hp)` asks for, and under which values.

Each value of a switch or a short range, and values along a long one, is tried at least once where
the hyperparameter was first met; then some configurations are drawn at random, for what only two
values together bring. Hyperparameters that are asked for after the one whose value is tried have
untried values in the same build, so a plain space takes about as many builds as its longest
hyperparameter has values.
"""

from dataclasses import dataclass, field

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.asked import Answer, Declaration
from sweep.space.build import name_of
from sweep.space.explore import Explorer, Trace, suggested
from sweep.space.unreached import CallPlace, WrittenSpace, written

MOST_BUILDS = 500
"""Of one discovery."""
_ALL_TRIED = 24
"""A hyperparameter with so many values or fewer has all of them tried."""
_PLACES = (0.05, 0.25, 0.45, 0.55, 0.75, 0.95)
"""Where the others are tried, beside their ends and default: shares of the range."""
_DECLARATIONS_TRIED = 16
"""Of one name: a range that follows from another value may have very many."""
_DECLARATIONS_WHOLE = 4
"""Of one name that are tried at more than their ends."""
_RANDOM_BUILDS = 16
_RANDOM_BUILDS_IF_PLAIN = 8
"""If all builds so far asked for the same."""
_BUILDS_TO_REACH = 200
"""At numbers of the file, where it asks for something in a place that no build came to."""
_RANDOM_SEED = 1
_REPEATED = 4
"""Configurations that are built twice."""


@dataclass(frozen=True)
class Discovery:
    """What was seen of a space."""

    traces: tuple[Trace, ...]
    """Of all builds, the default one first."""
    n_builds: int
    unreached: tuple[CallPlace, ...] = ()
    """Calls of the space's file that no build came to."""

    @property
    def is_flat(self) -> bool:
        """Whether every build asks for the same, whatever the values."""
        flat = _outline(self.traces[0])
        return all(_outline(trace) == flat for trace in self.traces if trace.error is None) and all(
            ask.active and not ask.scopes for ask in self.traces[0].asks
        )

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """Each way in which a hyperparameter is declared, once, in the order of the asks."""
        return tuple(_in_order(self.traces))


def discover(explorer: Explorer) -> Discovery:
    """Return all that builds of the space ask for.

    Raises InvalidSpaceError if the default model or one switch alone cannot be built, if the same
    values give two models, or if new hyperparameters still appear after MOST_BUILDS builds.
    """
    before = explorer.n_builds
    first = explorer.given({})
    if first.error is not None:
        raise explorer.failed(first)
    search = _Coverage(explorer)
    search.learn(first)
    search.cover(before + MOST_BUILDS)
    is_plain = Discovery(tuple(search.traces), 0).is_flat
    n_drawn = _RANDOM_BUILDS_IF_PLAIN if is_plain else _RANDOM_BUILDS
    drawn = [explorer.follow(_random(seed)) for seed in range(n_drawn)]
    for trace in drawn:
        search.learn(trace)
    search.cover(before + MOST_BUILDS)
    unreached = search.reach(written(explorer.path, _name(explorer)))
    _refuse_failing_switches(explorer, search.traces)
    for values in ({}, *(trace.values for trace in drawn[: _REPEATED - 1])):
        explorer.check_repeatable(values)
    return Discovery(tuple(search.traces), explorer.n_builds - before, tuple(unreached))


@dataclass
class _Coverage:
    """Which values of which declaration have been tried, and what the builds asked for."""

    explorer: Explorer
    traces: list[Trace] = field(default_factory=list)
    _contexts: dict[Declaration, dict[str, Value]] = field(default_factory=dict)
    """The values under which a declaration was first met."""
    _left: dict[Declaration, list[Value]] = field(default_factory=dict)
    _n_declarations: dict[str, int] = field(default_factory=dict)
    _new_name_at: int = 0
    """The number of builds when the last new name appeared."""

    def learn(self, trace: Trace) -> None:
        """Take in what a build asked for."""
        self.traces.append(trace)
        values: dict[str, Value] = {}
        for name, ask in trace.active.items():
            if ask.value is None:
                continue
            if ask.declaration not in self._contexts:
                self._meet(ask.declaration, dict(values))
            left = self._left[ask.declaration]
            self._left[ask.declaration] = [one for one in left if repr(one) != repr(ask.value)]
            values[name] = ask.value
        for ask in trace.asks:
            for scope in ask.scopes:
                if scope.parent in trace.active:
                    self._want(trace.active[scope.parent].declaration, scope.values)

    def _meet(self, declaration: Declaration, values: dict[str, Value]) -> None:
        name = declaration.name
        if name not in self._n_declarations:
            self._new_name_at = self.explorer.n_builds
        self._contexts[declaration] = values
        number = self._n_declarations[name] = self._n_declarations.get(name, 0) + 1
        tried = probes(declaration) if number <= _DECLARATIONS_TRIED else []
        # of a range that follows from another value, the ends are enough
        self._left[declaration] = tried if number <= _DECLARATIONS_WHOLE else _ends_of(tried)

    def _want(self, declaration: Declaration, values: tuple[Value, ...]) -> None:
        """Values that a scope names are tried wherever in a range they lie."""
        if declaration.values is not None or self._n_declarations.get(declaration.name, 0) > 1:
            return
        context, left = self._contexts[declaration], self._left[declaration]
        tried = {
            repr(trace.values.get(declaration.name))
            for trace in self.traces
            if context.items() <= trace.values.items()
        }
        for value in values:
            if declaration.holds(value) and repr(value) not in tried and value not in left:
                left.append(value)

    def cover(self, most: int) -> None:
        """Build until each value of each declaration was tried, or `most` builds were made.

        The last declaration goes first: what it needs, deep layers, has most others before it.
        """
        while target := next((one for one, left in reversed(self._left.items()) if left), None):
            if self.explorer.n_builds >= most:
                self._refuse_endless(most)
                return
            value = self._left[target][0]
            self._try(target, value, loosely=True)
            if self._is_left(target, value):
                self._try(target, value, loosely=False)
            if self._is_left(target, value):
                self._left[target].pop(0)

    def _try(self, target: Declaration, value: Value, *, loosely: bool) -> None:
        """Build where `target` was first met, with untried values of the others.

        Loosely, of those before it too, so that `target` may not be asked for.
        """
        untried = {one.name: left[0] for one, left in reversed(self._left.items()) if left}
        context = self._contexts[target]
        given = {**context, **untried} if loosely else {**untried, **context}
        self.learn(self.explorer.given({**given, target.name: value}))

    def _is_left(self, declaration: Declaration, value: Value) -> bool:
        left = self._left[declaration]
        return bool(left) and repr(left[0]) == repr(value)

    def reach(self, text: WrittenSpace) -> list[CallPlace]:
        """Build at the numbers of the file until each of its calls was reached; return the others.

        Those that no value leads to are not tried for: a file without others is left alone.
        """
        before = self.explorer.n_builds
        for seed in range(_BUILDS_TO_REACH):
            unreached = text.unreached(ask for trace in self.traces for ask in trace.asks)
            open_ones = [place for place in unreached if not place.fixed]
            if not open_ones:
                return unreached
            self.learn(self.explorer.follow(text.answer(seed, open_ones)))
            self.cover(before + MOST_BUILDS)
        return text.unreached(ask for trace in self.traces for ask in trace.asks)

    def _refuse_endless(self, most: int) -> None:
        if self._new_name_at > most - MOST_BUILDS // 5:
            names = list(self._n_declarations)
            raise InvalidSpaceError(
                f"{name_of(self.explorer.build)} of {self.explorer.path} still asks for new "
                f"hyperparameters after {MOST_BUILDS} builds, {len(names)} so far, the last called "
                f"{names[-1]!r}; "
                "give the counts and switches fewer values"
            )


def _name(explorer: Explorer) -> str | None:
    """What the space's file calls its search space, if it has one."""
    entry = getattr(explorer.build, "entry", None)
    return None if entry is None else str(entry.name)


def probes(declaration: Declaration) -> list[Value]:
    """Return the values at which a hyperparameter is tried: all, or the ends and some between."""
    if declaration.values is not None:
        return _spread(declaration.values)
    if declaration.kind == "Int" or declaration.step is not None:
        stepped = declaration.step is not None
        if not stepped and declaration.max_value - declaration.min_value < _ALL_TRIED:  # type: ignore[operator]  # a range
            low, high = int(declaration.min_value or 0), int(declaration.max_value or 0)
            return list(range(low, high + 1))
        if stepped:
            number = _n_steps(declaration)
            if number <= _ALL_TRIED:
                return list(
                    dict.fromkeys(
                        declaration.parameter.prob_to_value((index + 0.5) / number)
                        for index in range(number)
                    )
                )
    inner = [declaration.parameter.prob_to_value(share) for share in _PLACES]
    found = [declaration.min_value, declaration.default, *inner, declaration.max_value]
    return list(dict.fromkeys(value for value in found if value is not None))


def _ends_of(values: list[Value]) -> list[Value]:
    return [values[0], values[-1]] if len(values) > 1 else values


def _n_steps(declaration: Declaration) -> int:
    """How many values a stepped range has, at most _ALL_TRIED + 1."""
    count = 0
    for _ in declaration.parameter.values:
        count += 1
        if count > _ALL_TRIED:
            break
    return count


def _spread(values: tuple[Value, ...]) -> list[Value]:
    if len(values) <= _ALL_TRIED:
        return list(values)
    places = [round(i * (len(values) - 1) / (_ALL_TRIED - 1)) for i in range(_ALL_TRIED)]
    return [values[place] for place in dict.fromkeys(places)]


def _random(row: int) -> Answer:
    counted = iter(range(1_000_000))

    def answer(declaration: Declaration) -> Value:
        return declaration.sample(_RANDOM_SEED + 1_000_003 * row + next(counted))

    return answer


def _refuse_failing_switches(explorer: Explorer, traces: list[Trace]) -> None:
    """Raise InvalidSpaceError if one value of a switch, all else at default, cannot be built.

    Other configurations that cannot be built are trials that fail.
    """
    if all(trace.error is None for trace in traces):
        return
    for name, ask in traces[0].active.items():
        for value in ask.declaration.values or () if ask.declaration.is_switch else ():
            trace = explorer.follow(suggested({name: value}))
            if trace.error is not None:
                raise explorer.failed(trace)


def _outline(trace: Trace) -> tuple[Declaration, ...]:
    return tuple(ask.declaration for ask in trace.asks)


def _in_order(traces: tuple[Trace, ...]) -> list[Declaration]:
    found: list[Declaration] = []
    known: set[Declaration] = set()
    for trace in traces:
        after = -1
        for ask in trace.active.values():
            one = ask.declaration
            if one in known:
                after = max(after, found.index(one))
            else:
                known.add(one)
                found.insert(after + 1, one)
                after += 1
    return found
