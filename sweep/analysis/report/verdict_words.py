"""The verdict in words: two to four lines, each with its numbers."""

import math
from collections.abc import Sequence

from sweep import words as text
from sweep.analysis.answers.capacity_groups import Answer
from sweep.analysis.answers.overfitting import LEAST_EPOCHS
from sweep.analysis.answers.regularisation import NONE
from sweep.analysis.answers.tutorial import Conclusion
from sweep.analysis.answers.verdict import Choice, Confirmation, Verdict

_LISTED = 4


def lines(verdict: Verdict) -> list[tuple[str, str]]:
    """Label and sentence of each line, without control characters."""
    found = [("verdict", _evidence(verdict))]
    if verdict.capacity is not None and verdict.regularisation is not None and verdict.is_enough:
        answers = [_capacity(verdict, verdict.capacity), _kinds(verdict.regularisation)]
        found.append(("", " ".join(answers)))
    if verdict.trials:
        found.append(("overfitting", _overfitting(verdict)))
    if verdict.advantages:
        found.append(("network", _worth(verdict)))
    if verdict.tutorial:
        found.append(("tutorial", _tutorial(verdict.tutorial)))
    honesty = _honesty(verdict)
    if honesty:
        found.append(("honesty", honesty))
    return [(label, text.plain(line)) for label, line in found]


def conclusions(verdict: Verdict) -> list[str]:
    """Return a sentence for each of the tutorial's conclusions, if its models were trained."""
    return [f"{one.line}." for one in verdict.tutorial]


def _evidence(verdict: Verdict) -> str:
    words = []
    if not verdict.is_enough:
        words.append(f"Not enough evidence: {'; '.join(verdict.reasons)}.")
    if verdict.best is not None:
        words.append(_choices(verdict, verdict.best))
    if not verdict.is_final and verdict.trials:
        words.append("The sweep is not finished; this may change.")
    return " ".join(words)


def _choices(verdict: Verdict, best: Choice) -> str:
    words = f"Best is {_named(best)}: val BCE {score(best)}, {_described(best)}"
    if verdict.tied is None:
        return f"{words}."
    others = verdict.tied - 1
    if others == 0:
        return f"{words}; no other of {verdict.trials:,} trials is tied with it (95 % confidence)."
    are = "is" if others == 1 else "are"
    words += f"; {others:,} of {verdict.trials - 1:,} others {are} tied with it (95 % confidence)"
    simplest = verdict.simplest
    if simplest is None or simplest.trial == best.trial:
        return f"{words}; none of these is simpler and within one error."
    return (
        f"{words}, and the simplest within one error is {_named(simplest)}: "
        f"{score(simplest, best)}, {_described(simplest)}."
    )


def _named(choice: Choice | Confirmation) -> str:
    return choice.baseline if choice.baseline is not None else f"trial {choice.trial}"


def score(choice: Choice | Confirmation, best: Choice | None = None) -> str:
    """Its validation BCE with its error, rounded to it, and as in the table to the best's."""
    error = _error(choice)
    decimals = text.decimals_of(error)
    if best is not None:
        decimals = min(decimals, text.decimals_of(_error(best)))
    return text.with_error(choice.val_bce, error, decimals)


def _error(choice: Choice | Confirmation) -> float:
    return math.nan if choice.val_bce_se is None else choice.val_bce_se


def _described(choice: Choice) -> str:
    kind = choice.regularisation
    by = "not regularised" if kind == NONE else f"regularised by {kind}"
    return f"{text.count(choice.params)} parameters, {by}"


def _capacity(verdict: Verdict, answer: Answer) -> str:
    tried, tied = verdict.params_tried, verdict.params_tied
    if tried is None or tied is None:
        return "Capacity: no trial's size is known."
    where = f"{tied[0]:,} parameters"
    if tied[0] != tied[1]:
        where = f"{tied[0]:,} to {tied[1]:,} parameters"
    if not answer.is_decided:
        return f"Capacity is undecided: tied from {where}, of {tried[0]:,} to {tried[1]:,} tried."
    return f"Capacity: best is {where}{_others(answer)}."


def _kinds(answer: Answer) -> str:
    best = _list(answer.best)
    if not answer.is_decided:
        return f"Regularisation is undecided: not worse than the best: {best}{_others(answer)}."
    return f"Regularisation: best {_is(answer.best)} {best}{_others(answer)}."


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _others(answer: Answer) -> str:
    words = f"; worse: {_list(answer.ruled_out)}" if answer.ruled_out else ""
    return words + (f"; all cut early: {_list(answer.cut_short)}" if answer.cut_short else "")


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def _overfitting(verdict: Verdict) -> str:
    found = verdict.overfitting
    if found.judged == 0:
        return f"Cannot be judged: no trial trained {LEAST_EPOCHS} epochs."
    judged = f"{text.trials(found.judged)} of {LEAST_EPOCHS} or more epochs"
    if found.seen == 0:
        return f"Not seen in {judged}."
    words = f"Seen in {found.seen:,} of {judged}, the earliest after epoch {found.earliest_onset:,}"
    if found.from_params is not None:
        return f"{words}; from {found.from_params:,} parameters on at least half overfit."
    return (
        f"{words}, the smallest with {text.count(found.smallest_params)} parameters; "
        "from no size on do half overfit."
    )


def _confirmed(found: Confirmation) -> str:
    words = (
        f"Of {text.trials(found.confirmed)} trained with other seeds, the best is {_named(found)}: "
        f"mean val BCE {score(found)} over {text.counted(found.seeds, 'run')}"
    )
    if found.bias is None:
        return f"{words}."
    side = "too good" if found.bias < 0 else "too bad"
    error = math.nan if found.bias_se is None else found.bias_se
    size = text.with_error(abs(found.bias), error, min(text.decimals_of(error), 4))
    return f"{words}; the search's scores were {size} nats {side} on average."


def flattery(verdict: Verdict) -> str:
    """How far the best score is too good for having been chosen; nothing when not known."""
    if verdict.optimism is None or verdict.best is None:
        return ""
    decimals = text.decimals_of(_error(verdict.best))
    least, bias = 10.0**-decimals, verdict.optimism.bias
    size = f"about {bias:.{decimals}f}" if bias >= least / 2 else f"less than {least:.{decimals}f}"
    among = text.trials(verdict.trials)
    return f"The best score is {size} nats too good for having been chosen among {among}."


_WORTH = {
    True: "A network is worth it",
    False: "A network is not worth it",
    None: "Not enough evidence that a network is worth it",
}


def _worth(verdict: Verdict) -> str:
    first = verdict.advantages[0]
    name = first.baseline if first.baseline is not None else f"trial {first.trial}"
    whose = f"the mean of {first.seeds:,} runs of {name}" if first.seeds > 1 else name
    errors = "seeds and rows" if first.seeds > 1 else "the rows, paired"
    differences = ", ".join(
        f"{text.difference(one.value, one.se)} to {one.reference}" for one in verdict.advantages
    )
    words = f"{_WORTH[verdict.worth]}: {whose} has val BCE {differences} (SE over {errors})"
    if first.too_good > 0:
        words += ", before what is owed to the choice"
    return f"{words}."


def _tutorial(found: Sequence[Conclusion]) -> str:
    counts = [sum(one.holds is answer for one in found) for answer in (True, False, None)]
    return (
        f"Of {len(found)} conclusions looked at, {counts[0]} held, {counts[1]} failed, and for "
        f"{counts[2]} there is not enough evidence."
    )


def _honesty(verdict: Verdict) -> str:
    words = []
    if flattered := flattery(verdict):
        words.append(flattered)
    if verdict.confirmation is not None:
        words.append(_confirmed(verdict.confirmation))
    if verdict.trials:
        times = verdict.test_openings
        words.append(
            f"The test rows have been opened {'once' if times == 1 else f'{times:,} times'}."
            if times
            else "The test rows are still sealed."
        )
    return " ".join(words)
