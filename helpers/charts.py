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
    """A table of shares between 0 and 1 as colours with their numbers; NaN is left white.

    Raises:
        ValueError: If there is not one name a row and a column.
    """
    table = np.asarray(table, float)
    if table.shape != (len(rows), len(columns)):
        raise ValueError(
            f"a table with {len(rows)} rows and {len(columns)} columns is named. "
            f"Received: shape {table.shape}"
        )
    axis.imshow(table, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    axis.grid(False)
    axis.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
    axis.set_xticklabels(columns, rotation=30, ha="right")
    for (i, j), value in np.ndenumerate(table):
        colour = "w" if value <= 0.5 else "k"
        text = "–" if np.isnan(value) else form.format(value)
        axis.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)


def label_efficiency(axis, budgets, arms, title="", floor=None):
    """Scores of twins over the number of labelled images, each with its interval.

    Args:
        axis: a matplotlib axis.
        budgets: numbers of labelled images, `(B,)`; drawn on a log axis.
        arms: dictionary from a name to `(B, 2)`: mean and half width of the interval.
        title: of the axis.
        floor: score without any look at the image, a dotted line; None draws none.
    """
    marks = cycle(["o-", "v--", "s:", "D-.", "^-", "P--", "X:"])
    for i, ((name, values), style) in enumerate(zip(arms.items(), marks)):
        mean, half = np.asarray(values, dtype="float64").T
        shift = 1.06 ** (i - len(arms) / 2)  # side by side, or the intervals hide each other
        axis.errorbar(np.array(budgets) * shift, mean, half, fmt=style, capsize=3, label=name)
    if floor is not None:
        axis.axhline(floor, color="k", linestyle=":")
    axis.set(xscale="log", xlabel="images with labels", title=title)
    axis.set_xticks(budgets, [f"{b:g}" for b in budgets])
    axis.minorticks_off()
