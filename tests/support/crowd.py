"""Many commands at once on one results folder, and what became of them."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import tiny, warm

LOOKS = (["status"], ["ls"], ["report", "--no-charts", "-o", "json"])


@dataclass
class Seen:
    """What a crowd did. `waited` is the longest that a writer waited for any database, seconds."""

    looks: int = 0
    errors: list[str] = field(default_factory=list)
    codes_of_one_name: list[int] = field(default_factory=list)
    waited: float = 0.0


def crowd(place: Path, trainer: str, n_sweeps: int, n_lookers: int) -> Seen:
    """Run sweeps `one-0` … beside each other and two of the name `twin`, looked at all the time."""
    seen = Seen()
    sweeps = [warm.begin(place, *tiny.start(f"one-{n}", trainer)) for n in range(n_sweeps)]
    twins = [warm.begin(place, *tiny.start("twin", trainer)) for _ in range(2)]
    lookers = [warm.begin(place, "ls", before=look_on, given=(n,)) for n in range(n_lookers)]
    over = threading.Event()
    prober = threading.Thread(target=_probe, args=(place, over, seen))
    prober.start()
    for one in sweeps:
        if one.wait(600) != 0:
            seen.errors.append(one.stderr)
    seen.codes_of_one_name = sorted(twin.wait(600) for twin in twins)
    (place / "over").touch()
    over.set()
    prober.join()
    for looker in lookers:
        if looker.wait(60) != 0:
            seen.errors.append(looker.stderr)
    for path in place.glob("looked-*"):
        looks, errors = json.loads(path.read_text())
        seen.looks += looks
        seen.errors += errors
    return seen


def look_on(number: int) -> None:
    """Instead of one command, carry out `LOOKS` in turn until there is a file called `over`."""
    import sys

    from sweep.cli import app

    run, errors, looks = app.run, [], 0
    sweep_there = Path("results")

    def looking() -> None:
        nonlocal looks
        while not Path("over").exists():
            arguments = LOOKS[looks % len(LOOKS)]
            if any(sweep_there.glob("*/sweep.db")):
                sys.argv = ["sweep", *arguments]
                try:
                    run()
                except SystemExit as end:
                    if end.code not in (0, None):
                        errors.append(f"{arguments} ended with {end.code}")
                looks += 1
            time.sleep(0.05)
        Path(f"looked-{number}").write_text(json.dumps([looks, errors]))

    app.run = looking


def _probe(place: Path, over: threading.Event, seen: Seen) -> None:
    """Ask for each database's write lock again and again, and give it back at once."""
    while not over.is_set():
        for path in place.glob("results/*/sweep.db"):
            asked = time.monotonic()
            with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    db.execute("ROLLBACK")
                except sqlite3.Error as error:
                    seen.errors.append(f"{path}: {error}")
            seen.waited = max(seen.waited, time.monotonic() - asked)
        over.wait(0.05)
