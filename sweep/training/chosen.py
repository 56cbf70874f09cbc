"""The trainer that a sweep's settings ask for."""

from dataclasses import replace

from sweep.data.split import Split
from sweep.errors import InvalidSpaceError
from sweep.settings import Settings
from sweep.tasks.scoring import Scoring
from sweep.training.auto_trainer import AutoTrainer, not_fused
from sweep.training.contract import Trainer
from sweep.training.fused.program.shape_policy import ALIKE, Sharing
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.model import Build


def chosen_trainer(build: Build, split: Split, settings: Settings, scoring: Scoring) -> Trainer:
    """Return the trainer that the settings ask for.

    Raises InvalidSpaceError if it is the fused one, and that cannot train on this split.
    """
    if split.scored_rows is None:
        split = replace(split, scored_rows=settings.train_score_rows)
    patience = settings.patience if settings.stopping is None else settings.stopping
    given = (build, split, settings.batch_size, patience)
    numerics = settings.numerics
    if settings.trainer == "keras":
        return KerasTrainer(*given, scoring=scoring)
    program_bytes = None if numerics is None else numerics.program_bytes
    sharing = ALIKE if settings.programs is None else Sharing.parsed(settings.programs)
    if settings.trainer == "auto":
        return AutoTrainer(*given, program_bytes=program_bytes, scoring=scoring, sharing=sharing)
    reason = not_fused(split, scoring)
    if reason is not None:
        raise InvalidSpaceError(f"--trainer fused cannot train this: {reason}; leave it out")
    return FusedTrainer(*given, program_bytes=program_bytes, scoring=scoring, sharing=sharing)
