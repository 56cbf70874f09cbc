"""The seed tree: sweep seed → trial → (init, shuffle by epoch, oracle).

Every random stream is named by its path, so it depends neither on the order in which trials
run nor on restarts. Paths are hashed because neighbouring integers are not independent
streams: Keras Tuner draws hyperparameter j of trial i from `Random(seed + i·d + j)`, so two
neighbouring seeds would share most of their configurations.
"""

import hashlib


def derive(seed: int, *path: str | int) -> int:
    """A seed in [1, 2**31) for the stream named by `path` under `seed`.

    Never 0, which Keras Tuner takes for "random".
    """
    name = "/".join([str(seed), *(str(part) for part in path)])
    digest = hashlib.sha256(name.encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % (2**31 - 1)
