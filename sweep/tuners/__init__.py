"""Keras Tuner's face: its tuners by their names and arguments, over the same searches."""
