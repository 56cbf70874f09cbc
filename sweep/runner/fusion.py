"""What of a search is trained together: decided before it begins, and told in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweep.data.split import Split
from sweep.records import Value
from sweep.searches.plan import Plan
from sweep.settings import Settings
from sweep.space.build import Build
from sweep.tasks.scoring import Scoring
from sweep.training.auto_trainer import LONGER, AutoTrainer
from sweep.training.fused.program.shape_policy import Sharing
from sweep.training.fused.reading.seen import SeenModels
from sweep.training.fused.sharing import SearchWork
from sweep.words import counted

_LOOKED_AT = 16
"""Models that are read before a search begins, at most: 30 to 80 ms each."""
_FIRST = 6
"""Of these, so many are read first; if all have layers alike, no more are."""


@dataclass(frozen=True)
class Fusion:
    """How trials share programs, and what was found when some models were looked at."""

    programs: str
    """As `Sharing` is kept with a sweep."""
    looked_at: int = 0
    refusals: Mapping[str | None, int] | None = None
    """How many of the models are left to Keras, by reason; under None, how many are fused."""

    @property
    def lines(self) -> list[str]:
        """What a person should know of it, a line each; nothing if no model was looked at."""
        found = dict(self.refusals or {})
        fused = found.pop(None, 0)
        if not self.looked_at:
            return []
        models = "the model" if self.looked_at == 1 else f"{self.looked_at} models looked at"
        said = [f"{fused} of {models} fused with others"]
        ordered = sorted(found.items(), key=lambda one: -one[1])
        return said + [f"{counted(number, 'model')} by Keras: {why}" for why, number in ordered]


NOT_LOOKED_AT = Fusion("")
"""Of a sweep that goes on, and of one that Keras trains."""


def fusion_of(
    build: Build,
    split: Split,
    scoring: Scoring,
    settings: Settings,
    plan: Plan,
    baselines: Sequence[dict[str, Value]],
    seen: SeenModels | None = None,
) -> Fusion:
    """Return how the trials of a new sweep share programs. Reads up to `_LOOKED_AT` models.

    None is read if the models that were `seen` tell that nothing is fused.
    """
    trainer = AutoTrainer(build, split, settings.batch_size, settings.patience, scoring=scoring)
    roots = [root.hyperparameters for root in plan.roots]
    configurations = _evenly(roots or list(baselines))
    epochs = plan.epochs if roots else settings.seeds * settings.max_epochs * len(baselines)
    trials = len(roots) or len(baselines)
    work = SearchWork(trials, len(plan.proposals) if roots else trials, epochs)
    if settings.trainer == "fused" or not configurations:
        return Fusion(str(trainer.sharing))
    if seen is not None and trainer.none_pays(seen, work):
        refused: Counter[str | None] = Counter(seen.refusals)
        refused[LONGER] += len(seen.described)
        return Fusion(str(Sharing(fused=False)), seen.looked_at, +refused)
    looked_at = configurations[:_FIRST]
    sharing = trainer.best_sharing(looked_at, work)
    undecided = str(sharing) != str(trainer.sharing) and any(map(trainer.carries, looked_at))
    if len(configurations) > _FIRST and undecided:
        looked_at = configurations
        sharing = trainer.best_sharing(looked_at, work)
    trainer.share(sharing)
    refusals = Counter(trainer.survey(values).refusal for values in looked_at)
    return Fusion(str(sharing), len(looked_at), refusals)


def _evenly(given: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """Return at most `_LOOKED_AT` of the given, spread evenly, and then the ones between."""
    count = min(_LOOKED_AT, len(given))
    chosen = [given[index * len(given) // count] for index in range(count)]
    return list(_by_thirds(chosen))


def _by_thirds(given: list[dict[str, Value]]) -> Iterator[dict[str, Value]]:
    """Return every third from three starts: the first few come from everywhere."""
    yield from given[::3]
    yield from given[1::3]
    yield from given[2::3]
