"""What of a search is trained together, decided before it begins."""

from types import SimpleNamespace
from typing import Any

from sweep.runner.fusion import fusion_of
from sweep.settings import Settings
from sweep.tasks.scoring import BINARY_CROSSENTROPY
from sweep.tasks.task import Task
from sweep.training.fused.reading.seen import SeenModels


def refuse(hp: Any) -> Any:
    raise AssertionError("a model is read in vain")


def test_no_model_is_read_where_none_that_was_seen_can_be_fused():
    seen = SeenModels(Task())
    seen.refusals.update({"layer LSTM": 20, "layer GRU": 1})
    split: Any = SimpleNamespace(task=Task())
    roots = [SimpleNamespace(hyperparameters={"units": n}) for n in range(9)]
    plan: Any = SimpleNamespace(roots=roots, proposals=roots, epochs=81)
    found = fusion_of(refuse, split, BINARY_CROSSENTROPY, Settings(), plan, [], seen)
    assert found.programs == "all by Keras"
    assert found.lines == [
        "0 of 21 models looked at fused with others",
        "20 models by Keras: layer LSTM",
        "1 model by Keras: layer GRU",
    ]
