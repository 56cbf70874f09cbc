"""The sweep's answer, computed: which capacity and which regularisation generalise best, how sure
that is, and where overfitting begins. In numbers here; `verdict_text` says it in words.

A group of trials (a decade of capacity, a kind of regularisation) is among the best when a trial
of it is tied with the best trial. It is ruled out when one of its trials was trained to its end
and none is tied. In between, when Hyperband cut all of its trials, the search has not compared it
in full. An answer stands when one group at least is ruled out, and the best trial was itself
trained to its end and was no longer improving there.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from sweep.analysis import regularisation
from sweep.analysis.frames import SweepFrames
from sweep.analysis.onset import HALF_WINDOW, TOLERANCE, smoothed
from sweep.analysis.optimism import Optimism
from sweep.analysis.ranking import is_scored
from sweep.analysis.status import TrialStatus
from sweep.records import Json

SCHEMA = "sweep.verdict/1"
LEAST_TRIALS = 5
"""Trials with a score below which nothing is concluded."""
LEAST_EPOCHS = 5
"""Epochs below which a trial cannot show its onset: the window that smooths the curve."""
_LAST_PART = 0.25
"""The last part of a trial's epochs, over which its curve must be level to have arrived."""
_ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED)


@dataclass(frozen=True)
class Choice:
    """A trial that is named in the answer."""

    trial: int
    baseline: str | None
    params: int | None
    regularisation: str
    val_bce: float
    val_bce_se: float | None
    gap: float | None
    epochs: int


@dataclass(frozen=True)
class Answer:
    """Which groups of trials are among the best, which are not, and which were all cut."""

    best: list[str]
    ruled_out: list[str]
    cut_short: list[str]
    is_decided: bool


@dataclass(frozen=True)
class Overfitting:
    """What the curves show. Trials of fewer than `LEAST_EPOCHS` epochs cannot show it."""

    judged: int
    """Trials long enough."""
    seen: int
    """Those whose validation BCE rose for good."""
    from_params: int | None
    """The smallest trial from which on at least half of the trials judged overfit."""
    smallest_params: int | None
    """The smallest trial that overfits."""
    earliest_onset: int | None


@dataclass(frozen=True)
class Verdict:
    """The answer. `is_enough` is false when `reasons` say why there is none."""

    sweep: str
    is_final: bool
    """The sweep is finished; otherwise the answer may still change."""
    is_enough: bool
    reasons: list[str]
    trials: int
    """Trials with a score."""
    tied: int | None
    """Of them, those tied with the best, itself included; None when errors are not known."""
    best: Choice | None
    simplest: Choice | None
    """The fewest parameters within one paired standard error of the best."""
    params_tried: tuple[int, int] | None
    params_tied: tuple[int, int] | None
    capacity: Answer | None
    regularisation: Answer | None
    overfitting: Overfitting
    optimism: Optimism | None
    """How far the best score is too good for having been chosen as the best."""
    test_openings: int
    """Times the sealed test rows were opened."""

    def to_json(self) -> Json:
        return {"schema": SCHEMA, **asdict(self)}


def verdict(frames: SweepFrames) -> Verdict:
    """The answer of a sweep as it stands."""
    scored = is_scored(frames.trials)
    trials = frames.trials[scored].copy()
    trials["kind"] = regularisation.kinds(frames.hyperparameters[scored])
    trials["ended"] = trials["status"].isin(_ENDED)
    trials["is_tied"] = trials["tied"].eq(True)  # unknown is not tied
    known = bool(trials["is_tied"].any())
    tied = trials[trials["is_tied"]]
    sized = trials[trials["params"].notna()]
    capacity = _answer(sized, sized["params"].map(decade)) if known else None
    kinds = _answer(trials, trials["kind"]) if known else None
    reasons = _reasons(frames, trials, len(tied) if known else None, [capacity, kinds])
    simplest = trials[trials["simplest"].eq(True)]
    return Verdict(
        sweep=frames.sweep.name,
        is_final=frames.sweep.state == "finished",
        is_enough=not reasons,
        reasons=reasons,
        trials=len(trials),
        tied=len(tied) if known else None,
        best=_choice(trials),
        simplest=_choice(simplest),
        params_tried=_range(sized),
        params_tied=_range(tied[tied["params"].notna()]),
        capacity=capacity,
        regularisation=kinds,
        overfitting=overfitting(trials),
        optimism=frames.optimism,
        test_openings=len(frames.openings),
    )


def decade(params: int) -> str:
    """1k–10k: the power of ten that holds so many trainable parameters."""
    power = int(math.log10(params)) if params >= 1 else 0
    return f"{_short(10**power)}–{_short(10 ** (power + 1))}"


def _short(value: int) -> str:
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= unit:
            return f"{value // unit}{name}"
    return str(value)


def _answer(trials: pd.DataFrame, group: "pd.Series[str]") -> Answer:
    """Groups in the order of their capacity, or of their names."""
    by = trials.groupby(group.to_numpy())
    found = pd.DataFrame(
        {"tied": by["is_tied"].any(), "ended": by["ended"].any(), "params": by["params"].min()}
    )
    found = found.astype({"tied": bool, "ended": bool}).sort_values("params", kind="stable")
    best = found.index[found["tied"]].tolist()
    ruled_out = found.index[~found["tied"] & found["ended"]].tolist()
    cut = found.index[~found["tied"] & ~found["ended"]].tolist()
    return Answer(best, ruled_out, cut, is_decided=bool(best and ruled_out))


def _reasons(
    frames: SweepFrames, trials: pd.DataFrame, tied: int | None, answers: list[Answer | None]
) -> list[str]:
    """Why there is not enough evidence; none when there is."""
    if len(trials) < LEAST_TRIALS:
        return [f"only {len(trials)} of at least {LEAST_TRIALS} trials have a score"]
    if tied is None:
        return ["the errors of the scores are not known: the sweep kept no per-example losses"]
    reasons = []
    best = trials.iloc[0]
    if not best["ended"]:
        reasons.append(
            f"the best trial was trained for {best['epochs']} epochs only, not to its end"
        )
    elif is_improving(frames, int(best["trial"])):
        reasons.append(
            f"the best trial was still improving when training ended at epoch {best['epochs']}"
        )
    if tied == len(trials):
        reasons.append(f"all {tied:,} trials are tied")
    elif not any(answer is not None and answer.is_decided for answer in answers):
        reasons.append(
            "no capacity and no kind of regularisation that was trained in full is worse than the "
            "best by more than the error"
        )
    return reasons


def is_improving(frames: SweepFrames, trial: int) -> bool:
    """Whether its smoothed validation BCE fell by more than the onset's tolerance at the end."""
    values = frames.epochs.loc[frames.epochs["trial"] == trial, "val_bce"].to_numpy()
    smooth = smoothed(np.zeros(len(values), np.intp), values, HALF_WINDOW)
    before = min(int(len(values) * (1 - _LAST_PART)), len(values) - 2)
    return before >= 0 and bool(smooth[before] - smooth[-1] > TOLERANCE)


def overfitting(trials: pd.DataFrame) -> Overfitting:
    """Of trials with a score: how many overfit, and from which capacity on."""
    judged = trials[(trials["epochs"] >= LEAST_EPOCHS) & trials["params"].notna()]
    judged = judged.sort_values(["params", "trial"], ascending=False)
    seen = judged["onset_epoch"].notna().to_numpy()
    params = judged["params"].to_numpy(dtype="int64")
    share = np.cumsum(seen) / np.arange(1, len(seen) + 1)
    last_of_size = np.r_[params[:-1] != params[1:], True] if len(params) else params.astype(bool)
    half = np.flatnonzero((share >= 0.5) & last_of_size)
    from_half = params[: half[-1] + 1][seen[: half[-1] + 1]] if len(half) else params[:0]
    return Overfitting(
        judged=len(judged),
        seen=int(seen.sum()),
        from_params=int(from_half.min()) if len(from_half) else None,
        smallest_params=int(params[seen].min()) if seen.any() else None,
        earliest_onset=int(judged["onset_epoch"].min()) if seen.any() else None,
    )


def _range(trials: pd.DataFrame) -> tuple[int, int] | None:
    if trials.empty:
        return None
    return int(trials["params"].min()), int(trials["params"].max())


def _choice(trials: pd.DataFrame) -> Choice | None:
    if trials.empty:
        return None
    first = trials.iloc[0]
    return Choice(
        trial=int(first["trial"]),
        baseline=first["baseline"],
        params=None if pd.isna(first["params"]) else int(first["params"]),
        regularisation=str(first["kind"]),
        val_bce=float(first["val_bce"]),
        val_bce_se=_number(first["val_bce_se"]),
        gap=_number(first["gap"]),
        epochs=int(first["epochs"]),
    )


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) or not math.isfinite(value) else float(value)
