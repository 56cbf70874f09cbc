"""The parts behind a layer's product, or on the input, one after the other: forward and backward.

In a loop over layers each part stands at the same place of every layer; whether a layer has it is
the first of the part's numbers. What a loop keeps of a layer is the input of each part, from which
the way back computes again what it needs.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused.layers.dropout import Dropping
from sweep.training.fused.layers.part import At, Form
from sweep.training.fused.layers.registry import kinds_of
from sweep.training.fused.program import mixed
from sweep.training.fused.program.arrays import Trials, entry
from sweep.training.fused.program.shape import INPUT, Layer, Shape
from sweep.training.tensors import Tensor


class PartsStep(NamedTuple):
    """What the parts of a layer take of a training step.

    `keys` are (draws, slots, 2) uint32, `share` is (batch,).
    """

    keys: Tensor
    share: Tensor


class Placed(NamedTuple):
    """A part in its place of a chain."""

    form: Form
    kinds: dict[str, str]
    """By what name the layer knows each of the part's variables."""
    at: At
    there: Tensor | None
    """Whether the layer has the part, (slots, 1, 1); None if it is known to."""


def placed(
    shape: Shape, values: list[Tensor], trials: Trials, layer: Layer, step: PartsStep | None = None
) -> list[Placed]:
    """Return the parts of a layer in their order; `step` is None in evaluation mode."""
    return list(_placed(shape, values, trials, layer, step))


def _placed(
    shape: Shape, values: list[Tensor], trials: Trials, layer: Layer, step: PartsStep | None
) -> Iterator[Placed]:
    chain = shape.chain(layer.like)
    first = drawn = 0
    optional = shape.optional(layer.like)
    numbers: Tensor = entry(trials.parts, layer.index, 1) if chain else None
    kind = mixed.kind_of(trials, layer) if shape.mixed and layer.like != INPUT else None
    following: tuple[Form | None, ...] = (*chain, None)[1:]
    for form, after, kinds in zip(chain, following, kinds_of(chain), strict=True):
        there = numbers[:, first][:, None, None] > 0 if optional else None
        first += optional
        last = first + len(form.absent)
        own: dict[str, Any] = {}
        if step is not None:
            own["share"] = step.share
            if form.draws:
                draw = shape.draw(layer.index, drawn)
                own |= {
                    "keys": entry(step.keys, draw),
                    "thresholds": entry(trials.thresholds, draw, 1),
                    "scales": entry(trials.scales, draw, 1),
                }
        drawn += form.draws
        silenced = step is not None and not optional and isinstance(after, Dropping)
        at = At(
            weights={
                kind: _weight(shape, values, kinds[kind], layer)
                for kind in (*form.weights, *form.averages)
            },
            numbers=numbers[:, first:last],
            real=lambda: real_units(shape, layer, trials),
            masked=shape.masked and not silenced,
            kind=kind,
            **own,
        )
        yield Placed(form, kinds, at, there)
        first = last


def forward(parts: list[Placed], h: Tensor) -> tuple[Tensor, list[Any]]:
    """Return the parts' output for h (slots, batch, units), and what each of them left."""
    lefts = []
    for part in parts:
        h, left = part.form.forward(part.at, h)
        lefts.append(left)
    return h, lefts


def backward(parts: list[Placed], lefts: list[Any], dh: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the gradient at the parts' input, and those of their weights by the layer's names.

    `dh` is the gradient at the output, (slots, batch, units).
    """
    found: dict[str, Tensor] = {}
    for part, left in zip(reversed(parts), reversed(lefts), strict=True):
        dh, own = part.form.backward(part.at, left, dh)
        found |= {part.kinds[kind]: gradient for kind, gradient in own.items()}
    return dh, found


def evaluated(parts: list[Placed], h: Tensor) -> Tensor:
    """Return the output of parts in evaluation mode for h (slots, rows, units)."""
    for part in parts:
        after = part.form.evaluated(part.at, h)
        h = after if part.there is None else ops.where(part.there, after, h)
    return h


def moved(parts: list[Placed], lefts: list[Any]) -> dict[str, Tensor]:
    """Return what the batch makes of the parts' averages, by the layer's names."""
    return {
        part.kinds[kind]: average
        for part, left in zip(parts, lefts, strict=True)
        for kind, average in part.form.moved(part.at, left).items()
    }


def kept_forward(parts: list[Placed], h: Tensor) -> list[Tensor]:
    """Return the input of each part, and the output behind the last: each (slots, batch, units)."""
    kept = [h]
    for part in parts:
        after, _ = part.form.forward(part.at, h)
        h = after if part.there is None else ops.where(part.there, after, h)
        kept.append(h)
    return kept


def kept_moved(parts: list[Placed], kept: list[Tensor]) -> dict[str, Tensor]:
    """Return what the batch makes of the parts' averages, from what `kept_forward` returned."""
    found = {}
    for part, h in zip(parts, kept, strict=True):
        _, left = part.form.forward(part.at, h)
        for kind, average in part.form.moved(part.at, left).items():
            there = None if part.there is None else part.there[:, :, 0]
            old = part.at.weights[kind]
            found[part.kinds[kind]] = average if there is None else ops.where(there, average, old)
    return found


def kept_backward(
    parts: list[Placed], kept: list[Tensor], dh: Tensor
) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """Return the gradient at the parts' input, and gradients and new averages by the layer's names.

    `kept` is what `kept_forward` returned, without the output.
    """
    gradients = dict[str, Tensor]()
    for part, h in zip(reversed(parts), reversed(kept), strict=True):
        _, left = part.form.forward(part.at, h)
        before, own = part.form.backward(part.at, left, dh)
        if part.there is not None:
            before, there = ops.where(part.there, before, dh), part.there[:, :, 0]
            own = {kind: ops.where(there, one, 0.0) for kind, one in own.items()}
        dh = before
        gradients |= {part.kinds[kind]: one for kind, one in own.items()}
    return dh, gradients, kept_moved(parts, kept)


def _weight(shape: Shape, values: list[Tensor], kind: str, layer: Layer) -> Tensor:
    array = values[shape.position(kind, layer.like)]
    return row_of(array, layer.index) if shape.row(kind, layer.like) else array


def row_of(stack: Tensor, layer: Tensor) -> Tensor:
    """Return one layer's weights (slots, …) out of a loop's stack (slots, rows, …).

    Row 0 is the second hidden layer, which is the loop's first.
    """
    return entry(stack, layer - 1, 1)


def real_units(shape: Shape, layer: Layer, trials: Trials) -> Tensor | None:
    """1 for the trial's own units, 0 for padding: (slots, 1, units); None of the input."""
    if layer.like == INPUT:
        return None
    units = ops.arange(shape.widths[layer.like], dtype="int32")
    own = entry(trials.units, layer.index, 1)[:, None]
    return ops.cast(units[None, :] < own, "float32")[:, None, :]
