"""The verdict in words: two to four lines, each with its numbers."""

import math
from collections.abc import Sequence

from sweep import words as text
from sweep.analysis.answers.capacity_groups import GroupsAnswer
from sweep.analysis.answers.overfitting import LEAST_EPOCHS
from sweep.analysis.answers.regularisers import NONE, UNKNOWN
from sweep.analysis.answers.sentences import Sentence, said
from sweep.analysis.answers.tutorial import Conclusion
from sweep.analysis.answers.verdict import Confirmation, Errors, NamedTrial, Unended, Verdict
from sweep.analysis.frames.against_references import Advantage
from sweep.tasks.score_words import ScoreWords

_LISTED = 4
_TWO = 2

Sentences = frozenset[Sentence]


def lines(verdict: Verdict) -> list[tuple[str, str]]:
    """Return label and sentence of each line of the verdict, without control characters."""
    sentences = said(verdict)
    found = [("verdict", _evidence(verdict, sentences))]
    if verdict.capacity is not None and verdict.regularisation is not None and verdict.is_enough:
        answers = [
            _capacity(verdict, verdict.capacity, sentences),
            _kinds(verdict.regularisation, sentences),
        ]
        found.append(("", " ".join(answers)))
    if verdict.trials:
        found.append(("overfitting", _overfitting(verdict, sentences)))
    if verdict.unended is not None:
        found.append(("training", _unended(verdict, verdict.unended, verdict.address)))
    if verdict.advantages:
        found.append(("network", _worth(verdict, sentences)))
    if verdict.tutorial:
        found.append(("tutorial", _tutorial(verdict.tutorial)))
    reliability = _reliability(verdict)
    if reliability:
        found.append(("reliability", reliability))
    return [(label, text.plain(line)) for label, line in found]


def conclusions(verdict: Verdict) -> list[str]:
    """Return a sentence for each of the tutorial's conclusions, if its models were trained."""
    return [f"{one.line}." for one in verdict.tutorial]


def _evidence(verdict: Verdict, sentences: Sentences) -> str:
    words = []
    if Sentence.NOT_ENOUGH in sentences:
        words.append(f"Not enough evidence: {'; '.join(verdict.reasons)}.")
    if verdict.best is not None:
        words.append(_choices(verdict, verdict.best, sentences))
    if Sentence.UNFINISHED in sentences:
        words.append("The sweep is not finished; this may change.")
    return " ".join(words)


def _choices(verdict: Verdict, best: NamedTrial, sentences: Sentences) -> str:
    shown = verdict.shown
    first = "First in the search" if Sentence.FIRST_IN_SEARCH in sentences else "Best"
    words = f"{first} is {_named(best)}: {shown.val} {score(best, shown)}, {_described(best)}"
    if verdict.lowest is not None and Sentence.LUCKIER in sentences:
        words += f" ({_lowest(verdict.lowest, shown)})"
    cut = f", and {text.counted(verdict.cut, 'other')} {_were(verdict.cut)} cut early"
    cut = cut if Sentence.SOME_CUT in sentences else ""
    if Sentence.NONE_TIED in sentences:
        none = f"no other trial of {verdict.trials:,} is"
        if verdict.trials == _TWO:
            none = "the other trial is not"
        return f"{words}; {none} tied with it (95 % confidence){cut}."
    if verdict.tied is None or Sentence.SOME_TIED not in sentences:
        return f"{words}."
    others = verdict.tied - 1
    are = "is" if others == 1 else "are"
    the_others = f"the other {text.trials(verdict.trials - 1)}"
    of_them = f"{others:,} of {the_others} {are}" if verdict.trials > _TWO else "the other trial is"
    if verdict.tied == verdict.trials > _TWO:
        of_them = f"{the_others} are"
    words += f"; {of_them} tied with it (95 % confidence){cut}"
    simplest = verdict.simplest
    if Sentence.NONE_SIMPLER in sentences:
        return f"{words}; none of these is simpler and within one standard error."
    if simplest is None or Sentence.SIMPLEST not in sentences:
        return f"{words}."
    return (
        f"{words}, and the simplest within one standard error is {_named(simplest)}: "
        f"{shown.val} {score(simplest, shown, best)}, {_described(simplest)}"
        f"{_given_up(verdict)}."
    )


def _lowest(lowest: NamedTrial, shown: ScoreWords) -> str:
    """Return why the trial with the lowest score is not the best."""
    adds = shown.amount(lowest.choice_of_epoch or 0.0, shown.decimals(_error(lowest)))
    whose = f"{shown.val} {score(lowest, shown)} of {_named(lowest)} is {shown.better}"
    return f"the {whose}, but about {adds} too good by the choice of its epoch"


def _given_up(verdict: Verdict) -> str:
    if verdict.given_up is None:
        return ""
    return f" (gives up {verdict.shown.size_with_error(*verdict.given_up)} for that)"


def _named(choice: NamedTrial | Confirmation) -> str:
    return text.cut(choice.baseline) if choice.baseline is not None else f"trial {choice.trial}"


def score(
    choice: NamedTrial | Confirmation, shown: ScoreWords, best: NamedTrial | None = None
) -> str:
    """Return the validation score of `choice` with its error, and its root where that is usual.

    It is rounded to that error and, as in the table, to the error of `best`.
    """
    error = _error(choice)
    decimals = shown.decimals(error)
    if best is not None:
        decimals = min(decimals, shown.decimals(_error(best)))
    value, root = shown.with_error(choice.val_score, error, decimals), shown.root(choice.val_score)
    return f"{value} ({root})" if root else value


def choice_of_epoch(verdict: Verdict) -> str:
    """Return the sentence on the choice of the best trial's epoch; "" if it is unknown."""
    best, shown = verdict.best, verdict.shown
    if best is None or best.choice_of_epoch is None or best.expected_score is None:
        return ""
    decimals = shown.decimals(_error(best))
    least = 10.0**-decimals
    adds = best.choice_of_epoch
    size = f"about {shown.amount(adds, decimals)}"
    if adds < least / 2:
        size = f"less than {shown.amount(least, decimals)}"
    expected = shown.score(best.expected_score, decimals)
    return (
        f"Choice of the epoch: {size}{shown.of_unit} too good for {_named(best)}; ties, best and "
        f"simplest are without it ({shown.val} {expected} expected)."
    )


def _error(choice: NamedTrial | Confirmation) -> float:
    return math.nan if choice.val_score_se is None else choice.val_score_se


def _described(choice: NamedTrial) -> str:
    kind = choice.regularisation
    if choice.params is None and kind == UNKNOWN:
        return "size and regularisation unknown"
    by = f"regularised by {kind}"
    if kind in (NONE, UNKNOWN):
        by = "not regularised" if kind == NONE else "regularisation unknown"
    return f"{text.parameters(choice.params)}, {by}"


def _capacity(verdict: Verdict, answer: GroupsAnswer, sentences: Sentences) -> str:
    tried, tied = verdict.params_tried, verdict.params_tied
    if tried is None or tied is None:
        return "Capacity is unknown: so is the size of each tied trial."
    where = text.parameters(tied[0])
    if tied[0] != tied[1]:
        where = f"{tied[0]:,} to {tied[1]:,} parameters"
    if Sentence.CAPACITY_UNDECIDED in sentences:
        sizes = f"sizes from {tried[0]:,} to {tried[1]:,} were tried"
        return f"Capacity is undecided: the tied trials have {where}; {sizes}."
    if Sentence.CAPACITY_IN_PARTS in sentences:
        return f"Capacity: best with {_list(answer.best)} parameters{_others(answer)}."
    return f"Capacity: best with {where}{_others(answer)}."


def _kinds(answer: GroupsAnswer, sentences: Sentences) -> str:
    best = _list(answer.best)
    if Sentence.KINDS_UNDECIDED in sentences:
        return f"Regularisation is undecided: as good as the best: {best}{_others(answer)}."
    return f"Regularisation: best {_is(answer.best)} {best}{_others(answer)}."


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _is_plural(reference: str) -> bool:
    """Whether a reference model's name is a plural: boosted trees."""
    return reference.endswith("s")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _others(answer: GroupsAnswer) -> str:
    worse = [f"{name} ({text.trials(answer.ended[name])})" for name in answer.ruled_out]
    parts = {
        "worse": worse,
        "never trained in full": answer.cut_short,
    }
    return "".join(f"; {words}: {_list(names)}" for words, names in parts.items() if names)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def _overfitting(verdict: Verdict, sentences: Sentences) -> str:
    found, shown = verdict.overfitting, verdict.shown
    rise = (
        f"a {shown.rise} of {shown.amount(found.rise, shown.decimals(found.rise))}{shown.of_unit}"
    )
    lost = f"{rise} could be lost in the jitter of the curve"
    judged = f"{text.trials(found.judged)} of {LEAST_EPOCHS} or more epochs"
    if Sentence.OVERFIT_UNKNOWN in sentences:
        if verdict.is_unseen:
            return "Cannot be judged: of each trial, run_trial returns what it came to, no epochs."
        if not found.judged:
            return f"Cannot be judged: no trial was trained for {LEAST_EPOCHS} epochs."
        return f"Cannot be judged: in each of {judged} {lost}; longer training shows more."
    some = f"; in {found.too_jittery:,} {lost}" if Sentence.TOO_JITTERY in sentences else ""
    if Sentence.NOT_OVERFIT in sentences:
        return f"Not seen in {judged}{some}."
    words = f"Seen in {found.seen:,} of {judged}, the earliest after epoch {found.earliest_onset:,}"
    some = some.replace("; in", "; of the others, in")
    if found.from_params is not None:
        half = "at least half of the trials overfit"
        return f"{words}; from {text.parameters(found.from_params)} up, {half}{some}."
    return (
        f"{words}, the smallest with {text.parameters(found.smallest_params)}; "
        f"at no size do half of the trials overfit{some}."
    )


def _unended(verdict: Verdict, found: Unended, address: str) -> str:
    """Return which tied trials were still improving, and what trains just these on."""
    one = len(found.trials) == 1
    which = f"{'trial' if one else 'trials'} {', '.join(str(trial) for trial in found.trials)}"
    first = f"the first {len(found.trials)}: " if found.all > len(found.trials) else ""
    of_tied = " of those tied with the best" if (verdict.tied or 0) > 1 else ""
    options = " ".join(f"--trial {trial}" for trial in found.trials)
    command = f"sweep extend {address} {options} --max-epochs {found.to_epoch}"
    epochs = text.counted(found.more_epochs, "epoch")
    these = "this" if one else "these"
    return (
        f"{found.all:,}{of_tied} {_were(found.all)} still improving at the last epoch "
        f"({first}{which}): the answer may change. Train just {these} on with: {command} "
        f"({epochs} at most, about {text.duration(found.seconds)})."
    )


def _confirmed(found: Confirmation, shown: ScoreWords) -> str:
    by, more = "mean", ""
    if found.expected_score is not None:
        expected = shown.score(found.expected_score, shown.decimals(_error(found)))
        by = "expected score"
        more = f", {expected} expected without the choice of the epochs"
    words = (
        f"Of {text.trials(found.confirmed)} repeated under other seeds, the first by its {by} is "
        f"{_named(found)}: mean {shown.val} {score(found, shown)} over "
        f"{text.counted(found.seeds, 'seed')}{more}"
    )
    if found.bias is None:
        return f"{words}."
    if found.bias_se is None:
        return f"{words}; one trial does not tell whether scores in the search were too good."
    if not found.bias_is_sure:
        alike = "between scores in the search and the repeats (95 % confidence)"
        return f"{words}; on average, no difference found {alike}."
    side = "better" if found.bias < 0 else "worse"
    size = shown.size_with_error(found.bias, found.bias_se, most=4) + shown.of_unit
    return f"{words}; on average, scores in the search were {size} {side} than the repeats."


def selection_bias(verdict: Verdict) -> str:
    """Return the sentence on the selection bias of the best score; "" if the bias is unknown."""
    if verdict.optimism is None or verdict.best is None:
        return ""
    shown = verdict.shown
    decimals = shown.decimals(_error(verdict.best))
    least, bias = 10.0**-decimals, verdict.optimism.bias
    is_seen = bias >= least / 2
    size = shown.amount(bias if is_seen else least, decimals)
    size = f"about {size}" if is_seen else f"less than {size}"
    among = f"(chosen among {verdict.trials:,})"
    worse = f"{size}{shown.of_unit} worse"
    return f"Selection bias: expect the best trial to do {worse} on new data {among}."


_WORTH = {
    Sentence.WORTH: "A network is worth it",
    Sentence.NOT_WORTH: "",  # in words of its own
    Sentence.WORTH_UNKNOWN: "Not enough evidence that a network is worth it",
}


def _worth(verdict: Verdict, sentences: Sentences) -> str:
    (how,) = sentences & _WORTH.keys()
    first = verdict.advantages[0]
    name = text.cut(first.baseline) if first.baseline is not None else f"trial {first.trial}"
    shown = verdict.shown
    if how is Sentence.NOT_WORTH:
        return _beaten(verdict, name)
    whose = f"mean {shown.val} of {first.seeds:,} runs of" if first.seeds > 1 else f"{shown.val} of"
    errors = "SE over rows and seeds"
    differences = " and ".join(_advantage(one, shown) for one in verdict.advantages)
    words = f"{_WORTH[how]}: the {whose} {name} is {differences} ({errors})"
    if first.too_good > 0:
        words += ", before correcting for selection bias"
    return f"{words}."


def _beaten(verdict: Verdict, network: str) -> str:
    """Return which references beat the network, and which it beats: "Boosted trees beat …"."""
    shown, found = verdict.shown, verdict.advantages
    lost = [one for one in found if one.is_better is False]
    first = lost[0].reference
    many = "beat" if _is_plural(first) else "beats"
    size = shown.size_with_error(lost[0].value, lost[0].se)
    named = f"{first[:1].upper()}{first[1:]}"
    said_so = [f"{named} {many} the best network found ({network}) by {size}"]
    for one in found:
        size = shown.size_with_error(one.value, one.se)
        if one in lost[1:]:
            does = "do" if _is_plural(one.reference) else "does"
            said_so.append(f"so {does} {one.reference}, by {size}")
        elif one.is_better is not False:
            beats = f"it beats {one.reference} by {size}"
            unsure = f"it is not told apart from {one.reference} ({size})"
            said_so.append(beats if one.is_better else unsure)
    return f"{'; '.join(said_so)} (± SE over rows and seeds)."


def _advantage(one: Advantage, shown: ScoreWords) -> str:
    """Return the advantage in words: "0.033 ± 0.010 lower than that of logistic regression"."""
    size = shown.size_with_error(one.value, one.se)
    side = shown.better if one.value < 0 else shown.worse
    return f"{size} {side} than that of {one.reference}"


def _tutorial(found: Sequence[Conclusion]) -> str:
    counts = [sum(one.holds is answer for one in found) for answer in (True, False, None)]
    return (
        f"{text.counted(len(found), 'conclusion')} checked: {counts[0]} yes, {counts[1]} no, for "
        f"{counts[2]} not enough evidence."
    )


def _errors(found: Errors, shown: ScoreWords) -> str:
    """Return which errors the ties hold, and which of them decides."""
    rows, seeds = (shown.amount(one, shown.decimals(one)) for one in (found.rows, found.seeds))
    source = "measured here" if found.seeds_freedom else "taken from other sweeps"
    larger = "the seeds" if found.seeds > found.rows else "the rows"
    return (
        f"The difference of two good trials is uncertain by ± {rows} over rows "
        f"and by ± {seeds} over seeds ({source}): {larger} are the larger error."
    )


def _reliability(verdict: Verdict) -> str:
    words = [choice_of_epoch(verdict), selection_bias(verdict)]
    if verdict.confirmation is not None:
        words.append(_confirmed(verdict.confirmation, verdict.shown))
    if verdict.errors is not None:
        words.append(_errors(verdict.errors, verdict.shown))
    times = verdict.test_openings
    if verdict.trials and (verdict.test_rows or times):
        words.append(
            f"The test rows have been opened {'once' if times == 1 else f'{times:,} times'}."
            if times
            else "The test rows are still sealed."
        )
    return " ".join(filter(None, words))
