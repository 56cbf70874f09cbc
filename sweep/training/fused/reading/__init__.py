"""Keras model → description, or why the fused trainer leaves the model to Keras.

model      a compiled model
layers     its layers
loss       its loss
optimizer  its optimizer and schedule
kept       what has been read of a search space
likeness   models alike but for numbers, described without Keras
doubles    what stands for Keras' classes then
"""
