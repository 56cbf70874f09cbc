"""sweep ls: the list of sweeps, also on a narrow terminal."""

import re

import pytest
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import store_sweep, trained

LEFT_OUT = {
    140: [],
    90: ["data"],
    80: ["data"],
    70: ["space", "data"],
    55: ["space", "data", "started"],
}


def listed(root, width: int) -> tuple[str, str]:
    where = ["--results", str(root / "results")]
    done = CliRunner().invoke(app, ["ls", "--width", str(width), *where])
    assert done.exit_code == 0
    return done.stdout, done.stderr


@pytest.mark.parametrize("width", LEFT_OUT)
def test_names_and_scores_are_whole_and_what_does_not_fit_is_named(tmp_path, width):
    folder = SweepFolder(tmp_path / "results", "capacity-1")
    folder.create()
    store_sweep(folder.database, [trained(0.6), trained(0.7)]).close()
    shown, said = listed(tmp_path, width)
    _, line = shown.splitlines()
    assert line.startswith("capacity-1  ") and "0.6000 (trial 0)" in line and "finished" in line
    assert len(line) <= width
    left_out = re.findall(r"too narrow for all: (.*)", said)
    assert left_out == ([", ".join(LEFT_OUT[width])] if LEFT_OUT[width] else [])


def test_a_damaged_sweep_is_listed_with_what_is_wrong(tmp_path):
    folder = SweepFolder(tmp_path / "results", "broken-1")
    folder.create()
    folder.database.write_bytes(b"no database at all")
    shown, said = listed(tmp_path, 90)
    assert "damaged" in shown and said == ""
