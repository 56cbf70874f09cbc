"""What is printed, as text."""

import io
from typing import Any

from rich.console import Console


def printed(renderable: Any, width: int = 10_000, **options: Any) -> str:
    """What `rich` writes of something to a terminal of that width."""
    output = io.StringIO()
    Console(file=output, width=width, **options).print(renderable)
    return output.getvalue()
