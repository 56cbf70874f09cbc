"""Every trainer of this package passes the trainers' suite."""

from typing import Any

import pytest

from sweep.testing.trainer_contract import BATCH, SPLIT, MakeTrainer, TrainerContract


class TestTrainers(TrainerContract):
    @pytest.fixture(params=["keras", "fused", "auto"])
    def make_trainer(self, request: pytest.FixtureRequest, keras: Any) -> MakeTrainer:
        from sweep.training.auto_trainer import AutoTrainer
        from sweep.training.fused.trainer import FusedTrainer
        from sweep.training.keras_trainer import KerasTrainer

        kinds: Any = {"keras": KerasTrainer, "fused": FusedTrainer, "auto": AutoTrainer}
        kind = kinds[request.param]
        return lambda build, patience=None: kind(build, SPLIT, BATCH, patience, 1e9)
