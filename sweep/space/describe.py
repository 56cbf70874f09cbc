"""How the hyperparameters of a space are declared, as JSON, and under which values each is asked.

A name that is declared in several ways, such as one learning rate for each optimizer, has one
entry for each way. `asked_if` says when an entry is the active one.
"""

from collections.abc import Sequence

from sweep.records import Json, Value
from sweep.space.asked import Declaration, Scope
from sweep.space.discover import Discovery
from sweep.space.explore import Trace

_MOST_WAYS = 8
"""A name declared in more ways has one entry with the widest range, or all values."""
_MOST_VALUES = 24


def definitions(discovery: Discovery) -> list[Json]:
    """Return the name, kind, and range or values of every declaration, each once.

    `asked_if` is absent if the declaration holds in every configuration. It is a list of parents
    and values that must all hold, or None if no such list fits what was seen.
    """
    by_name: dict[str, list[Declaration]] = {}
    for one in discovery.declarations:
        by_name.setdefault(one.name, []).append(one)
    found: list[Json] = []
    for ways in by_name.values():
        if len(ways) > _MOST_WAYS:
            found += [{**_widest(kind), "asked_if": None} for kind in _by_kind(ways)]
        else:
            found += [_definition(one) | _asked_if(one, discovery) for one in ways]
    return found


def conditions(declaration: Declaration, traces: Sequence[Trace]) -> tuple[Scope, ...] | None:
    """Return the parents and values under which a declaration is asked for, as `traces` show.

    None if no values of switches or counts tell the builds that ask for it from the others.
    """
    asking = [trace for trace in traces if _asks(trace, declaration)]
    others = [t for t in traces if t.error is None and not _asks(t, declaration)]
    chosen: list[Scope] = []
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


def _definition(one: Declaration) -> Json:
    head = {"name": one.name, "kind": one.kind}
    if one.values is not None:
        return {**head, "values": list(one.values)}
    span = {"min_value": one.min_value, "max_value": one.max_value}
    return {**head, **span, "step": one.step, "sampling": one.sampling}


def _asked_if(one: Declaration, discovery: Discovery) -> Json:
    found = conditions(one, discovery.traces)
    if found == ():
        return {}
    named = None if found is None else [{"name": s.parent, "values": list(s.values)} for s in found]
    return {"asked_if": named}


def _asks(trace: Trace, declaration: Declaration) -> bool:
    ask = trace.active.get(declaration.name)
    return ask is not None and ask.declaration == declaration


def _holds(scope: Scope, trace: Trace) -> bool:
    ask = trace.active.get(scope.parent)
    return ask is not None and ask.value in scope.values


def _candidates(declaration: Declaration, asking: Sequence[Trace]) -> list[Scope]:
    """Switches and counts that all of the builds ask for before, with the values they have."""
    found: list[Scope] = []
    before = [_before(trace, declaration.name) for trace in asking]
    for name in before[0]:
        if not all(name in names for names in before):
            continue
        parents = [trace.active[name] for trace in asking]
        if any(ask.declaration.kind == "Float" for ask in parents):
            continue
        values = dict.fromkeys(ask.value for ask in parents if ask.value is not None)
        if len(values) <= _MOST_VALUES:
            found.append(Scope(name, tuple(sorted(values, key=_by_size))))
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


def _widest(ways: Sequence[Declaration]) -> Json:
    """One definition that holds every value of declarations of one kind."""
    first = _definition(ways[0])
    if ways[0].values is not None:
        every = dict.fromkeys(value for one in ways for value in one.values or ())
        return {**first, "values": list(every)}
    spans = [_definition(one) for one in ways]
    same_step = len({one.step for one in ways}) == 1
    return first | {
        "min_value": min(span["min_value"] for span in spans),
        "max_value": max(span["max_value"] for span in spans),
        "step": ways[0].step if same_step else None,
        "sampling": ways[0].sampling if len({one.sampling for one in ways}) == 1 else "linear",
    }
