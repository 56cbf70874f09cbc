"""What of a search is trained together, decided before it begins."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sweep.runner.fusion import fusion_of
from sweep.settings import Settings
from sweep.tasks.scoring import BINARY_CROSSENTROPY
from sweep.tasks.task import HIGGS_TASK, Task
from sweep.testing import small_split
from sweep.training.fused.reading.seen import SeenModels
from tests.support.descriptions import described

LONGER = "its program would take longer to compile than Keras takes to train"
FEW = [described(8 * n, 64, optimizer=kind) for n in (1, 2) for kind in ("adam", "sgd", "lion")]
"""Models of few rows that would need as many programs."""


def refuse(hp: Any) -> Any:
    raise AssertionError("a model is read in vain")


@pytest.mark.parametrize(
    ("refused", "carried", "reasons"),
    [
        ({"layer LSTM": 20, "layer GRU": 1}, [], ["20 models by Keras: layer LSTM"]),
        ({"layer GRU": 1}, FEW, [f"6 models by Keras: {LONGER}"]),
    ],
    ids=["none can be fused", "no program pays"],
)
def test_no_model_is_read_where_those_seen_tell_that_nothing_is_fused(refused, carried, reasons):
    seen = SeenModels(Task(), carried)
    seen.refusals.update(refused)
    manifest = replace(small_split().manifest, task=HIGGS_TASK)  # data of one's own
    split = replace(small_split(200, 200), manifest=manifest)
    roots = [SimpleNamespace(hyperparameters={"units": n}) for n in range(9)]
    plan: Any = SimpleNamespace(roots=roots, proposals=roots, epochs=27)
    found = fusion_of(refuse, split, BINARY_CROSSENTROPY, Settings(), plan, [], seen)
    assert found.programs == "all by Keras"
    first = f"0 of {seen.looked_at} models looked at fused with others"
    assert found.lines == [first, *reasons, "1 model by Keras: layer GRU"]
