"""Prepares a sweep: puts space, data, search, trainer and store together, new or as it began."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sweep.data.kinds import KINDS
from sweep.data.memory import MEMORY
from sweep.data.own_data import Sizes
from sweep.data.split import Split
from sweep.errors import InvalidSpaceError, UsageError
from sweep.records import Json, PlanRecord, SweepState
from sweep.references.beside import FittedBeside, fitted_anywhere
from sweep.references.models import reference_models
from sweep.references.no_skill import RowScores
from sweep.runner.fit_of_data import (
    check_split,
    n_outputs_of,
    said_of,
    scores_of,
    with_class_weight,
    with_no_skill,
)
from sweep.runner.fusion import NOT_LOOKED_AT, Fusion, fusion_of
from sweep.runner.same_numbers import versions
from sweep.searches.chosen import new_search, planned
from sweep.searches.face import Search
from sweep.searches.plan import Plan
from sweep.settings import Settings
from sweep.space.describe import definitions
from sweep.space.inputs import inputs_of
from sweep.space.load import Space, load_space
from sweep.space.scoring import SpaceScoring, scoring_of_all
from sweep.space.source import differences, hashes, in_brackets
from sweep.store import Reference, Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.training.chosen import chosen_trainer
from sweep.training.contract import StopRequested, Trainer
from sweep.training.fused.reading.seen import SeenModels
from sweep.words import counted


@dataclass(frozen=True)
class Prepared:
    """A sweep that could start: its space checked, its data loaded, its plan made."""

    space: Space
    split: Split
    settings: Settings
    plan: Plan
    scored: SpaceScoring
    """What the scores measure, and what is to be said of it."""
    scores: RowScores
    """From predictions and targets to each row's score."""
    references: Callable[[StopRequested], Sequence[Reference] | None]
    """Trains the reference models on the split, or waits for them; None if it was to stop."""
    fusion: Fusion = NOT_LOOKED_AT
    """What was found of how its trials share programs, if it is a new sweep."""
    retries: int = 0
    """Times that a trial is tried again if it raises an error."""

    def search(self) -> Search:
        return new_search(self.space, self.settings)

    @property
    def baselines(self) -> Json:
        return dict(self.space.baselines) if self.settings.baselines else {}

    @property
    def concerns(self) -> list[str]:
        """What a person should know of the search before it runs; nothing if all is as asked."""
        asked, found = self.settings.n_trials, len(self.plan.roots)
        if self.settings.has_rungs or asked is None or found == asked:
            return []
        whole = "grid" if self.settings.search == "grid" else "search space"
        return [
            f"the {whole} has {counted(found, 'configuration')}, fewer than the {asked:,} that "
            "--trials asks for: each of them is trained"
        ]

    def plan_record(self) -> PlanRecord:
        n_baselines = len(self.baselines)
        n_trials, executions = len(self.plan.roots), self.settings.executions
        n_longer = n_baselines * max(0, len(self.settings.stages) - 1)
        return PlanRecord(
            trials=n_trials,
            assignments=len(self.plan.proposals) + n_longer,
            epochs=self.plan.epochs,
            baselines=n_baselines,
            confirmations=n_baselines * (self.settings.seeds - 1) + n_trials * (executions - 1),
            baseline_epochs=n_baselines * self.settings.max_epochs,
            rungs=self.plan.rungs,
        )


def prepare(
    space_name: str,
    settings: Settings,
    split: Split,
    fitted: FittedBeside | None = None,
) -> Prepared:
    """Load and check everything a sweep on `split` needs. Keras must have been started.

    Without `fitted` the reference models are trained when they are asked for. Raises
    InvalidSpaceError in one line.
    """
    seen = SeenModels(split.task)
    space = load_space(
        space_name,
        inputs_of(split.train.x),
        build=settings.build,
        n_outputs=n_outputs_of(split),
        task=split.task,
        look=seen,
    )
    return prepared_of(space, settings, split, fitted, seen)


def prepared_of(
    space: Space,
    settings: Settings,
    split: Split,
    fitted: FittedBeside | None = None,
    seen: SeenModels | None = None,
) -> Prepared:
    """Return all that a sweep of a loaded space on `split` needs, checked. See `prepare`.

    `seen` is what was found of the models that were built when the space was loaded.
    """
    scored = scoring_of_all(space.measures, split.task, settings.objective)
    check_split(space, scored.scoring, split)
    scored = replace(scored, said=(*scored.said, *said_of(split, space)))
    split = with_class_weight(split, space)
    settings = _settled(settings, split)
    settings = replace(settings, train_score_rows=_scored_rows(settings, split))
    if not space.searched and not settings.stages:  # extended, it is searched after all
        if not settings.has_rungs and settings.iterations:
            raise InvalidSpaceError(
                f"{space.name} says SEARCH = False: its baselines are all there is to train; "
                f"leave out --search {settings.search}, or that line"
            )
        settings = replace(settings, iterations=0)
    if settings.iterations == 0 and not (space.baselines and settings.baselines):
        raise InvalidSpaceError(
            f"nothing to train: no search is asked for, and {space.name} has no BASELINES in use"
        )
    plan = planned(space, settings)
    scores = scores_of(space, split.task, scored.scoring)

    def references(stop: StopRequested) -> Sequence[Reference] | None:
        if fitted is not None:
            found = fitted(stop)
        else:
            found = fitted_anywhere(split, settings.seed, scored.scoring, stop)
        if found is None:
            return None
        return reference_models(split, settings.seed, scored.scoring, scores, found)

    fusion = NOT_LOOKED_AT
    if settings.programs is None and settings.trainer != "keras":
        baselines = [dict(one) for one in space.baselines.values()] if settings.baselines else []
        fusion = fusion_of(space.build, split, scored.scoring, settings, plan, baselines, seen)
        settings = replace(settings, programs=fusion.programs)
    return Prepared(space, split, settings, plan, scored, scores, references, fusion)


def _settled(settings: Settings, split: Split) -> Settings:
    """The settings as they mean the same rows of the same data at every resume.

    "auto" and a relative path become what they stand for, shares become numbers of rows.
    """
    data, ranges = split.manifest, split.manifest.row_ranges
    settings = replace(settings, data=_resolved(settings.data, split))
    if ranges is None:
        return settings
    test_rows = settings.test_rows
    if data.own is not None or settings.own.sizes.test:
        test_rows = ranges.test[1] - ranges.test[0]
    return replace(
        settings,
        train_rows=len(split.train),
        validation_rows=len(split.validation),
        test_rows=test_rows,
        own=data.own or settings.own.with_sizes(Sizes()),
    )


def _scored_rows(settings: Settings, split: Split) -> int | None:
    """Training rows on which the training score is measured; None for all.

    Raises UsageError if there are fewer.
    """
    asked, n_train = settings.train_score_rows, len(split.train)
    if asked is not None and asked > n_train:
        raise UsageError(
            f"--train-score-rows is {asked:,}, and there are {counted(n_train, 'training row')}; "
            "leave it out to measure training scores on all of them"
        )
    return None if asked == n_train else asked


def _resolved(data: str, split: Split) -> str:
    kind = split.manifest.kind
    return kind if kind in (*KINDS, MEMORY) else str(Path(data).resolve())


def create(folder: SweepFolder, prepared: Prepared) -> None:
    """Store a new sweep. The folder must be locked.

    Raises UsageError when the name is taken.
    """
    if folder.exists:
        raise UsageError(
            f"sweep {folder.name} exists already; continue it with: sweep resume {folder.address}, "
            "or choose another --name"
        )
    numerics = prepared.settings.numerics
    row = SweepRow(
        name=folder.name,
        identity=uuid.uuid4().hex,
        created_at=time.time(),
        settings=prepared.settings,
        space=prepared.space.describe(),
        data=with_no_skill(prepared.split, prepared.scored.scoring, prepared.scores),
        versions=versions(None if numerics is None else numerics.backend),
        plan=prepared.plan_record(),
        oracle={},
        wave=0,
        state=SweepState.INTERRUPTED,
        message=None,
        active_seconds=0.0,
        scoring=prepared.scored.scoring,
    )
    Store.create(folder.database, row).close()


def check_unchanged(sweep: SweepRow, prepared: Prepared) -> None:
    """Raise if the space or the data are not those that the sweep began with.

    Raises InvalidSpaceError naming what changed.
    """
    if sweep.space.sha256 != prepared.space.sha256:
        then, now = (hashes(one.sources, one.uncopied) for one in (sweep.space, prepared.space))
        how = in_brackets(differences(then, now) if then else "")
        raise InvalidSpaceError(
            f"the search space {sweep.space.path} has changed since sweep {sweep.name} began{how}; "
            "restore it, or start a new sweep"
        )
    _check_built(sweep, prepared.space)
    if sweep.scoring != prepared.scored.scoring:
        raise InvalidSpaceError(
            f"sweep {sweep.name} ranks by {sweep.scoring.measure.name}, and its search space now "
            f"by {prepared.scored.scoring.measure.name}; restore it, or start a new sweep"
        )
    if sweep.data.fingerprint != prepared.split.fingerprint:
        raise InvalidSpaceError(
            f"the data of sweep {sweep.name} ({sweep.data.source}) have changed since it began; "
            "restore them, or start a new sweep"
        )


def _check_built(sweep: SweepRow, space: Space) -> None:
    """Raise if the same files give other models than when the sweep began, under these versions.

    They may follow an environment variable, the clock, or a file that is read past Python.
    """
    then, now = sweep.space.built, space.built
    here = versions()
    if not then or not now or here != {name: sweep.versions.get(name) for name in here}:
        return
    what = [name for name in then if then[name] != now.get(name)]
    old, new = sweep.space.definitions, definitions(space.discovery)
    if [replace(one, asked_if=()) for one in old] != [replace(one, asked_if=()) for one in new]:
        what.append("hyperparameters")
    if what:
        raise InvalidSpaceError(
            f"the search space {sweep.space.path} has not changed since sweep {sweep.name} began, "
            f"but it gives another model ({', '.join(what)} differ): it depends on something "
            "else, such as an environment variable, the clock or a file read by a library; "
            "restore that, or start a new sweep"
        )


def make_trainer(prepared: Prepared, split: Split | None = None) -> Trainer:
    """Return the trainer that the settings ask for, on another split than the sweep's if given."""
    scoring = prepared.scored.scoring
    rows = prepared.split if split is None else split
    return chosen_trainer(prepared.space.build, rows, prepared.settings, scoring)
