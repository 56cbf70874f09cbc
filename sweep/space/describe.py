"""How the hyperparameters of a space are declared, and under which values each is asked for.

A name that is declared in several ways, such as one learning rate for each optimizer, has one
entry for each way. `asked_if` says when an entry is the active one.
"""

from collections.abc import Sequence

from sweep.records import Value
from sweep.space.asked import ConditionalScope, Declaration
from sweep.space.discover import Discovery
from sweep.space.explore import Trace
from sweep.space.record import ChoiceDefinition, Condition, Conditions, Definition, RangeDefinition

_MOST_WAYS = 8
"""A name declared in more ways has one entry with the widest range, or all values."""
_MOST_VALUES = 24


def definitions(discovery: Discovery) -> tuple[Definition, ...]:
    """Return every way in which a hyperparameter is declared, each once."""
    by_name: dict[str, list[Declaration]] = {}
    for one in discovery.declarations:
        by_name.setdefault(one.name, []).append(one)
    found: list[Definition] = []
    for ways in by_name.values():
        if len(ways) > _MOST_WAYS:
            found += [_widest(kind) for kind in _by_kind(ways)]
        else:
            found += [_definition(one, _asked_if(one, discovery)) for one in ways]
    return tuple(found)


def conditions(
    declaration: Declaration, traces: Sequence[Trace]
) -> tuple[ConditionalScope, ...] | None:
    """Return the parents and values under which a declaration is asked for, as `traces` show.

    None if no values of switches or counts tell the builds that ask for it from the others.
    """
    asking = [trace for trace in traces if _asks(trace, declaration)]
    others = [t for t in traces if t.error is None and not _asks(t, declaration)]
    chosen: list[ConditionalScope] = []
    for scope in asking[0].active[declaration.name].scopes:
        if all(scope in trace.active[declaration.name].scopes for trace in asking):
            chosen.append(scope)
            others = [trace for trace in others if _holds(scope, trace)]
    candidates = _candidates(declaration, asking)
    while others:
        left = {scope: [trace for trace in others if _holds(scope, trace)] for scope in candidates}
        best = min(candidates, key=lambda scope: len(left[scope]), default=None)
        if best is None or len(left[best]) == len(others):
            return None
        chosen.append(best)
        others = left[best]
    return tuple(chosen)


def ends(declaration: Declaration) -> tuple[Value, Value]:
    """Return the least and the greatest value; of words, the first and the last."""
    if declaration.values is None:
        return declaration.parameter.min_value, declaration.parameter.max_value
    values = list(declaration.values)
    if declaration.kind == "Boolean" or all(isinstance(v, int | float) for v in values):
        numbers = [value for value in values if isinstance(value, int | float)]
        return min(numbers), max(numbers)
    return values[0], values[-1]


def _definition(one: Declaration, asked_if: Conditions) -> Definition:
    if one.values is not None:
        return ChoiceDefinition(one.name, one.kind, one.values, asked_if)
    low, high = one.parameter.min_value, one.parameter.max_value
    return RangeDefinition(one.name, one.kind, low, high, one.step, one.sampling, asked_if)


def _asked_if(one: Declaration, discovery: Discovery) -> Conditions:
    found = conditions(one, discovery.traces)
    return None if found is None else tuple(Condition(s.parent, s.values) for s in found)


def _asks(trace: Trace, declaration: Declaration) -> bool:
    ask = trace.active.get(declaration.name)
    return ask is not None and ask.declaration == declaration


def _holds(scope: ConditionalScope, trace: Trace) -> bool:
    ask = trace.active.get(scope.parent)
    return ask is not None and ask.value in scope.values


def _candidates(declaration: Declaration, asking: Sequence[Trace]) -> list[ConditionalScope]:
    """Switches and counts that all of the builds ask for before, with the values they have."""
    found: list[ConditionalScope] = []
    before = [_before(trace, declaration.name) for trace in asking]
    for name in before[0]:
        if not all(name in names for names in before):
            continue
        parents = [trace.active[name] for trace in asking]
        if any(ask.declaration.kind == "Float" for ask in parents):
            continue
        values = dict.fromkeys(ask.value for ask in parents if ask.value is not None)
        if len(values) <= _MOST_VALUES:
            found.append(ConditionalScope(name, tuple(sorted(values, key=_by_size))))
    return found


def _by_size(value: Value) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, value)


def _before(trace: Trace, name: str) -> dict[str, None]:
    names = list(trace.active)
    return dict.fromkeys(names[: names.index(name)])


def _by_kind(ways: Sequence[Declaration]) -> list[list[Declaration]]:
    kinds: dict[tuple[str, str], list[Declaration]] = {}
    for one in ways:
        kinds.setdefault((one.kind, one.type_name), []).append(one)
    return list(kinds.values())


def _widest(ways: Sequence[Declaration]) -> Definition:
    """One definition that holds every value of declarations of one kind."""
    first = ways[0]
    if first.values is not None:
        every = dict.fromkeys(value for one in ways for value in one.values or ())
        return ChoiceDefinition(first.name, first.kind, tuple(every), None)
    return RangeDefinition(
        first.name,
        first.kind,
        min(one.parameter.min_value for one in ways),
        max(one.parameter.max_value for one in ways),
        first.step if len({one.step for one in ways}) == 1 else None,
        first.sampling if len({one.sampling for one in ways}) == 1 else "linear",
        None,
    )
