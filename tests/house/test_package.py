"""What a user gets: the wheel's contents, and a README whose commands exist."""

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweep.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = r"```[a-z]*\n(.*?)```"
COMMANDS = sorted(
    {
        line.split("#")[0].strip()
        for block in re.findall(BLOCK, README, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("sweep ")
    }
    | {
        " ".join(command.split())
        for command in re.findall(
            r"`(sweep [a-z][^`]*)`", re.sub(BLOCK, "", README, flags=re.DOTALL)
        )
    }
)


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
def test_the_readmes_commands_exist_with_their_options(command):
    words = shlex.split(command)[1:]
    names = [word for word in words[:2] if word.isalpha()]
    depth = 2 if names[0] == "data" else 1
    environment = {"COLUMNS": "200", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*names[:depth], "--help"], env=environment)
    assert done.exit_code == 0, done.output
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){option}\b", done.stdout), option


def test_the_readme_shows_a_picture_that_is_there():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_relative_links_lead_somewhere():
    for path in re.findall(r"(?<!!)\[[^]]*\]\(([^)#:]+)\)", README):
        assert (ROOT / path).is_file(), path
