"""Starts Keras before a test file imports it: as in a sweep, whichever file is run alone."""

from sweep.training.start_keras import start_keras

start_keras()
