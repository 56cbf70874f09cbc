"""Tests of the tasks: losses, objectives, scoring."""
