"""Opens the sealed test rows for the chosen run or ensemble: meant to be done once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sweep.data.rows import Rows, Split
from sweep.errors import UsageError
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import AllowedNumbers
from sweep.runner.say import Say
from sweep.store import Opening, Store
from sweep.sweep_folder import SweepFolder
from sweep.tasks.scoring import Scoring
from sweep.verbs.taken import Taken, taken


@dataclass(frozen=True)
class OpenedTestRows:
    """The ledger once the rows were opened, and what they were opened for."""

    openings: tuple[Opening, ...]
    """All openings of the sweep; the last is this one."""
    taken: Taken
    scoring: Scoring


def open_test_rows(
    folder: SweepFolder,
    say: Say,
    *,
    rule: str = "best",
    trial: int | None = None,
    ensemble: bool = False,
    again: bool = False,
    stored_space: bool = False,
    other_numerics: bool = False,
    cache: Path | None = None,
    rows_for: "Callable[[Split], Rows] | None" = None,
) -> OpenedTestRows:
    """Evaluate what `rule` chooses, or exactly this trial's run, on the sealed test rows.

    `rows_for` gives rows that a script has in their place, as the models see them.

    Raises UsageError for an unknown rule, or if the rows were opened before and `again` is not
    given; and what `open_test` raises, with nothing opened.
    """
    from sweep.analysis.answers.chosen_trials import RULES

    if rule not in RULES:
        raise UsageError(f"--rule is {rule!r}, expected one of: {', '.join(RULES)}")
    with folder.locked(), Store(folder.database) as store:
        _refuse_again(folder, store, again)
        found = taken(folder, store, trial, rule, ensemble=ensemble)
        numbers, sweep = AllowedNumbers.asked(other_numerics), store.sweep()
        prepared = prepare_again(folder, sweep, cache, stored_space, say=say, numbers=numbers)
        from sweep.runner.test_rows import Tested, open_test

        found.say_what_is_trained(say)
        say.hint(f"opening the test rows for {found.name} of sweep {folder.name}")
        tested = Tested(found.trial, found.rule, found.members)
        rows = None if rows_for is None else rows_for(prepared.split)
        open_test(folder, store, prepared, tested, cache, rows)
        return OpenedTestRows(tuple(store.openings()), found, store.sweep().scoring)


def _refuse_again(folder: SweepFolder, store: Store, again: bool) -> None:
    openings = store.openings()
    if openings and not again:
        from sweep.analysis.report.openings import when

        last = openings[-1]
        raise UsageError(
            f"the test rows of sweep {folder.name} were opened for trial {last.of_trial} on "
            f"{when(last)}, see: sweep report {folder.address}; to open them again, "
            "which every report will say, add --again"
        )
