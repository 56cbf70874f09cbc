"""Groups of trials, by capacity or by what regularises them, and which of them are the best.

A group is among the best when a trial of it is tied with the best trial. It is ruled out when one
of its trials was trained to its end and none is tied. How many those were is told beside it: few of
them can be worse for what they have beside the group, other hyperparameters or the seed. In
between, when Hyperband cut all of its trials, the search has not compared it in full.
"""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class GroupsAnswer:
    """Which groups of trials are among the best, which are not, and which were all cut."""

    best: list[str]
    ruled_out: list[str]
    cut_short: list[str]
    ended: dict[str, int]
    """The number of trials of each group that were trained to their end."""
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
        {"tied": by["is_tied"].any(), "ended": by["ended"].sum(), "params": by["params"].min()}
    )
    found = found.astype({"tied": bool, "ended": int}).sort_values("params", kind="stable")
    best = found.index[found["tied"]].tolist()
    others = found.loc[~found["tied"], "ended"]
    ruled_out = others.index[others > 0].tolist()
    cut = others.index[others == 0].tolist()
    ended = {str(name): int(number) for name, number in found["ended"].items()}
    return GroupsAnswer(best, ruled_out, cut, ended, is_decided=bool(best and ruled_out))
