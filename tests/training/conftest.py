"""Starts Keras before a test file imports it: as in a sweep, whichever file is run alone."""

from tests.support.programs import start_keras_with_programs

start_keras_with_programs()
