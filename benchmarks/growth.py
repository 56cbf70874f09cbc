"""What an epoch costs a trial as more trials share a program, beside the arithmetic floor.

    python benchmarks/growth.py                     # ten minutes on two cores
    python benchmarks/growth.py --quick --chart growth.png

One program, nothing beside it, all slots taken; 10,000 training and 1,000 validation rows,
batches of 500, ELU, dropout and L2 on. Median of the epochs after the first, which compiles. The
floor is the matrix products' FLOPs of the unpadded model over the machine's rate for one large
product, measured in the same run: what remains above it is element-wise work, small products and
hand-over between operations.
"""

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

import fused as common

from sweep.training.fused.description import Description
from sweep.training.fused.group import Resident
from sweep.training.fused.program import shape

MODELS = ((16, 1), (16, 4), (64, 1), (64, 4), (128, 4), (512, 1), (512, 4))
QUICK = ((16, 4), (64, 4), (512, 4))
SLOTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
MOST_SECONDS = 2.0
"""A program whose epoch takes longer ends the row: more trials would only take as long each."""


def milliseconds(width: int, depth: int, slots: int, resident: Resident, epochs: int) -> float:
    """An epoch's milliseconds, of the program with all its slots taken, over their number."""

    def exact(description: Description) -> shape.Shape:
        return replace(
            common.usual(description, resident.rows),
            widths=tuple(unit.width for unit in description.hidden),
            activations=tuple(unit.activation for unit in description.hidden),
            depth="exact",
            slots=slots,
        )

    group = common.full_group(width, depth, resident, exact)
    seconds = []
    for _ in range(epochs + 1):
        started = time.perf_counter()
        group.train_epoch()
        seconds.append(time.perf_counter() - started)
    return 1e3 * statistics.median(seconds[1:]) / slots


def draw(table: dict[tuple[int, int], dict[int, float]], floors: dict, path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for (width, depth), row in table.items():
        (line,) = axes.plot(list(row), list(row.values()), marker="o", label=f"{width}×{depth}")
        axes.axhline(floors[width, depth], color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="trials in one program",
        ylabel="milliseconds a trial and epoch",
        title="Cost of an epoch as trials are fused (dotted: arithmetic floor)",
    )
    axes.set_xticks(SLOTS, [str(slots) for slots in SLOTS])
    axes.legend(title="width × depth", ncols=2)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three models instead of seven")
    parser.add_argument("--chart", type=Path, help="write the chart to this file")
    parser.add_argument("--most", type=int, default=256, help="largest number of trials")
    options = parser.parse_args()
    common.start_keras()
    rate = common.gemm_rate()
    resident = common.resident()
    slots = [count for count in SLOTS if count <= options.most]
    print(f"large GEMM: {rate:.0f} GFLOP/s; ms a trial and epoch\n")
    print("| model | floor |" + "".join(f" {count} |" for count in slots))
    print("|---|---|" + "---|" * len(slots))
    table: dict[tuple[int, int], dict[int, float]] = {}
    floors = {}
    for model in QUICK if options.quick else MODELS:
        floors[model] = common.flops(*model) / rate / 1e6
        row = table[model] = {}
        for count in slots:
            row[count] = milliseconds(*model, count, resident, epochs=5)
            if row[count] * count > 1e3 * MOST_SECONDS:
                break
        cells = "".join(f" {row[count]:.1f} |" if count in row else " – |" for count in slots)
        print(f"| {model[0]}×{model[1]} | {floors[model]:.2f} |{cells}", flush=True)
    if options.chart:
        draw(table, floors, options.chart)


if __name__ == "__main__":
    main()
