"""Extends a finished sweep: more brackets, a larger max_epochs, or more trials.

Added brackets come in Hyperband's order and draw configurations that were not drawn before; an
added iteration gives what the sweep would have held had it been started with it. With a larger
max_epochs each bracket goes on halving from its last rung (see `sweep.searches.brackets`), the
baselines are trained to the new end, and brackets that are added begin under the new setting.

A search without rungs is given more trials, and goes on as if it had had them from the start.
"""

from dataclasses import replace

from sweep.errors import InvalidSpaceError, UsageError
from sweep.runner.prepare import Prepared
from sweep.searches.brackets import n_brackets
from sweep.searches.chosen import planned
from sweep.settings import Settings, Stage
from sweep.words import counted


def extended(
    prepared: Prepared,
    max_epochs: int | None,
    iterations: int,
    brackets: int,
    trials: int | None = None,
) -> Prepared:
    """Return the sweep with `iterations` and `brackets` added, or with a larger `max_epochs`.

    A search without rungs has `trials` in all, and none of the others. Raises UsageError when
    nothing is added or the search has no such thing, InvalidSpaceError when max_epochs would
    shrink.
    """
    old = prepared.settings
    if not old.has_rungs:
        if max_epochs is not None or iterations or brackets:
            raise UsageError(
                f"a {old.search} search has no rungs and brackets: give --trials, the number of "
                "configurations in all, or train trials on with --trial and --max-epochs"
            )
        return _with_trials(prepared, trials)
    if trials is not None:
        raise UsageError(
            f"--trials is for searches other than {old.search}; extend this one with "
            "--max-epochs, --add-iterations or --add-brackets"
        )
    longest = old.max_epochs if max_epochs is None else max_epochs
    if longest < old.max_epochs:
        raise InvalidSpaceError(
            f"--max-epochs is {longest}, expected more than the sweep has: {old.max_epochs}"
        )
    added = iterations * n_brackets(longest, old.factor) + brackets
    if longest == old.max_epochs and not added:
        raise UsageError(
            "nothing to add: give --max-epochs, --add-iterations or --add-brackets; "
            f"the sweep has --max-epochs {old.max_epochs}"
        )
    settings = replace(old, max_epochs=longest, stages=_stages(old, longest, added))
    return replace(prepared, settings=settings, plan=planned(prepared.space, settings))


def _with_trials(prepared: Prepared, trials: int | None) -> Prepared:
    there = len(prepared.plan.roots)
    if trials is None or trials <= there:
        raise UsageError(
            f"nothing to add: the sweep has {counted(there, 'trial')}, give --trials with more"
        )
    settings = replace(prepared.settings, trials=trials, iterations=Settings.iterations)
    found = replace(prepared, settings=settings, plan=planned(prepared.space, settings))
    if len(found.plan.roots) == there:
        raise UsageError(f"nothing to add: the space has no more than {there:,} configurations")
    return found


def with_iterations(old: Settings, iterations: int) -> Settings:
    """Return the settings of a Hyperband search with so many iterations in all."""
    added = (iterations - old.iterations) * n_brackets(old.max_epochs, old.factor)
    return replace(old, iterations=iterations, stages=_stages(old, old.max_epochs, added))


def _stages(old: Settings, max_epochs: int, added: int) -> tuple[Stage, ...]:
    n_all = old.iterations * n_brackets(old.max_epochs, old.factor)
    stages = old.stages or (Stage(old.max_epochs, n_all),)
    last = stages[-1]
    if max_epochs == last.max_epochs:
        return (*stages[:-1], replace(last, brackets=last.brackets + added))
    return (*stages, Stage(max_epochs, added))
