"""Trains many trials at once: each epoch of a group of alike models is one compiled program.

read          a Keras model → its description, or why it is left to Keras
read_layers   its layers
read_loss     its loss
refusal       why a model is left to Keras, in a line
reading       the same for a search space: each configuration is built and read once
description   what is known of a model
shapes        a description → the shape whose program carries it
programs      the compiled epoch; activations, dropout and optimizers are its parts
arrays        what goes into a program and what comes out
layers        the layers, forward and back; normalization is one of them
looped        alike hidden layers as a loop
descent       how a step moves the weights
penalties     L1 and L2
schedules     learning rates, step by step
packing       a trial's state ↔ its place in a group's stacked arrays
group         the trials in a program's slots and their next epoch
run           one assignment, from its model to its outcome
waiting       the trials whose models have been read, the most urgent first
seated_group  a group at work, its slots filled from those that wait
trainer       the trials that wait, by shape; out of memory
device        how much memory programs may take, how many run at once
backend       compiling and arrays, on TensorFlow or JAX
lasting       a traced function under names that outlast the process
"""
