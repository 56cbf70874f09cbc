"""Spaces and data of each kind that people have: from the plan to an export for anybody."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support import tiny, verbs
from tests.support.elsewhere import without_package
from tests.support.own_data import KINDS, TEST, VALIDATING, VALIDATION, Kind

_LOADS = """
import json, sys
import keras, numpy as np, tensorflow as tf
scores = {}
for name, kind in json.load(open(sys.argv[1])).items():
    with np.load(f"{name}/raw.npz") as file:
        arrays = dict(file)
    y = arrays.pop("y")
    given = {key: tf.constant(x.tolist()) for key, x in arrays.items()}
    model = keras.models.load_model(f"{name}/best.keras")
    p = model(given.get("x", given)).numpy().astype(float)
    assert p.shape == y.shape, (name, p.shape, y.shape)
    if kind == "binary":
        rows = -np.log(np.where(y == 1, p, 1 - p)).mean(axis=1)
    elif kind == "classes":
        rows = -np.log((p * y).sum(axis=1))
    else:
        rows = ((p - y) ** 2).mean(axis=1)
    scores[name] = rows.mean()
json.dump(scores, open("scores.json", "w"))
"""


PLANNED = "a script"
"""The one kind whose plan is made: it measures how fast models train."""


def commands(kind: Kind, file: str, is_planned: bool) -> list[list[str]]:
    """What a user types, from the plan to the exported model."""
    data = ["space.py", "--data", file, *kind.options, "--split", "ordered"]
    data += ["--validation-rows", str(VALIDATION), "--test-rows", str(TEST)]
    search = ["--search", "random", "--trials", "2", "--max-epochs", "2", "--batch-size", "25"]
    return [
        *([["plan", *data, *search]] if is_planned else []),
        ["start", *data, *search, "--name", "s", "--trainer", "keras"],
        ["confirm", "s", "--top", "1", "--seeds", "1"],
        ["test", "s"],
        ["export", "s", "best.keras"],
        ["report", "s", "--no-charts", "-o", "json"],
    ]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind, in which all was done, with its raw validation rows."""
    top = tmp_path_factory.mktemp("own")
    found, typed = {}, {}
    for name, kind in KINDS.items():
        place = top / name
        place.mkdir()
        (place / "space.py").write_text(kind.space)
        file, raw, y = kind.write(place)
        rows = {key: array[VALIDATING] for key, array in raw.items()}
        np.savez(place / "raw.npz", **rows, y=y[VALIDATING])
        found[name], typed[place] = place, commands(kind, file, name == PLANNED)
    (top / "kinds.json").write_text(json.dumps({name: kind.score for name, kind in KINDS.items()}))
    done = verbs.begin(top, typed)
    assert done.wait() == 0, done.stderr
    return found


@pytest.fixture(scope="module")
def scores(places: dict[str, Path]) -> dict[str, float]:
    """The scores of the exported models on raw rows, by a process that cannot import `sweep`."""
    top = next(iter(places.values())).parent
    without_package(top, _LOADS, "kinds.json")
    return dict(json.loads((top / "scores.json").read_text()))


@pytest.mark.parametrize("name", KINDS)
def test_all_commands_serve_it_and_the_export_gives_its_score(places, name, request):
    place = places[name]
    said = f"{(place / 'out').read_text()[-3000:]}\n{(place / 'err').read_text()}"
    assert (place / "code").read_text() == "0", said
    assert "Traceback" not in said, said
    tiny.assert_sound(place, "s")
    _, _, report = (place / "out").read_text().partition("$ report")
    found = json.loads(report.partition("\n")[2])
    best = found["trials"][0]
    scores = request.getfixturevalue("scores")
    assert scores[name] == pytest.approx(best["val_score"], rel=1e-4)
