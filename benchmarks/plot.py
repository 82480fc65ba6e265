"""The plot of how measures grow with their sizes."""

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measure import Growth

COLUMNS = 3
INK = "#7a7f87"  # readable on white and on black: the page behind the picture may be either
LINE = "#d9622b"


def draw_growth(path: Path, lines: Sequence[Growth]) -> None:
    """One small plot a measure, both axes logarithmic: a straight line upwards is growth in step with the size."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "farebox", "font.family": "sans-serif"})
    rows = max(1, ceil(len(lines) / COLUMNS))
    figure = Figure(figsize=(3.6 * COLUMNS, 2.6 * rows), layout="constrained")
    for number, line in enumerate(lines, 1):
        axes = figure.add_subplot(rows, COLUMNS, number)
        sizes, values = zip(*line.points, strict=True)
        axes.loglog(sizes, values, marker="o", color=LINE)
        for size, value in line.points:
            axes.annotate(
                _short(value), (size, value), textcoords="offset points", xytext=(0, 6), ha="center", color=INK, size=8
            )
        axes.set_title(line.name, color=INK, size=9)
        axes.set_xlabel(line.size, color=INK, size=8)
        axes.set_ylabel(line.unit, color=INK, size=8)
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
        axes.set_xlim(min(sizes) / 2, max(sizes) * 2)
        middle = sqrt(min(values) * max(values))
        axes.set_ylim(middle / 10, middle * 10)  # the same for all, so that slopes can be compared
        axes.set_yticks([])  # the values stand at their points
        axes.minorticks_off()
        axes.tick_params(colors=INK, labelsize=7)
        for spine in axes.spines.values():
            spine.set_color(INK)
    figure.savefig(path, transparent=True, metadata={"Date": None})


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
