"""The charts of a sweep as Matplotlib figures that a notebook shows and a script goes on with."""

import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.analysis.frames.load import SweepFrames

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Plots:
    """A method for each chart: `frontier()`, `learning_curves()`, `importance()` and so on.

    `dir(plots)` names them all. Each call draws a figure of its own, so that it may be changed.
    """

    frames: SweepFrames

    def draw(self, stem: str) -> "Figure":
        """Return the chart whose file is called `stem`: "frontier", "learning-curves".

        Raises TooFewDataError if there is too little to show, UsageError naming all charts if
        there is none of that name.
        """
        from sweep.analysis.charts import style
        from sweep.analysis.charts.catalogue import FURTHER, charts
        from sweep.errors import UsageError

        every = {chart.stem: chart for chart in (*charts(), *FURTHER)}
        if stem not in every:
            raise UsageError(f"there is no chart {stem!r}; there are: {', '.join(every)}")
        with style.styled():
            figure = every[stem].draw(self.frames)
            figure.canvas.draw()  # while the style holds: text is laid out when it is drawn
        _let_notebooks_show_figures()
        return figure

    def frontier(self) -> "Figure":
        """Return the frontier: the score against trainable parameters, with the gap to training."""
        return self.draw("frontier")

    def learning_curves(self) -> "Figure":
        """Return the learning curves of the best trials and of the baselines."""
        return self.draw("learning-curves")

    def learning_rate(self) -> "Figure":
        """Return the learning rates that trials followed."""
        return self.draw("learning-rate")

    def curves_by_capacity(self) -> "Figure":
        """Return validation curves by decade of trainable parameters."""
        return self.draw("curves-by-capacity")

    def overfitting(self) -> "Figure":
        """Return gap and onset of overfitting against trainable parameters."""
        return self.draw("overfitting")

    def regularisation(self) -> "Figure":
        """Return heat maps of the score by regulariser and capacity."""
        return self.draw("regularisation")

    def confirmed(self) -> "Figure":
        """Return scores in the search against the means of repeats under other seeds."""
        return self.draw("confirmed")

    def importance(self) -> "Figure":
        """Return which hyperparameters matter."""
        return self.draw("importance")

    def parallel(self) -> "Figure":
        """Return all settings of each trial as parallel coordinates."""
        return self.draw("parallel")

    def rungs(self) -> "Figure":
        """Return the scores at each rung, and whether the ranking lasted."""
        return self.draw("rungs")

    def time(self) -> "Figure":
        """Return what ran when."""
        return self.draw("time")


def _let_notebooks_show_figures() -> None:
    """Make IPython show figures as pictures, if nothing has yet: it learns it from pyplot alone."""
    from matplotlib.figure import Figure

    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    formatter = None if shell is None else shell.display_formatter.formatters["image/png"]
    if formatter is not None and Figure not in formatter.type_printers:
        formatter.for_type(Figure, _png)


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
