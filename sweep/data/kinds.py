"""What `--data` may name beside a file: the data that need none."""

AUTO = "auto"
"""HIGGS if it is cached, else built-in events."""
BUILTIN = "builtin"
HIGGS = "higgs"

KINDS = (AUTO, BUILTIN, HIGGS)
