"""Groups of trials, by capacity or by what regularises them, and which of them are the best.

A group is among the best when a trial of it is tied with the best trial. It is ruled out when one
of its trials was trained to its end and none is tied. In between, when Hyperband cut all of its
trials, the search has not compared it in full.
"""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class GroupsAnswer:
    """Which groups of trials are among the best, which are not, and which were all cut."""

    best: list[str]
    ruled_out: list[str]
    cut_short: list[str]
    is_decided: bool


def decade(params: int) -> str:
    """Return the power of ten that holds `params` trainable parameters, as text: 1k–10k."""
    power = len(str(int(params))) - 1
    return f"{_short(10**power)}–{_short(10 ** (power + 1))}"


def _short(value: int) -> str:
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= unit:
            return f"{value // unit}{name}"
    return str(value)


def answer(trials: pd.DataFrame, group: "pd.Series[str]") -> GroupsAnswer:
    """Return which groups of `trials` are the best, each list in the order of the smallest trial.

    `trials` has the columns params, is_tied and ended; `group` names each one's group.
    """
    by = trials.groupby(group.to_numpy())
    found = pd.DataFrame(
        {"tied": by["is_tied"].any(), "ended": by["ended"].any(), "params": by["params"].min()}
    )
    found = found.astype({"tied": bool, "ended": bool}).sort_values("params", kind="stable")
    best = found.index[found["tied"]].tolist()
    ruled_out = found.index[~found["tied"] & found["ended"]].tolist()
    cut = found.index[~found["tied"] & ~found["ended"]].tolist()
    return GroupsAnswer(best, ruled_out, cut, is_decided=bool(best and ruled_out))
