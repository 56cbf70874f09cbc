"""The compiled epoch: arithmetic on the arrays of many trials at once, and how it is compiled.

Nothing here knows a Keras model: `reading` turns that into a description, and what is here works on
the description's numbers with `keras.ops`. From the rest of the house these files import the
description (`fused/description.py`), the layers (`fused/layers`), TensorFlow's private names
(`training/tensorflow_private.py`), `disk` and `records`. All that a program traces is in these
places: `kept` hashes just them, so a change anywhere else leaves programs on disk valid.

epoch          the compiled epoch of a shape: training, then evaluation
shape          what a program depends on
shape_policy   which shape carries a trial
arrays         what goes into a program and what comes out
layers         layers forward, backward and in evaluation mode
layer_loop     alike hidden layers as a loop
chains         the parts behind a layer's product, forward and backward
chain_loop     hidden layers with parts of their own as a loop
losses         losses of a batch and their gradients
penalties      L1 and L2
descent        how a step moves the weights
optimizers     update rules
schedules      learning rates, step by step
backend        compiling and arrays, on TensorFlow or JAX
kept_graph     a traced function under names that outlast the process
kept           programs on disk
"""
