"""Every trainer of this package passes the trainers' suite."""

from typing import Any

import pytest

from sweep.testing.trainer_contract import BATCH, SPLIT, MakeTrainer, TrainerContract


class TestTrainers(TrainerContract):
    @pytest.fixture(params=["keras", "fused"])
    def make_trainer(self, request: pytest.FixtureRequest, keras: Any) -> MakeTrainer:
        from sweep.training.fused.trainer import FusedTrainer
        from sweep.training.keras_trainer import KerasTrainer

        kind: Any = {"keras": KerasTrainer, "fused": FusedTrainer}[request.param]
        return lambda build, patience=None: kind(build, SPLIT, BATCH, patience, 1e9)


class TestAutoTrainer(TrainerContract):
    """It hands each trial to one of the two: what those measure of a trial is theirs, and tested
    above; that trials begin, go on and end as they should is tested here, too.
    """

    test_the_losses_kept_are_those_of_the_best_epoch = None
    test_a_trial_without_losses_gets_them_with_its_next_best_epoch = None
    test_records_hold_what_keras_reports = None

    @pytest.fixture
    def make_trainer(self, keras: Any) -> MakeTrainer:
        from sweep.training.auto_trainer import AutoTrainer

        return lambda build, patience=None: AutoTrainer(build, SPLIT, BATCH, patience, 1e9)
