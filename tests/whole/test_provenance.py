"""Where a sweep came from, and the commands that give it again."""

import json
import shlex
import subprocess

import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.page import sections
from sweep.analysis.report.commands import commands
from sweep.space.commit import commit_of
from sweep.space.record import Commit
from sweep.store import Store
from tests.support import tiny, warm
from tests.support.sweeps import store_sweep, sweep_row, trained


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """With `mine.py` committed; its commit."""
    (tmp_path / "mine.py").write_text("A = 1\n")
    (tmp_path / ".gitignore").write_text("installed.py\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_commit_is_that_of_the_spaces_folder(repository, monkeypatch):
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "results").mkdir()
    (repository / "notes.txt").write_text("not tracked")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert commit_of(repository / "mine.py") == Commit(commit, dirty=False)


def test_a_change_or_a_space_that_is_not_in_the_commit_makes_it_dirty(repository):
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "new.py").write_text("")
    assert commit_of(repository / "new.py") == Commit(commit, dirty=True)
    assert commit_of(repository / "mine.py") == Commit(commit, dirty=False)
    (repository / "mine.py").write_text("A = 2\n")
    assert commit_of(repository / "mine.py") == Commit(commit, dirty=True)


def test_no_repository_no_commit_an_ignored_file_and_no_git_are_no_provenance(
    repository, tmp_path_factory, monkeypatch
):
    alone = tmp_path_factory.mktemp("alone")
    (alone / "mine.py").write_text("")
    assert commit_of(alone / "mine.py") is None
    git(alone, "init", "-q")
    assert commit_of(alone / "mine.py") is None
    (repository / "installed.py").write_text("")
    assert commit_of(repository / "installed.py") is None
    monkeypatch.setenv("PATH", "")
    assert commit_of(repository / "mine.py") is None


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A sweep that was started, extended and confirmed, its space in a repository."""
    folder = tiny.make_place(tmp_path_factory.mktemp("place"))
    git(folder, "init", "-q")
    git(folder, "add", "tiny.py")
    git(folder, "commit", "-q", "-m", "first")
    warm.run(folder, *tiny.start("s", "fused", "--max-epochs", "1"))
    warm.run(folder, "extend", "s", "--max-epochs", "3", "--add-brackets", "1")
    warm.run(folder, "confirm", "s", "--top", "1", "--seeds", "2")
    return folder


def test_the_report_says_which_commit(place):
    found = json.loads(warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout)
    commit = git(place, "rev-parse", "HEAD")
    assert found["sweep"]["space"]["git"] == {"commit": commit, "dirty": False}
    warm.run(place, "report", "s", "--no-charts", "--html", "page.html")
    assert f"git {commit}" in (place / "page.html").read_text()


def test_the_commands_give_the_same_sweep_again(place):
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        lines = commands(load(store))
    assert [line.split()[1] for line in lines] == ["start", "extend", "confirm"]
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "sweep"
        warm.run(place, *words, "--results", "again")
    (place / "other" / "results").mkdir(parents=True)
    (place / "again" / "s").rename(place / "other" / "results" / "s")
    assert not tiny.differences(tiny.contents(place, "s"), tiny.contents(place / "other", "s"))


def lines_of(tmp_path, trials, **changes):
    settings = {**sweep_row().settings.to_json(), **changes.pop("settings", {})}
    with store_sweep(tmp_path / "sweep.db", trials, settings=settings, **changes) as store:
        frames = load(store)
    return commands(frames), dict(sections.provenance(frames).rows)


def test_a_shipped_space_is_called_by_its_name_and_another_by_its_path(tmp_path):
    from sweep.space.find import shipped_spaces
    from sweep.space.source import fingerprint

    space = {"name": "capacity", "path": "/a b/capacity.py", "sha256": "c0ffee"}
    lines, said = lines_of(tmp_path, [trained(0.6)], space=space)
    assert shlex.split(lines[0])[2] == "/a b/capacity.py"
    assert said["commit"] == "unknown: the search space is not in a git repository"
    (tmp_path / "sweep.db").unlink()
    space |= {"sha256": fingerprint(shipped_spaces()["capacity"])}
    space |= {"git": {"commit": "abc", "dirty": True}}
    lines, said = lines_of(tmp_path, [trained(0.6)], space=space)
    assert shlex.split(lines[0])[2] == "capacity"
    assert said["commit"] == "git abc, with uncommitted changes"


def test_stages_become_the_extensions_that_made_them(tmp_path):
    stages = [{"max_epochs": 3, "brackets": 5}, {"max_epochs": 9, "brackets": 0}]
    stages.append({"max_epochs": 27, "brackets": 2})
    settings = {"max_epochs": 27, "factor": 3, "iterations": 2, "stages": stages}
    lines, _ = lines_of(tmp_path, [trained(0.6)], settings=settings)
    assert "--max-epochs 3" in lines[0] and "--iterations 2" in lines[0]
    assert lines[1:] == [  # an iteration to 3 epochs has two brackets
        "sweep extend capacity-1 --add-brackets 1",
        "sweep extend capacity-1 --max-epochs 9",
        "sweep extend capacity-1 --max-epochs 27 --add-brackets 2",
    ]
