"""Every hyperparameter that a search space's `build(hp)` asks for."""

from pathlib import Path
from typing import Any

from sweep.records import Value
from sweep.space.build import Build, build_once

_MOST_SWITCHES = 64


def discover(path: Path, build: Build) -> Any:
    """Return every hyperparameter of `build`, those behind a condition too.

    Conditional scopes are entered, and every value of a switch (a boolean, or a choice among
    names) is tried once, each with the others at their defaults.
    """
    import keras_tuner

    known = keras_tuner.HyperParameters()
    tried: list[dict[str, Value]] = []
    todo: list[dict[str, Value]] = [{}]
    while todo:
        values = todo.pop(0)
        tried.append(values)
        hp = keras_tuner.HyperParameters()
        hp.values = {**{p.name: p.default for p in known.space}, **values}
        build_once(path, build, hp)
        known.merge(hp.space)
        scopes = [{c.name: c.values[0] for c in scope} for scope in hp.inactive_scopes if scope]
        switches = [{**values, p.name: value} for p in hp.space for value in _switch_values(p)]
        todo += [one for one in scopes + switches if one not in tried and one not in todo]
        if len(tried) > _MOST_SWITCHES:
            break
    return known


def _switch_values(hp: Any) -> list[Value]:
    values = list(getattr(hp, "values", None) or [])
    return values if values and all(isinstance(v, bool | str) for v in values) else []
