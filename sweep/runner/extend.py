"""Extends a finished sweep: more brackets, or a larger max_epochs.

Added brackets come in Hyperband's order and draw configurations that were not drawn before; an
added iteration gives what the sweep would have held had it been started with it. With a larger
max_epochs each bracket goes on halving from its last rung (see `sweep.search.brackets`), the
baselines are trained to the new end, and brackets that are added begin under the new setting.
"""

from dataclasses import replace

from sweep.errors import InvalidSpaceError, UsageError
from sweep.runner.prepare import Prepared, new_search
from sweep.search.brackets import n_brackets
from sweep.search.plan import rehearse
from sweep.settings import Stage


def extended(
    prepared: Prepared, max_epochs: int | None, iterations: int, brackets: int
) -> Prepared:
    """Return the sweep with `iterations` and `brackets` added, or with a larger `max_epochs`.

    Raises UsageError when nothing is added, InvalidSpaceError when max_epochs would shrink.
    """
    old = prepared.settings
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
    settings = replace(old, max_epochs=longest, stages=_stages(prepared, longest, added))
    return replace(
        prepared, settings=settings, plan=rehearse(lambda: new_search(prepared.space, settings))
    )


def _stages(prepared: Prepared, max_epochs: int, added: int) -> tuple[Stage, ...]:
    stages = new_search(prepared.space, prepared.settings).stages
    last = stages[-1]
    if max_epochs == last.max_epochs:
        return (*stages[:-1], replace(last, brackets=last.brackets + added))
    return (*stages, Stage(max_epochs, added))
