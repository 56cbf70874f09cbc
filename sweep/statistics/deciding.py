"""Which configurations further seeds would tell apart, and which of them to train next.

Each configuration has a mean over its seeds and the validation rows; the lowest is the leader. A
contender lies d behind, with an error over rows r (paired, of the means over seeds) and one over
seeds: the root of s²/K + s²/K of both, for a spread s between seeds and K seeds. With c the
critical value, it is

- told apart, if d > c √(r² + s²/K + s²/K);
- beyond seeds, if d ≤ c r: however many seeds there were, the rows would not tell it;
- open otherwise: with enough seeds of both, K > 2 s² / (d²/c² − r²), it would be told.

Each round gives every open contender one seed more, and the leader as many as it takes to have the
root of the sum of their squares: the rule of optimal computing budget allocation (C.-H. Chen, J.
Lin, E. Yücesan, S. Chick, Discrete Event Dynamic Systems 10 (2000) 251–270). One looks again after
each round, and stops where it suits: so c is that of a level of 1 % over all pairs (Bonferroni: the
leader is chosen, too). `benchmarks/trust.py` says how often equal ones are told apart so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.special_functions import ndtri
from sweep.statistics.paired import differences

LEVEL = 0.01
"""Probability that any two are told apart wrongly, at one look."""
MOST_SEEDS = 20
"""Seeds that a configuration is given at most: what takes more is left open."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Decision:
    """Where configurations stand; arrays (configurations,)."""

    leader: int
    told_apart: Bools
    beyond_seeds: Bools
    needed: Floats
    """Seeds that the leader and a contender would both need; infinite if none are enough."""
    seeds: NDArray[np.intp]

    @property
    def open(self) -> Bools:
        """Contenders that further seeds would tell apart, as far as is known."""
        found: Bools = ~self.told_apart & (self.needed <= MOST_SEEDS)
        found[self.leader] = False
        return found

    @property
    def next_seeds(self) -> NDArray[np.intp]:
        """How many seeds each configuration is to be given in the next round."""
        found = self.open.astype(np.intp)
        found[self.seeds + found > MOST_SEEDS] = 0
        if found.any():
            after = (self.seeds + found)[self.open]
            wanted = min(int(np.ceil(np.sqrt((after**2).sum()))), MOST_SEEDS)
            found[self.leader] = min(max(wanted - self.seeds[self.leader], 0), 2)
        return found


def decide(tables: Sequence[NDArray[np.floating]], adds: Floats, spread: Floats) -> Decision:
    """Return where configurations stand.

    `tables` are their losses (seeds, rows), `adds` what is added to each mean for the choice of
    its epochs, `spread` their standard deviations between seeds.
    """
    by_row = np.array([table.mean(axis=0, dtype=np.float64) for table in tables]) + adds[:, None]
    seeds = np.array([len(table) for table in tables])
    leader = int(by_row.mean(axis=1).argmin())
    pairs = max(len(tables) * (len(tables) - 1) / 2, 1)
    critical = -float(ndtri(LEVEL / 2 / pairs))
    values, rows = differences(by_row, by_row[leader])
    rows = np.hypot(rows, np.hypot(adds, adds[leader]))
    own = spread**2 / seeds
    told_apart = values > critical * np.sqrt(rows**2 + own + own[leader])
    told_apart[leader] = False
    room = (values / critical) ** 2 - rows**2
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(room > 0, (spread**2 + spread[leader] ** 2) / room, np.inf)
    beyond = (room <= 0) & ~told_apart
    beyond[leader] = False
    return Decision(leader, told_apart, beyond, needed, seeds)
