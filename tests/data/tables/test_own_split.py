"""A file on its way to a split: prepared on training rows only, with what is doubtful said."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from sweep.data.own_data import OwnData, Sizes
from sweep.data.split import load_split, load_test_rows
from sweep.data.split_record import SplitRecord
from sweep.data.tables.overview import columns_of, to_json, with_use
from sweep.data.tables.own_split import own_split, whole_split
from sweep.data.tables.reading import Read
from sweep.errors import DataError
from sweep.store.parsing import record
from sweep.tasks.task import TaskKind
from tests.support.higgs_rows import write_file

N = 300


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(5)
    age = rng.normal(40, 12, N)
    income = np.where(rng.random(N) < 0.1, np.nan, rng.normal(2000, 500, N))
    return pl.DataFrame(
        {
            "person": np.arange(N) // 3,
            "age": age,
            "income": income,
            "job": rng.choice(["cook", "smith", "clerk"], N),
            "happy": np.where(age + rng.normal(0, 5, N) > 40, "yes", "no"),
        }
    )


def split_of(frame, **options):
    return own_split(Read("people", frame=frame), OwnData(**options))


HAPPY = {"label": ("happy",), "drop": ("person",)}


def test_numbers_are_standardized_and_words_become_columns(people):
    split = split_of(people, **HAPPY, missing="indicator")
    assert split.columns == (
        "age", "income", "income is missing", "job=clerk", "job=cook", "job=smith",
    )  # fmt: skip
    x = split.train.array
    assert x.dtype == np.float32 and x.shape == (180, 6)
    np.testing.assert_allclose(x[:, :2].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(x[:, :2].std(0), 1, atol=1e-6)
    assert (x[:, 3:].sum(1) == 1).all() and set(np.unique(x[:, 2])) == {0, 1}
    assert split.task.classes == ("no", "yes")
    assert split.input_shapes == {"x": (6,)}


def test_nothing_is_fitted_on_other_than_training_rows(people):
    own = OwnData(**HAPPY, missing="median")
    before = whole_split(Read("people", frame=people), own)
    train = before.split.train.array
    # other values wherever rows do not train: found by asking the split which rows those are
    marked = people.with_columns(pl.Series("row", np.arange(N, dtype=float)))
    seen = whole_split(Read("people", frame=marked), replace(own, standardize=False))
    trains = seen.split.train.array[:, seen.split.columns.index("row")].astype(int)
    held_out = ~np.isin(np.arange(N), trains)
    age = np.where(held_out, 1e6, people["age"].to_numpy())
    income = np.where(held_out, -1e6, people["income"].to_numpy())
    changed = people.with_columns(pl.Series("age", age), pl.Series("income", income))
    after = whole_split(Read("people", frame=changed), own)
    assert after.split.preparation == before.split.preparation
    np.testing.assert_array_equal(after.split.train.array, train)


def test_the_record_is_stored_and_opens_the_same_test_rows(people, tmp_path):
    path, cache = tmp_path / "people.csv", tmp_path / "cache"
    people.write_csv(path)
    own = OwnData(**HAPPY, missing="mean", sizes=Sizes(validation="20%"))
    split = load_split(str(path), own=own, cache_dir=cache)
    stored = record(SplitRecord, "data", json.loads(json.dumps(split.manifest.to_json())))
    assert stored == split.manifest
    path.unlink()
    test = load_test_rows(stored, cache)
    assert test.array.shape == (60, 5) and test.y.shape == (60,)
    seen = np.concatenate([split.train.array, split.validation.array])
    together = np.concatenate([seen, test.array])
    assert len(np.unique(together, axis=0)) == N
    with pytest.raises(DataError, match="has changed"):
        load_test_rows(replace(stored, own=replace(stored.own, split_seed=1)), cache)


def test_the_same_options_give_the_same_rows_and_any_other_another_fingerprint(people):
    def of(**options):
        return split_of(people, **(HAPPY | {"missing": "mean"} | options)).fingerprint

    base = of()
    assert of() == base
    for options in (
        {"split_seed": 1}, {"standardize": False}, {"missing": "median"}, {"split": "ordered"},
        {"class_weight": "balanced"}, {"drop": ("person", "job")}, {"task": "classes"},
    ):  # fmt: skip
        assert of(**options) != base, options


def test_what_is_kept_of_the_sizes_gives_the_same_rows(people):
    for options in ({}, {"split": "group:person", "drop": ()}, {"split": "ordered"}):
        split = split_of(people, **(HAPPY | {"missing": "mean"} | options))
        again = own_split(Read("people", frame=people), split.manifest.own)
        assert again.fingerprint == split.fingerprint


def test_groups_stay_together_and_are_no_feature(people):
    split = split_of(people, label=("happy",), split="group:person", missing="mean")
    assert "person" not in split.columns
    assert split.manifest.rule.name == "group:person"
    assert abs(len(split.validation) - 60) <= 3


def test_class_weights_are_of_the_training_rows(people):
    rare = people.filter((pl.col("happy") == "no") | (pl.col("person") % 4 == 0))
    split = split_of(rare, **HAPPY, missing="mean", class_weight="balanced")
    no, yes = split.class_weights
    counts = split.manifest.class_rows.train
    assert no * counts[0] == pytest.approx(yes * counts[1]) == len(split.train) / 2
    with pytest.raises(DataError, match="--class-weight is for classes"):
        split_of(people, label=("age",), drop=("income",), class_weight="balanced")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"label": ("happy",)},
            r"missing values \(income \d+; the first in row \d+\).*--missing mean, median or",
        ),
        ({"label": ("hapy",)}, "did you mean 'happy'"),
        ({**HAPPY, "drop": ("nobody",)}, "--drop is 'nobody', but people has no such column"),
        (
            {**HAPPY, "missing": "mean", "max_levels": 2},
            "has 3 different words.*--max-levels",
        ),
        ({**HAPPY, "split_column": "job", "missing": "mean"}, "'clerk' is no part"),
        ({**HAPPY, "split": "group:town", "missing": "mean"}, "--split group: is 'town'"),
        ({"drop": ("1", "2", "3", "4"), "label": ("5",)}, "no columns besides happy"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(people, options, message):
    with pytest.raises(DataError, match=message) as caught:
        split_of(people, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "label"),
    [
        (pl.col("happy").replace("yes", "si").alias("copy"), "happy"),
        ((pl.col("happy") == "yes").cast(pl.Int8).alias("copy"), "happy"),
        ((pl.col("age") * 365 + 7).alias("copy"), "age"),
    ],
)
def test_a_column_that_equals_the_label_is_refused(people, column, label):
    with pytest.raises(DataError, match=f"column 'copy' equals the label '{label}'"):
        split_of(people.with_columns(column), label=(label,), missing="mean")


def test_doubtful_columns_and_rows_are_named(people):
    frame = people.with_columns(one=pl.lit(3), id=pl.Series(range(1, N + 1)))
    doubts = " | ".join(split_of(frame, **HAPPY, missing="mean").concerns)
    assert "column 'one' has one value" in doubts
    assert "column 'id' only numbers the rows" in doubts
    assert "only 60 validation rows: the error of an accuracy is up to 6 points" in doubts
    twice = pl.concat([people, people])
    doubts = " | ".join(split_of(twice, **HAPPY, missing="mean").concerns)
    assert "validation rows also stand among the training rows" in doubts
    clean = pl.DataFrame(
        np.random.default_rng(0).normal(size=(2000, 3)), schema=["a", "b", "target"]
    )
    assert split_of(clean).concerns == []


def test_words_that_seem_to_be_one_and_digits_that_are_lost_are_named(people):
    rows = np.arange(N)
    frame = people.with_columns(
        sex=pl.Series(["Male", "male ", "female"])[rows % 3],
        account=pl.Series([2**24 + int(i) for i in rows]),
        hash=pl.Series([2**63 + 2 * int(i) for i in rows], dtype=pl.Int128),
        even=pl.Series([2.0**24 + 2 * i for i in rows]),
        quoted=pl.Series([str(2**60 + 2 * int(i)) for i in rows]),
    )
    split = split_of(frame, **HAPPY, missing="mean")
    doubts = " | ".join(split.concerns)
    assert "column 'sex' has words that seem to be one: 'male' (" in doubts
    assert "column 'account' holds whole numbers beyond 16,777,216, and float32 rounds" in doubts
    assert "column 'hash'" in doubts and "300 different values become 1;" in doubts
    assert "column 'quoted'" in doubts and "column 'even'" not in doubts
    split = split_of(
        people.with_columns(happy=pl.Series(["YES", "yes", "no"])[rows % 3]),
        **HAPPY, missing="mean", task="classes",
    )  # fmt: skip
    assert any("label 'happy' has classes that seem to be one" in line for line in split.concerns)
    with pytest.raises(DataError, match="label 'n' has whole numbers so large that different"):
        split_of(frame.select("age", n=pl.Series(2**53 + rows % 2)), label=("n",))
    with pytest.raises(DataError, match="input 'x' holds whole numbers beyond 16,777,216, and"):
        own_split(arrays(x=2**24 + rows[:, None], y=rows % 3), OwnData())


def test_one_class_in_a_part_is_refused_and_small_classes_are_named(people):
    by_class = people.sort("happy")
    with pytest.raises(DataError, match=r"all 180 training rows are of class|validation rows are"):
        split_of(by_class, **HAPPY, missing="mean", split="ordered")
    few = people.with_columns(
        kind=pl.Series(["a"] * 150 + ["b"] * 147 + ["c"] * 3), age=people["age"]
    ).drop("happy")
    doubts = split_of(few, label=("kind",), missing="mean").concerns
    assert any("class 'c' has" in line and "too few to learn it" in line for line in doubts)


def test_words_that_no_training_row_has_are_zeros_and_said(people):
    odd = people.with_columns(
        job=pl.Series([*people["job"][:-1], "astronaut"]),
        part=pl.Series(["train"] * 200 + ["val"] * 100),
    )
    split = split_of(odd, **HAPPY, missing="mean", split_column="part")
    jobs = [i for i, name in enumerate(split.columns) if name.startswith("job=")]
    assert (split.validation.array[-1, jobs] == 0).all()
    assert any("1 validation row with words that no training row has" in c for c in split.concerns)


def test_178_rows_work_and_say_how_little_they_can_tell():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(rng.normal(size=(178, 13)), schema=[f"c{i}" for i in range(13)])
    frame = frame.with_columns(target=pl.Series(np.arange(178) % 3))
    split = split_of(frame)
    assert (len(split.train), len(split.validation)) == (106, 36)
    assert split.task.kind is TaskKind.CLASSES
    assert any("only 36 validation rows" in line for line in split.concerns)


def arrays(**given):
    return Read("t.npz", arrays=given)


def test_images_and_several_inputs_are_taken_as_they_are():
    x = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1)).astype(np.uint8)
    y = np.arange(60) % 3
    split = own_split(arrays(x=x, y=y), OwnData())
    assert split.input_shapes == {"x": (8, 8, 1)} and split.train.array.dtype == np.float32
    assert split.columns == () and split.preparation is None
    named = {"numbers": np.ones((60, 7)), "category": np.arange(60), "y": y}
    split = own_split(arrays(**named), OwnData())
    assert split.input_shapes == {"numbers": (7,), "category": (1,)}
    assert split.train.inputs["category"].dtype.kind == "i"
    assert split.train.inputs["numbers"].dtype == np.float32
    with pytest.raises(DataError, match="--standardize is for tables"):
        own_split(arrays(x=x, y=y), OwnData(standardize=True))
    with pytest.raises(DataError, match="different lengths: x 60 rows, y 59 rows"):
        own_split(arrays(x=x, y=y[1:]), OwnData())


def test_given_test_rows_stay_test_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 5, 2))
    read = arrays(
        x_train=x[:80], y_train=np.arange(80) % 2, x_test=x[80:], y_test=np.arange(20) % 2
    )
    whole = whole_split(read, OwnData())
    assert (len(whole.split.train), len(whole.split.validation), len(whole.test)) == (64, 16, 20)
    np.testing.assert_array_equal(whole.test.array, x[80:].astype(np.float32))
    more = Read("rows.npz", arrays={**read.arrays, "names": np.array(["a", "b"])})
    with pytest.raises(DataError, match="with --drop names the others"):
        own_split(more, OwnData())
    split = own_split(more, OwnData(drop=("names",)))
    assert split.fingerprint == whole.split.fingerprint
    used = {column.name: column.use for column in with_use(columns_of(more), split)}
    assert used == {
        "x_train": "input", "y_train": "label", "x_test": "input", "y_test": "label",
        "names": "left out",
    }  # fmt: skip


def test_the_target_of_an_autoencoder_is_its_prepared_input(people):
    split = split_of(people.select("age", "income"), label=("inputs",), missing="mean")
    assert split.task.kind is TaskKind.AMOUNT and split.task.targets == split.columns
    np.testing.assert_array_equal(split.train.y, split.train.array)
    images = np.random.default_rng(0).normal(size=(50, 4, 4))
    split = own_split(arrays(x=images), OwnData(label=("inputs",)))
    assert split.train.y.shape == (30, 4, 4)


def test_a_table_of_floats_is_standardized_and_tokens_are_not():
    x = np.random.default_rng(0).normal(5, 2, (100, 3))
    y = np.linspace(0, 1, 100)
    assert own_split(arrays(x=x, y=y), OwnData()).preparation.standardized
    tokens = own_split(arrays(x=x.astype(int), y=y), OwnData())
    assert tokens.preparation is None and tokens.train.array.max() > 3


def test_higgs_shaped_files_are_higgs_unless_something_is_asked(tmp_path):
    path, cache = write_file(tmp_path / "rows.csv", 100), tmp_path / "cache"
    split = load_split(str(path), train_rows=50, validation_rows=20, cache_dir=cache)
    assert split.manifest.kind == "file" and split.manifest.task is None
    shares = OwnData(sizes=Sizes("50", "20%", "0"))
    same = load_split(str(path), own=shares, cache_dir=cache)
    assert same.fingerprint == split.fingerprint
    asked = load_split(str(path), own=OwnData(label=("1",)), cache_dir=cache)
    assert asked.manifest.kind == "table" and asked.columns[0] == "column_2"
    for own, option in ((OwnData(drop=("a",)), "--drop"), (OwnData(split="shuffled"), "--split")):
        with pytest.raises(DataError, match=f"{option} is for files of your own"):
            load_split("higgs", own=own, cache_dir=cache)


def test_the_overview_says_what_becomes_of_each_column(people):
    read = Read("people", frame=people)
    split = own_split(read, OwnData(**HAPPY, missing="indicator"))
    columns = {column.name: column for column in with_use(columns_of(read), split)}
    assert columns["person"].use == "left out" and columns["happy"].use == "label"
    assert columns["income"].becomes == "standardized, and where it is missing"
    assert columns["job"].becomes == "3 columns" and columns["job"].different == 3
    assert columns["income"].missing == people["income"].is_nan().sum()
    found = json.loads(json.dumps(to_json(list(columns.values()), split)))
    assert found["data"]["task"]["classes"] == ["no", "yes"]


def test_of_several_labels_those_that_few_rows_have_are_named():
    x = np.random.default_rng(0).normal(size=(100, 3))
    frame = pl.DataFrame({"a": x[:, 0], "big": (x[:, 1] > 0) * 1, "old": np.arange(100) // 97})
    found = split_of(frame, label=("big", "old")).concerns
    assert [line for line in found if "'old' is yes in " in line and "too few to learn" in line]
    assert not any("'big'" in line for line in found)
