"""What `sweep confirm --until decided` trains next, and what it leaves open."""

from dataclasses import dataclass

import numpy as np

from sweep.analysis.answers.chosen_trials import to_confirm
from sweep.analysis.frames.load import SweepFrames
from sweep.statistics.deciding import Decision, decide
from sweep.words import counted

FIRST_SEEDS = 2
"""Seeds that each leader is given before anything is decided: an error takes two."""


@dataclass(frozen=True)
class Leaders:
    """The trials between which seeds are to decide, and where they stand."""

    trials: tuple[int, ...]
    seeds: tuple[int, ...]
    """Seeds that each should have after the next round; those that it has where nothing is new."""
    decision: Decision | None
    """None before each has its first seeds."""
    waiting: int = 0
    """How many have not had their first seeds."""

    @property
    def sentence(self) -> str:
        """What is decided, and what is left open and why."""
        if len(self.trials) < 2:
            return "decided: no other trial is tied with the best"
        if self.decision is None:
            number = counted(len(self.trials), "leader")
            return f"undecided: {self.waiting} of {number} with fewer than {FIRST_SEEDS} seeds"
        found = self.decision
        best = self.trials[found.leader]
        told = [one for one, is_told in zip(self.trials, found.told_apart, strict=True) if is_told]
        rows = [one for one, beyond in zip(self.trials, found.beyond_seeds, strict=True) if beyond]
        left = [
            one for number, one in enumerate(self.trials)
            if number != found.leader and one not in told and one not in rows
        ]  # fmt: skip
        words = [f"trial {best} leads"]
        if told:
            words.append(f"worse: {_named(told)}")
        if rows:
            words.append(f"not told apart, which takes more rows, not seeds: {_named(rows)}")
        if left:
            words.append(f"left open, {_needed(self, left)}: {_named(left)}")
        start = "decided" if not rows and not left else "undecided"
        return f"{start}: {'; '.join(words)}"


def _named(trials: list[int]) -> str:
    return ", ".join(f"trial {one}" for one in trials)


def _needed(leaders: Leaders, left: list[int]) -> str:
    """About how many seeds each would take: "about 12 to 40 seeds each would tell"."""
    if leaders.decision is None:
        return ""
    needed = [leaders.decision.needed[leaders.trials.index(one)] for one in left]
    low, high = int(np.ceil(min(needed))), int(np.ceil(max(needed)))
    about = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"about {about} seeds of each would tell"


def leaders(frames: SweepFrames, top: int) -> Leaders:
    """Return the trials tied with the best, at most `top`, and the seeds that would decide most."""
    trials = frames.trials.set_index("trial")
    confirmed = frames.confirmed.set_index("trial")
    tied = [one for one in to_confirm(frames, len(trials)) if trials["tied"].get(one) is True]
    again = [int(one) for one in confirmed.index if trials["baseline"][one] is None]
    named = list(dict.fromkeys([*tied[:top], *again]))  # repeated: they were tied before
    there = [len(frames.seed_losses.get(one, ())) for one in named]
    if len(named) < 2:
        return Leaders(tuple(named), tuple(there), None)
    if min(there) < FIRST_SEEDS:
        waiting = sum(one < FIRST_SEEDS for one in there)
        return Leaders(tuple(named), tuple(max(one, FIRST_SEEDS) for one in there), None, waiting)
    spread = dict(zip(frames.trials["trial"], frames.seed_spread.values, strict=True))
    adds = np.nan_to_num(confirmed["choice_of_epoch"].loc[named].to_numpy(dtype=float))
    tables = [frames.seed_losses[one] for one in named]
    found = decide(tables, adds, np.array([spread[one] for one in named]))
    return Leaders(tuple(named), tuple(int(n) for n in found.seeds + found.next_seeds), found)
