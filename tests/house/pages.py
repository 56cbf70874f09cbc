"""The pages for people: README, docs/ and the files beside them, and what they name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
        ROOT / "benchmarks" / "README.md",
    ]
)
_BLOCK = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)


def commands(text: str) -> set[str]:
    """The commands `sweep …` of a page, in its blocks and in its sentences, without comments."""
    in_blocks = {
        line.split("#")[0].strip()
        for block in _BLOCK.findall(text)
        for line in block.splitlines()
        if line.startswith("sweep ")
    }
    in_sentences = re.findall(r"`(sweep [a-z][^`]*)`", _BLOCK.sub("", text))
    return in_blocks | {" ".join(command.split()) for command in in_sentences}


def links(text: str) -> set[tuple[str, str]]:
    """The relative addresses that a page links to: the path, and the heading after # or ""."""
    return set(re.findall(r"(?<!!)\[[^]]*\]\(([^)#:]*)(?:#([^)]*))?\)", _BLOCK.sub("", text)))


def headings(text: str) -> set[str]:
    """The headings of a page as addresses, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def pictures(text: str) -> set[str]:
    """The relative addresses of the pictures that a page shows."""
    return set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", text))
