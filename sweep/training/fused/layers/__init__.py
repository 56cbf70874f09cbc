"""The layers that the fused trainer knows behind a Dense or on the input: one file each.

A layer's file holds all that is known of it: how it is read from Keras, its numbers, its weights,
what it does forward and backward in a program and in evaluation mode. `registry` has a line for
each. A new layer is its file and its line there.

registry             the layers that are known, and the chain of them behind a Dense
part                 the faces of a layer: `Part`, of a trial, and `Form`, of a program
activation           Activation, ReLU, LeakyReLU, ELU, Softmax, and Dense's own
dropout              Dropout
gaussian_noise       GaussianNoise
gaussian_dropout     GaussianDropout
alpha_dropout        AlphaDropout
batch_normalization  BatchNormalization
layer_normalization  LayerNormalization
activations          functions by name, with their derivatives
penalty              L1 and L2 of a weight
random_bits          random numbers in a program
refusal              the error that says why a layer is left to Keras
"""
