"""What the tutorial's seven models show, over seeds: its conclusions, from the numbers.

For every sweep whose baselines carry the tutorial's names and were trained under several seeds.
Differences of validation BCE are over seeds and rows (see `seeds_and_rows`). Their p-values are
corrected for the number of differences: S. Holm, "A simple sequentially rejective multiple test
procedure", Scand. J. Stat. 6 (1979) 65. Onsets are compared, each pair by itself, by the exact
permutation test of their ranks (Wilcoxon's), a run without an onset counting as later than all;
with three seeds each, the least p-value there can be is 0.05.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.records import Json
from sweep.statistics.seeds_and_rows import Mean, difference

LEVEL = 0.05
NOT_ENOUGH = "not enough evidence"
_MOST_SPLITS = 20_000
_LADDER = ("Tiny", "Small", "Medium", "Large")
_REGULARISED = ("L2", "Dropout", "Combined")
_ALL = (*_LADDER, *_REGULARISED)


@dataclass(frozen=True)
class Conclusion:
    """A claim of the tutorial, checked against the numbers."""

    claim: str
    holds: bool | None
    """None when the evidence is not enough for either."""
    numbers: str

    @property
    def line(self) -> str:
        answer = {True: "yes", False: "no", None: NOT_ENOUGH}[self.holds]
        return f"{self.claim}: {answer}; {self.numbers}"


def conclusions(frames: SweepFrames) -> list[Conclusion]:
    """Return the tutorial's conclusions that can be checked.

    There are none if fewer than two of its models have two seeds. They are of BCE: to be asked of
    such a sweep only.
    """
    rows = frames.confirmed[frames.confirmed["seeds"] >= 2]
    trials = {
        str(name): int(trial)
        for name, trial in zip(rows["baseline"], rows["trial"], strict=True)
        if name in _ALL
    }
    if len(trials) < 2:
        return []
    onsets = _onsets(frames, trials)
    losses = {name: frames.seed_losses[t] for name, t in trials.items() if t in frames.seed_losses}
    return [*_tiny(onsets), *_ladder(onsets), *_differences(losses)]


def to_json(found: Sequence[Conclusion]) -> list[Json]:
    return [asdict(one) for one in found]


def _onsets(frames: SweepFrames, trials: Mapping[str, int]) -> dict[str, NDArray[np.float64]]:
    """Return the onsets of each model's runs; infinite for a run without an onset."""
    own, others = frames.trials, frames.confirmations
    others = others[others["status"].isin((TrialStatus.FINISHED, TrialStatus.STOPPED))]
    found = {}
    for name in _ALL:
        if name in trials:
            values = [
                *own.loc[own["trial"] == trials[name], "onset_epoch"],
                *others.loc[others["confirms"] == trials[name], "onset_epoch"],
            ]
            found[name] = np.array([math.inf if v is None or v != v else v for v in _plain(values)])
    return found


def _plain(values: Sequence[object]) -> list[float]:
    return [math.nan if not isinstance(v, int | float | np.number) else float(v) for v in values]


def _tiny(onsets: Mapping[str, NDArray[np.float64]]) -> list[Conclusion]:
    """Return whether Tiny overfits, by counting runs, without a test.

    The answer holds for the epochs trained and no more.
    """
    if "Tiny" not in onsets:
        return []
    runs, overfit = len(onsets["Tiny"]), int(np.isfinite(onsets["Tiny"]).sum())
    holds = True if overfit == 0 else False if overfit > runs / 2 else None
    numbers = f"its validation BCE rose for good in {overfit} of {words.counted(runs, 'run')}"
    return [Conclusion("Tiny does not overfit in these epochs", holds, numbers)]


def _ladder(onsets: Mapping[str, NDArray[np.float64]]) -> list[Conclusion]:
    names = [name for name in _LADDER if name in onsets]
    found = []
    for smaller, larger in pairwise(names):
        sooner = permutation_p(onsets[larger], onsets[smaller])
        later = permutation_p(onsets[smaller], onsets[larger])
        holds = True if sooner <= LEVEL else False if later <= LEVEL else None
        numbers = f"onsets {_list(onsets[larger])} against {_list(onsets[smaller])}"
        claim = f"{larger} overfits sooner than {smaller}"
        found.append(Conclusion(claim, holds, f"{numbers}, p = {sooner:.3f}"))
    return found


def permutation_p(early: NDArray[np.float64], late: NDArray[np.float64]) -> float:
    """Return the exact one-sided p-value: how often a random split has ranks as low as `early`.

    For very many runs the normal approximation with ties, as there are too many splits.
    """
    from scipy.stats import mannwhitneyu, permutation_test, rankdata  # a second to import

    ranks = rankdata(np.r_[early, late])
    size = len(early)
    if math.comb(len(ranks), size) > _MOST_SPLITS:
        return float(mannwhitneyu(early, late, alternative="less", method="asymptotic").pvalue)
    exact = permutation_test(
        (ranks[:size], ranks[size:]), _sum_of_first, alternative="less", n_resamples=_MOST_SPLITS
    )
    return float(exact.pvalue)


def _sum_of_first(
    first: NDArray[np.float64], second: NDArray[np.float64], axis: int
) -> NDArray[np.float64]:
    return np.asarray(first.sum(axis=axis))


def _list(onsets: NDArray[np.float64]) -> str:
    return ", ".join("never" if math.isinf(v) else words.count(v) for v in np.sort(onsets))


def _differences(losses: Mapping[str, NDArray[np.float32]]) -> list[Conclusion]:
    pairs = [(name, "Large", "helps Large") for name in _REGULARISED]
    pairs += [(name, "Tiny", "beats Tiny") for name in _ALL if name != "Tiny"]
    pairs = [pair for pair in pairs if pair[0] in losses and pair[1] in losses]
    means = [difference(losses[name], losses[other]) for name, other, _ in pairs]
    adjusted = holm([one.p_value for one in means])
    return [
        _difference(f"{name} {verb}", other, one, p)
        for (name, other, verb), one, p in zip(pairs, means, adjusted, strict=True)
    ]


def _difference(claim: str, other: str, one: Mean, p: float) -> Conclusion:
    decimals = words.decimals_of(one.error)
    low, high = (words.score(end, decimals) for end in one.interval)
    how_far = words.with_error(one.value, one.error, decimals)
    holds = one.value < 0 if p < LEVEL else None
    numbers = f"val BCE minus {other}'s {how_far} ({low} to {high}), corrected p = {p:.2g}"
    return Conclusion(claim, holds, numbers)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted for each other, in the order given; unknown ones stay so and do not count."""
    known = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    found, least = [math.nan] * len(p_values), 0.0
    for place, (p, i) in enumerate(known):
        least = max(least, min(1.0, p * (len(known) - place)))
        found[i] = least
    return found
