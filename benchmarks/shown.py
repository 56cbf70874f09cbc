"""Puts the figures of `trust.py` where they are read: between marks in three pages.

`<!-- trust: NAME -->` begins a table and `<!-- trust end -->` ends it; what stands between is
written anew.
"""

import re
from pathlib import Path

from benchmarks import promised as law
from benchmarks.promised import PROMISES, Figure, Share, table

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "statistics.md", ROOT / "benchmarks" / "README.md")
_BLOCK = re.compile(r"(<!-- trust: (\w+) -->\n).*?(<!-- trust end -->)", re.DOTALL)

BESIDE = {
    "ties": {
        law.EQUAL_TOLD_APART: "equal ones told apart",
        law.WORSE_FOUND: "one worse than equals found",
        law.WORSE_OF_MANY_FOUND: "one worse than equals found",
        law.BETTER_ALONE: "one better than equals left alone",
    },
    "intervals": {law.INTERVAL_HOLDS: "95 % interval holds", law.WITHOUT_CHOICE: "without"},
    "means": {law.MEAN_INTERVAL_HOLDS: "95 % interval holds", law.MEAN_WITHOUT_CHOICE: "without"},
    "choices": {
        law.LOWEST: "lowest score loses",
        law.EXPECTED: "lowest expected score",
        law.SIMPLEST: "the simplest, beyond the lowest score",
    },
    "seeds": {law.ROWS_ALONE: "told apart over rows", law.ROWS_AND_SEEDS: "over rows and seeds"},
    "deciding": {law.DECIDED_WRONGLY: "told apart"},
    "decided": {law.ALL_DECIDED: "all ruled out", law.DECIDING_RUNS: "runs"},
    "level": {law.FALSE_ONSET: "said to overfit"},
    "rises": {law.RISE_FOUND: "found"},
    "more": {law.RISE_SMALL: "found", law.RISE_MOST: "the most that any test can find"},
    "networks": {
        law.BEST_IS_TIED: "the best is among the tied",
        law.TOO_GOOD: "lowest score too good by",
        law.SAID_TOO_GOOD: "the report says",
    },
}
"""Columns of the tables of `docs/statistics.md`: a law each, and what it is called there."""


def beside(figures: list[Figure], columns: dict[str, str]) -> str:
    """Return a table with a row for each place and a column for each of some laws."""
    heads = list(dict.fromkeys(columns.values()))
    rows: dict[str, dict[str, str]] = {}
    for one in figures:
        if one.law in columns:
            said = f" (it says {one.promise[8:]})" if one.law == law.SIMPLEST else ""
            rows.setdefault(one.where, {})[columns[one.law]] = one.shown + said
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    lines += [f"| {where} | {' | '.join(row.get(head, '–') for head in heads)} |"
              for where, row in rows.items() if set(heads) <= set(row)]  # fmt: skip
    return "\n".join(lines) + "\n"


def claims(figures: list[Figure]) -> str:
    """Return what is promised, a line each, with the range of what was found."""
    lines = ["| what | promised | found |", "|---|---:|---:|"]
    shares = [one for one in figures if isinstance(one, Share) and one.of]
    for name, promise in PROMISES.items():
        found = [one.found for one in shares if one.law == name]
        if found and str(promise) != "–":
            lines.append(f"| {name} | {promise} | {_range(found)} |")
    for number in (5, 20, 100):
        found = [one.found for one in shares
                 if one.law == law.BETTER_ALONE and one.where.startswith(f"{number} ")]  # fmt: skip
        if found:
            name = f"{law.BETTER_ALONE}, of {number}: the others stay undecided if not"
            lines.append(f"| {name} | – | {_range(found)} |")
    return "\n".join(lines) + "\n"


def _range(found: list[float]) -> str:
    low, high = f"{min(found):.1%}"[:-1], f"{max(found):.1%}"[:-1]
    return f"{low} %" if low == high else f"{low} to {high} %"


def written(text: str, figures: list[Figure], said: str) -> str:
    """Return a page's text with its tables written anew; `said` is how they were made."""

    def block(found: re.Match[str]) -> str:
        name = found[2]
        if name == "all":
            body = f"{said}\n\n{table(figures)}"
        else:
            body = claims(figures) if name == "claims" else beside(figures, BESIDE[name])
        return f"{found[1]}{body}{found[3]}"

    return _BLOCK.sub(block, text)


def write(figures: list[Figure], said: str) -> None:
    """Write the tables of all three pages anew."""
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8"), figures, said), encoding="utf-8")
