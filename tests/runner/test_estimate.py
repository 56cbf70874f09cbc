"""What a plan is expected to cost, where some models do not build."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from search_spaces import capacity
from sweep.errors import InvalidSpaceError
from sweep.runner import estimate
from sweep.settings import Settings
from sweep.tasks.scoring import BINARY_CROSSENTROPY
from sweep.testing import IdleTrainer
from sweep.training.contract import Endings, Journal, Source, StopRequested

WIDTHS = [8, 32, 64, 16]


def build(hp: Any) -> Any:
    width = hp.Choice("width", WIDTHS)
    if width in (8, 64):
        raise ValueError("no")
    return capacity.mlp(width, 1, 0.0, 0.0, 500)


@dataclass
class Noting:
    """An idle trainer that keeps which widths it was given."""

    widths: set[int] = field(default_factory=set)

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        while (assignment := source.take()) is not None:
            self.widths.add(assignment.hyperparameters["width"])
            yield IdleTrainer().end(assignment, journal)


def survey(widths: list[int]) -> Any:
    values = [{"width": width} for width in widths]
    roots = [SimpleNamespace(hyperparameters=one) for one in values]
    plan = SimpleNamespace(roots=roots, proposals=roots, epochs=9 * len(roots))
    explorer = SimpleNamespace(build=build)
    space = SimpleNamespace(name="some", build=build, explorer=explorer, corners=lambda: values)
    settings = Settings(trainer="keras")
    scored = SimpleNamespace(scoring=BINARY_CROSSENTROPY)
    prepared: Any = SimpleNamespace(
        plan=plan, baselines={}, space=space, settings=settings, split=None, scored=scored
    )
    return estimate.Survey(prepared)


def test_a_model_that_does_not_build_is_neither_the_smallest_nor_measured(keras, monkeypatch):
    trainer = Noting()
    monkeypatch.setattr(estimate, "make_trainer", lambda prepared: trainer)
    found = survey(WIDTHS)
    assert found.params == [None, 28 * 32 + 65, None, 28 * 16 + 33]
    assert found.extremes() == (28 * 16 + 33, 28 * 32 + 65)
    assert found.seconds() >= 0
    assert trainer.widths == {16, 32}


def test_a_space_of_which_nothing_builds_is_refused(keras):
    for ask in (survey([8, 64]).extremes, survey([8, 64]).seconds):
        with pytest.raises(InvalidSpaceError, match="raises for every configuration"):
            ask()
