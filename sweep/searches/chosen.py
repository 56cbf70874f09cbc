"""The search that a sweep's settings ask for, and its plan."""

from dataclasses import replace

from sweep.searches.bayesian import Bayesian
from sweep.searches.face import Search
from sweep.searches.grid import Grid
from sweep.searches.hyperband import HyperbandSearch
from sweep.searches.one_rung import OneRung, Proposer
from sweep.searches.plan import Plan, rehearse
from sweep.searches.random_search import RandomDraws
from sweep.seeds import derive
from sweep.settings import Settings
from sweep.space.load import Space


def new_search(space: Space, settings: Settings) -> Search:
    """Return the search that the settings ask for, in which nothing was asked yet."""
    if settings.has_rungs:
        return HyperbandSearch(
            hyperparameters=space.hyperparameters,
            max_epochs=settings.max_epochs,
            factor=settings.factor,
            iterations=settings.iterations,
            seed=settings.seed,
            stages=settings.stages,
            follow=space.follow,
        )
    proposer = _proposer(space, settings)
    return OneRung(proposer, settings.n_trials, settings.max_epochs, settings.seed)


def planned(space: Space, settings: Settings) -> Plan:
    """Return the plan of the search that the settings ask for.

    The configurations of a Bayesian search follow from scores; in its plan, random ones stand for
    them. Raises InvalidSpaceError for a grid that is too large.
    """
    if settings.search == "bayesian":
        settings = replace(
            settings,
            search="random",
            initial_points=None,
            alpha=Settings.alpha,
            beta=Settings.beta,
        )
    return rehearse(lambda: new_search(space, settings))


def _proposer(space: Space, settings: Settings) -> Proposer:
    follow, seed = space.configured, derive(settings.seed, "oracle")
    if settings.search == "grid":
        return Grid(follow)
    if settings.search == "random":
        return RandomDraws(follow, seed)
    declarations, first = space.discovery.declarations, settings.initial_points
    return Bayesian(follow, declarations, seed, first, settings.alpha, settings.beta)
