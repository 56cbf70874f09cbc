"""Bayesian search: the next configurations are those that a model of the scores hopes most of.

The first ones are random; then a Gaussian process over all scores so far proposes a wave of
`WAVE` configurations at a time (see `gaussian_process`). Within a wave the configurations proposed
before are taken as known with a score that is worse than expected, so that the next one lies
elsewhere; their scores are learned only when all of the wave has ended. Hence the proposals do not
depend on which trial ends first, and are the same in a sweep that was killed and went on.

The size of a wave is a bargain. Trials of one wave are trained together in one program, which is
many times faster than one after another; with a wave of one, as in Keras Tuner, every proposal
would follow from all scores before it. In waves of eight, a proposal misses at most seven of them.

Failed trials have no score: the model passes over them, and they are not proposed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from sweep.records import Value
from sweep.searches.gaussian_process import GaussianProcess, Points, alone
from sweep.searches.one_rung import Configuration
from sweep.searches.random_search import Draw
from sweep.seeds import derive
from sweep.space.asked import Declaration
from sweep.space.explore import Follow

WAVE = 8
"""Configurations that are proposed from the same scores."""
_POINTS_A_DIMENSION = 3
"""Random configurations at the beginning, as in Keras Tuner."""
_FEWEST_SCORES = 2
_ALMOST_ONE = 1 - 1e-6
"""At 1, Keras Tuner gives an integer above the greatest."""
_MOST_TRIED = 50
"""Promising points looked at for a new configuration, before one is drawn."""


@dataclass(frozen=True)
class Bayesian:
    """Proposes random configurations, then waves of promising ones."""

    follow: Follow
    declarations: Sequence[Declaration]
    """All of the space. A dimension of the model is a name with more than one value."""
    seed: int
    initial_points: int | None
    """How many are random at first; None for three a dimension, and three at least."""
    alpha: float
    """Variance of the noise of standardised scores."""
    beta: float
    """How many standard deviations are hoped for."""

    @cached_property
    def dimensions(self) -> Mapping[str, Declaration]:
        """The first declaration of each name, in the order of the asks."""
        found: dict[str, Declaration] = {}
        for one in self.declarations:
            if one.kind != "Fixed":
                found.setdefault(one.name, one)
        return found

    @property
    def n_initial(self) -> int:
        """How many configurations are random at first."""
        return self.initial_points or _POINTS_A_DIMENSION * max(1, len(self.dimensions))

    def wave(self, position: int) -> tuple[int, int | None]:
        """Return where the wave that holds a configuration begins and ends."""
        begun = position - self.n_initial
        if begun < 0:
            return 0, self.n_initial
        first = position - begun % WAVE
        return first, first + WAVE

    def propose(
        self, before: Sequence[Configuration], scores: Sequence[float], most: int | None
    ) -> list[Configuration]:
        """Return the rest of a wave, `most` at most; fewer if the space has no more.

        Raises ValueError if `most` is None: a space may have no end.
        """
        if most is None:
            raise ValueError("a Bayesian search has a number of trials")
        with alone():
            return self._wave(before, scores, most)

    def _wave(
        self, before: Sequence[Configuration], scores: Sequence[float], most: int
    ) -> list[Configuration]:
        model = self._model(before, scores)
        draw = Draw(self.follow, self.seed, before)
        found: list[Configuration] = []
        while len(found) < most:
            number = len(before) + len(found)
            values = None if model is None else self._promising(model, draw, number)
            values = draw.next(number) if values is None else values
            if values is None:
                break
            found.append(values)
            if model is not None and len(found) < most:
                model.suppose(self._point(values))
        return found

    def _model(
        self, before: Sequence[Configuration], scores: Sequence[float]
    ) -> GaussianProcess | None:
        """Return what is known when a wave begins; None if configurations are still random."""
        known = [place for place, score in enumerate(scores) if np.isfinite(score)]
        if len(known) < _FEWEST_SCORES or not self.dimensions:
            return None
        model = GaussianProcess(
            np.array([self._point(before[place]) for place in known]),
            np.array([scores[place] for place in known]),
            self.alpha,
            derive(self.seed, "model", len(scores)),
        )
        for values in before[len(scores) :]:
            model.suppose(self._point(values))
        return model

    def _promising(self, model: GaussianProcess, draw: Draw, number: int) -> Configuration | None:
        """Return the most promising configuration that is new; None if none is found."""
        points = model.promising(self.beta, derive(self.seed, "candidates", number))
        for point in islice(points, _MOST_TRIED):
            values = self._values(point, derive(self.seed, "unseen", number))
            if draw.is_new(values):
                draw.add(values)
                return values
        return None

    def _point(self, values: Configuration) -> Points:
        """Return a configuration as a point of the unit cube, (dimensions,).

        A hyperparameter that is not active lies at its default.
        """
        asked: dict[str, Declaration] = {}

        def answer(declaration: Declaration) -> Value:
            asked[declaration.name] = declaration
            return values[declaration.name]

        self.follow(answer)
        return np.array(
            [
                asked[name].parameter.value_to_prob(values[name])
                if name in asked
                else first.parameter.value_to_prob(first.default)
                for name, first in self.dimensions.items()
            ]
        )

    def _values(self, point: Points, seed: int) -> Configuration:
        """Return the configuration at a point: each hyperparameter where the build asks for it.

        One that no earlier build asked for is drawn with `seed`.
        """
        places = dict(zip(self.dimensions, point, strict=True))

        def answer(declaration: Declaration) -> Value:
            if declaration.name not in places:
                return declaration.sample(seed)
            return _value_at(declaration, float(places[declaration.name]))

        return dict(self.follow(answer))


def _value_at(declaration: Declaration, place: float) -> Value:
    """Return the value at a share of the range, 0 and 1 included."""
    if declaration.kind == "Int":
        place = min(place, _ALMOST_ONE)
    value: Value = declaration.parameter.prob_to_value(place)
    low, high = declaration.min_value, declaration.max_value
    if isinstance(value, float) and low is not None and high is not None:
        return min(max(value, float(low)), float(high))  # a rounding error outside
    return value
