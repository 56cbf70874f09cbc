"""How a command ends when something is wrong: with the machine, with the data, with ourselves."""

import errno
import os
import subprocess
import sys

import pytest

from sweep.cli import app as cli
from sweep.errors import DataError
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import store_sweep, trained


@pytest.fixture
def place(tmp_path, monkeypatch):
    folder = SweepFolder(tmp_path / "results", "s")
    folder.create()
    store_sweep(folder.database, [trained(0.6), trained(0.7)], name="s").close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """The exit code of `sweep arguments`, and what it said on stderr."""
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    return int(ended.value.code or 0), capsys.readouterr().err


def plant(monkeypatch, name: str, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(name, broken)


LONG = "9" * 5000


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["show", LONG], 2),
        (["compare", "0", LONG], 2),
        (["export", "s", LONG, "x.keras"], 2),
        (["export", "s", "9" * 18, "x.keras"], 3),
        (["test", "s", "--trial", "9" * 25], 3),
        (["export", "s", "0", f"{LONG}.keras"], 2),
        (["report", "--no-charts", "--html", "."], 2),
        *(([command, "--results", LONG], 2) for command in ("ls", "status", "gc", "doctor")),
        (["start", "capacity", "--results", LONG], 2),
        (["doctor", "--cache", LONG], 2),
    ],
    ids=lambda value: " ".join(value)[:20] if isinstance(value, list) else "",
)
def test_a_users_mistake_is_no_fault_of_ours(place, monkeypatch, capsys, command, code):
    ended, said = run(monkeypatch, capsys, *command)
    assert ended == code
    assert "Traceback" not in said and "report it" not in said
    assert max(map(len, said.splitlines())) < 400


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("sweep.analysis.charts.catalogue.write_charts", ["report"]),
        ("sweep.analysis.report.terminal.report", ["report", "--no-charts"]),
        ("sweep.analysis.answers.one_trial.details", ["show", "0"]),
        ("sweep.analysis.answers.two_trials.compare", ["compare", "0", "1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(
    "error",
    [KeyError("frontier"), TypeError("no number"), ValueError("a bug"), AttributeError("x")],
)
def test_a_bug_of_ours_is_a_traceback_with_the_request_to_report_it(
    place, monkeypatch, capsys, where, command, error
):
    plant(monkeypatch, where, error)
    code, said = run(monkeypatch, capsys, *command)
    assert code == 1
    assert "Traceback" in said and "in broken" in said
    *_, last = said.splitlines()
    told = f"{type(error).__name__}: {error}"
    assert last == f"error: this is a fault of sweep, please report it with the lines above: {told}"
    assert "damaged" not in said


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS"])
def test_what_a_disk_does_to_us_is_one_line(place, monkeypatch, capsys, number):
    number = getattr(errno, number)
    error = OSError(number, os.strerror(number), "charts/frontier.png")
    plant(monkeypatch, "sweep.analysis.charts.catalogue.write_charts", error)
    code, said = run(monkeypatch, capsys, "report", "s")
    assert code == 6
    (line,) = said.splitlines()
    assert "charts/frontier.png: " in line and "make room or permission there" in line


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.EPIPE, None])
def test_any_other_fault_of_the_operating_system_is_ours(place, monkeypatch, capsys, number):
    error = OSError("bare") if number is None else OSError(number, os.strerror(number), "charts")
    plant(monkeypatch, "sweep.analysis.charts.catalogue.write_charts", error)
    code, said = run(monkeypatch, capsys, "report", "s")
    assert code == 1
    assert "Traceback" in said and "please report it" in said


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_the_traceback_of_an_error(place, monkeypatch, capsys, how):
    plant(monkeypatch, "sweep.cli.commands.status.look", DataError("broken"))
    code, said = run(monkeypatch, capsys, "status", "s")
    assert (code, said) == (5, "error: broken\n")
    if how == "environment":
        monkeypatch.setenv("SWEEP_DEBUG", "1")
    more = ["--debug"] if how == "option" else []
    code, said = run(monkeypatch, capsys, *more, "status", "s")
    assert code == 5
    assert "Traceback" in said and said.endswith("error: broken\n")


def test_python_m_sweep_is_the_command(place):
    done = subprocess.run(
        [sys.executable, "-m", "sweep", "ls"], capture_output=True, text=True, check=True
    )
    assert "finished" in done.stdout


@pytest.mark.parametrize("module", ["sweep.runner.look", "sweep.runner.stop"])
def test_looking_and_stopping_import_nothing_heavy(module):
    code = (
        f"import sys, {module}\n"
        "sys.exit(str({'tensorflow', 'keras', 'keras_tuner', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "set()\n"


def test_a_folder_that_is_gone_is_named_as_the_fault(place, monkeypatch, capsys):
    plant(monkeypatch, "sweep.cli.commands.status.look", FileNotFoundError(errno.ENOENT, "gone"))
    gone = place / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, said = run(monkeypatch, capsys, "status", "s", "--results", str(place / "results"))
    assert code == 6 and "removed; go to another" in said and len(said.splitlines()) == 1


def test_a_thread_that_a_space_has_started_is_not_waited_for(tmp_path):
    script = (
        "import sys, threading, time; from sweep.cli import main\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        f"sys.argv = ['sweep', 'ls', '--results', {str(tmp_path)!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"")
