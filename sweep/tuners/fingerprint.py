"""Whether two runs of a script have the same `build`: a fingerprint of what its functions do.

Comments, lines and what else stands in the file do not count. What counts is the code of `build`,
and all of the user's own that it refers to: functions, classes, numbers, arrays.
"""

import dis
import hashlib
import inspect
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sweep.space.home import is_users
from sweep.tuners.written_names import written_attributes, written_globals

_DEEPEST = 40
_PLAIN = (str, int, float, bool, type(None), list, tuple, dict)
_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")


@dataclass
class FunctionParts:
    """The digests of all that a function refers to, by where it stands."""

    found: dict[str, str] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)

    def add(self, name: str, value: Any, depth: int = 0) -> str:
        """Take in a value and what it refers to; return a short text that stands for it."""
        if id(value) in self._seen or depth > _DEEPEST:
            return f"<{name}>"
        return self._text(name, value, depth)

    def _text(self, name: str, value: Any, depth: int) -> str:
        if isinstance(value, types.MethodType):
            return self.add(name, value.__func__, depth) + self._owner(name, value, depth)
        if isinstance(value, types.FunctionType):
            return self._function(name, value, depth)
        if isinstance(value, type):
            return self._class(name, value, depth)
        if isinstance(value, types.ModuleType | types.BuiltinFunctionType):
            return getattr(value, "__name__", name)
        if isinstance(value, str | bytes | int | float | complex | bool | type(None)):
            return repr(value)
        if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
            return self._array(value)
        if isinstance(value, Mapping):
            items = [
                f"{key!r}: {self.add(f'{name}[{key!r}]', v, depth + 1)}" for key, v in value.items()
            ]
            return "{" + ", ".join(items) + "}"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(self.add(name, one, depth + 1) for one in value) + "]"
        if isinstance(value, set | frozenset):
            return "{" + ", ".join(sorted(self.add(name, one, depth + 1) for one in value)) + "}"
        return self._object(name, value, depth)

    def _owner(self, name: str, method: types.MethodType, depth: int) -> str:
        return self.add(f"{name}.self", method.__self__, depth + 1)

    def _function(self, name: str, function: types.FunctionType, depth: int) -> str:
        if not _is_own(function):
            return f"{function.__module__}.{function.__qualname__}"
        self._seen.add(id(function))
        code = function.__code__
        lines = [_code(code), repr(function.__defaults__), repr(function.__kwdefaults__)]
        for free, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            try:
                lines.append(f"{free} = {self.add(free, cell.cell_contents, depth + 1)}")
            except ValueError:  # an empty cell
                lines.append(f"{free} is not set")
        given = function.__globals__
        lines += [
            f"{used} = {self.add(used, given[used], depth + 1)}"
            for used in sorted(_names(code) - written_globals(code))
            if used in given
        ]
        return self._keep(name, lines)

    def _class(self, name: str, kind: type, depth: int) -> str:
        if not _is_own(kind):
            return f"{kind.__module__}.{kind.__qualname__}"
        self._seen.add(id(kind))
        lines = [self.add(base.__name__, base, depth + 1) for base in kind.__bases__]
        for key, value in sorted(vars(kind).items()):
            value = getattr(value, "__func__", value)
            if _is_pythons(key, value):
                continue
            value = value.fget if isinstance(value, property) else value
            lines.append(f"{key} = {self.add(f'{name}.{key}', value, depth + 1)}")
        return self._keep(name, lines)

    def _object(self, name: str, value: Any, depth: int) -> str:
        """An object by its class and its attributes; of a library's, by its configuration."""
        self._seen.add(id(value))
        kind = self.add(type(value).__name__, type(value), depth + 1)
        if callable(getattr(value, "get_config", None)):
            try:
                return f"{kind}({self.add(name, value.get_config(), depth + 1)})"
            except Exception:
                return kind
        if not _is_own(type(value)):
            plain = {k: v for k, v in _attributes(value).items() if isinstance(v, _PLAIN)}
            return f"{kind}({plain!r})"
        written = set().union(*map(written_attributes, type(value).__mro__))
        kept = {key: one for key, one in vars(value).items() if key not in written}
        return f"{kind}({self.add(name, kept, depth + 1)})"

    def _array(self, value: Any) -> str:
        try:
            array = np.ascontiguousarray(np.asarray(value))
            digest = hashlib.sha256(
                array.tobytes() if array.dtype != object else repr(array.tolist()).encode()
            )
        except Exception:
            return type(value).__name__
        return f"array {array.dtype} {array.shape} {digest.hexdigest()}"

    def _keep(self, name: str, lines: list[str]) -> str:
        digest = _sha256("\n".join(lines))
        self.found.setdefault(name, digest)
        return f"{name} {digest}"


def fingerprint_of(given: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the SHA-256 of named values and all they refer to, and those of the parts by name."""
    parts = FunctionParts()
    for name, value in given.items():
        parts.found[name] = _sha256(parts.add(name, value))
    whole = "\n".join(f"{name} {parts.found[name]}" for name in given)
    return _sha256(whole), parts.found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of what is another now; those that contain others last."""
    return [name for name in dict.fromkeys((*now, *before)) if before.get(name) != now.get(name)]


def _attributes(value: Any) -> dict[str, Any]:
    """A callback's settings; of another library's object nothing is known to be one."""
    kinds = {kind.__name__ for kind in type(value).__mro__}
    return dict(vars(value)) if "Callback" in kinds else {}


def _code(code: types.CodeType) -> str:
    """What a code object does, without its lines and files."""
    constants = [
        _code(one) if isinstance(one, types.CodeType) else _constant(one) for one in code.co_consts
    ]
    if isinstance(next(iter(code.co_consts), None), str) and code.co_name[:1] != "<":
        constants[0] = "its docstring"
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_name} {code.co_code.hex()} {names!r} {constants!r} {code.co_flags}"


def _constant(value: Any) -> str:
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _names(code: types.CodeType) -> set[str]:
    """The global names that a code object and those in it use."""
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    own = {str(one.argval) for one in dis.get_instructions(code) if one.opname in _GLOBALS}
    return own.union(*map(_names, inner))


def _is_pythons(key: str, value: Any) -> bool:
    """Whether Python keeps it with a class, some of it only once objects have been copied."""
    is_special = key.startswith("__") and key.endswith("__") and key != "__slots__"
    return key == "_abc_impl" or (is_special and not isinstance(value, types.FunctionType))


def _is_own(value: Any) -> bool:
    """Whether a function or class is the user's, in a file, a notebook or typed in."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is None or getattr(value, "__module__", "") == "__main__":
        return True
    try:
        return is_users(Path(inspect.getfile(module)))
    except TypeError:  # built in
        return False
