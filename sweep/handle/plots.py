"""The charts of a sweep as Matplotlib figures that a notebook shows and a script goes on with."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.analysis.frames.load import SweepFrames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sweep.analysis.charts.catalogue import Chart


@dataclass(frozen=True, eq=False)
class Plots:
    """A method for each chart of the catalogue: `frontier()`, `learning_curves()` and so on.

    `dir(plots)` names them all, and `help(plots.frontier)` says what one shows. Each call draws a
    figure of its own, so that it may be changed.
    """

    frames: SweepFrames

    def draw(self, stem: str) -> "Figure":
        """Return the chart whose file is called `stem`: "frontier", "learning-curves".

        Raises TooFewDataError if there is too little to show, UsageError naming all charts if
        there is none of that name.
        """
        from sweep.analysis.charts import style
        from sweep.analysis.charts.catalogue import figure_of
        from sweep.errors import UsageError

        every = {chart.stem: chart for chart in _catalogue()}
        if stem not in every:
            raise UsageError(f"there is no chart {stem!r}; there are: {', '.join(every)}")
        with style.styled():
            figure = figure_of(every[stem], self.frames)
            figure.canvas.draw()  # while the style holds: text is laid out when it is drawn
        _let_notebooks_show_figures()
        return figure

    def __getattr__(self, name: str) -> "Callable[[], Figure]":
        """Return the method that draws a chart: its file's name, with _ for -."""
        chart = None if name.startswith("_") else _methods().get(name)
        if chart is None:
            raise AttributeError(f"there is no chart {name!r}; dir(plots) names all charts")
        stem = chart.stem

        def method() -> "Figure":
            return self.draw(stem)

        method.__name__ = method.__qualname__ = name
        method.__doc__ = f"Return the chart: {chart.titled(self.frames)}."
        return method

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_methods()]


def _catalogue() -> "tuple[Chart, ...]":
    from sweep.analysis.charts.catalogue import FURTHER, charts  # imports matplotlib

    return (*charts(), *FURTHER)


def _methods() -> "dict[str, Chart]":
    return {chart.stem.replace("-", "_"): chart for chart in _catalogue()}


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
