"""Where an epoch of a program goes: the time of each kernel that XLA made of it.

    taskset -c 0 python benchmarks/kernels.py --width 128 --depth 4    # on one core

All slots taken, as in a sweep on a CPU; 10,000 training and 1,000 validation rows. TensorFlow's
profiler writes down each kernel's start and end; a loop's time holds that of the kernels in it.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import fused as common

EPOCHS = 3
_HOST = "/host:CPU"
_NO_KERNELS = ("Execut", "function", "BlockUntilReady", "tf.constant", "_EagerConst", "Kernel")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--top", type=int, default=30, help="rows to show")
    options = parser.parse_args()
    common.start_keras()
    group = common.full_group(options.width, options.depth, common.resident())
    for _ in range(EPOCHS):
        group.train_epoch()
    with tempfile.TemporaryDirectory() as folder:
        microseconds, calls = profiled(group, Path(folder))
    print(f"{options.width}×{options.depth}, {group.shape.slots} trials, an epoch\n")
    print("| kernel | ms | calls | µs a call |\n|---|---:|---:|---:|")
    for name, total in microseconds.most_common(options.top):
        print(
            f"| {name} | {total / EPOCHS / 1e3:.2f} | {calls[name] / EPOCHS:.0f} "
            f"| {total / calls[name]:.1f} |"
        )


def profiled(group, folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Microseconds and calls of each kernel in some epochs."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    detail = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
    with tf.profiler.experimental.Profile(str(folder), options=detail):
        for _ in range(EPOCHS):
            group.train_epoch()
    (path,) = folder.glob("**/*.xplane.pb")
    space = xplane_pb2.XSpace.FromString(path.read_bytes())
    microseconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for plane in space.planes:
        if plane.name != _HOST:
            continue
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if not any(part in name for part in _NO_KERNELS):
                microseconds[name] += event.duration_ps / 1e6
                calls[name] += 1
    return microseconds, calls


if __name__ == "__main__":
    main()
