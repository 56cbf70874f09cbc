"""The command line: the only place that prints, reads environment variables or exits."""

from sweep.cli.app import main

__all__ = ["main"]
