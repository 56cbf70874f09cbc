"""Several commands of `sweep` in turn in one process, forked from one that has imported TensorFlow.

Each is what a user types; only the seconds in which Python and TensorFlow start are shared, and a
plan is hasty.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support import warm
from tests.support.hasty import hasty_plan


def begin(place: Path, *commands: Sequence[str]) -> warm.Command:
    """Begin commands in folder `place`; the first that fails is the last, with its exit code."""
    lines = [list(command) for command in commands]
    return warm.begin(place, *lines[0], before=_one_after_the_other, given=(lines,))


def _one_after_the_other(commands: list[list[str]]) -> None:
    from sweep.cli import app

    hasty_plan()
    run = app.run

    def run_all() -> None:
        for command in commands:
            sys.argv = ["sweep", *command]
            print(f"$ {' '.join(command)}", flush=True)
            try:
                run()
            except SystemExit as end:
                if end.code not in (0, None):
                    raise

    app.run = run_all
