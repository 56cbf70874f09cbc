"""A search space's code leaves nothing behind, cannot end the program, and finds its files."""

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.home import EndedByItselfError, Home
from sweep.training.trial_progress import error_line
from tests.support.spaces import MODEL

pytestmark = pytest.mark.usefixtures("keras", "few_builds")


def load(path: Path) -> Any:
    from sweep.space.inputs import columns
    from sweep.space.load import load_space

    return load_space(str(path), columns(28))


def written(folder: Path, text: str, name: str = "space.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def test_what_code_changes_around_it_is_put_back(tmp_path, capfd):
    before = Path.cwd(), sys.stdout, sys.stderr, list(sys.path), signal.getsignal(signal.SIGTERM)

    def change() -> None:
        os.chdir(tmp_path)
        os.dup2(0, 1)
        sys.stdout = sys.stderr = io.StringIO()
        sys.path.append("/elsewhere")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    interrupt = signal.getsignal(signal.SIGINT)
    Home(tmp_path).run(change)
    Home(tmp_path).run(lambda: [stream.close() for stream in (sys.stdout, sys.stderr)])
    assert not before[2].closed  # whoever else holds it can go on writing
    after = Path.cwd(), sys.stdout, sys.stderr, list(sys.path), signal.getsignal(signal.SIGTERM)
    assert after == before
    assert signal.getsignal(signal.SIGINT) is interrupt
    os.write(1, b"heard\n")
    assert capfd.readouterr().out == "heard\n"


def test_a_stream_that_code_closes_is_opened_again():
    script = (
        "import sys; from pathlib import Path; from sweep.space.home import Home\n"
        "def close():\n sys.__stdout__.close(); sys.__stderr__.close()\n"
        "Home(Path()).run(close); print('heard')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("heard\n", 0)


@pytest.mark.parametrize(
    "ends",
    ["sys.exit()", "sys.exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit", "leave()"],
)
@pytest.mark.parametrize("where", ["import", "build", "switch"])
def test_code_that_ends_the_program_is_refused_in_one_line(tmp_path, where, ends):
    own = "import sys\nclass Quit(BaseException): ...\ndef leave(): raise Quit('now')\n"
    text = {
        "import": own + ends,
        "build": own + MODEL.replace("def build(hp):", f"def build(hp):\n    {ends}"),
        "switch": own
        + MODEL.replace(
            "def build(hp):", f"def build(hp):\n    if hp.Boolean('b'):\n        {ends}"
        ),
    }[where]
    with pytest.raises(InvalidSpaceError, match=r"line \d+: (System|Keyboard|Generator|Quit)") as e:
        load(written(tmp_path, text))
    assert "\n" not in str(e.value)


def test_a_build_that_ends_the_program_later_is_an_error_like_others(tmp_path):
    home, leave = Home(tmp_path), os._exit
    for end in (lambda: sys.exit(0), lambda: os._exit(0)):
        with pytest.raises(EndedByItselfError, match="SystemExit: 0") as raised:
            home.run(end)
        assert error_line(raised.value) == "SystemExit: 0"
    assert os._exit is leave


def test_a_real_interrupt_goes_on_as_one(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Home(tmp_path).run(lambda: os.kill(os.getpid(), signal.SIGINT))
        heard = []  # whoever else listens, as a search does, hears it in the code too
        signal.signal(
            signal.SIGINT, lambda number, frame: heard.append(number) or 1 / len(heard[1:])
        )
        with pytest.raises(ZeroDivisionError):
            Home(tmp_path).run(lambda: os.kill(os.getpid(), signal.SIGINT))
        Home(tmp_path).run(lambda: os.kill(os.getpid(), signal.SIGINT))
        assert heard == [signal.SIGINT] * 2
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_code_prints_is_not_in_our_output(tmp_path, capfd):
    load(
        written(
            tmp_path,
            "print('loud')\n" + MODEL.replace("model.compile", "print(1)\n    model.compile"),
        )
    )
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == ["loud", "1"]


HELPED = MODEL.replace("import keras", "import keras\nfrom parts.wide import WIDTH")


def packaged(folder: Path) -> Path:
    written(folder, "from .deep.narrow import WIDTH as NARROW\nWIDTH = NARROW + 1", "parts/wide.py")
    written(folder, "from .. import one\nWIDTH = one.ONE", "parts/deep/narrow.py")
    written(folder, "ONE = 1", "parts/one.py")
    written(folder, "", "parts/__init__.py")
    written(folder, "", "parts/deep/__init__.py")
    return written(folder, HELPED)


@pytest.mark.parametrize("changed", ["wide", "deep/narrow", "one", "deep/__init__"])
def test_the_fingerprint_covers_packages_and_relative_imports(tmp_path, changed):
    from sweep.space.source import changed_beside, fingerprint

    path = packaged(tmp_path)
    space = load(path)
    assert list(space.sources) == [
        "space.py",
        "parts/__init__.py",
        "parts/deep/__init__.py",
        "parts/deep/narrow.py",
        "parts/one.py",
        "parts/wide.py",
    ]
    assert space.sha256 == fingerprint(path), "told without running anything"
    part = tmp_path / "parts" / f"{changed}.py"
    part.write_text(part.read_text() + "\n# changed")
    assert load(path).sha256 != space.sha256
    told = changed_beside(path, space.describe())
    assert told == f"parts/{changed}.py has changed"


LATE = MODEL.replace("def build(hp):", "def build(hp):\n    from late import WIDTH")


def test_imports_inside_build_are_found_at_any_time_and_covered(tmp_path, monkeypatch):
    path = written(tmp_path, LATE)
    written(tmp_path, "WIDTH = 4", "late.py")
    space = load(path)
    assert list(space.sources) == ["space.py", "late.py"]
    monkeypatch.chdir("/")
    monkeypatch.delitem(sys.modules, "late", raising=False)
    import keras_tuner

    assert space.build(keras_tuner.HyperParameters()).built


def test_two_spaces_have_helpers_of_the_same_name(tmp_path):
    found = []
    for name, width in (("a", 2), ("b", 3)):
        written(tmp_path / name, f"WIDTH = {width}", "late.py")
        text = LATE.replace('hp.Int("width", 1, 4)', "WIDTH")
        found.append(load(written(tmp_path / name, text)))
    import keras_tuner

    models = [space.build(keras_tuner.HyperParameters()) for space in (*found, *found)]
    assert [model.layers[0].units for model in models] == [2, 3, 2, 3]


def test_modules_found_by_name_only_when_it_runs_are_covered(tmp_path):
    written(tmp_path, "WIDTH = 4", "chosen.py")
    space = load(
        written(tmp_path, "import importlib\nimportlib.import_module('cho' + 'sen')\n" + MODEL)
    )
    assert list(space.sources) == ["space.py", "chosen.py"]


def test_a_module_that_is_run_past_the_imports_is_covered_with_and_without_bytecode(tmp_path):
    import py_compile

    helper = written(tmp_path, "WIDTH = 4", "helper.py")
    text = (
        "import importlib.util as u\nfrom pathlib import Path\n"
        "spec = u.spec_from_file_location('any', Path(__file__).parent / 'helper.py')\n"
        "helper = u.module_from_spec(spec)\nspec.loader.exec_module(helper)\n"
    )
    path = written(tmp_path, text + MODEL)
    first = load(path)
    assert list(first.sources) == ["space.py", "helper.py"]
    py_compile.compile(str(helper))
    assert load(path).sha256 == first.sha256


@pytest.mark.parametrize("name", ["KERAS_BACKEND", "KERAS_FLOATX"])
def test_what_keras_read_before_is_not_set_without_effect(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)
    text = f"import os\nos.environ['{name}'] = 'other'\n" + MODEL
    with pytest.raises(InvalidSpaceError, match=rf"sets {name} to other, but Keras has started"):
        load(written(tmp_path, text))


def test_warnings_that_a_space_makes_errors_stay_warnings_for_us(tmp_path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        load(written(tmp_path, "import warnings\nwarnings.simplefilter('error')\n" + MODEL))
        assert warnings.filters[0][0] == "default"


def test_files_that_are_read_or_declared_are_covered(tmp_path):
    from sweep.space.source import changed_beside, write_sources

    written(tmp_path, "0.5", "data/mean.txt")
    (tmp_path / "scale.bin").write_bytes(b"\xff\x00")
    text = "from pathlib import Path\nFILES = ['scale.bin']\nHERE = Path(__file__).parent\n" + MODEL
    text = text.replace(
        "def build(hp):", "def build(hp):\n    float((HERE/'data/mean.txt').read_text())"
    )
    path = written(tmp_path, text)
    space = load(path)
    assert list(space.sources) == ["space.py", "data/mean.txt", "scale.bin"]
    there = tmp_path / "there"
    there.mkdir()
    copy = load(write_sources(space.sources, "space.py", there))
    assert (copy.sha256, copy.sources) == (space.sha256, space.sources)
    (tmp_path / "scale.bin").write_bytes(b"\xff\x01")
    assert changed_beside(path, space.describe()) == "scale.bin has changed"


@pytest.mark.parametrize(
    "files", ["'a.txt'", "['no.txt']", "['../a.txt']", "['/etc/passwd']", "[1]"]
)
def test_files_that_are_not_there_are_refused(tmp_path, files):
    with pytest.raises(InvalidSpaceError, match="FILES of"):
        load(written(tmp_path, f"FILES = {files}\n" + MODEL))


def test_nothing_is_written_beside_the_space(tmp_path):
    load(packaged(tmp_path))
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_file_beside_the_space_that_is_looked_for_elsewhere_is_named_with_its_path(tmp_path):
    (tmp_path / "w.json").write_text("2")
    model = MODEL.replace("    model", "    assert W\n    model", 1)
    text = "import pathlib\nW = pathlib.Path({}).read_text()\n" + model
    advice = r"line 2: FileNotFoundError.*; it lies beside space.py, .* write (.*)$"
    with pytest.raises(InvalidSpaceError, match=advice) as found:
        load(written(tmp_path, text.format("'w.json'")))
    write = re.search(advice, str(found.value))
    assert write is not None
    load(written(tmp_path, text.format(write[1])))
