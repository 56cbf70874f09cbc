"""Who may join a sweep's pool: who computes as the sweep began, or all if mixing was asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweep.numerics import Numerics
from sweep.pool.face import Ready
from sweep.runner.pooled import StoreCrew
from sweep.runner.same_numbers import versions
from sweep.store import Store
from sweep.store.workers import WorkerRow, _covered, workers
from tests.support.runs import new_store

NUMERICS = Numerics(2, 2, 1 << 20, {}, "tensorflow", "float32", "x86", "avx2", "L2 1M")
READY = Ready(2, "node-7", 4711, "2 cores", NUMERICS, versions("tensorflow"))


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def hint(self, text: str) -> None:
        self.lines.append(text)

    warn = hint


@pytest.fixture
def store(tmp_path: Path) -> Store:
    _, store = new_store(tmp_path)
    settings = store.sweep().settings
    store.set_settings(replace(settings, numerics=NUMERICS))
    return store


def crew(store: Store, *, mixed: bool = False) -> StoreCrew:
    return StoreCrew(store, mixed, Told())


def test_a_worker_that_computes_alike_is_entered_until_it_leaves(store):
    found = crew(store)
    assert found.joins(5, READY) is None
    found.leaves(5, "killed by SIGKILL")
    (row,) = workers(store)
    assert (row.worker, row.host, row.process, row.device) == (1, "node-7", 4711, "2 cores")
    assert row.why == "killed by SIGKILL" and row.left_at is not None


def test_another_processor_is_refused_by_name_or_accepted_and_said(store):
    other = replace(READY, numerics=replace(NUMERICS, threads=8, gpu="H100"))
    why = crew(store).joins(0, other)
    assert why is not None and "threads 2 → 8; gpu none → H100" in why and "node-7" in why
    assert not workers(store)
    found = crew(store, mixed=True)
    assert found.joins(0, other) is None
    numerics = store.sweep().settings.numerics
    assert numerics is not None and numerics.accepted == ("threads 2 → 8", "gpu none → H100")


def test_another_version_of_the_program_is_never_taken(store):
    other = replace(READY, versions={**READY.versions, "keras-sweep": "0.0.1"})
    why = crew(store, mixed=True).joins(0, other)
    assert why is not None and "keras-sweep 0.0.1" in why


def test_the_probe_of_the_first_worker_is_what_all_must_compute(store):
    found = crew(store)
    for worker in (0, 1, 2):
        found.joins(worker, READY)
    assert found.probed(0, "a" * 64) is None
    assert found.probed(1, "a" * 64) is None
    assert "other numbers than the first" in (found.probed(2, "b" * 64) or "")
    again = crew(store)  # after the head was killed
    again.joins(0, READY)
    assert again.probed(0, "b" * 64) is not None


def test_a_worker_is_busy_while_it_trains_anything():
    spans = [(6.0, 7.0), (1.0, 3.0), (2.0, 4.0)]
    assert _covered(spans, 0.0) == 4.0, "what is trained beside each other counts once"
    assert _covered(spans, 2.0) == 3.0, "what was trained before it joined is not its own"
    row = WorkerRow(1, "vm", 7, "1 core", joined_at=0.0, left_at=8.0, why=None, assignments=3,
                    seconds=5.0, busy=4.0)  # fmt: skip
    assert row.share(99.0) == 0.5
