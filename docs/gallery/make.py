"""Makes docs/gallery.md and its pictures: four short sweeps on data that scikit-learn brings.

    python docs/gallery/make.py        (or: make gallery; about two minutes on two cores)

All is done through the command line, in a temporary folder: what stands on the page is what anybody
sees who writes the same files and types the same commands.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn import datasets

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOP = 5
COLUMNS = 118
COLOURS = 64
"""Of a picture: so few make it a third as large, and nobody sees it."""


@dataclass(frozen=True)
class Sweep:
    """A section of the page."""

    name: str
    title: str
    about: str
    data: str
    options: str
    write: Callable[[Path], None]

    @property
    def start(self) -> str:
        return f"sweep start {self.name}.py --data {self.data} {self.options}".strip()


def table(load: Callable[..., object], **options: object) -> Callable[[Path], None]:
    """What writes one of scikit-learn's tables as a CSV, classes by their names."""

    def write(path: Path) -> None:
        found = load(as_frame=True, **options)
        frame = found.frame
        if "target_names" in found:
            frame["target"] = [found.target_names[number] for number in frame["target"]]
        frame.to_csv(path, index=False)

    return write


def digits(path: Path) -> None:
    """Write 1,797 digits as pixels."""
    found = datasets.load_digits()
    np.savez_compressed(path, x=found.images.astype("float32"), y=found.target)


SWEEPS = (
    Sweep(
        "cancer", "Binary: is a tumour benign?",
        "569 tumours, 30 measures of each, the label in words. One to three layers, each with a"
        " width and a dropout of its own.",
        "cancer.csv", "--max-epochs 27 --batch-size 32", table(datasets.load_breast_cancer),
    ),
    Sweep(
        "wine", "Classes: who made this wine?",
        "178 wines of three growers, 13 measures of each. So few rows can tell only large"
        " differences apart, and the report says so.",
        "wine.csv", "--max-epochs 27 --batch-size 16", table(datasets.load_wine),
    ),
    Sweep(
        "digits", "Pixels: which digit is it?",
        "1,797 pictures of 8 by 8 pixels, as arrays `x` and `y` in one file. Chains of `Dense`"
        " layers on flattened pixels are trained many at once, as those on tables are.",
        "digits.npz", "--max-epochs 27 --batch-size 32", digits,
    ),
    Sweep(
        "diabetes", "An amount: how far will the illness go in a year?",
        "442 patients, 10 columns, an amount to predict. The score is the squared error, beside its"
        " root in the unit of the target.",
        "diabetes.csv", "--max-epochs 81 --batch-size 32",
        table(datasets.load_diabetes, scaled=False),
    ),
)  # fmt: skip

HEAD = """# Gallery

Four short sweeps on data that come with scikit-learn, one for each kind of task. The spaces are
ordinary Keras Tuner files; the data are ordinary files. `make gallery` makes this page, through the
command line.
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Carry out `sweep arguments` in a folder; show what it said if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env={**os.environ, "SWEEP_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"sweep {' '.join(arguments)} ended with {done.returncode}\n{done.stderr}")
    return done


def section(folder: Path, sweep: Sweep) -> str:
    """Run one sweep; write its picture; return its part of the page."""
    (folder / f"{sweep.name}.py").write_text((HERE / f"{sweep.name}.py").read_text())
    sweep.write(folder / sweep.data)
    said = run(folder, *sweep.start.split()[1:], "--name", sweep.name).stderr.splitlines()
    about_data = [line for line in said if line.startswith(("task:", "rows:", "note:", "warning:"))]
    printed = run(folder, "report", sweep.name, "--top", str(TOP), "--width", str(COLUMNS)).stdout
    _, ranked, *_, verdict = printed.strip().split("\n\n")
    drawn = folder / "results" / sweep.name / "charts" / "frontier.png"
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(HERE / f"{sweep.name}.png", optimize=True)
    parts = [
        f"## {sweep.title}",
        f"{sweep.about} [The space](gallery/{sweep.name}.py).",
        f"```bash\n{sweep.start}\n```",
        "\n".join(["```text", *about_data, "```"]),
        f"![The frontier of {sweep.name}](gallery/{sweep.name}.png)",
        f"The best {TOP}, and the verdict:",
        "\n".join(["```text", *(line.rstrip() for line in ranked.splitlines()), "```"]),
        f"```text\n{verdict}\n```",
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Write the page and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        sections = [section(Path(folder), sweep) for sweep in SWEEPS]
    page = "\n\n".join([HEAD.strip(), *sections])
    (HERE.parent / "gallery.md").write_text(f"{page}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
