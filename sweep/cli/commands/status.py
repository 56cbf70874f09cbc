"""sweep status: how far a sweep is."""

import time

from sweep.cli import options as opt
from sweep.cli.look import best_text, state_text
from sweep.cli.output import out
from sweep.runner.look import Look, TimeLeft, look
from sweep.store import SweepProgress
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.words import counted, duration, plain


def status(name: opt.NameArgument = None, results: opt.ResultsOption = DEFAULT_RESULTS) -> None:
    """Say how far a sweep is, also while it runs."""
    for label, line in _facts(look(find_sweep(results, name))):
        out().print(f"{label:<11}{plain(line)}", soft_wrap=True)


def _facts(found: Look) -> list[tuple[str, str]]:
    sweep, progress = found.sweep, found.progress
    total = sweep.plan.all_assignments
    epochs = f"{progress.epochs_done:,} of at most {found.epochs_planned:,}"
    facts = [
        ("sweep", f"{sweep.name} ({state_text(found)})"),
        ("space", f"{sweep.space.name}, seed {sweep.settings.seed}"),
        (
            "search",
            "" if sweep.settings.has_rungs else sweep.settings.search_in_words(sweep.plan.trials),
        ),
        ("data", sweep.data.source),
        ("progress", f"{progress.assignments_done} of {counted(total, 'assignment')}"),
        ("epochs", "" if sweep.data.is_unseen else epochs),
        ("failed", counted(progress.trials_failed, "trial") if progress.trials_failed else ""),
        ("seeds", _seeds(progress)),
        ("best", best_text(progress, sweep.score_words)),
        ("workers", _workers(found)),
        ("worked", duration(sweep.active_seconds)),
        ("left", _left(found.time_left)),
        ("message", sweep.message or ""),
    ]
    return [(label, line) for label, line in facts if line]


def _workers(found: Look) -> str:
    """Who works in the pool now, if there is one."""
    if not found.at_work:
        return ""
    now = time.time()
    each = (
        f"{one.worker} on {one.host} ({one.device}; {counted(one.assignments, 'assignment')}, "
        f"busy {one.share(now):.0%})"
        for one in found.at_work
    )
    return f"{len(found.at_work)} at work: {', '.join(each)}"


def _seeds(progress: SweepProgress) -> str:
    if not progress.confirmations:
        return ""
    planned = counted(progress.confirmations, "run")
    return f"{progress.confirmations_done} of {planned} with other seeds"


def _left(left: TimeLeft | None) -> str:
    if left is None:
        return ""
    return f"about {duration(left.seconds)} at this rate, {counted(left.epochs, 'epoch')} at most"
