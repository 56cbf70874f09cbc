"""Failing assertions of the trainers' suite say what was compared."""

import pytest

pytest.register_assert_rewrite("sweep.testing.trainer_contract")
