"""The user's mistakes and the environment's faults, drawn as a tree.

Each carries the exit code the command line ends with; anything that is not a `SweepError`
is our own fault, ends with 1 and shows a traceback. Messages are one line: what is wrong,
where, what to do.
"""

from importlib import import_module


class SweepError(Exception):
    """Base of all errors a user can mend. `exit_code` is the process's exit status."""

    exit_code = 1


class UsageError(SweepError):
    """A combination of options that makes no sense."""

    exit_code = 2


class NotFoundError(SweepError):
    """No such sweep or trial."""

    exit_code = 3


class InvalidSpaceError(SweepError):
    """The search space or a setting cannot be used."""

    exit_code = 4


class SpaceFaultsError(InvalidSpaceError):
    """Several faults of one search space, so that none is found only after another is mended."""

    def __init__(self, where: str, faults: tuple[str, ...]) -> None:
        listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
        super().__init__(f"{where} has {len(faults)} faults: {listed}")
        self.where = where
        self.faults = faults


class DataError(SweepError):
    """Data are missing, damaged or not what was asked for."""

    exit_code = 5


class PlatformError(SweepError):
    """The machine is at fault: disk full, no permission, a library missing."""

    exit_code = 6


class TooManyFailuresError(SweepError):
    """Trials failed beyond the limit; what was recorded is valid."""

    exit_code = 7


class BudgetEndedError(SweepError):
    """A budget ended the search before the plan did; what was recorded is valid."""

    exit_code = 8


class LockedError(SweepError):
    """Another process works on this sweep."""

    exit_code = 9


_OF_KERAS_TUNER = (
    *("FailedTrialError", "FatalError", "FatalRuntimeError", "FatalTypeError", "FatalValueError"),
)


def __getattr__(name: str) -> object:
    """Give Keras Tuner's own errors, for a script that has `kt.errors.FailedTrialError`."""
    if name not in _OF_KERAS_TUNER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module("keras_tuner.errors"), name)
    return found
