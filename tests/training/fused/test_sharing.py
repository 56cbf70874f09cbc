"""Which trials share programs, decided from descriptions and a plan alone."""

import pytest

from sweep.training.fused.layers.batch_normalization import BatchNormalization
from sweep.training.fused.program.shape import RowCounts
from sweep.training.fused.program.shape_policy import ALIKE, Sharing, shape_of
from sweep.training.fused.sharing import SearchWork, best_sharing
from tests.support.descriptions import described

ROWS = RowCounts(10_000, 1_000, 500)
SHORT, LONG = SearchWork(17, 23, 75), SearchWork(143, 211, 1_767)
"""Searches of 9 and of 81 epochs."""


UNLIKE = [described(32 * (1 + n % 4), 32 * (1 + n // 4), 64, 96) for n in range(16)]
"""As many widths as models."""


SHARINGS = [
    ALIKE,
    Sharing(128, 12, 2),
    Sharing(64, 4, 1, alone=False),
    Sharing(alone=False),
    Sharing(fused=False),
]


@pytest.mark.parametrize("sharing", SHARINGS, ids=str)
def test_a_sharing_is_kept_as_text(sharing):
    assert Sharing.parsed(str(sharing)) == sharing


@pytest.mark.parametrize("text", ["", "mixed", "alike", "mixed 1x1 in 3 steps, others alone"])
def test_text_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="unknown sharing"):
        Sharing.parsed(text)


def test_trials_whose_layers_are_alike_share_programs_as_ever():
    alike = [described(*[width] * depth) for width in (16, 512) for depth in (1, 4)]
    assert best_sharing(alike, 4, ROWS, SHORT) == ALIKE
    assert best_sharing([], 4, ROWS, SHORT) == ALIKE  # nothing can be fused


def test_on_rows_of_ones_own_programs_of_plain_layers_must_pay_too():
    few = RowCounts(720, 240, 500)
    kinds = [("relu", "tanh")[n % 2] for n in range(16)]
    plain = [described(32 * (1 + n), activation=kind) for n, kind in enumerate(kinds)]
    assert best_sharing(plain, 16, few, SHORT) == ALIKE
    chosen = best_sharing(plain, 16, few, SHORT, own_rows=True)
    assert len({shape_of(one, few, 1 << 40, False, chosen) for one in plain}) <= 2
    wide = [described(700 + 64 * n, activation=kind) for n, kind in enumerate(kinds)]
    assert not best_sharing(wide, 16, few, SHORT, own_rows=True).fused
    assert best_sharing(plain[:1] * 16, 16, ROWS, LONG, own_rows=True) == ALIKE


def test_models_without_hidden_layers_share_one_program():
    plain = [described(optimizer=kind) for kind in ("adam", "adam", "sgd")]
    assert best_sharing(plain, 3, ROWS, LONG, own_rows=True) == ALIKE


def test_one_architecture_keeps_a_program_of_its_own():
    assert best_sharing([described(512, 512, 128)] * 6, 6, ROWS, SHORT).width == 0


@pytest.mark.parametrize("work", [SHORT, LONG], ids=["9 epochs", "81 epochs"])
def test_trials_of_unlike_layers_share_few_programs(work):
    sharing = best_sharing(UNLIKE, 16, ROWS, work)
    programs = {shape_of(one, ROWS, 1 << 40, False, sharing) for one in UNLIKE}
    assert len(programs) <= 2
    assert all(shape.mixed for shape in programs)


def test_programs_that_do_not_pay_are_not_compiled():
    """Few rows, few epochs and an optimizer of each kind: Keras is done before they are made."""
    kinds = ("adam", "sgd", "rmsprop", "nadam", "adadelta")
    models = [
        described(8 * (1 + n % 5), 64, 8 * (1 + n), optimizer=kinds[n % 5]) for n in range(15)
    ]
    assert best_sharing(models, 15, RowCounts(600, 150, 500), SHORT) == Sharing(fused=False)


def test_wide_layers_written_out_are_left_to_keras_where_each_is_another():
    wide = [described(32 * (1 + n), 1_024 - 32 * n) for n in range(16)]
    sharing = best_sharing(wide, 16, ROWS, SHORT)
    assert all(sharing.leaves(shape_of(one, ROWS, 1 << 40, False, sharing)) for one in wide)


def test_normalised_layers_of_unlike_widths_or_depths_share_programs_too():
    norm = (BatchNormalization(0.99, 1e-3),)
    unlike = [described(32 * (1 + n % 4), 32 * (1 + n // 4), behind=norm) for n in range(16)]
    deep = [described(*[16 * (1 + n % 4)] * (1 + n // 4), behind=norm) for n in range(16)]
    for models in (unlike, deep):
        sharing = best_sharing(models, 16, ROWS, SHORT)
        programs = {shape_of(one, ROWS, 1 << 40, False, sharing) for one in models}
        assert len(programs) <= 2
        assert all(shape.mixed for shape in programs)
