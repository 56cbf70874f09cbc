"""Trains many trials at once: each epoch of a group of alike models is one compiled program.

read          a Keras model → its description, or why it is left to Keras
shapes        a description → the shape whose program carries it
programs      the compiled epoch; activations, dropout and optimizers are its parts
schedules     learning rates, step by step
packing       a trial's state ↔ its place in a group's stacked arrays
initial       a trial's initial state, without building its model where that is provably the same
group         the trials in a program's slots and their next epoch
trainer       the queue of trials, the journal, failures
"""
