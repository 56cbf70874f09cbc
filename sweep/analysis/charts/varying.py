"""Which hyperparameters vary among some trials: what charts of hyperparameters are about."""

from collections.abc import Iterator, Sequence

import pandas as pd

MOST = 100
"""Hyperparameters that a chart looks at: more than anybody searches, and few enough to compute."""


def varying(settings: pd.DataFrame, names: Sequence[str] | None = None) -> Iterator[str]:
    """Return, one by one, the hyperparameters with several values; `settings` has a row a trial."""
    for name in settings.columns if names is None else names:
        if len(set(map(str, settings[name].tolist()))) > 1:
            yield str(name)
