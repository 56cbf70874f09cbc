"""Programs of people who have Keras and not this package.

Forked from a process that has imported TensorFlow and this package: its modules are taken out, and
it must have entered nothing into Keras' registry, so nothing of it is left.
"""

import os
import sys
import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path

from tests.support import warm

_OURS = ("sweep", "search_spaces", "tests")


def without_package(place: Path, code: str, *arguments: str) -> str:
    """What `code` prints in folder `place`, in a process that cannot import this package."""
    done = warm.begin(place, *arguments, before=_carry_out, given=(code,))
    assert done.wait() == 0, done.stderr
    return done.stdout


class _Absent:
    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] in _OURS:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return None


def _carry_out(code: str) -> None:
    import keras

    ours = [name for name in sys.modules if name.partition(".")[0] in _OURS]
    known = keras.saving.get_custom_objects().values()
    entered = [one for one in known if one.__module__.partition(".")[0] in _OURS]
    assert "sweep" in ours and not entered, f"Keras knows of this package: {entered}"
    for name in ours:
        del sys.modules[name]
    sys.meta_path.insert(0, _Absent())
    warnings.simplefilter("error", UserWarning)
    exec(code, {"__name__": "__main__"})
    sys.stdout.flush()
    os._exit(0)
