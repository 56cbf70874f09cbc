"""The precision of a search space: its own policy is kept, and none reaches another build."""

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.inputs import columns
from sweep.space.load import load_space
from sweep.training.model import build_model

SPACE = """
import keras
{top}

def build(hp):
    width = hp.Choice("width", [1, 2])
    mixed = hp.Boolean("mixed")
    {inside}
    model = keras.Sequential(
        [keras.Input((28,)), keras.layers.Dense(width), keras.layers.Dense(1)]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    return model
"""


@pytest.fixture
def load(tmp_path, keras):
    def with_lines(top="", inside="pass"):
        path = tmp_path / "own.py"
        path.write_text(SPACE.format(top=top, inside=inside))
        return load_space(str(path), columns(28))

    yield with_lines
    assert keras.config.dtype_policy().name == "float32"
    assert (keras.config.floatx(), keras.config.epsilon()) == ("float32", 1e-07)


def precision(space, **values):
    return (
        build_model(space.build, {"width": 1, "mixed": False, **values}, 1)
        .layers[0]
        .dtype_policy.name
    )


def test_the_policy_of_a_spaces_file_is_that_of_every_build(load, keras):
    space = load(top='keras.config.set_dtype_policy("mixed_bfloat16")')
    assert precision(space) == "mixed_bfloat16"
    keras.backend.clear_session()  # takes the policy with it, and comes after every trial
    assert precision(space) == "mixed_bfloat16"


def test_a_policy_of_one_build_does_not_reach_the_next(load):
    space = load(inside='mixed and keras.config.set_dtype_policy("mixed_bfloat16")')
    assert precision(space, mixed=True) == "mixed_bfloat16"
    assert precision(space, mixed=False) == "float32"


@pytest.mark.parametrize("place", ["top", "inside"])
@pytest.mark.parametrize("change", ["set_floatx('float16')", "set_epsilon(0.001)"])
def test_another_type_of_numbers_or_epsilon_is_refused_by_name(load, place, change):
    with pytest.raises(
        InvalidSpaceError, match=rf"{change[:-1].partition('(')[0]}\(.*not supported"
    ):
        load(**{place: f"keras.config.{change}"})
