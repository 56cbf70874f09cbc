"""The time line of a sweep: what ran when, and how much of the plan was done by then."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.colours import BLACK, BLUE, GREEN, ORANGE, VERMILLION
from sweep.analysis.frames.load import SweepFrames
from sweep.records import AssignmentStatus

PAUSE = 60.0
"""Seconds without a sign of work that are taken out of the time line, at the least."""
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@dataclass(frozen=True)
class TimeLine:
    """The numbers of the time line. Times are seconds since the sweep was created."""

    ended: NDArray[np.float64]
    """(assignments,), ascending."""
    last_epoch: NDArray[np.int64]
    """What each assignment trained to."""
    status: list[str]
    epochs: NDArray[np.int64]
    """(assignments,) epochs done up to then, all together."""
    planned_epochs: int | None
    """The most that the plan needs; None when it was not stored."""
    pauses: list[tuple[float, float]]
    """Begin and end of long stretches in which nothing ended."""


def time_line(frames: SweepFrames) -> TimeLine:
    """Return when assignments ended. Raises TooFewDataError if fewer than two have ended.

    A pause is a stretch ten times as long as usual (the 90th percentile) and a minute at least.
    """
    done = frames.assignments
    done = done[np.isfinite(done["ended_at"])].sort_values("ended_at", kind="stable")
    if len(done) < 2:
        raise TooFewDataError("fewer than two assignments have ended")
    ended = done["ended_at"].to_numpy(dtype=float) - frames.sweep.created_at
    steps = np.diff(ended)
    long = steps > max(PAUSE, 10 * float(np.quantile(steps, 0.9)))
    return TimeLine(
        ended=ended,
        last_epoch=done["last_epoch"].to_numpy(),
        status=done["status"].tolist(),
        epochs=done["epochs"].to_numpy().cumsum(),
        planned_epochs=frames.sweep.plan.all_epochs,
        pauses=[(float(ended[i]), float(ended[i + 1])) for i in np.flatnonzero(long)],
    )


def draw_time(frames: SweepFrames) -> Figure:
    """Draw `time_line`: assignments above, epochs done and planned below."""
    data = time_line(frames)
    unit, name = next(one for one in _UNITS if data.ended[-1] >= 2 * one[0] or one[0] == 1)
    notes = ["Each mark is the end of an assignment; trials that train together end together."]
    if data.pauses:
        notes.append("Grey: a long time without any end, for example while the sweep was stopped.")
    figure = style.page(frames, "Time line of the sweep", notes)
    upper = figure.add_axes((0.08, 0.53, 0.75, 0.36))
    lower = figure.add_axes((0.08, 0.125, 0.75, 0.36))
    x = data.ended / unit
    for axes in (upper, lower):
        axes.set_xlim(0, x[-1] * 1.03)
        for begin, end in data.pauses:
            axes.axvspan(begin / unit, end / unit, color="#ececec", zorder=0)
    upper.tick_params(labelbottom=False)
    last = int(data.last_epoch.max())
    style.log_axis(upper, 0.8, max(last, 2) * 1.3, "y", ends=[last])
    upper.set_ylabel("trained up to epoch\n(logarithmic)")
    frame = pd.DataFrame({"x": x, "y": data.last_epoch, "status": data.status})
    for status, color, marker in _LOOKS:
        chosen = frame[frame["status"] == status]
        if len(chosen):
            upper.scatter(
                chosen["x"], chosen["y"], color=color, marker=marker, s=26, alpha=0.7,
                linewidths=0.9, label=f"{status}: {len(chosen):,}", rasterized=len(frame) > 800,
            )  # fmt: skip
    if upper.collections:
        upper.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    lower.step(
        np.r_[0, x], np.r_[0, data.epochs], where="post", color=BLUE, linewidth=1.8,
        label=f"trained: {words.count(int(data.epochs[-1]))}",
    )  # fmt: skip
    lower.set_xlabel(f"{name} since the sweep was created")
    lower.set_ylabel("epochs trained, all trials")
    lower.set_ylim(0, max(int(data.epochs[-1]), data.planned_epochs or 0) * 1.12)
    if data.planned_epochs is not None:
        lower.axhline(
            data.planned_epochs, color=BLACK, linestyle=(0, (4, 2)), linewidth=1,
            label=f"planned, at most:\n{words.count(data.planned_epochs)}",
        )  # fmt: skip
    lower.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return figure


_LOOKS = (
    (AssignmentStatus.COMPLETED, BLUE, "o"),
    (AssignmentStatus.STOPPED, GREEN, "^"),
    (AssignmentStatus.INTERRUPTED, ORANGE, "D"),
    (AssignmentStatus.FAILED, VERMILLION, "X"),
)
