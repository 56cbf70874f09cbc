"""Which trials are trained again with fresh seeds, and with which.

The search chose its best trials for their scores, so these are too good: confirmations are the
same configurations under seeds that nobody chose. A baseline was not chosen for its score; its
own run counts as its first seed.
"""

from collections.abc import Iterable, Mapping

from sweep.records import Value
from sweep.seeds import derive
from sweep.store import NewTrial


def confirmations(
    trials: Mapping[int, dict[str, Value]],
    baselines: Iterable[int],
    seeds: int,
    sweep_seed: int,
    there: Iterable[tuple[int, int]] = (),
) -> list[NewTrial]:
    """Confirmations of `trials` (their hyperparameters by number) under so many seeds.

    Left out are those that are `there` already: pairs of trial and seed number.
    """
    known, named = set(there), set(baselines)
    wanted = [
        (trial, number)
        for number in range(1, seeds + 1)
        for trial in trials
        if not (trial in named and number == 1)
    ]
    return [
        NewTrial(
            baseline=None,
            iteration=None,
            bracket=None,
            seed=derive(sweep_seed, "confirm", trial, number),
            hyperparameters=dict(trials[trial]),
            confirms=trial,
            seed_number=number,
        )
        for trial, number in wanted
        if (trial, number) not in known
    ]
