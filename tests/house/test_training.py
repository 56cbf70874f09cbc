"""The rooms of training: who imports what, what caches depend on, where private names are used."""

import ast
import functools
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sweep"
PROGRAM = PACKAGE / "training" / "fused" / "program"
SIMULATION = PACKAGE / "data" / "simulation"

PRIVATE_NAMES = {
    "training/keras_private.py",
    "training/tensorflow_private.py",
    "tuners/keras_tuner_private.py",
}
"""One file for each library; `searches`, which has Keras Tuner's, is looked after elsewhere."""
DOCUMENTED = {"_exit", "_replace", "_render_traceback_"}
"""Of `os`, of named tuples and of IPython: private by their looks only."""


def modules(path: Path) -> set[str]:
    """The modules of ours that a file imports, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = PACKAGE.parent.joinpath(*node.module.split("."))
            found |= {f"{node.module}.{a.name}" if inside.is_dir() else node.module
                      for a in node.names}  # fmt: skip
    return {name for name in found if name.split(".")[0] == "sweep"}


def from_outside(folder: Path) -> set[str]:
    own = ".".join(folder.relative_to(ROOT).parts)
    found = set().union(*map(modules, folder.glob("*.py")))
    return {name for name in found if not name.startswith(own)}


def test_programs_know_nothing_of_keras_models_and_little_of_the_house():
    layers = "sweep.training.fused.layers."
    assert {name for name in from_outside(PROGRAM) if not name.startswith(layers)} == {
        "sweep.disk",
        "sweep.records",
        "sweep.training.fused.description",
        "sweep.training.tensorflow_private",
        "sweep.training.tensors",  # a name for types
    }
    for path in PROGRAM.glob("*.py"):
        assert "keras.layers" not in path.read_text(), path


def test_the_simulator_needs_nothing_that_its_cache_does_not_hash_but_these():
    assert from_outside(SIMULATION) == {
        "sweep.data.cache.cache",
        "sweep.data.cache.manifest",
        "sweep.data.columns",
        "sweep.data.ranges",
        "sweep.errors",
    }


@pytest.fixture
def fingerprint(tmp_path, monkeypatch, keras):
    """The program cache's, of a copy of training after a change to one of its files."""
    from sweep.training import tensorflow_private
    from sweep.training.fused.program import kept

    copy = Path(shutil.copytree(PACKAGE / "training", tmp_path / "training"))
    monkeypatch.setattr(kept, "__file__", str(copy / "fused/program/kept.py"))
    monkeypatch.setattr(tensorflow_private, "__file__", str(copy / "tensorflow_private.py"))

    def after(changed: str = "") -> str:
        if changed:
            with (copy / changed).open("a") as file:
                file.write("# another comment\n")
        return kept._fingerprint()

    return after


@pytest.mark.parametrize(
    ("changed", "valid"),
    [
        ("export.py", True),
        ("fused/group.py", True),
        ("fused/reading/optimizer.py", True),
        ("keras_private.py", True),
        ("fused/program/layers.py", False),
        ("fused/layers/dropout.py", False),
        ("fused/description.py", False),
        ("tensorflow_private.py", False),
    ],
)
def test_programs_stay_valid_unless_what_they_trace_has_changed(fingerprint, changed, valid):
    before = fingerprint()
    assert (fingerprint(changed) == before) is valid


def test_all_that_a_program_traces_is_in_the_fingerprint(keras):
    """Every function of ours that runs while a program is traced, seen by Python's profiler."""
    import tensorflow as tf

    from sweep.training.fused.group import Resident, SlotGroup, TrialSeat
    from sweep.training.fused.packing import Packing
    from sweep.training.fused.program import epoch, kept
    from sweep.training.fused.program.shape import RowCounts
    from sweep.training.fused.program.shape_policy import shape_of
    from sweep.training.fused.reading.kept import Readings
    from tests.support.fused import BATCH, assignment, normalised, small_split

    rows, task, readings = (
        RowCounts(200, 60, BATCH),
        assignment(0, dropout=0.3),
        Readings(normalised),
    )
    description = readings.description(task)
    shape = shape_of(description, rows, 1 << 30, False)
    ran: set[str] = set()

    class TracedError(Exception):
        pass

    def traced(*arrays):
        sys.setprofile(lambda frame, *_: ran.add(frame.f_code.co_filename))
        try:
            of_shape = functools.partial(epoch._epoch, shape)
            tf.function(of_shape, autograph=False).get_concrete_function(*arrays)
        finally:
            sys.setprofile(None)
        raise TracedError

    group = SlotGroup(shape, traced, Resident(small_split(), rows))
    packing = Packing(description, shape)
    arrays, clock = packing.pack(readings.initial_state(task, None))
    group.seat(TrialSeat(packing, clock, task.seed, 0), arrays)
    with pytest.raises(TracedError):
        group.train_epoch()
    ours = {Path(name) for name in ran if name.startswith(str(PACKAGE))}
    assert PROGRAM.parent / "layers" / "batch_normalization.py" in ours
    assert ours <= set(kept._sources())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def foreign_private_names(path: Path) -> set[str]:
    """Private attributes that a file asks of others, and that no class or module in it defines."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    asked, own = set(), set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            (own if of_self else asked).add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name):
            own.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("getattr", "hasattr", "setattr", "delattr"):
                asked |= {a.value for a in node.args[1:2] if isinstance(a, ast.Constant)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] in ("keras", "tensorflow", "keras_tuner") and {"python", "src"} & {*parts}:
                asked.add(f"_{node.module}")
    return {name for name in asked - own if isinstance(name, str) and is_private(name)}


def test_private_names_of_libraries_are_used_in_one_file_for_each():
    paths = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {name: foreign_private_names(path) - DOCUMENTED for name, path in paths.items()}
    assert all(found[name] for name in PRIVATE_NAMES), "this test would notice"
    others = {
        name: names
        for name, names in found.items()
        if names and name not in PRIVATE_NAMES and not name.startswith("searches/")
    }
    assert not others
