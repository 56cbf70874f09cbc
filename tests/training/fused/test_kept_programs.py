"""Compiled programs outlast the process: found again, with the same numbers, or made anew."""

import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from sweep.training.fused.program import backend, kept, kept_graph
from sweep.training.start_keras import start_keras
from tests.support.deaths import reported
from tests.support.fused import assignment, measures
from tests.support.programs import open_programs
from tests.support.small_networks import SMALL, trained

ROOT = Path(__file__).parents[3]

PROCESS = """
import sys
from pathlib import Path
from sweep.training.start_keras import start_keras
start_keras(Path(sys.argv[1]))
from tests.training.fused.test_kept_programs import numbers
print(numbers())
"""


def numbers(depths=(2,)):
    """What small networks' training gives, to the last bit."""
    work = [assignment(n, 2, **(SMALL | {"depth": depth})) for n, depth in enumerate(depths)]
    journal = trained(work)
    records = (record for one in work for record in journal.records[one.assignment])
    return [measures(record).tolist() for record in records]


def xla_flags(place):
    """XLA's flags, with which it writes each module that it compiles."""
    dumped = f"--xla_dump_to={place / 'dumped'} --xla_dump_hlo_as_text"
    return f"{os.environ.get('XLA_FLAGS', '')} {dumped}"


def n_compiled(place):
    """How many modules XLA has compiled since the last call."""
    modules = list((place / "dumped").glob("*before_optimizations.txt"))
    for module in modules:
        module.unlink()
    return len(modules)


def train_from_the_start(place):
    """What a process that imports TensorFlow itself finds, and how many modules XLA compiled."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, place / "programs"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": xla_flags(place), "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    return done.stdout, n_compiled(place)


def train(place, first=None, depths=(2,)):
    """The same in a process forked from one that has imported TensorFlow and not used it yet.

    `first` is called before it trains.
    """
    found = reported(_train, place, first, depths, xla_flags(place))
    return f"{found}\n", n_compiled(place)


def _train(place, first, depths, flags, report):
    os.environ |= {"XLA_FLAGS": flags, "KERAS_BACKEND": "tensorflow"}
    open_programs(place / "programs")
    start_keras()
    if first is not None:
        first()
    report.send(numbers(depths))


def unwritable():
    own = kept.opened().own
    own.rmdir()
    own.symlink_to("/proc/nonesuch")


def files(place, pattern):
    return sorted((place / "programs").glob(f"*/{pattern}"))


def test_the_next_process_compiles_nothing_and_a_damaged_file_is_made_anew(tmp_path):
    numbers, compiled = train_from_the_start(tmp_path)
    assert compiled == 1 and numbers.startswith("[")
    (graph,), (code,) = files(tmp_path, "*.graph"), files(tmp_path, "*.pb")
    assert not files(tmp_path, ".new-*")
    assert train(tmp_path) == (numbers, 0)

    code.write_bytes(code.read_bytes()[:5000])
    assert train(tmp_path) == (numbers, 1)
    assert not graph.exists() and not code.exists()
    assert train(tmp_path) == (numbers, 1)

    graph.write_bytes(b"no graph")
    assert train(tmp_path) == (numbers, 1)


def test_trials_of_every_depth_are_carried_by_one_program(tmp_path):
    numbers, compiled = train(tmp_path, depths=(2, 4, 1, 3))
    assert numbers.count("[") == 9 and compiled == 1


def test_where_xla_cannot_write_any_more_the_program_is_compiled_all_the_same(tmp_path):
    numbers, compiled = train(tmp_path, unwritable)
    assert numbers.startswith("[") and compiled == 2
    assert not files(tmp_path, "*.graph") and not files(tmp_path, "*.pb")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Of a cache that this process opens; what opening changes is undone."""
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    monkeypatch.setattr(kept, "_opened", kept._Opened())
    return tmp_path / "programs"


def opened(root):
    kept.open_for_tensorflow(root)
    return kept.opened()


def test_what_is_kept_is_found_by_the_next_to_open(root, monkeypatch):
    first = opened(root)
    assert f"directory={first.own} " in os.environ["TF_XLA_FLAGS"]
    assert first.graph("p") is None
    first.keep_graph("p", b"graph")
    code = first.own / "xla_compile_cache__1__2__XLA_CPU_JIT.pb"
    code.write_bytes(b"code")
    (first.own / "being-written.tmp").write_bytes(b"co")
    first.keep_compiled()
    first.keep_compiled()
    assert code.is_symlink() and code.read_bytes() == b"code"

    monkeypatch.setenv("TF_XLA_FLAGS", "")
    monkeypatch.setattr(kept, "_opened", kept._Opened())
    second = opened(root)
    assert second.folder == first.folder and second.own != first.own
    assert second.graph("p") == b"graph"
    assert [file.read_bytes() for file in second.own.iterdir()] == [b"code"]
    assert first.own.is_dir()  # its process lives

    second.forget()
    second.forget()  # by another thread
    assert kept.opened() is None
    assert first.graph("p") is None and not list(first.folder.glob("*.pb"))
    (second.own / "xla_compile_cache__3__4__XLA_CPU_JIT.pb").write_bytes(b"code")


def test_other_processors_flags_and_versions_have_folders_of_their_own(root, monkeypatch):
    found = {kept._fingerprint()}
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_prefer_vector_width=128")
    found.add(kept._fingerprint())
    monkeypatch.setattr(kept, "version", lambda package: "0.1")
    found.add(kept._fingerprint())
    monkeypatch.setattr(kept, "_OF_PROCESSOR", ())
    found.add(kept._fingerprint())
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5})
    found.add(kept._fingerprint())
    assert len(found) == 5
    assert kept._fingerprint() in found


def test_what_nobody_needs_any_more_goes(root, monkeypatch):
    monkeypatch.setattr(kept, "_MOST_FILES", 3)
    old, recent = root / "old", root / "recent"
    old.mkdir(parents=True)
    recent.mkdir()
    root.chmod(0o700)
    long_ago = time.time() - kept._UNUSED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    cache = opened(root)
    assert not old.exists() and recent.exists()
    for number in range(4):
        cache.keep_graph(str(number), b"graph")
    (cache.folder / ".new-abandoned").mkdir()
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    monkeypatch.setattr(kept, "_opened", kept._Opened())
    again = opened(root)
    assert {path.name for path in again.folder.iterdir()} == {cache.own.name, again.own.name}


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda root, patch: root.chmod(0o770), "others can write"),
        (lambda root, patch: patch.setattr(os, "geteuid", lambda: 12345), "others can write"),
        (lambda root, patch: patch.setattr(kept, "_LEAST_FREE", 1 << 60), "MB free"),
        (lambda root, patch: (root.rmdir(), root.write_text("a file")), "File exists"),
    ],
)
def test_where_it_is_not_safe_nothing_is_kept_and_the_reason_is_logged(
    root, monkeypatch, caplog, prepare, reason
):
    root.mkdir(mode=0o700)
    prepare(root, monkeypatch)
    with caplog.at_level("INFO", "sweep"):
        assert opened(root) is None
        assert kept.folder_for_jax(root) is None
    assert caplog.text.count(reason) == 2
    assert os.environ["TF_XLA_FLAGS"] == ""


def test_a_name_that_tensorflow_would_not_read_is_not_given_to_it(root, caplog):
    with caplog.at_level("INFO", "sweep"):
        assert opened(root / "my programs") is None
    assert "spaces or quotes" in caplog.text and os.environ["TF_XLA_FLAGS"] == ""


def test_a_full_disk_is_not_taken_for_a_lack_of_memory(root, monkeypatch):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    cache = opened(root)
    monkeypatch.setattr(kept_graph, "runnable", lambda graph, specs: full)
    double = backend.compiled(lambda x: x * 2, "double", lambda x: x)
    assert double(tf.constant([1.0, 3.0])).numpy().tolist() == [2.0, 6.0]
    assert kept.opened() is None and not list(cache.folder.glob("*.graph"))


def test_a_users_own_cache_stays_theirs(root, monkeypatch):
    own = "--tf_xla_persistent_cache_directory=/somewhere"
    monkeypatch.setenv("TF_XLA_FLAGS", own)
    assert opened(root) is None
    assert os.environ["TF_XLA_FLAGS"] == own and not root.exists()


def traced(function, *specs):
    return tf.function(function, jit_compile=True, autograph=False).get_concrete_function(*specs)


def test_a_lasting_graph_computes_what_was_traced_under_names_that_stay():
    spec = tf.TensorSpec((3,), tf.float32)

    def halved(x):
        return keras.ops.while_loop(lambda y: keras.ops.max(y) > 1, lambda y: y / 2, x), x[0]

    first = kept_graph.graph_of(traced(halved, spec), "halved")
    names = [function.signature.name for function in first.library.function]
    assert names == [f"halved_{number}" for number in range(len(names))] and len(names) > 2
    run = kept_graph.runnable(type(first).FromString(first.SerializeToString()), [spec])
    result, head = run(tf.constant([1.0, 6.0, 3.0]))
    assert result.numpy().tolist() == [0.125, 0.75, 0.375] and head == 1.0


def test_a_graph_that_needs_tensors_of_this_process_is_refused():
    held = tf.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="captures"):
        kept_graph.graph_of(traced(lambda x: x + held, tf.TensorSpec((2,), tf.float32)), "sum")
