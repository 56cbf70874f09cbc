"""The hyperparameters of a search space before its search, as Keras Tuner sees them."""

from collections.abc import Callable
from typing import Any

from sweep.tuners.arguments import TunerArguments
from sweep.tuners.given_build import GivenBuild

_MOST_BUILDS = 100


def hyperparameters_of(
    build: Callable[[Any], Any], hypermodel: Any, arguments: TunerArguments
) -> Any:
    """Return `keras_tuner.HyperParameters` with what `build` asks for.

    It is built with default values first, then once for each conditional scope that was not active.
    """
    import keras_tuner

    given = GivenBuild(build, arguments)
    hp = keras_tuner.HyperParameters()
    if hasattr(hypermodel, "declare_hyperparameters"):
        hypermodel.declare_hyperparameters(hp)
    waiting: list[Any] = []
    active: list[Any] = []
    for _ in range(_MOST_BUILDS):
        given(hp)
        active += [one for one in hp.active_scopes if one not in active]
        waiting += [one for one in hp.inactive_scopes if one not in waiting]
        waiting = [one for one in waiting if one not in active]
        if not waiting:
            break
        hp = hp.copy()
        for condition in waiting[0]:
            hp.values[condition.name] = condition.values[0]
        hp.ensure_active_values()
    return hp
