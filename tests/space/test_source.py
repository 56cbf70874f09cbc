"""A search space's text is kept with the sweep, and run from there only when that is asked for."""

import os

import pytest

from sweep.errors import DataError
from sweep.space import source
from sweep.space.record import SpaceRecord
from sweep.space.source import changed_beside, fingerprint, sources, write_sources
from tests.support import tiny, warm

SPACE = "import os\nfrom parts import CHOICES\n" + tiny.SPACE.replace(
    "[0.0, 1e-4, 1e-3, 1e-2]", "CHOICES"
).replace("mlp(8,", 'mlp(int(os.environ.get("WIDTH", 8)),')


def widen(name: str) -> None:
    os.environ[name] = "9"


def test_a_lost_or_changed_space_is_run_from_its_copy_only_when_asked(tmp_path):
    place = tiny.make_place(tmp_path, SPACE)
    parts = place / "parts.py"
    parts.write_text("CHOICES = [0.0, 1e-4, 1e-3, 1e-2]\n")
    warm.run(place, *tiny.start("s", "fused", "--max-trials", "1"), code=8)
    other = warm.run(place, "resume", "s", code=4, before=widen, given=("WIDTH",)).stderr
    assert "gives another model (parameters, layers differ): it depends on something else" in other
    parts.write_text("CHOICES = [0.0]\n")
    changed = warm.run(place, "resume", "s", code=4)
    told = "tiny.py has changed since sweep s began (parts.py has changed); put it back, or run the"
    assert told in changed.stderr
    parts.unlink()
    (place / "tiny.py").unlink()
    gone = warm.run(place, "resume", "s", code=4)
    assert "tiny.py is gone; put it back, or run the copy" in gone.stderr
    assert len(gone.stderr.splitlines()) == 1
    warm.run(place, "resume", "s", "--stored-space")
    assert "7 of 7 assignments" in warm.run(place, "status", "s").stdout
    assert not (place / "tiny.py").exists()


def test_a_copy_is_the_original_to_the_last_byte(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\r\nimport b  # caf\xe9\n")
    (here / "b.py").write_text("x = 'é'\n")
    copy = write_sources(sources(here / "a.py"), "a.py", there)
    assert copy.read_bytes() == (here / "a.py").read_bytes()
    assert fingerprint(copy) == fingerprint(here / "a.py")


def test_every_file_that_differs_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("import b, c, e")
    for name in ("b", "c", "e"):
        (tmp_path / f"{name}.py").write_text(f"# {name}")
    monkeypatch.setattr(source, "_MOST_COPIED", 10)
    files = {**source.imported(path), "large.bin": tmp_path / "large.bin"}
    files["large.bin"].write_bytes(bytes(11))
    kept = SpaceRecord(sources=source.texts(files), uncopied=source.uncopied(files))
    assert list(kept.uncopied) == ["a.py", "large.bin"]
    assert changed_beside(path, kept) is None
    (tmp_path / "b.py").write_text("")
    (tmp_path / "c.py").write_text("")
    (tmp_path / "e.py").unlink()
    files["large.bin"].write_bytes(bytes(12))
    told = "b.py, c.py and large.bin have changed; e.py is gone"
    assert changed_beside(path, kept) == told
    then, now = {"a.py": "1"}, {"a.py": "2", "d.py": "1"}
    assert source.differences(then, now) == "a.py has changed; d.py is new"
    assert changed_beside(path, SpaceRecord(sha256="?")) == "", "an older version kept no text"


@pytest.mark.parametrize(
    "name", ["../x.py", "/x.py", "a/../../b.py", "a//b.py", "a\\b.py", "..", ""]
)
def test_a_copy_is_never_written_elsewhere(tmp_path, name):
    with pytest.raises(DataError, match="damaged"):
        write_sources({name: "x"}, "a.py", tmp_path)


def test_a_space_in_a_package_may_name_its_neighbour_by_the_packages_name(tmp_path):
    package = tmp_path / "mine"
    package.mkdir()
    for name, text in (("__init__", ""), ("a", "import mine.b"), ("b", "from mine import c")):
        (package / f"{name}.py").write_text(text)
    (package / "c.py").write_text("")
    assert list(sources(package / "a.py")) == ["a.py", "b.py", "c.py"]
