"""How a search goes, said apart from its tuner: `kt.Tuner(oracle=kt.oracles.RandomSearch(…))`."""

import inspect
from collections.abc import Callable
from typing import Any

from sweep.tuners import kinds
from sweep.tuners.by_kind import OracleArguments


def _oracle(kind: str) -> Callable[..., OracleArguments]:
    """An oracle with the arguments of its tuner, `hypermodel` and what all tuners take left out."""
    signature = inspect.signature(getattr(kinds, kind))
    own = [
        one for name, one in signature.parameters.items() if name not in ("hypermodel", "kwargs")
    ]

    def oracle(*given: Any, **named: Any) -> OracleArguments:
        bound = signature.replace(parameters=own).bind(*given, **named)
        bound.apply_defaults()
        return OracleArguments(kind, dict(bound.arguments))

    return oracle


Hyperband = HyperbandOracle = _oracle("Hyperband")
RandomSearch = RandomSearchOracle = _oracle("RandomSearch")
BayesianOptimization = BayesianOptimizationOracle = _oracle("BayesianOptimization")
GridSearch = GridSearchOracle = _oracle("GridSearch")
