"""The Python of a space's file: a script, a notebook, or a script that was saved from a notebook.

A notebook is read cell by cell. A line that only a notebook understands, such as `pip install x` or
`%matplotlib inline`, is left out; it takes a line still, so that all others keep their numbers.
"""

import ast
import json
import re
import tokenize
from io import BytesIO
from pathlib import Path
from typing import Any

NOTEBOOK = ".ipynb"
_COMMAND = re.compile(r"\s*(?:[!%?]|(?:pip3?|conda|apt|apt-get|ls|cd|wget|mkdir|rm|cp)\s+[\w./~-])")
_MOST_COMMANDS = 100


def python_of(path: Path) -> str:
    """Return the file's Python, without the commands of a notebook.

    Raises OSError, and SyntaxError or ValueError if there is other than Python in it.
    """
    return _without_commands(_cells(path) if path.suffix == NOTEBOOK else _decoded(path), path)


def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of the file's Python. Raises as `python_of` does."""
    return ast.parse(python_of(path), str(path))


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
    return content.decode(encoding).replace("\r\n", "\n")


def _cells(path: Path) -> str:
    """The code cells of a notebook, one after the other."""
    notebook = json.loads(path.read_bytes())
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError(f"{path.name} is no notebook of format 4")
    code = [_code(one) for one in cells if one.get("cell_type") == "code"]
    return "\n\n".join(code)


def _code(cell: dict[str, Any]) -> str:
    """The Python of a cell; one in another language has none, one that is timed has."""
    source = cell.get("source", "")
    text = source if isinstance(source, str) else "".join(source)
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("%%"):
        return _from_the_margin(text)
    return f"#\n{rest}" if first.startswith(("%%time", "%%capture")) else "#"


def _from_the_margin(text: str) -> str:
    """A cell as a notebook runs it: moved to the left by what its first line stands in."""
    lines = text.split("\n")
    start = lines[0][: len(lines[0]) - len(lines[0].lstrip())] if lines[0].strip() else ""
    return "\n".join(line.removeprefix(start) for line in lines)


def _without_commands(text: str, path: Path) -> str:
    """The text, with each line that is no Python but a notebook's command as `pass`."""
    for _ in range(_MOST_COMMANDS):
        try:
            ast.parse(text, str(path))
        except SyntaxError as error:
            lines = text.split("\n")
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines) or not _COMMAND.match(lines[number]):
                raise
            indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
            lines[number] = f"{indent}pass"
            text = "\n".join(lines)
        else:
            return text
    return text
