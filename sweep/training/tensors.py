"""The type of a tensor in our annotations."""

from typing import Any

Tensor = Any
"""A tensor of Keras' backend: neither TensorFlow nor JAX publishes a type that mypy knows."""
