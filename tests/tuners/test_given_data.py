"""Data in whatever form fit takes them become the same rows, in their order."""

import numpy as np
import pandas as pd
import pytest

from sweep.errors import UsageError
from sweep.tuners.fit_arguments import SearchArguments
from sweep.tuners.given_data import data_of
from sweep.tuners.rows import rows_of

X = np.arange(20, dtype=np.float64).reshape(10, 2)
Y = np.arange(10)


def batches(n: int = 5):
    for start in range(0, 2 * n, 2):
        yield X[start : start + 2], Y[start : start + 2]


def test_every_form_gives_the_same_rows(keras):
    import tensorflow as tf

    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, number):
            return X[2 * number : 2 * number + 2], Y[2 * number : 2 * number + 2]

    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    forms = [
        (X, Y, None),
        (X.tolist(), Y.tolist(), None),
        (pd.DataFrame(X, columns=["a", "b"]), pd.Series(Y), None),
        (tf.constant(X), tf.constant(Y), None),
        (dataset, None, None),
        (Sequence(), None, None),
        (batches(), None, 5),
    ]
    for x, y, steps in forms:
        found = data_of(x, y, None, steps, "x")
        assert np.array_equal(found.x, X) and np.array_equal(found.y, Y), type(x)
    assert data_of(dataset, None, None, None, "x").batch_size == 4
    assert data_of(forms[2][0], Y, None, None, "x").columns == ("a", "b")


def test_inputs_by_name_and_in_a_list():
    by_name = data_of({"a": X, "b": X}, Y, None, None, "x")
    assert list(by_name.x) == ["a", "b"]
    assert len(data_of([X, X], Y, None, None, "x").x) == 2


@pytest.mark.parametrize(
    ("x", "y", "steps", "said"),
    [
        (X, None, None, "y is missing"),
        (X, Y[:4], None, "10 rows of inputs and 4 of targets"),
        (np.array(["a"] * 10), Y, None, "holds str"),
        (batches(), None, None, "whether it ends: give steps_per_epoch"),
        (batches(2), None, 3, "gives 2 batches, and 3 steps"),
        (batches(), Y, 5, "gives its targets itself"),
        (X, Y, 3, "steps are for data that come in batches"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(x, y, steps, said):
    with pytest.raises(UsageError, match=said):
        data_of(x, y, None, steps, "x")


def test_a_data_set_without_end_is_refused(keras):
    import tensorflow as tf

    endless = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2).repeat()
    with pytest.raises(UsageError, match="without an end"):
        data_of(endless, None, None, None, "x")
    assert len(data_of(endless, None, None, 3, "x")) == 6


def test_validation_split_takes_the_last_rows_as_keras_does():
    found = rows_of(SearchArguments(X, Y, validation_split=0.3))
    assert (found.train.y.tolist(), found.validation.y.tolist()) == ([*range(7)], [7, 8, 9])
    with pytest.raises(UsageError, match="leaves no training row"):
        rows_of(SearchArguments(X[:1], Y[:1], validation_split=0.3))
    with pytest.raises(UsageError, match="sample_weight, and validation rows that count the same"):
        rows_of(SearchArguments(X, Y, validation_data=(X, Y, np.ones(10))))


@pytest.mark.parametrize(("first", "kind"), [(0, "int32"), (2**31, "int64"), (-(2**40), "int64")])
def test_whole_numbers_by_name_stay_the_same_whatever_their_size(first, kind):
    ids = first + np.arange(10)
    found = rows_of(SearchArguments({"ids": ids}, Y, validation_split=0.3)).inputs(("ids",))
    assert found["ids"].dtype == kind and found["ids"].ravel().tolist() == ids[:7].tolist()
