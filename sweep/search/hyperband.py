"""Keras Tuner's Hyperband oracle, driven ask/tell.

The oracle samples configurations and decides promotions; this file guards the places where it
would lose trials (each has a test):

- a failed trial counts as finished and worst, so its bracket keeps its size;
- a space with fewer configurations than Hyperband wants is filled up with ghosts, configurations
  that are worst and never run, so that promotion goes on among the real ones;
- a trial that failed, or a ghost, is never trained when a rung is so empty that it is promoted;
- the bracket of a promoted trial is its root's (`tuner/bracket` is not, under parallel asking);
- nothing is written to disk: the state is a JSON object that the store keeps.
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from sweep.records import Json, Proposal, Value
from sweep.seeds import derive

OBJECTIVE = "val_binary_crossentropy"
WORST = math.inf
_DEAD = "sweep/dead"


class _Oracle(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """The oracle without its files: the store keeps its state."""

    def save(self) -> None:
        return

    def _save_trial(self, trial: Any) -> None:
        return


@dataclass
class Search:
    """A Hyperband search: `ask` a wave, train it in any order, `tell` its scores, ask again.

    `hyperparameters` is the search space, a `keras_tuner.HyperParameters` that has seen
    `build(hp)`.
    """

    hyperparameters: Any
    max_epochs: int
    factor: int
    iterations: int
    seed: int
    _oracle: Any = field(init=False)
    _roots: dict[str, Proposal] = field(init=False, default_factory=dict)
    _root_of: dict[str, str] = field(init=False, default_factory=dict)
    _scores: dict[str, float | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._oracle = _Oracle(
            objective=keras_tuner.Objective(OBJECTIVE, "min"),
            max_epochs=self.max_epochs,
            factor=self.factor,
            hyperband_iterations=self.iterations,
            seed=derive(self.seed, "oracle"),
            hyperparameters=self.hyperparameters.copy(),
            # trials that fail are told as worst; the limit on failures is the runner's
            max_consecutive_failed_trials=2**31,
        )
        self._oracle.verbose = 0

    def ask(self) -> list[Proposal]:
        """The next wave: every assignment that can run now. Empty when the search is over.

        All proposals of the previous wave must have been told.
        """
        wave: list[Proposal] = []
        while True:
            trial = self._create(f"slot-{len(wave)}")
            if trial.status == TrialStatus.RUNNING:
                proposal = self._proposal(trial)
                if self._is_dead(trial):
                    self._root_of[proposal.oracle_id] = proposal.root_id
                    self._end(proposal.oracle_id, WORST)
                else:
                    self._remember(proposal, None)
                    wave.append(proposal)
            elif not self._fill_exhausted_bracket():
                return wave

    def tell(self, oracle_id: str, score: float) -> None:
        """Report the score of an assignment: the trial's lowest validation BCE so far.

        A score that is not finite (a failed trial) counts as the worst.
        """
        self._scores[oracle_id] = score if math.isfinite(score) else WORST
        self._end(oracle_id, self._scores[oracle_id])

    def _end(self, oracle_id: str, score: float | None) -> None:
        trial = self._oracle.trials[oracle_id]
        with _quiet():
            self._oracle.update_trial(oracle_id, {OBJECTIVE: score})
            trial.status = TrialStatus.COMPLETED
            self._oracle.end_trial(trial)

    def state(self) -> Json:
        """The oracle's state between waves, for `restore`. JSON-able."""
        state: Json = self._oracle.get_state()
        state[_DEAD] = {
            trial_id: self._root_of.get(trial_id, trial_id)
            for trial_id in self._oracle.trials
            if trial_id not in self._scores
        }
        return state

    def restore(self, state: Json, proposals: Iterable[tuple[Proposal, float | None]]) -> None:
        """Go on from a `state` kept earlier.

        `proposals` are all that were asked until then, each with the score that had been told,
        or None when it was still under way.
        """
        for proposal, score in proposals:
            self._remember(proposal, score)
            status = TrialStatus.RUNNING if score is None else TrialStatus.COMPLETED
            self._add_trial(proposal.oracle_id, status, score, proposal.hyperparameters)
        for trial_id, root_id in state[_DEAD].items():
            self._root_of[trial_id] = root_id
            self._add_trial(trial_id, TrialStatus.COMPLETED, WORST, {})
        self._oracle.set_state(state)

    def _create(self, slot: str) -> Any:
        with _quiet():
            return self._oracle.create_trial(slot)

    def _proposal(self, trial: Any) -> Proposal:
        values: dict[str, Any] = trial.hyperparameters.values
        parent = values.get("tuner/trial_id")
        root_id = trial.trial_id if parent is None else self._root_of[parent]
        root = self._roots.get(root_id)
        return Proposal(
            oracle_id=trial.trial_id,
            root_id=root_id,
            iteration=root.iteration if root else self._oracle.get_state()["current_iteration"],
            bracket=root.bracket if root else values["tuner/bracket"],
            rung=values["tuner/round"],
            first_epoch=values["tuner/initial_epoch"],
            last_epoch=values["tuner/epochs"],
            hyperparameters={k: v for k, v in values.items() if not k.startswith("tuner/")},
        )

    def _is_dead(self, trial: Any) -> bool:
        """True for the promotion of a ghost or of a trial that has failed."""
        parent = trial.hyperparameters.values.get("tuner/trial_id")
        return parent is not None and bool(self._oracle.trials[parent].score == WORST)

    def _remember(self, proposal: Proposal, score: float | None) -> None:
        self._scores[proposal.oracle_id] = score
        self._root_of[proposal.oracle_id] = proposal.root_id
        if proposal.oracle_id == proposal.root_id:
            self._roots[proposal.root_id] = proposal

    def _add_trial(
        self, oracle_id: str, status: str, score: float | None, values: Mapping[str, Value]
    ) -> None:
        hyperparameters = self._oracle.get_space()
        hyperparameters.values = dict(values)
        trial = Trial(hyperparameters=hyperparameters, trial_id=oracle_id, status=status)
        trial.score = score if score is None or math.isfinite(score) else WORST
        self._oracle.trials[oracle_id] = trial

    def _fill_exhausted_bracket(self) -> bool:
        """Fill the first bracket that the space has no configurations left for with ghosts."""
        for bracket in self._oracle.get_state()["brackets"]:
            first_rung = bracket["rounds"][0]
            missing = self._oracle._get_size(bracket["bracket_num"], 0) - len(first_rung)
            for _ in range(missing):
                ghost_id = f"{len(self._oracle.trials):04d}"
                self._root_of[ghost_id] = ghost_id
                self._add_trial(ghost_id, TrialStatus.COMPLETED, WORST, {})
                first_rung.append({"past_id": None, "id": ghost_id})
            if missing > 0:
                return True
        return False


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Keras Tuner warns of and we cannot change: `threading.currentThread`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
