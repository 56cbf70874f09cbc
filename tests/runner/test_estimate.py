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
from sweep.testing import IdleTrainer, small_split
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


def survey(widths: list[int], rows: tuple[int, int] = (20, 10)) -> Any:
    values = [{"width": width} for width in widths]
    roots = [SimpleNamespace(hyperparameters=one) for one in values]
    plan = SimpleNamespace(roots=roots, proposals=roots, epochs=9 * len(roots))
    explorer = SimpleNamespace(build=build)
    space = SimpleNamespace(name="some", build=build, explorer=explorer, corners=lambda: values)
    settings = Settings(trainer="keras")
    scored = SimpleNamespace(scoring=BINARY_CROSSENTROPY)
    prepared: Any = SimpleNamespace(
        plan=plan,
        baselines={},
        space=space,
        settings=settings,
        split=small_split(*rows),
        scored=scored,
    )
    return estimate.Survey(prepared)


def test_a_model_that_does_not_build_is_neither_the_smallest_nor_measured(keras, monkeypatch):
    trainer = Noting()
    monkeypatch.setattr(estimate, "make_trainer", lambda *_: trainer)
    found = survey(WIDTHS)
    assert found.params == [None, 28 * 32 + 65, None, 28 * 16 + 33]
    assert found.extremes() == (28 * 16 + 33, 28 * 32 + 65)
    assert found.seconds() >= 0
    assert trainer.widths == {16, 32}


def test_a_space_of_which_nothing_builds_is_refused(keras):
    for ask in (survey([8, 64]).extremes, survey([8, 64]).seconds):
        with pytest.raises(InvalidSpaceError, match="raises for every configuration"):
            ask()


def test_models_are_measured_on_few_rows_and_an_epoch_is_priced_for_all(keras, monkeypatch):
    monkeypatch.setattr(estimate, "_MOST_ROWS", 50)
    measured_on = []

    def trained(trainer, work, journal):
        measured_on.append((len(trainer.split.train), len(trainer.split.validation)))

    seconds = iter([0.0, 9.0, 10.0, 15.0, 20.0, 41.0] * 2)  # 9 s with compiling, 5 s, then 21 s
    monkeypatch.setattr(estimate, "train_all", trained)
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(estimate, "_FEWEST_BATCHES", 0)
    found = survey([16], (400, 100)).learned
    assert set(measured_on) == {(50, 50)}
    assert found.compiling == 4.0
    of_small = (21.0 - 5.0) / (3 * 8)
    longer = (4 * 400 + 100) / (4 * 50 + 50)
    assert found.epochs == pytest.approx([of_small * longer])
