"""Charts that several notebooks draw: precision over recall, tables with their numbers.

Each takes a matplotlib axis and draws on it; `plots.show` displays the figure.
"""

from itertools import cycle

import numpy as np

from helpers import records


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


def label_efficiency(budgets, arms, record=None, floor=None):
    """Scores of twins over the number of labelled images, a recorded run beside the reader's.

    Args:
        budgets: numbers of labelled images, `(B,)`; drawn on a log axis.
        arms: dictionary from a name to `(B, 2)`: mean and half width of the interval.
        record: name of a file in `data/results` whose results have `labels`, `arms` (names) and
            `twins` `(A, B, 2)`; left out where it is not there.
        floor: score without any look at the image, a dotted line; None draws none.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    panels = {"your run": (budgets, arms)}
    old = records.results_of(record)
    if old:
        panels["recorded run"] = old["labels"], dict(zip(old["arms"], old["twins"]))
    fig, axes = plt.subplots(1, len(panels), figsize=(8.6, 4), sharey=True, squeeze=False)
    for axis, (title, (numbers, curves)) in zip(axes[0], panels.items()):
        marks = cycle(["o-", "v--", "s:", "D-.", "^-", "P--", "X:"])
        for i, ((name, values), style) in enumerate(zip(curves.items(), marks)):
            mean, half = np.asarray(values, dtype="float64").T
            at = np.array(numbers) * 1.04 ** (i - len(curves) / 2)  # or intervals hide each other
            axis.errorbar(at, mean, half, fmt=style, capsize=3, label=name)
        if floor is not None:
            axis.axhline(floor, color="k", linestyle=":")
        axis.set(xscale="log", xlabel="images with labels", title=title)
        axis.set_xticks(numbers, [f"{n:g}" for n in numbers])
        axis.minorticks_off()
    axes[0, 0].set(ylabel="score, with 95 % interval")
    axes[0, 0].legend(fontsize=8)
    return fig


def reliability(axis, answers, outcome, bins=10):
    """Reliability curves: what happened over what was said, with the line where both agree.

    Args:
        axis: a matplotlib axis.
        answers: dictionary from a name to probabilities.
        outcome: of the same shape as each, 0 or 1, or a share.
        bins: see `calibration.reliability`. Bins with less than a thousandth of the entries are
            left out.
    """
    from helpers import calibration

    for (name, said), style in zip(answers.items(), cycle(("-o", "--s", ":^", "-.D"))):
        told, true, count = calibration.reliability(said, outcome, bins)
        enough = count >= count.sum() / 1000
        axis.plot(told[enough], true[enough], style, label=name)
    axis.plot([0, 1], [0, 1], color="k", linewidth=0.8)
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.legend(loc="upper left")


def intervals(axis, rows, label="", limits=(0, 1)):
    """Bars with intervals, one below the other, each with its number.

    Args:
        axis: a matplotlib axis.
        rows: dictionary from a name to (mean, half width of the interval).
        label: of the axis of values.
        limits: of the same axis.
    """
    for i, (mean, half) in enumerate(rows.values()):
        axis.barh(i, mean, 0.7, xerr=half, color="#0072B2", error_kw={"capsize": 3})
        axis.text(limits[1], i, f"{mean:.2f}", ha="right", va="center")
    axis.set(xlabel=label, xlim=limits, yticks=range(len(rows)), yticklabels=list(rows))
    axis.invert_yaxis()
