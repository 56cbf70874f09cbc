"""Which configuration to train next, and how far: asked in waves and told in order."""
