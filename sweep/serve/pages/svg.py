"""Small charts as SVG that a page holds: drawn by the service, coloured by the page's style sheet.

They need no script, follow light and dark, and have as text what the tables beside them say. They
are as wide as there is room: x is in per cent of the plot, y in pixels, so that letters and dots
keep their size on a telephone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markupsafe import Markup, escape

HEIGHT = 288
"""Pixels from the top of the plot to its x axis; the style sheet has the margins around it."""
_TICKS = 5
_NARROW, _WIDE = 170, 480
"""Pixels of a plot in a window of 320, and in the narrowest that is no telephone's."""
_DIGIT, _GAP = 6.3, 8
"""Pixels of a digit, and between two numbers along an axis."""
_LINE_HEIGHT = 12.0
"""Pixels that names at the end of lines are kept apart."""


@dataclass(frozen=True)
class Scale:
    """From numbers to places, linear or logarithmic."""

    low: float
    high: float
    first: float
    last: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (self._turned(one) for one in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.first + min(max(share, 0.0), 1.0) * (self.last - self.first), 2)

    def _turned(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.is_log else value

    def ticks(self) -> list[float]:
        """Return round numbers to write along the axis."""
        if self.is_log:
            return self._powers()
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = 10.0 ** math.floor(math.log10(span / _TICKS))
        step *= next(one for one in (1, 2, 5, 10) if span / (step * one) <= _TICKS)
        first = math.ceil(self.low / step)
        return [round(n * step, 10) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _powers(self) -> list[float]:
        """Return powers of ten; if these are few, 2 and 5 times them too."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        powers = [10.0**power for power in range(first, last + 1)]
        for steps in ((1,), (1, 2, 5), range(1, 10)):
            found = [one * step for one in powers for step in steps]
            found = [one for one in found if self.low <= one <= self.high]
            if len(found) > 2:
                return found
        return found or [math.sqrt(self.low * self.high)]


@dataclass
class SvgChart:
    """A chart with two axes, in the making."""

    title: str
    x: Scale
    y: Scale
    x_name: str
    y_name: str
    parts: list[Markup] = field(default_factory=list)
    lines: list[Markup] = field(default_factory=list)
    x_ticks: Sequence[float] | None = None
    """Where the x axis has numbers; None for round ones."""
    _names: list[tuple[float, str, str]] = field(default_factory=list)

    def line(self, points: Iterable[tuple[float, float]], kind: str = "line") -> None:
        """Draw a line through points; what is not finite is left out. One point is a dot."""
        places = [
            (self.x(x), self.y(y)) for x, y in points if math.isfinite(x) and math.isfinite(y)
        ]
        if len(places) == 1:
            one = Markup('<circle class="{}" cx="{}%" cy="{}" r="3"/>')
            self.parts.append(one.format(kind.replace("line", "dot", 1), *places[0]))
        elif places:
            drawn = " ".join(f"{x},{y}" for x, y in places)
            self.lines.append(Markup('<polyline class="{}" points="{}"/>').format(kind, drawn))

    def level(self, y: float, text: str) -> None:
        """Draw a line from side to side with its name on it."""
        at = self.y(y)
        line = Markup('<line class="line level" x1="0" x2="100%" y1="{}" y2="{}"/>')
        self.parts.append(line.format(at, at))
        self.parts.append(_text("6", at - 4, "start", text))

    def name(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Write a name where a line ends; names at the right side are kept apart."""
        if self.x(x) >= self.x.last:
            self._names.append((self.y(y), text, kind))
            return
        markup = Markup('<text class="name {}" x="{}%" dx="4" y="{}">{}</text>')
        self.parts.append(markup.format(kind, self.x(x), self.y(y) + 4, text))

    def dot(self, x: float, y: float, text: str, kind: str = "dot", href: str = "") -> None:
        """Draw a point that says `text` when it is pointed at."""
        place = Markup('<circle class="{}" cx="{}%" cy="{}" r="4"><title>{}</title></circle>')
        found = place.format(kind, self.x(x), self.y(y), text)
        if href:
            found = Markup('<a href="{}" aria-label="{}">{}</a>').format(href, text, found)
        self.parts.append(found)

    def markup(self) -> Markup:
        """Return the whole chart."""
        inside = Markup("").join([*self._axes(), self._lines(), *self.parts, *self._named()])
        return Markup(
            '<svg class="plot" role="group" aria-label="{}"><title>{}</title>{}</svg>'
        ).format(self.title, self.title, inside)

    def _lines(self) -> Markup:
        """Return the lines: stretched to the plot's width, but as thick as ever."""
        stretched = Markup(
            '<svg width="100%" height="{}" viewBox="0 0 100 {}" preserveAspectRatio="none">{}</svg>'
        )
        return stretched.format(HEIGHT, HEIGHT, Markup("").join(self.lines))

    def _named(self) -> list[Markup]:
        """Return the names at the right, moved down where they would lie on one another."""
        found, lowest = [], -math.inf
        markup = Markup('<text class="name {}" x="100%" dx="4" y="{}">{}</text>')
        for at, text, kind in sorted(self._names):
            lowest = max(at + 4, lowest + _LINE_HEIGHT)
            found.append(markup.format(kind, round(lowest, 1), text))
        return found

    def _axes(self) -> list[Markup]:
        found = []
        for value in self.y.ticks():
            at = self.y(value)
            line = Markup('<line class="grid" x1="0" x2="100%" y1="{}" y2="{}"/>')
            found.append(line.format(at, at))
            found.append(_text("-6", at + 4, "end", _tick(value)))
        ticks = self._apart(self.x.ticks() if self.x_ticks is None else self.x_ticks, _WIDE)
        always = self._apart(ticks, _NARROW)
        for value in ticks:
            kind = "" if value in always else "roomy"
            found.append(_text(f"{self.x(value)}%", HEIGHT + 15, "middle", _tick(value), kind))
        axis = Markup('<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>')
        found.append(axis.format(HEIGHT, HEIGHT))
        found.append(_text("50%", HEIGHT + 34, "middle", self.x_name))
        turned = Markup(
            '<text x="-50" y="{}" text-anchor="middle" transform="rotate(-90 -50 {})">{}</text>'
        )
        found.append(turned.format(HEIGHT / 2, HEIGHT / 2, self.y_name))
        return found

    def _apart(self, ticks: Sequence[float], pixels: float) -> list[float]:
        """Return every, every second … number of an axis, so that none touch in so many pixels."""
        ends = [
            (self.x(one) / 100 * pixels - half, self.x(one) / 100 * pixels + half)
            for one in ticks
            for half in [len(_tick(one)) * _DIGIT / 2]
        ]
        for step in range(1, len(ends)):
            kept = ends[::step]
            if all(second[0] - first[1] >= _GAP for first, second in pairwise(kept)):
                return list(ticks[::step])
        return list(ticks[:1])


def chart(
    title: str,
    x: Sequence[float],
    y: Sequence[float],
    names: tuple[str, str],
    *,
    is_log: bool = False,
    x_ticks: Sequence[float] | None = None,
) -> SvgChart:
    """Return an empty chart whose axes cover `x` and `y`."""
    x_low, x_high = _ends(x)
    y_low, y_high = _ends(y)
    room = (y_high - y_low) * 0.05 or 0.01
    if is_log:
        x_low, x_high = max(x_low, 1.0) / 1.3, max(x_high, 1.0) * 1.3
    return SvgChart(
        title,
        Scale(x_low, x_high, 1, 99, is_log),
        Scale(y_low - room, y_high + room, HEIGHT, 0),
        *names,
        x_ticks=x_ticks,
    )


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    known = [one for one in values if math.isfinite(one)]
    return (min(known), max(known)) if known else (0.0, 1.0)


def _text(x: str, y: float, anchor: str, text: str, kind: str = "") -> Markup:
    markup = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    return markup.format(kind, x, round(y, 1), anchor, escape(text))
