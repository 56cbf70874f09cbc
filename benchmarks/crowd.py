"""Many at once: sweeps in one results folder, lookers beside them, twins, two fetches.

    python benchmarks/crowd.py --sweeps 10 --lookers 5

Every sweep must come out as the one that ran alone. The longest wait for a database's write lock
is measured by asking for it all the time; on a busy machine it holds the time until the asker
runs again, so it is an upper bound of how long anybody held it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.support import tiny, warm
from tests.support.crowd import crowd
from tests.support.file_server import serving
from tests.support.higgs_rows import as_gzip, random_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=10)
    parser.add_argument("--lookers", type=int, default=5)
    parser.add_argument("--trainer", default="keras")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = tiny.make_place(Path(folder))
        warm.run(place, *tiny.start("alone", options.trainer))
        began = time.monotonic()
        seen = crowd(place, options.trainer, options.sweeps, options.lookers)
        seconds = time.monotonic() - began
        alone = tiny.contents(place, "alone")
        names = ["twin", *(f"one-{n}" for n in range(options.sweeps))]
        wrong = [n for n in names if tiny.differences(alone, tiny.contents(place, n))]
        with serving(as_gzip(*random_rows(5_000))) as served:
            fetch = ["data", "fetch", "--url", served.url, "--rows", "5000", "--force"]
            fetches = [warm.begin(place, *fetch) for _ in range(2)]
            codes = [one.wait() for one in fetches]
    print("| what | found |\n|---|---|")
    print(f"| sweeps beside each other | {len(names)} in {seconds:.0f} s |")
    print(f"| of them different from the one alone | {len(wrong)} {' '.join(wrong)}|")
    print(f"| looks by {options.lookers} lookers | {seen.looks} |")
    print(f"| errors | {len(seen.errors)} {'; '.join(seen.errors)}|")
    print(f"| exit codes of two starts of one name | {seen.codes_of_one_name} |")
    print(f"| exit codes of two fetches of one file | {codes} |")
    print(f"| longest wait for a write lock, s | {seen.waited:.2f} |")
    sys.exit(bool(wrong or seen.errors or any(codes)))


if __name__ == "__main__":
    main()
