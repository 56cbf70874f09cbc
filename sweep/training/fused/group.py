"""The trials in a program's slots: one call trains and measures an epoch of each of them."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from sweep.data.split import Split
from sweep.records import EpochRecord
from sweep.statistics.choice_of_epoch import fold_means
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.training.fused.measuring import measured as measures
from sweep.training.fused.measuring import own_metrics, tells_fit_score
from sweep.training.fused.measuring import score as score_of
from sweep.training.fused.packing import Clock, Packing, absent_parts
from sweep.training.fused.program.arrays import (
    Epoch,
    Measured,
    Program,
    ResidentData,
    State,
    Sums,
    Trials,
)
from sweep.training.fused.program.backend import on_device
from sweep.training.fused.program.optimizers import KINDS
from sweep.training.fused.program.penalties import per_trial
from sweep.training.fused.program.shape import RowCounts, Shape
from sweep.training.grace import EpochLeftError
from sweep.training.model import epoch_order
from sweep.training.tensors import Tensor


@dataclass
class TrialSeat:
    """What a group needs of a trial in one of its slots.

    `improved` says that the weights of the last epoch are the best so far: the group keeps them
    before its next epoch.
    """

    packing: Packing
    clock: Clock
    seed: int
    epoch: int
    improved: bool = False


@dataclass(frozen=True)
class Trained:
    """What a group's epoch brought to one trial."""

    record: EpochRecord
    """Its seconds are the trial's share of the group's."""
    val_losses: np.ndarray
    """A number for each validation row, (validation,); the record's `val_score` is their mean."""


class Resident:
    """The split as a program sees it, kept on the device: each row's features in a line."""

    def __init__(
        self,
        split: Split,
        rows: RowCounts,
        scoring: Scoring = BINARY_CROSSENTROPY,
        like: "Resident | None" = None,
    ) -> None:
        """Of `like`, which has the same split in other batches, the features are shared."""
        self.split, self.rows, self.scoring = split, rows, scoring
        counts = np.full(rows.steps, rows.batch, np.float32)
        counts[-1] = rows.train - (rows.steps - 1) * rows.batch
        real = np.arange(rows.batch)[None, :] < counts[:, None]
        shares = np.where(real, np.float32(1) / counts[:, None], np.float32(0))
        x, y = self._rows() if like is None else (like.data.x, like.data.y)
        of_batches = (on_device(array) for array in (shares, counts, np.array(True)))
        self.data: ResidentData = ResidentData(x, y, *of_batches)

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Features of all rows, padded to whole chunks, and targets of the training rows.

        Training rows that are not scored stand first, so that all others are one piece.
        """
        split, rows = self.split, self.rows
        train, validation = (flat(part.array) for part in (split.train, split.validation))
        x = np.zeros((rows.unscored + rows.chunks * rows.chunk, train.shape[1]), np.float32)
        y = split.train.y
        if rows.unscored:
            np.take(train, self._sources, axis=0, out=x[: rows.train])
            y = y[self._sources]
        else:
            x[: rows.train] = train
        x[rows.train : rows.train + rows.validation] = validation
        return on_device(x), on_device(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)

    @cached_property
    def _sources(self) -> np.ndarray:
        """Which row of the split's training rows stands at each place here: (train,)."""
        is_scored = np.zeros(self.rows.train, bool)
        is_scored[self.split.scored_places] = True
        return np.concatenate([np.flatnonzero(~is_scored), np.flatnonzero(is_scored)])

    @cached_property
    def _places(self) -> np.ndarray:
        """At which place each of the split's training rows stands here: (train,)."""
        return np.argsort(self._sources)

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The rows of each batch of an epoch: int32 (steps, batch), padded with row 0."""
        order = np.zeros(self.rows.steps * self.rows.batch, np.int32)
        rows = epoch_order(self.rows.train, seed, epoch)
        order[: self.rows.train] = self._places[rows] if self.rows.unscored else rows
        return order.reshape(self.rows.steps, self.rows.batch)


def flat(x: np.ndarray) -> np.ndarray:
    """Return features (rows, …) as (rows, features)."""
    return x.reshape(len(x), -1)


class SlotGroup:
    """A program's slots and the stacked arrays of the trials in them."""

    def __init__(self, shape: Shape, program: Program, resident: Resident) -> None:
        self.shape, self.program, self.resident = shape, program, resident
        self.seats: list[TrialSeat | None] = [None] * shape.slots
        self._state = self._empty_state()
        self._trials = self._empty_trials()
        self._on_device: Trials | None = None
        """The trials as the program takes them; None when one has come or gone since."""
        self._lock = threading.Lock()
        self._is_left = False

    @property
    def taken(self) -> list[tuple[int, TrialSeat]]:
        """Slots with a trial in them."""
        return [(slot, seat) for slot, seat in enumerate(self.seats) if seat is not None]

    def seat(self, seat: TrialSeat, arrays: State) -> int:
        """Put a trial into a free slot; returns the slot."""
        slot = self.seats.index(None)
        self._write(slot, arrays, seat.packing.trials())
        self.seats[slot] = seat
        return slot

    def leave(self, slot: int) -> None:
        """Empty a slot: zeros train on nothing and hinder nobody."""
        self.seats[slot] = None
        empty_state, empty_trials = self._empty_state(1), self._empty_trials(1)
        arrays = State(*([array[0] for array in part] for part in empty_state))
        self._write(slot, arrays, Trials(*(array[0] for array in empty_trials)))

    def arrays(self, slot: int) -> State:
        """Views of one slot's arrays, with the best weights up to date."""
        seat = self.seats[slot]
        state = State(*([array[slot] for array in part] for part in self._on_host()))
        improved = seat is not None and seat.improved
        return state._replace(best=state.values) if improved else state

    def train_epoch(self) -> dict[int, Trained]:
        """Train and measure one epoch of each seated trial, by slot.

        Raises the backend's error when memory does not suffice, and EpochLeftError if the epoch
        was left meanwhile, with nothing changed.
        """
        started = time.perf_counter()
        if self._on_device is None:
            self._on_device = Trials(*(on_device(array) for array in self._trials))
        best = self._best()
        weights, measured = self.program(
            self._state.weights, self._on_device, self._next_epoch(), self.resident.data
        )
        measured = _as_arrays(measured)
        ticked = {slot: self._ticked(seat) for slot, seat in self.taken}
        trained = {
            slot: self._trained(slot, seat, ticked[slot], measured) for slot, seat in self.taken
        }
        self._go_on(State(*weights, best), ticked)
        seconds = (time.perf_counter() - started) / len(trained)
        return {
            slot: replace(one, record=replace(one.record, seconds=seconds))
            for slot, one in trained.items()
        }

    def leave_epoch(self) -> None:
        """Stay as before the epoch that another thread may be training: what it brings is lost."""
        with self._lock:
            self._is_left = True

    def _ticked(self, seat: TrialSeat) -> Clock:
        """A trial's clock after one more epoch."""
        return seat.clock.after(self.shape.rows.steps, seat.packing.description.optimizer)

    def _go_on(self, state: State, ticked: dict[int, Clock]) -> None:
        """Take over what an epoch brought, all of it or nothing."""
        with self._lock:
            if self._is_left:
                raise EpochLeftError
            self._state = state
            for slot, seat in self.taken:
                seat.clock = ticked[slot]
                seat.epoch += 1
                seat.improved = False

    def _next_epoch(self) -> Epoch:
        shape, steps = self.shape, self.shape.rows.steps
        order = np.zeros((steps, shape.slots, shape.rows.batch), np.int32)
        rates = np.zeros((steps, KINDS[shape.optimizer].rates, shape.slots), np.float32)
        keys = np.zeros((steps, shape.draws, shape.slots, 2), np.uint32)
        for slot, seat in self.taken:
            rule, clock = seat.packing.description.optimizer, seat.clock
            order[:, slot] = self.resident.order(seat.seed, seat.epoch + 1)
            rates[..., slot] = rule.rates(
                clock.learning_rate, clock.iteration, steps, clock.product
            )
            keys[:, :, slot] = seat.packing.keys(clock, steps)
        return Epoch(*(on_device(array) for array in (order, rates, keys)))

    def _best(self) -> list[Any]:
        """The weights after each trial's best epoch so far, the last one among them."""
        values, best = self._state.values, self._state.best
        if all(seat.improved for _, seat in self.taken):
            return values
        if not any(seat.improved for _, seat in self.taken):
            return best
        slots = on_device(np.array([seat is not None and seat.improved for seat in self.seats]))
        return [
            ops.where(per_trial(slots, value), value, old)
            for value, old in zip(values, best, strict=True)
        ]

    def _trained(self, slot: int, seat: TrialSeat, clock: Clock, measured: Measured) -> Trained:
        """The trial's epoch, but for its seconds; `clock` is as after it."""
        split, rows = self.resident.split, self.shape.rows
        scored = split.scored_train
        rule = seat.packing.description.optimizer
        of, meaning = seat.packing.description.loss, (split.task, self.resident.scoring)
        outputs = measured.logits[slot, : rows.evaluated]
        score, penalty, loss = (float(total[slot]) / rows.train for total in measured.sums)
        own = seat.packing.description.metrics
        validation = measures(of, outputs[rows.scored :], split.validation, *meaning, own)
        rate = rule.learning_rates(clock.learning_rate, np.array([clock.iteration]))
        record = EpochRecord(
            epoch=seat.epoch + 1,
            fit_loss=loss + penalty,
            fit_score=score if tells_fit_score(of, self.resident.scoring) else math.nan,
            train_score=score_of(of, outputs[: rows.scored], scored, *meaning),
            val_score=validation.score,
            val_loss=validation.loss + float(measured.penalty[slot]),
            val_accuracy=validation.accuracy,
            val_auc=validation.auc,
            learning_rate=float(rate[0]),
            seconds=0.0,
            metrics=validation.metrics,
            train_metrics=own_metrics(of, outputs[: rows.scored], scored, *meaning, own)
            if split.is_of_script
            else {},
            val_folds=fold_means(validation.losses),
        )
        return Trained(record, validation.losses)

    def _on_host(self) -> State:
        """The stacked arrays as NumPy arrays that may be written to."""
        if not isinstance(self._state.values[0], np.ndarray):
            self._state = State(*([np.array(array) for array in part] for part in self._state))
        return self._state

    def _write(self, slot: int, arrays: State, trials: Trials) -> None:
        for part, own in zip(self._on_host(), arrays, strict=True):
            for array, value in zip(part, own, strict=True):
                array[slot] = value
        for array, value in zip(self._trials, trials, strict=True):
            array[slot] = value
        self._on_device = None

    def _empty_state(self, slots: int | None = None) -> State:
        slots = self.shape.slots if slots is None else slots

        def zeros(shapes: Sequence[tuple[int, ...]]) -> list[Any]:
            return [np.zeros((slots, *shape), np.float32) for shape in shapes]

        weights = self.shape.weights
        values = (*weights, *self.shape.averages)
        return State(zeros(values), zeros(weights), zeros(self.shape.seconds), zeros(values))

    def _empty_trials(self, slots: int | None = None) -> Trials:
        slots = self.shape.slots if slots is None else slots
        hidden, draws = len(self.shape.widths), self.shape.draws
        weights = self.shape.ordinals
        scaling = (2 if self.shape.scaled else 0, self.shape.features)
        shapes: dict[str, tuple[int, ...]] = {
            "units": (hidden,), "depths": (), "l1": (weights,), "l2": (weights,),
            "thresholds": (draws,), "scales": (draws,), "smoothing": (2,), "numbers": (5,),
            "kinds": (hidden if self.shape.mixed else 0,), "scaling": scaling,
        }  # fmt: skip
        kinds = dict.fromkeys(("units", "depths", "kinds"), np.int32) | {"thresholds": np.uint32}
        arrays: dict[str, np.ndarray] = {
            name: np.zeros((slots, *shape), kinds.get(name, np.float32))
            for name, shape in shapes.items()
        }
        arrays["parts"] = np.repeat(absent_parts(self.shape)[None], slots, axis=0)
        arrays["numbers"][:, 2] = 1.0  # Adam's ε: 0/0 in an empty slot would only cost time
        arrays["numbers"][:, 4] = 1.0
        arrays["scaling"][:] = 1.0
        return Trials(**arrays)


def _as_arrays(measured: Measured) -> Measured:
    """The device's arrays as NumPy arrays."""
    sums = Sums(*(np.asarray(total) for total in measured.sums))
    return Measured(sums, np.asarray(measured.penalty), np.asarray(measured.logits))
