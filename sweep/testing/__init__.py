"""What tests of trainers and of the loop need; also for trainers that are not in this package.

A trainer is right if it passes `sweep.testing.trainer_contract.TrainerContract`.
"""

from sweep.testing.checkpoint_files import CheckpointFiles
from sweep.testing.idle_trainer import IdleTrainer, made_up_record, made_up_state
from sweep.testing.splits import small_split
from sweep.training.contract import train_all
from sweep.training.memory_journal import MemoryJournal

__all__ = [
    "CheckpointFiles",
    "IdleTrainer",
    "MemoryJournal",
    "made_up_record",
    "made_up_state",
    "small_split",
    "train_all",
]
