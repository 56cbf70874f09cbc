"""Keras model → description, or why the fused trainer leaves the model to Keras.

model      a compiled model
layers     its layers
loss       its loss
optimizer  its optimizer and schedule
refusal    the error that says why not
kept       what has been read of a search space
"""
