"""How a script's models are fitted: what `search` was given beside the rows, for every trial."""

from functools import wraps
from typing import Any

from sweep.tuners.callbacks import Make


def fitting(hypermodel: Any, *, shuffle: bool, make: Make | None) -> Any:
    """Return the HyperModel whose `fit` says so, or `hypermodel` itself if there is nothing to say.

    `hypermodel` is the user's own, whose `fit` is called as Keras Tuner calls it, or None.
    """
    if shuffle and make is None:
        return hypermodel
    import keras_tuner

    given = {} if shuffle else {"shuffle": False}

    class Fitting(keras_tuner.HyperModel):  # type: ignore[misc]
        """Forwards to the user's HyperModel, or to `model.fit`."""

        make_callbacks = staticmethod(make) if make is not None else None

        def declare_hyperparameters(self, hp: Any) -> None:
            if hypermodel is not None:
                hypermodel.declare_hyperparameters(hp)

        def fit(self, hp: Any, model: Any, *arguments: Any, **named: Any) -> Any:
            if hypermodel is None:
                return model.fit(*arguments, **given, **named)
            return hypermodel.fit(hp, model, *arguments, **given, **named)

    if hypermodel is not None:  # what is wrong in it is told of the user's own
        Fitting.fit = wraps(type(hypermodel).fit)(Fitting.fit)  # type: ignore[method-assign]
    return Fitting()
