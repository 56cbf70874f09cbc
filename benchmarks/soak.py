"""Sweeps killed by SIGKILL at random moments and resumed, again and again, with both trainers.

    python benchmarks/soak.py --kills 200 --minutes 7

Each searches, with two seeds of its baseline, is confirmed and extended. Each that got
to its end is compared with one that was never killed: every table and every
array of every checkpoint must be the same. Ends with 1 when one is not. The processes are forked
from one that has imported TensorFlow, so that a kill costs two seconds instead of eight.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sweep.store import Store
from tests.support import tiny, warm

_MORE = ("--max-epochs", "4", "--factor", "2", "--seeds", "2")
_LONGER = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="Stop after so many.")
    parser.add_argument("--minutes", type=float, default=7, help="Or after so long.")
    parser.add_argument("--seed", type=int, default=0, help="Of the moments.")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    moments = random.Random(options.seed)
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = tiny.make_place(Path(folder))
        seconds, wholes = {}, {}
        for trainer in ("keras", "fused"):
            for name in ("warm-up", "whole"):  # the first one parses the data
                began = time.monotonic()
                for _, command in _commands(f"{name}-{trainer}", trainer):
                    warm.run(place, *command)
            seconds[trainer] = time.monotonic() - began
            wholes[trainer] = tiny.contents(place, f"whole-{trainer}")
        number = 0
        while sum(n for (_, what), n in counts.items() if what == "kills") < options.kills:
            if time.monotonic() > deadline:
                break
            number += 1
            trainer = ("keras", "fused")[number % 2]
            counts[trainer, "sweeps"] += 1
            name = f"{trainer}-{number}"
            kills = _kill_until_done(place, name, trainer, seconds[trainer], moments)
            counts[trainer, "kills"] += kills
            found = tiny.contents(place, name)
            differing = tiny.differences(wholes[trainer], found)
            if differing:
                counts[trainer, "differing"] += 1
                print(f"{name} differs after {kills} kills:", flush=True)
                for what in differing:
                    print(f"  {what}: {wholes[trainer].get(what)} became {found.get(what)}"[:4000])
    print("| trainer | sweeps | kills | sweeps that differ |\n|---|---|---|---|")
    for trainer in ("keras", "fused"):
        row = [counts[trainer, what] for what in ("sweeps", "kills", "differing")]
        print(f"| {trainer} | {' | '.join(map(str, row))} |")
    sys.exit(any(n for (_, what), n in counts.items() if what == "differing"))


def _commands(name: str, trainer: str) -> list[tuple[Callable[[Store], bool], list[str]]]:
    """A sweep's commands in their order, and whether each has begun in a store there is."""
    return [
        (lambda _: True, tiny.start(name, trainer, *_MORE)),
        (
            lambda store: len(store.confirmed_seeds()) > 1,  # one is the baseline's
            ["confirm", name, "--top", "2", "--seeds", "2"],
        ),
        (
            lambda store: store.sweep().settings["max_epochs"] == _LONGER,
            ["extend", name, "--max-epochs", str(_LONGER)],
        ),
    ]


def _kill_until_done(
    place: Path, name: str, trainer: str, seconds: float, moments: random.Random
) -> int:
    """Carry out a sweep's commands, each killed and resumed until its end; how often killed."""
    return sum(
        _kill_until_ended(place, name, begun, command, seconds / 3, moments)
        for begun, command in _commands(name, trainer)
    )


def _kill_until_ended(
    place: Path,
    name: str,
    begun: Callable[[Store], bool],
    first: list[str],
    seconds: float,
    moments: random.Random,
) -> int:
    database = place / "results" / name / "sweep.db"
    kills = 0
    while True:
        arguments = ["resume", name] if _has(database, begun) else first
        command = warm.begin(place, *arguments)
        if moments.random() < 0.8:  # of the other moments most fall into starting and compiling
            for _ in range(moments.randint(1, 3)):
                _await_progress(command, database.parent)
            command.process.join(moments.uniform(0, 0.03))
        else:
            command.process.join(moments.uniform(0.2, 0.6 * seconds))
        if command.process.exitcode is None:
            command.kill()
        if command.process.exitcode == 0:
            return kills
        if command.process.exitcode != -9:
            sys.exit(f"{arguments} ended with {command.process.exitcode}: {command.stderr}")
        kills += 1
        if database.exists():
            tiny.assert_sound(place, name)


def _has(database: Path, begun: Callable[[Store], bool]) -> bool:
    if not database.exists():
        return False
    with Store(database, read_only=True) as store:
        return begun(store)


def _await_progress(command: warm.Command, folder: Path) -> None:
    """Until the command has written another checkpoint, or has ended."""
    before = _checkpoints(folder)
    while command.process.is_alive() and _checkpoints(folder) <= before:
        time.sleep(0.002)


def _checkpoints(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("checkpoints/*.npz")}


if __name__ == "__main__":
    main()
