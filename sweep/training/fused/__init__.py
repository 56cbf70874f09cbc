"""Trains many trials at once: each epoch of a group of alike models is one compiled program.

layers/      each layer that is known, in a file of its own
reading/     Keras model → description, or why the model is left to Keras
description  what is known of a model, in plain values
program/     the compiled epoch of a description's shape
this room    who sits where: trials that wait, groups at work, arrays in and out of their slots
"""
