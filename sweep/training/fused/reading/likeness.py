"""Models that differ in numbers only from one that has been read: described without Keras."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from sweep.records import Assignment
from sweep.seeds import derive
from sweep.space.asked import Asked, unforeseen
from sweep.space.unmade_variables import variables_unmade
from sweep.training.checkpoint import Arrays
from sweep.training.fused.description import Description, Role
from sweep.training.fused.layers.refusal import NotCarriedError
from sweep.training.fused.program.optimizers import OptimizerRule
from sweep.training.fused.reading.doubles import Double, Variable, doubled
from sweep.training.fused.reading.layers import read_layers
from sweep.training.fused.reading.optimizer import read_optimizer
from sweep.training.model import Build
from sweep.training.regularisation import regularisation

_CHECKED_EVERY = 16
"""Of the models of one structure the first is made by Keras too, and so many-th ones after it."""
_TRIES = 3
"""Builds that may fail with doubles, one after the other, before doubles are given up."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Likeness:
    """A trial's model as its doubles tell it.

    `structure` is all but its numbers. `values` makes the first values of its variables, in the
    order of the description's roles.
    """

    structure: Any
    units: tuple[Any, ...]
    rule: OptimizerRule
    optimizer: Any
    variables: dict[Role, Variable]
    regularisation: str

    def described(self, like: Description) -> Description:
        """Return the trial's description, from that of a model of the same structure."""
        given, *hidden, output = self.units
        return replace(
            like,
            given=given,
            hidden=tuple(hidden),
            output=replace(output, parts=()),
            optimizer=self.rule,
        )

    def values(self, description: Description) -> Arrays:
        """Return the first values of the model's variables, in the order of its roles."""
        return tuple(self.variables[role].value() for role in description.model_roles)


@dataclass
class Likenesses:
    """The structures of a search space's models that Keras has made.

    `trusted` says whether doubles are used: not any more once one was unlike its model.
    """

    build: Build
    trusted: bool = True
    _known: dict[Any, Description] = field(default_factory=dict)
    _used: dict[Any, int] = field(default_factory=dict)
    _failed: int = 0

    def of(self, assignment: Assignment) -> Likeness | None:
        """Return the trial's model by its doubles; None if it has to be made by Keras."""
        if not self.trusted:
            return None
        try:
            found = _likeness(self.build, assignment)
        except NotCarriedError:
            return None
        except Exception as error:  # whatever has no double, or a user's build raises
            self._failed += 1
            self.trusted = self._failed < _TRIES
            _log.info("trial %d: made by Keras: %s", assignment.trial, error)
            return None
        self._failed = 0
        return found

    def known(self, likeness: Likeness) -> Description | None:
        """Return the description; None if Keras is to make this one, to be compared."""
        like = self._known.get(likeness.structure)
        used = self._used.get(likeness.structure, 0)
        self._used[likeness.structure] = used + 1
        if like is None or used % _CHECKED_EVERY == 0:
            return None
        return likeness.described(like)

    def compare(
        self,
        likeness: Likeness,
        description: Description,
        told: str,
        values: Arrays,
    ) -> None:
        """Learn a structure from a model that Keras has made; give doubles up if it is another."""
        mine = likeness.described(description)
        same = (
            mine == description
            and told == likeness.regularisation
            and set(description.model_roles) == set(likeness.variables)
            and _same(likeness.values(description), values)
        )
        if same:
            self._known.setdefault(likeness.structure, description)
            return
        self.trusted = False
        _log.info("models are made by Keras from now on: one was not as its double")


def _same(one: Arrays, other: Arrays) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _likeness(build: Build, assignment: Assignment) -> Likeness:
    keras.utils.set_random_seed(derive(assignment.seed, "init"))
    with variables_unmade(), doubled():
        model = build(Asked(assignment.hyperparameters, unforeseen))
    if not isinstance(model, Double) or model.optimizer is None or not model.shape:
        raise TypeError("a model without doubles, or without the shape of its input")
    shape = tuple(model.shape)
    features = int(np.prod(shape))
    model.give_variables(features)
    units, by_id = read_layers(features, model.chain)
    rule = read_optimizer(model.optimizer)
    held = {id(one): one for one in model.variables}
    variables = {role: held[identity] for identity, role in by_id.items()}
    structure = (
        shape,
        tuple(type(layer).__name__ for layer in model.chain),
        tuple(variables),
        units[-1],
        _told(model.loss),
        _told(model.metrics),
        (type(model.optimizer), rule.kind, rule.schedule is None, rule.decays[0] != 0),
    )
    told = regularisation(model)
    return Likeness(structure, tuple(units), rule, model.optimizer, variables, told)


def _told(given: Any) -> Any:
    """What `compile` was given as a loss or as metrics, as a value that can be compared."""
    if isinstance(given, dict):
        return tuple((name, _told(one)) for name, one in given.items())
    if isinstance(given, list | tuple):
        return tuple(map(_told, given))
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, keras.losses.Loss | keras.metrics.Metric):
        return type(given), repr(given.get_config())
    if callable(given):
        return given
    raise TypeError(f"compiled with a {type(given).__name__}")


Deferred = Callable[[], tuple[Arrays, Arrays]]
"""Makes the first values of a model and of its optimizer."""
