"""Resident memory while the Keras trainer trains one trial after another: does a trial leak?

    python benchmarks/memory.py --trials 200

Every trial has a configuration of its own, so nothing can be served from a cache.
"""

import argparse
import tempfile
from pathlib import Path

from sweep.training.platform import start_keras

_PAGES = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def resident_mib() -> float:
    return int(_PAGES.read_text().split()[1]) * _PAGE_BYTES / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    options = parser.parse_args()
    start_keras()
    from search_spaces import capacity
    from sweep.training.keras import KerasTrainer
    from tests.trainers import FileJournal, assign, make_split

    trainer = KerasTrainer(capacity.build, make_split(), batch_size=50, patience=None)
    print("| trials | resident memory, MiB | MiB a trial since the row above |\n|---|---|---|")
    before, at = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        journal = FileJournal(Path(folder))
        for trial in range(options.trials + 1):
            if trial in (1, 10, 25, 50, 100, 150, 200) or trial == options.trials:
                now = resident_mib()
                print(f"| {trial} | {now:.0f} | {(now - before) / (trial - at):.2f} |", flush=True)
                before, at = now, trial
            values = {
                "width": capacity.WIDTHS[trial % 5],
                "depth": 1 + trial % 4,
                "l2": 0.0,
                "dropout": (trial % 50) / 100,
                "decay_steps": 1000 + trial,
            }
            trainer.train([assign(trial, 0, 1, values)], journal, lambda: False)


if __name__ == "__main__":
    main()
