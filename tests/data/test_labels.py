"""What the shares of the classes allow, in a table, and a law over all counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.labels import concerns, refusal, share
from sweep.data.split_record import ClassBalance, ClassCounts


def balance(train: tuple[int, int], validation: tuple[int, int]) -> ClassBalance:
    """Rows of class 1 and of class 0 in both parts."""
    return ClassBalance(ClassCounts(*train), ClassCounts(*validation))


@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        ((50, 50), (10, 10), None),
        ((1, 99), (1, 99), None),
        ((100, 0), (10, 10), "all 100 training rows are of class 1 in f, nothing can be learned"),
        ((0, 1_000), (0, 10), "all 1,000 training rows are of class 0"),
        ((1, 0), (10, 10), "the only training row is of class 1"),
        ((50, 50), (10, 0), "all 10 validation rows are of class 1 in f, nothing can be measured"),
        ((50, 50), (0, 2), "all 2 validation rows are of class 0"),
        ((50, 50), (0, 1), None),
        ((0, 50), (0, 1), "all 50 training rows"),
    ],
)
def test_rows_of_one_class_are_refused(train, validation, expected):
    found = refusal(balance(train, validation), "f")
    assert found is None if expected is None else found.startswith(expected)


@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        ((5_286, 4_714), (528, 472), []),
        ((500, 9_500), (50, 950), []),  # 5 % is not below 5 %
        ((499, 9_501), (50, 950), ["class 1 is only 4.99 % of the training rows (499 of 10,000)"]),
        (
            (310, 9_690),
            (31, 969),
            ["class 1 is only 3.1 % of the " + part for part in ("t", "v")],
        ),
        (
            (9_900, 100),
            (980, 20),
            ["class 0 is only 1 % of the t", "class 0 is only 2 % of the v"],
        ),
        ((50, 50), (1, 0), ["too few validation rows for an error: 1"]),
        ((5_000, 5_000), (600, 400), ["class 1 is 50 % of the training rows, but 60 % of the val"]),
        ((5_000, 5_000), (560, 440), []),
        ((50, 50), (9, 0), ["all 9 validation rows are of class 1"]),  # in a sweep of before
        ((0, 0), (0, 0), []),
    ],
)
def test_what_is_doubtful_is_said_with_the_shares(train, validation, expected):
    found = concerns(balance(train, validation))
    assert len(found) == len(expected)
    assert all(line.startswith(words) for line, words in zip(found, expected, strict=True))


counts = st.builds(ClassCounts, st.integers(0, 10**7), st.integers(0, 10**7))


@given(st.builds(ClassBalance, counts, counts))
def test_nothing_is_said_of_parts_alike_without_a_rare_class(drawn):
    parts = (drawn.train, drawn.validation)
    shares = [share(one) for one in parts]
    fine = all(0.05 <= one <= 0.95 for one in shares) and shares[0] == shares[1]
    if fine and min(one.signal + one.background for one in parts) > 1:
        assert refusal(drawn, "f") is None and concerns(drawn) == []


@given(st.integers(2, 500), st.integers(1, 400), st.integers(2, 500))
def test_a_file_sorted_by_label_is_always_refused(n_first, n_validation, n_second):
    """Its first rows are of one class; either part is then of one class, unless it is shuffled."""
    labels = [1] * n_first + [0] * n_second
    parts = labels[:n_validation], labels[n_validation:]
    if not all(parts):
        return
    validation, train = (ClassCounts(sum(one), len(one) - sum(one)) for one in parts)
    refused = refusal(ClassBalance(train, validation), "f") is not None
    assert refused == (len(parts[0]) > 1 or 0 in (train.signal, train.background))
