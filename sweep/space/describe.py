"""How a hyperparameter is declared, as JSON, and the ends of its range."""

from typing import Any

from sweep.records import Json, Value


def definition(hp: Any) -> Json:
    """Return the name, kind and range or values of the hyperparameter `hp`, as JSON."""
    names = ("min_value", "max_value", "step", "sampling")
    if hasattr(hp, "min_value"):
        return {
            "name": hp.name,
            "kind": type(hp).__name__,
            **{name: getattr(hp, name) for name in names},
        }
    values = getattr(hp, "values", None)
    values = [hp.default] if values is None else list(values)
    return {"name": hp.name, "kind": type(hp).__name__, "values": values}


def ends(hp: Any) -> tuple[Value, Value]:
    """Return the least and the greatest value of `hp`; of words, the first and the last."""
    values = list(hp.values) if getattr(hp, "values", None) else [hp.default]
    if hasattr(hp, "min_value"):
        return hp.min_value, hp.max_value
    ordered = all(isinstance(v, int | float) for v in values)
    return (min(values), max(values)) if ordered else (values[0], values[-1])
