"""A stored sweep in Python: its tables, verdict, charts and models. Reading needs no TensorFlow."""
