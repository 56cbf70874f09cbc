"""Where to put labels of points so that they neither overlap nor hide the points.

Geometry is in points (1/72 inch), y upwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep.analysis.charts.colours import BLACK

_SIZE = 8.5
_RADII = (16, 26, 38, 52, 68, 86, 106, 130, 160)
_ANGLES = [math.radians(degrees) for degrees in range(0, 360, 15)]
_POINT_COST = 4.0
_CLEARANCE = 5.0


def label(
    figure: Figure,
    axes: Axes,
    names: Sequence[str],
    anchors: NDArray[np.floating],
    crowd: NDArray[np.floating],
) -> None:
    """Write each name beside its anchor; off the points of the crowd, if there is room.

    `anchors` (names, 2) and `crowd` (points, 2) are in the axes' data; their limits are final.
    """
    area, scale = axes.get_window_extent(), 72 / figure.dpi

    def to_page(points: NDArray[np.floating]) -> NDArray[np.float64]:
        pixels: NDArray[np.float64] = axes.transData.transform(points.reshape(-1, 2))
        corner: NDArray[np.float64] = (pixels - (area.x0, area.y0)) * scale
        return corner

    places = to_page(anchors)
    sizes = [(0.62 * _SIZE * len(name) + 4, 1.5 * _SIZE) for name in names]
    page = (area.width * scale, area.height * scale)
    boxes = place([(x, y) for x, y in places], sizes, page, to_page(crowd))
    for name, anchor, spot, box in zip(names, anchors, places, boxes, strict=True):
        axes.annotate(
            name,
            (anchor[0], anchor[1]),
            xytext=(box.x - spot[0], box.y - spot[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_SIZE,
            fontweight="bold",
            zorder=7,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85},
            arrowprops={"arrowstyle": "-", "color": BLACK, "lw": 0.7, "shrinkB": 5},
        )


@dataclass(frozen=True)
class Box:
    """A rectangle, by its centre."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        return (
            abs(self.x - other.x) * 2 < self.width + other.width
            and abs(self.y - other.y) * 2 < self.height + other.height
        )

    def within(self, width: float, height: float) -> bool:
        """Whether the box is wholly inside a page of this size."""
        return (
            self.width / 2 <= self.x <= width - self.width / 2
            and self.height / 2 <= self.y <= height - self.height / 2
        )

    def leader_meets(self, anchor: "Box", mark: "Box") -> bool:
        """Whether the line from `anchor` to this box passes over `mark`."""
        if mark == anchor:
            return False
        along = np.array((self.x - anchor.x, self.y - anchor.y))
        way = np.array((mark.x - anchor.x, mark.y - anchor.y))
        share = float(np.clip(way @ along / max(along @ along, 1e-9), 0, 1))
        return bool(np.abs(way - share * along).max() * 2 < mark.width)

    def count(self, points: NDArray[np.floating]) -> int:
        """Count the points (n, 2) that the box covers."""
        near = np.abs(points - (self.x, self.y)) * 2 < (self.width, self.height)
        return int(near.all(axis=1).sum())


def place(
    anchors: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    page: tuple[float, float],
    points: NDArray[np.floating],
) -> list[Box]:
    """Return a box for each label, near its anchor, in the anchors' order.

    No box overlaps another or an anchor while there is room; among the free places the one
    near the anchor that covers the fewest of `points` (n, 2) is taken, if possible one whose
    line to the anchor passes over no other anchor.
    """
    marks = [Box(x, y, 2 * _CLEARANCE, 2 * _CLEARANCE) for x, y in anchors]
    placed: list[Box] = []
    for anchor, mark, size in zip(anchors, marks, sizes, strict=True):
        candidates = _candidates(anchor, size, page)
        free = [
            (cost, box)
            for cost, box in candidates
            if not any(box.overlaps(other) for other in (*placed, *marks))
        ]
        clear = [
            (cost, box)
            for cost, box in free
            if not any(box.leader_meets(mark, other) for other in marks)
        ]
        options = clear or free or candidates or [(0.0, Box(*anchor, *size))]
        costs = [cost + _POINT_COST * box.count(points) for cost, box in options]
        placed.append(options[int(np.argmin(costs))][1])
    return placed


def _candidates(
    anchor: tuple[float, float], size: tuple[float, float], page: tuple[float, float]
) -> list[tuple[float, Box]]:
    """Boxes around the anchor that lie on the page, with their distance as a cost."""
    found = []
    for radius in _RADII:
        for angle in _ANGLES:
            x = anchor[0] + math.cos(angle) * (radius + size[0] / 2)
            y = anchor[1] + math.sin(angle) * (radius + size[1] / 2)
            box = Box(x, y, *size)
            if box.within(*page):
                found.append((float(radius), box))
    return found
