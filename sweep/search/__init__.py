"""Hyperband, asked in waves and told in order."""
