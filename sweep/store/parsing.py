"""Parses the JSON columns of a sweep's row, once, at the store's door.

Keys that this version does not know are ignored: a later one may have written them. Whatever else
is not as a sweep writes it raises DataError in one line that names the column and the field.
"""

import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.errors import DataError, InvalidSpaceError
from sweep.records import REGULARISERS, Estimate, Json, PlannedRung, PlanRecord, Value

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_Record = TypeVar("_Record")
_MOST = 120
"""Characters of what is wrong: a forged text may be long."""


def plan_record(text: object) -> PlanRecord:
    """Return the plan that column `plan` holds, in which a rung is a list of six numbers.

    Raises DataError as `record` does.
    """
    values = json_object("plan", text)
    rungs = values.get("rungs")
    if isinstance(rungs, list):
        names = [field.name for field in fields(PlannedRung)]
        values["rungs"] = [
            dict(zip(names, rung, strict=False)) if isinstance(rung, list) else rung
            for rung in rungs
        ]
    return record(PlanRecord, "plan", values)


def record(kind: type[_Record], column: str, values: Json) -> _Record:
    """Return the record that the JSON object of a column describes.

    Raises DataError, which names the column and the field, if it describes none.
    """
    from pydantic import ValidationError

    try:
        found: _Record = _adapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(f"{column}.{place}", first["msg"].removeprefix("Value error, ")) from error
    except InvalidSpaceError as error:
        raise _damaged(column, str(error)) from error
    return found


def json_object(column: str, text: object) -> Json:
    """Return the JSON object in a column. Raises DataError if another thing is there."""
    if not isinstance(text, str):
        raise _damaged(column, f"text expected, {type(text).__name__} found")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(column, f"no JSON ({error})") from error
    if not isinstance(found, dict):
        raise _damaged(column, f"a JSON object expected, {type(found).__name__} found")
    return found


def hyperparameters_of(text: object) -> dict[str, Value]:
    """Return a trial's hyperparameters from their JSON. Raises DataError if it holds none."""
    values = json_object("hyperparameters", text)
    for name, value in values.items():
        if not _is_value(value):
            raise _damaged("hyperparameters", f"{name[:40]!r} is no text or 64-bit number")
    return values


def estimates(text: object) -> dict[str, Estimate]:
    """Return the estimates in column `measures`, by name: [value, low, high], null for NaN.

    Raises DataError if it holds none.
    """
    found = {}
    for name, numbers in json_object("measures", text).items():
        good = isinstance(numbers, list) and len(numbers) == 3
        if not good or not all(one is None or type(one) in (int, float) for one in numbers):
            raise _damaged("measures", f"{name[:40]!r} is no value with its interval")
        found[name] = Estimate(*(math.nan if one is None else float(one) for one in numbers))
    return found


def regularisation_of(text: object) -> dict[str, dict[str, float]] | None:
    """Return what a trial's model is regularised by: by kind, where and how strong.

    None if it was not read. Raises DataError for anything else than a sweep writes.
    """
    if text is None:
        return None
    values = json_object("regularisation", text)
    for kind, places in values.items():
        if kind not in REGULARISERS or not isinstance(places, dict):
            raise _damaged("regularisation", f"{kind[:40]!r} is no kind of regulariser with places")
        if not all(isinstance(one, int | float) for one in places.values()):
            raise _damaged("regularisation", f"{kind} has a strength that is no number")
    return values


def metrics_of(text: object) -> dict[str, float | None]:
    """Return a model's own metrics by name, None for one that is not finite. Raises DataError."""
    values = {} if text is None else json_object("metrics", text)
    for name, value in values.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _damaged("metrics", f"{name[:40]!r} is no number")
    return values


def _is_value(value: object) -> bool:
    if isinstance(value, float):
        return value == value  # not NaN
    if isinstance(value, bool | str):
        return True
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _damaged(place: str, problem: str) -> DataError:
    place, problem = (" ".join(text[:_MOST].split()) for text in (place, problem))
    return DataError(f"the sweep is damaged: {place}: {problem}; restore it from a copy")


def _adapter(kind: type[_Record]) -> "TypeAdapter[_Record]":
    """Return the parser of a kind of record; making one takes milliseconds, so each is kept."""
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: "dict[type, TypeAdapter[Any]]" = {}
