"""Starts Keras before a test file imports it: as in a sweep, whichever file is run alone."""

import pytest

from tests.support.programs import start_keras_with_programs

pytest.register_assert_rewrite("sweep.testing.trainer_contract")  # says what was compared
start_keras_with_programs()
