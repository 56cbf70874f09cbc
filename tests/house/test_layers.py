"""Imports point down, and what people wait for starts no TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sweep"

# Lowest first. A module may import its own layer and those below it.
LAYERS = [
    {"errors", "exact", "records", "seeds", "words", "disk"},
    {"metrics", "statistics"},
    {"data"},
    {"settings", "space", "store"},
    {"sweep_folder"},
    {"references"},
    {"search", "training"},
    {"runner", "analysis", "doctor"},
    {"cli"},
]
HEAVY = ("tensorflow", "keras", "keras_tuner")


def layer_of(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


def imports(path: Path) -> list[str]:
    """Dotted names of all modules a file imports, in functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    own = layer_of(path.relative_to(PACKAGE).with_suffix("").parts[0])
    for name in imports(path):
        if name.startswith("sweep.") and name != "sweep.__version__":
            assert layer_of(name.split(".")[1]) <= own, f"{path} imports {name}"


@pytest.mark.parametrize(
    "layer", ["data", "store", "analysis", "doctor", "sweep_folder", "settings", "records"]
)
def test_light_layers_never_import_tensorflow(layer):
    paths = (
        (PACKAGE / layer).rglob("*.py") if (PACKAGE / layer).is_dir() else [PACKAGE / f"{layer}.py"]
    )
    for path in paths:
        heavy = [name for name in imports(path) if name.split(".")[0] in HEAVY]
        assert not heavy, f"{path} imports {heavy}"


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
    code = (
        "import sys, sweep.cli\n"
        "sys.argv = ['sweep', *sys.argv[1:]]\n"
        "try: sweep.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = [m for m in ('tensorflow', 'keras', 'keras_tuner') if m in sys.modules]\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
