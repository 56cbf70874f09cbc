"""docs/house.md has one line for each file, and no line for a file that is gone."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.pages import PAGES, ROOT

TOPS = ("sweep", "search_spaces", "benchmarks")
SUFFIXES = {".py", ".css", ".js", ".j2", ".json"}
MAP = ROOT / "docs" / "house.md"
_PATH = re.compile(r"`((?:sweep|tests|search_spaces|benchmarks)/[\w./-]*\w\.\w+)")


def is_listed(path: Path) -> bool:
    """Whether the map must name a file: all sources, but for packages that are only a docstring."""
    if path.suffix not in SUFFIXES or "__pycache__" in path.parts:
        return False
    body = (
        ast.parse(path.read_text(encoding="utf-8")).body if path.name == "__init__.py" else [None]
    )
    return any(not isinstance(node, ast.Expr) for node in body)


def mapped(text: str) -> dict[str, str]:
    """The line of each file and folder that the map names, by its path from the root."""
    found, room = {}, ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"## `([\w/]+)/`", line):
            room = heading[1]
        elif entry := re.fullmatch(r"- `([\w./]+)`: (.+)", line):
            found[f"{room}/{entry[1]}"] = entry[2]
    return found


def unmapped(text: str, root: Path) -> tuple[set[str], set[str]]:
    """Files and folders of tests that the map does not name, and those it names that are gone."""
    files = {
        path.relative_to(root).as_posix()
        for top in TOPS
        for path in (root / top).rglob("*")
        if is_listed(path)
    }
    folders = {
        f"tests/{path.name}/"
        for path in (root / "tests").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    named = set(mapped(text))
    return (files | folders) - named, named - files - folders


def test_the_map_names_every_file_and_no_other():
    missing, gone = unmapped(MAP.read_text(encoding="utf-8"), ROOT)
    assert not missing, f"docs/house.md has no line for {sorted(missing)}"
    assert not gone, f"docs/house.md names what is gone: {sorted(gone)}"


def test_every_line_of_the_map_is_a_sentence():
    for path, line in mapped(MAP.read_text(encoding="utf-8")).items():
        assert re.fullmatch(r"[A-Z`0-9].*[.?]", line), f"{path}: {line}"


def test_a_file_without_a_line_and_a_line_without_a_file_are_found(tmp_path):
    for name in (*TOPS, "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "sweep" / "new.py").touch()
    (tmp_path / "sweep" / "__init__.py").write_text('"""A room."""\n')
    text = "## `sweep/`\n\n- `old.py`: What was there.\n"
    assert unmapped(text, tmp_path) == ({"sweep/new.py"}, {"sweep/old.py"})
    assert unmapped(text.replace("old", "new"), tmp_path) == (set(), set())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_pages_name_are_there(page):
    for path in _PATH.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).is_file(), path
