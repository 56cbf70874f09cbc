"""Starts jobs as processes, watches them, and settles how they ended."""
