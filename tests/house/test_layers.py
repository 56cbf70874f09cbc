"""Imports point down, and what people wait for starts no TensorFlow.

The floors of the house, and what a room may never import, are contracts in pyproject.toml.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import light

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of `folder`/pyproject.toml on the package beside it."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


def test_the_contracts_of_the_house_are_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["start", "--help"],
        ["spaces"],
        ["ls"],
        ["status"],
        ["report"],
        ["start", "no-such-space"],
    ],
    ids=" ".join,
)
def test_commands_that_people_wait_for_start_no_tensorflow(arguments, tmp_path):
    done = light.run(tmp_path, *arguments, tells_heavy=True)
    assert {*done.stdout.splitlines()[-1].split()} <= {"pandas"}, done.stderr


@pytest.mark.parametrize(
    "module", ["sweep.analysis.charts.frontier", "sweep.analysis.page.plots", "sweep.data.summary"]
)
def test_numbers_of_charts_and_the_pages_plots_need_no_matplotlib(module):
    code = f"import sys, {module}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_special_functions_are_scipys_and_imported_when_one_is_called():
    code = (
        "import sys; from sweep import special_functions as own;"
        "assert 'scipy.special' not in sys.modules; from scipy import special;"
        "assert all(getattr(own, name)(0.3) == getattr(special, name)(0.3)"
        " for name in ('expit', 'logit', 'ndtr', 'ndtri'));"
        "assert own.stdtr(3, 0.4) == special.stdtr(3, 0.4);"
        "assert own.stdtrit(3, 0.4) == special.stdtrit(3, 0.4)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
