"""From a page's form to what the API takes: empty fields are left out, numbers are numbers."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError

from sweep.errors import InvalidSpaceError
from sweep.serve.work.asked import AnyAsked, RequestPart, SettingsAsked

_Read = TypeVar("_Read", bound=BaseModel)
_JOB: TypeAdapter[Any] = TypeAdapter(AnyAsked)


async def fields(request: Request) -> dict[str, str]:
    """Return a form's fields; those left empty are not there."""
    form = await request.form()
    found = {name: str(value).strip() for name, value in form.items() if isinstance(value, str)}
    return {name: value for name, value in found.items() if value}


def job_of(values: Mapping[str, Any]) -> Any:
    """Return what is asked. Raises InvalidSpaceError naming the first field that is wrong."""
    try:
        return _JOB.validate_python(values)
    except ValidationError as error:
        raise _wrong(error) from error


def settings_asked(values: Mapping[str, Any]) -> RequestPart:
    """Return settings. Raises InvalidSpaceError naming the first field that is wrong."""
    return read_as(SettingsAsked, values)


def read_as(model: type[_Read], values: Mapping[str, Any]) -> _Read:
    """Return what a form asks for, as the API takes it.

    Raises InvalidSpaceError naming the first field that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _wrong(error) from error


def whole(given: Mapping[str, str], name: str, most: int) -> int | None:
    """Return a whole number from 0 to `most`, None if the field is empty.

    Raises InvalidSpaceError for what is none.
    """
    text = given.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 10 or int(text) > most:
        raise InvalidSpaceError(f"{name} is {text[:20]!r}, expected a number from 0 to {most:,}")
    return int(text)


def typed(model: type[BaseModel], given: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Return the fields of a model that a form has given, as numbers and flags where it has such.

    A check box that is not ticked is not sent: `name-there` says that it was shown.
    """
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = str(field.annotation)
        text = given.get(f"{prefix}{name}")
        if text in ("yes", "no") and "bool" in kind:
            found[name] = text == "yes"
        elif "bool" in kind:
            if f"{prefix}{name}-there" in given:
                found[name] = text is not None
        elif text is not None:
            found[name] = _value(kind, text)
    return found


def _value(kind: str, text: str) -> Any:
    """Return what a field of a kind holds: a list its one text, a size of rows may be a share."""
    if "list" in kind:
        return [text]
    if "int" in kind and "str" in kind:
        whole = text.replace(",", "")
        return int(whole) if whole.isdecimal() else text
    return _number(text) if "int" in kind or "float" in kind else text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text.replace(",", ""))
        except ValueError:
            continue
    return text


def _wrong(error: ValidationError) -> InvalidSpaceError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return InvalidSpaceError(f"{where}: {first['msg']}"[:300])
