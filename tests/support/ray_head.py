"""A head in a process of its own, with two Ray actors: to be killed."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sweep.pool.crew import AnyCrew
from sweep.pool.face import Ready
from sweep.pool.ray_pool import RayPool
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.runner.journal import StoreJournal
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.testing import small_split, train_all
from sweep.testing.idle_briefing import IdleBriefing


@dataclass
class Entered(AnyCrew):
    """Takes everybody, and enters who came."""

    store: Store

    def joins(self, worker: int, ready: Ready) -> None:
        self.store.add_worker(ready.host, ready.process, ready.device)


def main(root: str) -> None:
    """Carry out what waits in the sweep `s` below `root`. RAY_ADDRESS names the cluster."""
    folder = SweepFolder(Path(root), "s")
    pool = RayPool(IdleBriefing(seconds=0.3), small_split(20, 10), 2)
    with Store(folder.database) as store:
        trainer = PooledTrainer(Team(pool, Entered(store)))
        train_all(trainer, store.pending(), StoreJournal(folder, store, "id"))


if __name__ == "__main__":
    main(sys.argv[1])
