"""Hyperparameter sweeps that say which capacity and which regularisation generalise best."""

__version__ = "0.1.0"
