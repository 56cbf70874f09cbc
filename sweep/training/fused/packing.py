"""A trial's state ↔ its slot in a group's stacked arrays.

Keras' order of variables on one side, padded weights on the other. A trial of D hidden layers
takes the first D of a program's hidden layers and its output; the rest is zero. Where the program
has a loop, a layer is a row of the loop's stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sweep.training.checkpoint import Arrays, TrialState
from sweep.training.fused.description import Description, Role, Unit
from sweep.training.fused.layers import random_bits
from sweep.training.fused.program.arrays import State, Trials
from sweep.training.fused.program.optimizers import KINDS, OptimizerRule
from sweep.training.fused.program.shape import INPUT, Shape
from sweep.training.fused.program.shape_policy import mixed_forms, places_in
from sweep.training.trial_progress import TrialProgress

Generators = tuple[tuple[int, int], ...]
"""(seed, count) of each dropout generator, in the order of the description's roles."""

_F = np.float32


@dataclass(frozen=True)
class Clock:
    """The part of a trial's state that is counted on the host.

    A generator's count rises by one a step: Keras draws once a step, and so does the mask.
    """

    iteration: int
    learning_rate: np.float32 | None
    """The rate kept as a variable; None under a schedule."""
    generators: Generators
    product: np.float32 | None = None
    """Nadam's product of momenta; None for any other optimizer."""
    constants: Arrays = ()
    """Variables of the model that never change, such as what a Normalization was adapted to."""

    def after(self, steps: int, rule: OptimizerRule) -> "Clock":
        """The clock `steps` training steps later."""
        later = tuple((seed, count + steps) for seed, count in self.generators)
        product = self.product
        if product is not None:
            product = rule.products(product, self.iteration, steps)[-1]
        return replace(self, iteration=self.iteration + steps, generators=later, product=product)


@dataclass(frozen=True)
class Packing:
    """Where a described trial's arrays go in a shape."""

    description: Description
    shape: Shape

    def pack(self, state: TrialState) -> tuple[State, Clock]:
        """One slot's arrays and the clock. Raises ValueError when the state does not fit."""
        description = self.description
        model = _by_role(description.model_roles, state.model, "model")
        best = _by_role(description.model_roles, state.best or state.model, "best model")
        optimizer = _by_role(description.optimizer_roles, state.optimizer, "optimizer")
        rate = optimizer.get(("rate", -1))
        clock = Clock(
            iteration=int(optimizer["iteration", -1]),
            learning_rate=None if rate is None else _F(rate),
            generators=generators(description.model_roles, state.model),
            product=_F(optimizer["product", -1]) if ("product", -1) in optimizer else None,
            constants=tuple(
                array
                for (kind, _), array in zip(description.model_roles, state.model, strict=True)
                if kind == "constant"
            ),
        )
        values = (*self.shape.weights, *self.shape.averages)
        arrays = State(
            self._padded(model, values), self._slots(optimizer, "first"),
            self._seconds(optimizer), self._padded(best, values),
        )  # fmt: skip
        return arrays, clock

    def unpack(
        self, arrays: State, clock: Clock, progress: TrialProgress[Generators]
    ) -> TrialState:
        """The state in Keras' order; `progress` holds the generators after the best epoch."""
        roles = self.description.optimizer_roles
        slots = {"first": arrays.firsts, "second": arrays.seconds}
        held = KINDS[self.shape.optimizer].seconds
        if len(held) > 1:
            slots |= {slot: self._of_pairs(arrays.seconds, n) for n, slot in enumerate(held)}
        optimizer: list[np.ndarray] = []
        for kind, layer in roles:
            if kind == "iteration":
                optimizer.append(np.array(clock.iteration, dtype=np.int64))
            elif kind == "rate":
                optimizer.append(np.array(clock.learning_rate, dtype=_F))
            elif kind == "product":
                optimizer.append(np.array(clock.product, dtype=_F))
            else:
                slot, _, weight = kind.partition(" ")
                optimizer.append(self._cut(slots[slot], (weight, layer)))
        return TrialState(
            epoch=progress.epoch,
            model=self._model(arrays.values, clock.generators, clock.constants),
            optimizer=tuple(optimizer),
            best=()
            if progress.best is None
            else self._model(arrays.best, progress.best, clock.constants),
            early_stopping=progress.early_stopping,
            val_losses=progress.val_losses,
        )

    def trials(self) -> Trials:
        """What distinguishes this trial, for one slot."""
        shape, description = self.shape, self.description
        n_hidden, n_weights = len(shape.widths), shape.ordinals
        units, kinds = np.zeros(n_hidden, np.int32), np.zeros((1, n_hidden), np.int32)
        thresholds, scales = np.zeros(shape.draws, np.uint32), np.ones(shape.draws, _F)
        l1, l2 = np.zeros(n_weights, _F), np.zeros(n_weights, _F)
        parts = absent_parts(shape)
        for layer, unit in self._units:
            for kind, penalty in unit.penalties.items():
                ordinal = shape.ordinal(kind, self._place(layer))
                l1[ordinal], l2[ordinal] = penalty.l1, penalty.l2
            if shape.chain(layer):
                of_parts = self._numbers(layer, unit)
                parts[layer, : len(of_parts)] = of_parts
            if 0 <= layer < len(description.hidden):
                units[layer] = unit.width
                if shape.mixed:
                    kinds[0, layer] = shape.activations.index(unit.activation)
            for part, draw in zip(unit.generators, self._draws(layer, unit), strict=True):
                thresholds[draw] = random_bits.threshold(part.rate)
                scales[draw] = random_bits.scale(part.rate)
        loss = description.loss
        first = loss.delta if loss.kind == "huber" else loss.smoothing
        smoothing = np.array([first, loss.metric_smoothing], _F)
        numbers = description.optimizer.numbers
        scaling = np.array(description.scaling or (), _F).reshape(-1, shape.features)
        depth = np.array(len(description.hidden), np.int32)
        return Trials(units, depth, l1, l2, thresholds, scales, smoothing, parts, numbers,
                      kinds[0, : n_hidden if shape.mixed else 0], scaling)  # fmt: skip

    def keys(self, clock: Clock, steps: int) -> np.ndarray:
        """Dropout keys of the next `steps` steps: uint32 (steps, masks, 2)."""
        keys = np.zeros((steps, self.shape.draws, 2), np.uint32)
        draws = [self._draw(role) for role in self.description.model_roles if is_generator(role)]
        if draws:
            seeds, counts = np.array(clock.generators, dtype=np.int64).T
            keys[:, draws] = random_bits.step_keys(seeds, counts, steps)
        return keys

    def _draw(self, role: Role) -> int:
        """The number of the draw that a generator is for."""
        kind, layer = role
        unit = dict(self._units)[layer]
        which = int(kind.partition(" ")[2] or 1) - 1
        return list(self._draws(layer, unit))[which]

    def _draws(self, layer: int, unit: Unit) -> Iterator[int]:
        """The number of the draw of each of a unit's parts that take random bits."""
        chain = self.shape.chain(layer)
        if not chain:  # a plain layer has dropout
            yield from (layer for _ in unit.generators)
            return
        for place, form in zip(self._places(layer, unit), unit.forms, strict=True):
            if form.draws:
                yield self.shape.draw(layer, sum(one.draws for one in chain[:place]))

    def _places(self, layer: int, unit: Unit) -> list[int]:
        """Where in the layer's chain its parts stand."""
        forms = mixed_forms(unit, self.shape.activations) if self.shape.mixed else unit.forms
        found = places_in(self.shape.chain(layer), forms)
        if found is None:
            raise RuntimeError("a layer's parts stand in its chain in their order")
        return found

    def _numbers(self, layer: int, unit: Unit) -> list[float]:
        """The numbers of a layer's parts, with those of the parts that it does not have."""
        own = dict(zip(self._places(layer, unit), unit.parts, strict=True))
        optional, found = self.shape.optional(layer), list[float]()
        for place, form in enumerate(self.shape.chain(layer)):
            part = own.get(place)
            found += [float(part is not None)] * optional
            found += form.absent if part is None else part.numbers
        return found

    def _model(
        self, weights: list[np.ndarray], generators: Generators, constants: Arrays
    ) -> Arrays:
        following, unchanged = iter(generators), iter(constants)
        found: list[np.ndarray] = []
        for role in self.description.model_roles:
            if is_generator(role):
                found.append(np.array(next(following), dtype=np.int64))
            else:
                constant = role[0] == "constant"
                found.append(next(unchanged) if constant else self._cut(weights, role))
        return tuple(found)

    def _seconds(self, optimizer: dict[Role, np.ndarray]) -> list[np.ndarray]:
        """Padded second slots; one number a weight where the optimizer has none."""
        held = KINDS[self.shape.optimizer].seconds
        if len(held) == 1:
            return self._slots(optimizer, held[0])
        if held:
            pairs = (self._slots(optimizer, slot) for slot in held)
            return [
                np.stack(pair, axis=len(self.shape.stack(role)))
                for role, *pair in zip(self.shape.roles, *pairs, strict=True)
            ]
        return [np.zeros(shape, _F) for shape in self.shape.seconds]

    def _of_pairs(self, seconds: list[np.ndarray], which: int) -> list[np.ndarray]:
        return [
            both.take(which, axis=len(self.shape.stack(role)))
            for role, both in zip(self.shape.roles, seconds, strict=True)
        ]

    def _slots(self, optimizer: dict[Role, np.ndarray], slot: str) -> list[np.ndarray]:
        prefix = f"{slot} "
        own = {
            (kind.removeprefix(prefix), layer): array
            for (kind, layer), array in optimizer.items()
            if kind.startswith(prefix)
        }
        return self._padded(own, self.shape.weights)

    def _padded(
        self, arrays: dict[Role, np.ndarray], shapes: tuple[tuple[int, ...], ...]
    ) -> list[np.ndarray]:
        padded = [np.zeros(shape, _F) for shape in shapes]
        for role, array in arrays.items():
            if not (is_generator(role) or role[0] == "constant"):
                expected = self._shape(role)
                if array.shape != expected:
                    raise ValueError(f"{role} has shape {expected}, the state {array.shape}")
                whole, where = self._found(role, padded)
                whole[where] = array
        return padded

    def _cut(self, weights: list[np.ndarray], role: Role) -> np.ndarray:
        array, where = self._found(role, weights)
        return np.array(array[where])

    def _found(
        self, role: Role, weights: list[np.ndarray]
    ) -> tuple[np.ndarray, tuple[int | slice, ...]]:
        """The array that holds a weight, and where in it."""
        kind, layer = role[0], self._place(role[1])
        corner = (slice(0, size) for size in self._shape(role))
        return weights[self.shape.position(kind, layer)], (*self.shape.row(kind, layer), *corner)

    def _place(self, layer: int) -> int:
        """The program's layer that carries the trial's: the output stands behind all."""
        return len(self.shape.widths) if layer == len(self.description.hidden) else layer

    @property
    def _units(self) -> list[tuple[int, Unit]]:
        """The trial's units with their layers: the input, the hidden ones, the output."""
        description = self.description
        units = (description.given, *description.hidden, description.output)
        return list(enumerate(units, start=INPUT))

    def _shape(self, role: Role) -> tuple[int, ...]:
        kind, layer = role
        units = dict(self._units)
        width = units[layer].width
        return (units[layer - 1].width, width) if kind == "kernel" else (width,)


def _by_role(roles: tuple[Role, ...], arrays: Arrays, owner: str) -> dict[Role, np.ndarray]:
    if len(roles) != len(arrays):
        raise ValueError(f"the {owner} has {len(roles)} variables, the state {len(arrays)}")
    return dict(zip(roles, arrays, strict=True))


def generators(roles: tuple[Role, ...], arrays: Arrays) -> Generators:
    """The dropout generators' states among the model's arrays."""
    return tuple(
        (int(array[0]), int(array[1]))
        for role, array in zip(roles, arrays, strict=True)
        if is_generator(role)
    )


def is_generator(role: Role) -> bool:
    """Return whether a variable is the state of a random generator."""
    return role[0].partition(" ")[0] == "generator"


def absent_parts(shape: Shape) -> np.ndarray:
    """Return the numbers of parts that are not there: (hidden + 1, numbers), the input's last."""
    layers = len(shape.widths) + 1 if shape.chains else 0
    parts = np.zeros((layers, shape.part_numbers), _F)
    for layer in range(-1, layers - 1):
        absent = shape.absent(layer)
        parts[layer, : len(absent)] = absent
    return parts
