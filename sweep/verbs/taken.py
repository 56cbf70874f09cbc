"""Which run, or which ensemble, is tested or exported: one rule for both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.analysis.stored import load_frames
from sweep.errors import NotFoundError
from sweep.runner.say import Say
from sweep.store import Exportable, Store
from sweep.sweep_folder import SweepFolder
from sweep.tasks.score_words import ScoreWords
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.answers.chosen_trials import Choice


@dataclass(frozen=True)
class Taken:
    """What is tested or exported."""

    choice: "Choice"
    ensemble: bool
    members: dict[int, Exportable]
    """The run by its number; the members if it is an ensemble."""
    shown: ScoreWords

    @property
    def rule(self) -> str:
        """How it was chosen, with words, for the ledger."""
        from sweep.analysis.report.openings import rule_of

        return rule_of(self.choice, self.shown, ensemble=self.ensemble)

    @property
    def trial(self) -> int:
        """Its number for the ledger."""
        return self.choice.trial if self.ensemble else self.choice.run.trial

    @property
    def name(self) -> str:
        """What a hint calls it."""
        if self.ensemble:
            return f"the ensemble of trial {self.choice.trial}"
        trial, run = self.choice.trial, self.choice.run.trial
        return f"trial {trial}" if run == trial else f"run {run} of trial {trial}"

    @property
    def removed(self) -> list[int]:
        """The runs whose checkpoints were removed."""
        return [trial for trial, found in self.members.items() if found.file is None]

    def say_what_is_trained(self, say: Say) -> None:
        """Name each run that is trained again."""
        for trial in self.removed:
            say.hint(
                f"training trial {trial} again, {counted(self.members[trial].epochs, 'epoch')} …"
            )


def taken(
    folder: SweepFolder, store: Store, trial: int | None, rule: str, *, ensemble: bool
) -> Taken:
    """Return what the rule chooses, or what a trial's number names: exactly that trial's run.

    Raises NotFoundError with advice.
    """
    from sweep.analysis.answers import chosen_trials

    if trial is None:
        frames = load_frames(folder)
        choice = chosen_trials.chosen(frames, rule)
        if ensemble:
            chosen_trials.require_ensemble(frames, choice)
    else:
        _exportable(folder, store, trial)
        if ensemble:
            choice = chosen_trials.named(load_frames(folder), trial)
        else:
            choice = chosen_trials.by_hand(trial, _exportable(folder, store, trial).score)
    runs = choice.runs if ensemble else (choice.run,)
    members = {r.trial: _exportable(folder, store, r.trial) for r in runs}
    return Taken(choice, ensemble, members, store.sweep().score_words)


def _exportable(folder: SweepFolder, store: Store, trial: int) -> Exportable:
    found = store.exportable(trial)
    if found is None:
        raise NotFoundError(
            f"sweep {folder.name} has no trained trial {trial}; see: sweep report {folder.address}"
        )
    return found
