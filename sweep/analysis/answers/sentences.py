"""What must hold for each sentence of the verdict to be said. The words are in `verdict_words`."""

from collections.abc import Callable
from enum import StrEnum

from sweep.analysis.answers.capacity_groups import GroupsAnswer, decade
from sweep.analysis.answers.verdict import Verdict


class Sentence(StrEnum):
    """A sentence, or the clause of one that says something of its own."""

    NOT_ENOUGH = "not enough evidence"
    BEST = "best is"
    NONE_TIED = "no other trial is tied with it"
    SOME_TIED = "others are tied with it"
    NONE_SIMPLER = "none of these is simpler"
    SIMPLEST = "the simplest is"
    FIRST_IN_SEARCH = "first in the search is: other seeds put another one first"
    LUCKIER = "another score is better, but too good by the choice of its epoch"
    SOME_CUT = "others were cut early"
    GIVEN_UP = "the simplest gives up something"
    UNFINISHED = "the sweep is not finished"
    CAPACITY = "capacity: best with"
    CAPACITY_IN_PARTS = "capacity: best are groups with a worse one between"
    CAPACITY_UNDECIDED = "capacity is undecided"
    CAPACITY_UNKNOWN = "no size of a tied trial is known"
    KINDS = "regularisation: best is"
    KINDS_UNDECIDED = "regularisation is undecided"
    OVERFIT = "overfitting seen"
    NOT_OVERFIT = "overfitting not seen"
    OVERFIT_UNKNOWN = "overfitting cannot be judged"
    TOO_JITTERY = "in some a rise could be lost in the jitter"
    WORTH = "a network is worth it"
    NOT_WORTH = "a network is not worth it"
    WORTH_UNKNOWN = "not enough evidence that a network is worth it"
    STILL_IMPROVING = "some were still improving at the last epoch"
    TUTORIAL = "conclusions checked"
    CHOICE_OF_EPOCH = "choice of the epoch: how much too good"
    SELECTION_BIAS = "selection bias: how much worse on new data"
    CONFIRMED = "the first by its mean under other seeds"
    BIAS_SURE = "scores in the search were better or worse than the repeats"
    BIAS_UNSURE = "no difference found between scores in the search and the repeats"
    BIAS_UNKNOWN = "one repeated trial does not tell how good the search's scores were"
    ROWS_LARGER = "the rows are the larger error"
    SEEDS_LARGER = "the seeds are the larger error"
    SEALED = "the test rows are still sealed"
    OPENED = "the test rows have been opened"


def _others(verdict: Verdict) -> int | None:
    """Trials tied with the best, itself left out; None if unknown, or if there is no other."""
    if verdict.best is None or verdict.tied is None or verdict.trials < 2:
        return None
    return verdict.tied - 1


def _simpler(verdict: Verdict) -> bool | None:
    """Whether another trial is the simplest of the tied ones; None if sizes are unknown."""
    if not _others(verdict) or verdict.simplest is None or verdict.best is None:
        return None
    if verdict.best.params is None:
        return None
    return verdict.simplest.trial != verdict.best.trial


def _decided(verdict: Verdict, answer: GroupsAnswer | None) -> bool | None:
    """Whether an answer names the best groups; None if there is not enough evidence for any."""
    if not verdict.is_enough or verdict.capacity is None or verdict.regularisation is None:
        return None
    return answer is not None and answer.is_decided


def _capacity_decided(verdict: Verdict) -> bool | None:
    """Whether an answer names the best sizes; None without evidence, or if sizes are unknown."""
    return None if _lacks_sizes(verdict) else _decided(verdict, verdict.capacity)


def _lacks_sizes(verdict: Verdict) -> bool:
    return verdict.params_tied is None or verdict.params_tried is None


def _has_worse_between(verdict: Verdict) -> bool:
    """Whether a capacity that is not among the best lies between two that are.

    It may be worse, or cut, or never tried: a range from the smallest to the largest has a hole.
    """
    if verdict.capacity is None or verdict.params_tied is None:
        return False
    first, last = (len(str(params)) - 1 for params in verdict.params_tied)
    between = {decade(10**power) for power in range(first, last + 1)}
    return bool(between - set(verdict.capacity.best))


def _is_other_first(verdict: Verdict) -> bool:
    """Whether the mean over other seeds is best for another trial than the best one."""
    best, confirmed = verdict.best, verdict.confirmation
    return best is not None and confirmed is not None and confirmed.trial != best.trial


def _bias(verdict: Verdict) -> bool | None:
    """Whether scores differ for sure from those of the repeats; None if that is not known."""
    found = verdict.confirmation
    return None if found is None or found.bias_se is None else found.bias_is_sure


def _bias_is_of_one(verdict: Verdict) -> bool:
    """Whether one trial only has repeats to compare its score in the search with."""
    found = verdict.confirmation
    return found is not None and found.bias is not None and found.bias_se is None


def _overfits(verdict: Verdict) -> bool | None:
    """Whether any trial does; None if no curve is long and smooth enough to tell."""
    found = verdict.overfitting
    return None if found.judged == found.too_jittery else found.seen > 0


def _seeds_are_larger(verdict: Verdict) -> bool | None:
    found = verdict.errors
    return None if found is None else found.seeds > found.rows


def _knows_choice_of_epoch(verdict: Verdict) -> bool:
    best = verdict.best
    known = best is not None and best.choice_of_epoch is not None
    return known and best is not None and best.expected_score is not None


_HOLDS: dict[Sentence, Callable[[Verdict], bool]] = {
    Sentence.NOT_ENOUGH: lambda v: not v.is_enough,
    Sentence.BEST: lambda v: v.best is not None,
    Sentence.NONE_TIED: lambda v: _others(v) == 0,
    Sentence.SOME_TIED: lambda v: (_others(v) or 0) > 0,
    Sentence.NONE_SIMPLER: lambda v: _simpler(v) is False,
    Sentence.SIMPLEST: lambda v: _simpler(v) is True,
    Sentence.FIRST_IN_SEARCH: _is_other_first,
    Sentence.LUCKIER: lambda v: v.best is not None and v.lowest is not None,
    Sentence.SOME_CUT: lambda v: _others(v) is not None and v.cut > 0,
    Sentence.GIVEN_UP: lambda v: _simpler(v) is True and v.given_up is not None,
    Sentence.UNFINISHED: lambda v: not v.is_final and v.trials > 0,
    Sentence.CAPACITY: lambda v: _capacity_decided(v) is True and not _has_worse_between(v),
    Sentence.CAPACITY_IN_PARTS: lambda v: _capacity_decided(v) is True and _has_worse_between(v),
    Sentence.CAPACITY_UNDECIDED: lambda v: _capacity_decided(v) is False,
    Sentence.CAPACITY_UNKNOWN: lambda v: _decided(v, v.capacity) is not None and _lacks_sizes(v),
    Sentence.KINDS: lambda v: _decided(v, v.regularisation) is True,
    Sentence.KINDS_UNDECIDED: lambda v: _decided(v, v.regularisation) is False,
    Sentence.OVERFIT: lambda v: v.trials > 0 and v.overfitting.seen > 0,
    Sentence.NOT_OVERFIT: lambda v: v.trials > 0 and _overfits(v) is False,
    Sentence.OVERFIT_UNKNOWN: lambda v: v.trials > 0 and _overfits(v) is None,
    Sentence.TOO_JITTERY: lambda v: v.trials > 0 and v.overfitting.too_jittery > 0,
    Sentence.WORTH: lambda v: bool(v.advantages) and v.worth is True,
    Sentence.NOT_WORTH: lambda v: bool(v.advantages) and v.worth is False,
    Sentence.WORTH_UNKNOWN: lambda v: bool(v.advantages) and v.worth is None,
    Sentence.STILL_IMPROVING: lambda v: v.unended is not None,
    Sentence.TUTORIAL: lambda v: bool(v.tutorial),
    Sentence.CHOICE_OF_EPOCH: _knows_choice_of_epoch,
    Sentence.SELECTION_BIAS: lambda v: v.optimism is not None and v.best is not None,
    Sentence.CONFIRMED: lambda v: v.confirmation is not None,
    Sentence.BIAS_SURE: lambda v: _bias(v) is True,
    Sentence.BIAS_UNSURE: lambda v: _bias(v) is False,
    Sentence.BIAS_UNKNOWN: _bias_is_of_one,
    Sentence.ROWS_LARGER: lambda v: _seeds_are_larger(v) is False,
    Sentence.SEEDS_LARGER: lambda v: _seeds_are_larger(v) is True,
    Sentence.SEALED: lambda v: v.trials > 0 and v.test_rows > 0 and not v.test_openings,
    Sentence.OPENED: lambda v: v.trials > 0 and v.test_openings > 0,
}
"""When each is said. `worth` is only False for a best trial that had arrived: see `verdict`."""


def said(verdict: Verdict) -> frozenset[Sentence]:
    """Return the sentences that a verdict is told in."""
    return frozenset(sentence for sentence, holds in _HOLDS.items() if holds(verdict))
