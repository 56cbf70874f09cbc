"""Asks the process at work on a sweep to stop, wherever it runs, and waits until it has."""

import time

from sweep.errors import LockedError, PlatformError
from sweep.sweep_folder import SweepFolder

PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.1


def request(folder: SweepFolder) -> bool:
    """Ask the process at work to stop, without waiting; False if no process is at work.

    Raises PlatformError if the request cannot be written.
    """
    holder = folder.holder()
    if holder is None:
        return False
    try:
        folder.stop_request.touch()
    except OSError as error:
        raise _cannot_ask(folder, holder, error) from error
    return True


def stop(folder: SweepFolder) -> bool:
    """Stop a running sweep; False if no process is at work on it.

    Raises LockedError if the process does not end in time, PlatformError if the request cannot be
    written.
    """
    holder = folder.holder()
    if holder is None:
        return False
    try:
        folder.stop_request.touch()
        _wait(folder, holder)
        folder.stop_request.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_ask(folder, holder, error) from error
    return True


def _cannot_ask(folder: SweepFolder, holder: str, error: OSError) -> PlatformError:
    return PlatformError(
        f"cannot ask sweep {folder.name} to stop: {folder.stop_request} cannot be written "
        f"({error.strerror}); stop {holder} where it runs"
    )


def _wait(folder: SweepFolder, holder: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while folder.holder() is not None:
        if time.monotonic() > deadline:
            raise LockedError(
                f"sweep {folder.name} has not stopped within {PATIENCE_SECONDS:.0f} s: {holder} "
                "does not answer; kill it where it runs, what it has saved is kept"
            )
        time.sleep(_POLL_SECONDS)
