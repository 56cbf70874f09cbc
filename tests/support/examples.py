"""How many examples the dearest properties are tried on: all under HYPOTHESIS_PROFILE=thorough."""

import os

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def examples(thorough: int) -> int:
    """`thorough`, or a third of that where a run of all tests is waited for."""
    return thorough if THOROUGH else -(-thorough // 3)
