"""The search spaces that ship with sweep: ordinary Keras Tuner files with `build(hp)`."""
