"""What a user gets: the wheel's contents, and pages whose commands and links exist."""

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sweep.cli.app import app
from tests.house.pages import PAGES, ROOT, commands, headings, links, pictures

TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
COMMANDS = sorted(set().union(*map(commands, TEXTS.values())))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("keras_sweep-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_program_and_its_spaces_and_nothing_else(site):
    tops = {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"sweep", "search_spaces"}
    assert (site / "sweep" / "py.typed").is_file()
    assert not list(site.rglob("*.npy"))


def test_the_installed_program_finds_its_spaces_from_any_folder(site, tmp_path):
    code = "import sys; sys.argv = ['sweep', 'spaces']; from sweep.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(site / "search_spaces" / "capacity.py") in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_that_pages_name_exist_with_their_options(command):
    words = shlex.split(command)[1:]
    names, known = [], typer.main.get_command(app)
    while (inner := getattr(known, "commands", {}).get(words[len(names)])) is not None:
        names, known = [*names, words[len(names)]], inner
        if len(names) == len(words):
            break
    done = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert names
    assert done.exit_code == 0, done.output
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){option}\b", done.output), option


@pytest.mark.parametrize("names", [[], ["start"], ["data"], ["serve"]])
def test_help_is_not_cut_on_a_usual_terminal(names):
    done = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    assert "…" not in done.output
    assert not [line for line in done.output.splitlines()[1:] if line.endswith("...")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_pictures_and_links_of_a_page_lead_somewhere(page):
    for path in pictures(TEXTS[page]):
        assert (page.parent / path).is_file(), path
    for path, heading in links(TEXTS[page]):
        to = (page.parent / path) if path else page
        assert to.is_file(), path
        assert not heading or heading in headings(to.read_text(encoding="utf-8")), (path, heading)


def test_the_readme_shows_a_picture_and_leads_to_every_page_of_docs():
    readme = TEXTS[ROOT / "README.md"]
    assert pictures(readme)
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}
    assert there <= {path for path, _ in links(readme)}


def test_the_readmes_table_has_every_command():
    table = TEXTS[ROOT / "README.md"].partition("## The commands")[2].partition("##")[0]
    named = {words.split()[1] for words in re.findall(r"`(sweep [a-z][^`]*)`", table)}
    assert named == set(typer.main.get_command(app).commands)
