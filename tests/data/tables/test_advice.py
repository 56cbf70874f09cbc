"""What a refusal of data advises is done, word for word, and then the data are taken."""

import re
import shlex

import numpy as np
import polars as pl
import pytest

from sweep.data.own_data import OwnData, own_data_of
from sweep.data.tables.own_split import own_split
from sweep.data.tables.reading import Read
from sweep.errors import DataError, InvalidSpaceError

N = 120
ROWS = np.arange(N)
NUMBER = np.random.default_rng(3).normal(size=N)
KIND = np.where(NUMBER + 0.1 * np.sin(ROWS) > 0, "b", "a")


def table(**columns):
    return Read("t.csv", frame=pl.DataFrame({"x": NUMBER, "label": KIND, **columns}))


def arrays(**given):
    return Read("t.npz", arrays={"x": NUMBER[:, None], "y": ROWS % 2, **given})


def options_of(words):
    """The first options that a message names, with the values that stand behind them."""
    found = {}
    for option, value in re.findall(r"--([a-z-]+) ('[^']+'|\"[^\"]+\"|[\w:%]+)", words):
        found[option.replace("-", "_")] = shlex.split(value)[0]
    for many in ("label", "drop"):
        if many in found:
            found[many] = (found[many],)
    return found


DAY = [f"2024-01-{1 + i % 28:02}" for i in ROWS]
ODD = "it's 5,5 % – a 'name'"[:9]
OPTIONS = {
    "missing": (table(gap=[None, *NUMBER[1:]]), {}, "--missing mean, median"),
    "dates": (table(day=DAY), {}, "holds dates"),
    "a name with an apostrophe": (table(**{ODD: DAY}), {}, "holds dates"),
    "a name with a comma": (table(**{"a, b": DAY}), {}, "holds dates"),
    "a name like a position": (table(**{"1": DAY}), {}, "holds dates"),
    "words among numbers": (
        table(mixed=[*(f"{v:.6f}" for v in NUMBER[:-3]), *("n.n.", "k.A.", "n.n.")]),
        {},
        "words among its numbers",
    ),
    "too many words": (table(word=[f"w{i}" for i in ROWS]), {}, "different words"),
    "too large": (table(big=NUMBER * 1e300), {}, "that float32 cannot hold"),
    "no value": (table(none=[None] * N), {"missing": "mean"}, "has no value in the"),
    "the label again": (table(copy=np.where(KIND == "a", 1, 2)), {}, "equals the label"),
    "infinite": (table(far=[np.inf, *NUMBER[1:]]), {}, "is infinite"),
    "classes that seem to be one": (
        table(label=[["YES", "yes", "no"][i % 3] for i in ROWS]), {}, "seem to be one",
    ),
    "two that seem to be one": (
        table(label=[["YES", "yes"][i % 2] for i in ROWS]), {}, "seem to be one",
    ),
    "a part with one class": (
        Read("t.csv", frame=table().frame.sort("label")), {"split": "ordered"}, "another --split",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_a_refusal_names_mends_it(name):
    read, given, message = OPTIONS[name]
    with pytest.raises(DataError, match=message) as refused:
        own_split(read, own_data_of(given))
    advised = options_of(str(refused.value))
    again = {name: value for name, value in given.items() if name != "split"} | advised
    assert again != given
    assert len(own_split(read, own_data_of(again)).train) > 0


LEFT_OUT = {
    "--task is binary": (table(label=ROWS % 3), {"task": "binary"}),
    "--task labels needs several": (table(), {"task": "labels"}),
    "--task is amount": (table(), {"task": "amount"}),
    "--task classes takes one label": (
        table(a=ROWS % 2), {"task": "classes", "label": ("a", "x")},
    ),
    "--class-weight is for classes": (
        table(a=-NUMBER**2), {"class_weight": "balanced", "label": ("x",), "drop": ("label",)},
    ),
    "leave out --split": (
        arrays(x_train=1.0 * ROWS[:, None], y_train=ROWS % 2, x_test=ROWS[:, None] / 7,
               y_test=ROWS % 2), {"split": "ordered"},
    ),
    "--standardize is for tables": (
        arrays(x=np.ones((N, 4, 4)) * NUMBER[:, None, None]), {"standardize": True},
    ),
    "--missing is for tables": (
        arrays(x=np.ones((N, 4, 4)) * NUMBER[:, None, None]), {"missing": "mean"},
    ),
    "--split group and --split-column need": (arrays(), {"split": "group:x"}),
    "--label names one array": (arrays(), {"label": ("x", "y")}),
}  # fmt: skip


@pytest.mark.parametrize("message", LEFT_OUT)
def test_without_an_option_that_does_not_fit_the_data_are_taken(message):
    read, given = LEFT_OUT[message]
    if read.arrays is not None and "x_train" in read.arrays:
        read = Read("t.npz", arrays={k: v for k, v in read.arrays.items() if "_" in k})
    with pytest.raises(DataError, match=message):
        own_split(read, own_data_of(given))
    kept = {k: v for k, v in given.items() if f"--{k.replace('_', '-')}" not in message}
    assert len(own_split(read, own_data_of(kept)).train) > 0


def test_what_options_may_be_is_said_and_is_so():
    for given in ({"split": "group:"}, {"split": "x"}, {"task": "x"}, {"missing": "x"}):
        (name,) = given
        with pytest.raises(InvalidSpaceError) as refused:
            OwnData(**given)
        words = str(refused.value).rpartition("expected one of: ")[2]
        for word in words.split(", ") if "expected one of" in str(refused.value) else ["group:a"]:
            OwnData(**{name: word})
