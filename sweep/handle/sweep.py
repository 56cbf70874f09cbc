"""The handle of a stored sweep: what it found, and the verbs that go on from it."""

import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep import words
from sweep.errors import NotFoundError, SweepError, UsageError
from sweep.handle.plots import Plots
from sweep.runner.look import look
from sweep.runner.say import Say
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep, sweep_folders

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from sweep.analysis.answers.verdict import Verdict
    from sweep.analysis.frames.load import SweepFrames
    from sweep.records import Value
    from sweep.store import Opening


class StderrSay:
    """A `Say` that writes lines to stderr."""

    def hint(self, text: str) -> None:
        """Write a line that may help."""
        print(text, file=sys.stderr)

    def warn(self, text: str) -> None:
        """Write a line about what may be wrong."""
        print(f"warning: {text}", file=sys.stderr)


@dataclass(frozen=True)
class VerdictText:
    """What a sweep says: in words by `str`, as an object by `facts`."""

    lines: tuple[tuple[str, str], ...]
    """Pairs of a label and a sentence."""
    facts: "Verdict"
    """The numbers that the sentences are made of."""

    def __str__(self) -> str:
        return "\n".join(f"{label}: {line}" if label else line for label, line in self.lines)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Sweep:
    """A stored sweep. What it holds is read anew at each question, also while the sweep runs."""

    folder: SweepFolder
    cache: Path | None = None
    """Folder of the data cache; None for the default."""
    say: Say = field(default_factory=StderrSay)

    def __repr__(self) -> str:
        """Where it is, its state and its best score: a line, also of a sweep that is damaged."""
        try:
            seen = look(self.folder)
        except (SweepError, OSError) as error:
            return f"Sweep({str(self.path)!r}: {error})"
        done = seen.progress
        said = [str(seen.state), words.trials(done.trials)]
        if done.best_score is not None:
            shown = seen.sweep.score_words
            said.append(
                f"best {shown.val} {shown.score(done.best_score)} (trial {done.best_trial})"
            )
        return f"Sweep({str(self.path)!r}: {', '.join(said)})"

    @property
    def name(self) -> str:
        """The name of the sweep's folder."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """The sweep's folder."""
        return self.folder.path

    @property
    def state(self) -> str:
        """running, interrupted, finished, failed or budget."""
        return str(look(self.folder).state)

    @property
    def frames(self) -> "SweepFrames":
        """All tables at once, as they are now."""
        from sweep.analysis.stored import load_frames

        return load_frames(self.folder)

    @property
    def trials(self) -> "pd.DataFrame":
        """One row per trial, best first; columns as in `trials.parquet`.

        A hyperparameter NAME is the column `hyperparameter.NAME`, a metric of the models' own
        `metric.NAME`. Numbers have the types of numbers; what is missing is NA or None.
        """
        from sweep.handle.tables import trials_table

        return trials_table(self.frames)

    @property
    def epochs(self) -> "pd.DataFrame":
        """One row per trial and epoch; columns as in `epochs.parquet`."""
        return self.frames.epochs

    @property
    def verdict(self) -> VerdictText:
        """Which capacity and regularisation generalise best, and how sure that is."""
        from sweep.analysis.answers.verdict import verdict
        from sweep.analysis.report.verdict_words import lines

        found = verdict(self.frames)
        return VerdictText(tuple(lines(found)), found)

    @property
    def plots(self) -> Plots:
        """The charts, as Matplotlib figures."""
        return Plots(self.frames)

    @property
    def openings(self) -> "tuple[Opening, ...]":
        """The ledger of the sealed test rows."""
        return self.frames.openings

    def report(self, folder: str | Path | None = None) -> Path:
        """Write page, tables, verdict and all charts into `folder`; return that folder.

        By default that is the sweep's own folder `charts`. Raises PlatformError if it cannot be
        written.
        """
        from sweep.analysis.charts.catalogue import write_charts, write_further
        from sweep.analysis.exchange.parquet import write_parquet
        from sweep.analysis.page.write import write
        from sweep.analysis.report.trials_json import write_verdict

        into, frames = Path(folder) if folder is not None else self.folder.charts, self.frames
        if folder is None:
            self.folder.refuse_links()
        write_charts(frames, into)
        write_further(frames, into)
        write_verdict(frames, into / "verdict.json")
        write_parquet(frames, into)
        write(frames, into / "report.html")
        return into

    def export(
        self,
        path: str | Path,
        trial: int | None = None,
        *,
        ensemble: bool = False,
        retrain: bool = False,
        other_numerics: bool = False,
    ) -> float:
        """Write the model that `test` tests, or exactly this trial's run; return its score.

        An ordinary `.keras` file, verified. Raises NotFoundError if the checkpoint was removed
        and `retrain` is not given, UsageError if `path` does not end in .keras.
        """
        from sweep.verbs.exporting import choose, export

        path = Path(path)
        if path.suffix != ".keras":
            raise UsageError(f"{path} must end in .keras")
        found = choose(self.folder, trial, ensemble=ensemble)
        exported = export(
            self.folder, found, path, self.say,
            retrain=retrain, other_numerics=other_numerics, cache=self.cache,
            command=f"export({str(path)!r}, retrain=True)",
        )  # fmt: skip
        return exported.score

    def best_hyperparameters(self, trial: int | None = None) -> "dict[str, Value]":
        """Return the values of the trial whose model `best_model` gives, or of this trial.

        Those that it asks for. Raises NotFoundError if there is no such trial.
        """
        from sweep.analysis.answers.chosen_trials import chosen

        frames = self.frames
        number = chosen(frames, "best").trial if trial is None else trial
        found = frames.trials.loc[frames.trials["trial"] == number, "hyperparameters"]
        if found.empty:
            raise NotFoundError(f"sweep {self.name} has no trial {number!r}")
        return dict(found.iloc[0])

    def best_model(self, trial: int | None = None) -> "keras.Model":
        """Return the model that `export` writes, ready to predict."""
        from sweep.space.saved import load_saved

        with tempfile.TemporaryDirectory(prefix="sweep-model-") as folder:
            path = Path(folder) / "model.keras"
            self.export(path, trial)
            return load_saved(path)

    def test(
        self,
        x: Any = None,
        y: Any = None,
        *,
        rule: str = "best",
        trial: int | None = None,
        ensemble: bool = False,
        again: bool = False,
        other_numerics: bool = False,
    ) -> "Opening":
        """Evaluate one run on the sealed test rows, meant to be done once; return the result.

        Of what a script began they are `x` and `y`, as `model.fit` takes them.

        Raises UsageError if the rows were opened before, unless `again`.
        """
        from sweep.verbs.testing import open_test_rows

        rows_for = None
        if x is not None:
            from sweep.tuners.rows import test_rows

            rows_for = partial(test_rows, x=x, y=y)
        opened = open_test_rows(
            self.folder, self.say, rule=rule, trial=trial, ensemble=ensemble, again=again,
            other_numerics=other_numerics, cache=self.cache, rows_for=rows_for,
        )  # fmt: skip
        return opened.openings[-1]

    def confirm(
        self,
        seeds: int | None = None,
        top: int | None = None,
        *,
        until: str | None = None,
        max_runs: int | None = None,
        max_seconds: float | None = None,
    ) -> "Sweep":
        """Train the best trials and the baselines again under other seeds; return the handle.

        `until="decided"` gives seeds to the leaders where they decide most, until they are told
        apart, no seeds would do so, or `max_runs` or `max_seconds` are spent; then without `seeds`.

        Interrupting ends after the epoch under way, and calling again goes on. Raises
        BudgetEndedError or TooManyFailuresError as the command does.
        """
        from sweep.settings import Budget
        from sweep.verbs.confirming import SEEDS, TOP, confirm

        if until not in (None, "decided"):
            raise UsageError(f'until is {until!r}, expected "decided" or None')
        if until is None and max_runs is not None:
            raise UsageError('max_runs is of until="decided"; without it, top and seeds say all')
        if until is not None and seeds is not None:
            raise UsageError('seeds are found with until="decided"; leave one of the two out')
        confirm(self.folder, self.say, TOP if top is None else top,
                SEEDS if seeds is None else seeds, self.cache, until_decided=until is not None,
                budget=Budget(max_seconds), max_runs=max_runs)  # fmt: skip
        return self

    def _repr_html_(self) -> str:
        from sweep.handle.html import to_html

        return to_html(self.frames)


def open_sweep(name: str | Path | None = None, results: str | Path = DEFAULT_RESULTS) -> Sweep:
    """Return the sweep of a name in the folder `results`, or of a path; the newest without one.

    Raises NotFoundError naming those that there are.
    """
    return Sweep(find_sweep(Path(results), None if name is None else str(name)))


def sweeps(results: str | Path = DEFAULT_RESULTS) -> list[Sweep]:
    """Return all sweeps of a folder, the newest last."""
    return [Sweep(folder) for folder in sweep_folders(Path(results))]
