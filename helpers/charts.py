"""Charts that several notebooks draw: precision over recall, tables with their numbers.

Each takes a matplotlib axis and draws on it; `plots.show` displays the figure.
"""

from itertools import cycle

import numpy as np


def precision_recall(axis, results, human=None, styles=None):
    """Precision–recall curves of edge detectors, with faint lines of equal F.

    Args:
        axis: a matplotlib axis.
        results: dictionary from a name to an `edges.BenchmarkResult`. Each curve has a dot at
            its best F (ODS), and the legend gives its number.
        human: a `BenchmarkResult` of annotators among themselves, drawn as a black square.
        styles: line style of each, in order; solid, dashed, dash-dotted, … without it.
    """
    r, p = np.meshgrid(np.linspace(0.01, 1, 100), np.linspace(0.01, 1, 100))
    lines = axis.contour(
        r, p, 2 * p * r / (p + r), np.arange(0.1, 1, 0.1), colors="0.7", linewidths=0.7
    )
    axis.clabel(lines, lines.levels[1::2], fmt="F %.1f", fontsize=8)
    styles = styles or ["-", "--", "-.", ":", (0, (6, 1)), (0, (4, 1, 1, 1, 1, 1))]
    for (name, result), style in zip(results.items(), cycle(styles)):
        reached = result.recall > 0  # a threshold that nothing passes has no point
        points = result.recall[reached], result.precision[reached]
        label = f"{name}, F {result.ods:.2f}"
        (line,) = axis.plot(*points, linestyle=style, label=label)
        axis.plot(result.ods_recall, result.ods_precision, "o", color=line.get_color())
    if human is not None:
        point = human.ods_recall, human.ods_precision
        axis.plot(*point, "ks", label=f"annotators, F {human.ods:.2f}")
    axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.legend(loc="lower left", fontsize=9, frameon=True, framealpha=1)


def heatmap(axis, table, rows, columns, title="", form="{:.2f}"):
    """A table of shares between 0 and 1 as colours with their numbers."""
    axis.imshow(table, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    axis.grid(False)
    axis.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
    axis.set_xticklabels(columns, rotation=30, ha="right")
    for (i, j), value in np.ndenumerate(np.asarray(table)):
        colour = "k" if value > 0.5 else "w"
        axis.text(j, i, form.format(value), ha="center", va="center", color=colour, fontsize=8)
