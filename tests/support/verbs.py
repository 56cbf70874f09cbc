"""Many commands of `sweep` in turn in one process, forked from one that has imported TensorFlow.

Each is what a user types; only the seconds in which Python and TensorFlow start are shared, and a
plan is hasty.
"""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import warm
from tests.support.hasty import hasty_plan


def begin(top: Path, commands: Mapping[Path, Sequence[Sequence[str]]]) -> warm.Command:
    """Begin the commands of each folder in it, one folder after the other; `top` has the words.

    The first command of a folder that fails is its last. Its files `out`, `err` and `code` say how
    it went.
    """
    lines = [(place, [list(one) for one in of_place]) for place, of_place in commands.items()]
    return warm.begin(top, "ls", before=_one_after_the_other, given=(lines,))


def _one_after_the_other(commands: list[tuple[Path, list[list[str]]]]) -> None:
    from sweep.cli import app

    hasty_plan()
    run = app.run

    def run_all() -> None:
        for place, lines in commands:
            (place / "code").write_text(str(_carried_out(place, lines)))

    def _carried_out(place: Path, lines: list[list[str]]) -> object:
        os.chdir(place)
        os.environ["SWEEP_CACHE"] = str(place / "cache")
        for name, descriptor in (("out", 1), ("err", 2)):
            opened = os.open(place / name, os.O_WRONLY | os.O_CREAT)
            os.dup2(opened, descriptor)
            os.close(opened)
        try:
            for line in lines:
                sys.argv = ["sweep", *line]
                print(f"$ {' '.join(line)}", flush=True)
                try:
                    run()
                except SystemExit as end:
                    if end.code not in (0, None):
                        return end.code
        except Exception:
            traceback.print_exc()
            return 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return 0

    app.run = run_all
