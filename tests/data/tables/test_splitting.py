"""Parts: their sizes, their shares of the classes, and that no row is in two of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.own_data import OwnData, Sizes
from sweep.data.tables import splitting
from sweep.data.tables.splitting import Counts, counts_of, grouped, in_order, shares_of, shuffled
from sweep.errors import DataError


@pytest.mark.parametrize(
    ("rows", "sizes", "expected"),
    [
        (178, Sizes(), (106, 36, 36)),
        (5, Sizes(), (3, 1, 1)),
        (1_000_000, Sizes(), (980_000, 10_000, 10_000)),
        (1000, Sizes(validation="10%"), (700, 100, 200)),
        (1000, Sizes(validation="0.1", test="50"), (850, 100, 50)),
        (1000, Sizes(train="900"), (900, 50, 50)),
        (1000, Sizes(train="60%", test="0"), (600, 200, 0)),
        (100_000, Sizes(train="1,000"), (1000, 10_000, 10_000)),
    ],
)
def test_sizes_are_as_asked_and_the_others_follow(rows, sizes, expected):
    counts = counts_of(rows, sizes, "t")
    assert (counts.train, counts.validation, counts.test) == expected


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (Sizes(train="200"), "t has 100 rows, too few for 200 training"),
        (Sizes(validation="60%", test="60%"), "too few"),
        (Sizes(validation="0"), "--validation-rows is 0, expected at least 1 row"),
        (Sizes(validation="many"), "expected a number or a share such as 20%"),
        (Sizes(validation="100%"), "expected less than all rows"),
        (Sizes(train="100"), "too few"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes, message):
    with pytest.raises(DataError, match=message):
        counts_of(100, sizes, "t")


def rows_of(parts):
    return np.concatenate([parts.train, parts.validation, parts.test])


@given(
    classes=st.lists(st.integers(0, 4), min_size=5, max_size=200),
    seed=st.integers(0, 2**32),
    shares=st.tuples(st.floats(0.05, 0.4), st.floats(0, 0.4)),
)
def test_a_stratified_shuffle_gives_each_part_the_same_shares(classes, seed, shares):
    n, codes = len(classes), np.array(classes)
    validation, test = max(1, int(n * shares[0])), int(n * shares[1])
    counts = Counts(n - validation - test, validation, test)
    parts = shuffled(n, counts, seed, codes)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (
        counts.train, counts.validation, counts.test,
    )  # fmt: skip
    assert sorted(rows_of(parts)) == list(range(n))
    whole = np.bincount(codes, minlength=5) / n
    for part in (parts.train, parts.validation, parts.test):
        if len(part):
            here = np.bincount(codes[part], minlength=5)
            assert np.abs(here - whole * len(part)).max() < 2.5  # rows; rounding thrice
    again = shuffled(n, counts, seed, codes)
    np.testing.assert_array_equal(rows_of(parts), rows_of(again))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.floats(0, 1))
def test_quotas_add_up_and_take_no_more_than_there_is(counts, share):
    counts = np.array(counts)
    total = int(share * counts.sum())
    found = shares_of(counts, total)
    assert found.sum() == total and (found <= counts).all() and (found >= 0).all()


def test_another_seed_gives_other_rows_of_the_same_number():
    counts = Counts(60, 20, 20)
    one, other = shuffled(100, counts, 0), shuffled(100, counts, 1)
    assert len(one.test) == len(other.test) and set(one.test) != set(other.test)


def test_in_order_the_past_predicts_the_future():
    parts = in_order(10, Counts(6, 2, 1))
    np.testing.assert_array_equal(rows_of(parts), np.arange(9))


@given(st.lists(st.integers(0, 12), min_size=30, max_size=120), st.integers(0, 99))
def test_rows_of_one_group_are_in_one_part(groups, seed):
    groups = np.array([*groups, 20, 21, 22])
    counts = counts_of(len(groups), Sizes(), "t")
    parts = grouped(groups, counts, seed, "g", rest_trains=True)
    assert sorted(rows_of(parts)) == list(range(len(groups)))
    found = [set(groups[part]) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, found)) == len(set(groups))
    assert all(found)


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match="has 2 different values, at least 3"):
        grouped(np.array([0, 1] * 9), Counts(10, 4, 4), 0, "g", rest_trains=True)


def test_parts_that_a_file_names():
    values = np.array(["train", "Val", "TEST ", "train"])
    part_of = splitting.parts_named(values, "fold")
    parts = splitting.given(part_of, OwnData(), None, "column:fold", "t")
    assert (list(parts.train), list(parts.validation), list(parts.test)) == ([0, 3], [1], [2])
    with pytest.raises(DataError, match="'holdout' is no part"):
        splitting.parts_named(np.array(["train", "holdout"]), "fold")
    sized = OwnData(sizes=Sizes(train="3"))
    with pytest.raises(DataError, match="leave out --train-rows"):
        splitting.given(part_of, sized, None, "column:fold", "t")


def test_validation_rows_are_drawn_from_training_rows_where_a_file_has_none():
    part_of = np.repeat([0, 2], [50, 10])
    parts = splitting.given(part_of, OwnData(), np.arange(60) % 2, "given", "t")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (40, 10, 10)
    assert set(parts.test) == set(range(50, 60))
    assert parts.rule.seed == 0


def test_the_sizes_that_a_file_decides_may_be_asked_for_and_no_others():
    part_of = np.array([0, 0, 0, 1, 2, 2])
    kept = OwnData().with_sizes(Sizes(train="3", validation="1", test="2"))
    assert len(splitting.given(part_of, kept, None, "given", "a file").train) == 3
    other = OwnData().with_sizes(Sizes(train="2"))
    with pytest.raises(DataError, match="leave out --train-rows"):
        splitting.given(part_of, other, None, "given", "a file")
