"""From bytes to a `Split`: HIGGS or built-in events, parsed once into a verified cache."""
