"""Starts Keras once for the tests that need it, and keeps the user's own folders out of reach."""

import gc
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("sweep.testing.trainer_contract")  # says what was compared

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    # as many tests run at once as there are cores: a library's own threads would spin for each
    # other. Before NumPy is imported, which reads it once
    os.environ.setdefault(_name, "1")

# many processes import the same files: where none keeps its bytecode, each compiles all of them
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

MEMORY = Path("/dev/shm")
"""A file system in memory, where the system has one: a flush does not wait for a disk there."""
_ENOUGH_BYTES = 4 << 30
"""Free in `MEMORY`: the tests leave a third of a gigabyte there, and run beside each other."""


def _work_in_memory() -> None:
    """Have pytest make its folders in memory, if there is room and nobody chose another place."""
    chosen = {"PYTEST_DEBUG_TEMPROOT", "TMPDIR", "TEMP", "TMP"} & os.environ.keys()
    if chosen or not os.access(MEMORY, os.W_OK):
        return
    facts = os.statvfs(MEMORY)
    can_run_programs = not facts.f_flag & os.ST_NOEXEC
    if can_run_programs and facts.f_bavail * facts.f_frsize >= _ENOUGH_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


_work_in_memory()

LONGEST_FIRST = (
    "whole/test_cli.py",
    "training/fused/test_mathematics.py",
    "training/test_trainers.py",
    "training/fused/test_dropout.py",
    "whole/test_own_data.py",
    "whole/test_numerics.py",
    "whole/test_kills.py",
    "runner/test_test_rows.py",
    "training/fused/test_trainer.py",
    "store/test_forged.py",
    "space/test_outputs.py",
    "analysis/page/test_browser.py",
    "whole/test_pool.py",
    "training/fused/test_tasks.py",
    "pool/test_ray.py",
    "whole/test_searches.py",
    "tuners/test_search.py",
    "pool/test_trainer.py",
    "training/fused/test_kept_programs.py",
    "whole/test_tasks.py",
    "serve/test_browser.py",
    "whole/test_provenance.py",
    "whole/test_hostile_results.py",
    "cli/test_stopping.py",
    "whole/test_streams.py",
    "data/simulation/test_difficulty.py",
    "doctor/test_doctor.py",
    "training/test_own_fit.py",
    "statistics/test_confidence_set.py",
    "analysis/charts/test_charts.py",
)
"""Files of a quarter of a minute and more: one that began last would leave the other cores idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others as they were."""
    here = Path(__file__).parent
    gone = [name for name in LONGEST_FIRST if not (here / name).is_file()]
    if gone:
        raise pytest.UsageError(f"named in {__file__} and not there: {', '.join(gone)}")
    places = {here / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def _freeze() -> None:
    """Look no more for garbage among what is there now: Keras looks through all before a model."""
    gc.collect()
    gc.freeze()


def pytest_collection_finish() -> None:
    """What was imported stays."""
    _freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """What a file's tests leave, compiled programs above all, costs the next file nothing."""
    yield
    if nextitem is None or nextitem.path != item.path:
        _freeze()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SWEEP_RESULTS",
        "SWEEP_CACHE",
        "SWEEP_DATA",
        "SWEEP_DEBUG",
        "NO_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    # GNU readline, which pytest imports, sets it behind Python's back for every process below
    os.unsetenv("COLUMNS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A small folder in memory where the system has one, however little room there is."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def keras():
    from tests.support.programs import start_keras_with_programs

    start_keras_with_programs()
    import keras

    return keras


@pytest.fixture(scope="session")
def fused_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny sweep `s` that the fused trainer ran to its end, to be copied."""
    from tests.support import tiny, warm
    from tests.support.once import made_once

    def make(place: Path) -> None:
        warm.run(tiny.make_place(place), *tiny.start("s", "fused"))

    return made_once(tmp_path_factory, "fused", make)


@pytest.fixture(scope="session")
def tiny_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny sweep's space and data, and a sweep `whole` that ran to its end.

    Other processes of the tests have it, too: a test may add sweeps of names that no other has.
    """
    from tests.support import tiny, warm
    from tests.support.once import made_once

    def make(place: Path) -> None:
        warm.run(tiny.make_place(place), *tiny.start("whole", "keras"))

    return made_once(tmp_path_factory, "tiny", make)
