"""Charts that several notebooks draw: precision over recall, tables, reliability, intervals.

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


def reliability(axis, answers, outcome, bins=10):
    """Reliability curves: what happened over what was said, with the line where both agree.

    Args:
        axis: a matplotlib axis.
        answers: dictionary from a name to probabilities.
        outcome: of the same shape as each, 0 or 1, or a share.
        bins: see `metrics.reliability`. Bins with less than a thousandth of the entries are
            left out.
    """
    from helpers import metrics

    for (name, said), style in zip(answers.items(), cycle(("-o", "--s", ":^", "-.D"))):
        told, true, count = metrics.reliability(said, outcome, bins)
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


def learning_curves(curves, label=""):
    """Scores over the steps of trainings, one line a training.

    Args:
        curves: dictionary from a training's name to its last step and the scores at equal
            distances up to there, one-dimensional.
        label: of the scores.

    Returns:
        A matplotlib figure. The axis of scores covers all but the first eighth of each training.
    """
    import matplotlib.pyplot as plt

    fig, axis = plt.subplots(figsize=(7.0, 3.2))
    lowest, highest = np.inf, -np.inf
    for (name, (last_step, scores)), style in zip(curves.items(), cycle(("-", "--", "-."))):
        scores = np.asarray(scores, "float64")
        axis.plot(np.linspace(0, last_step, len(scores) + 1)[1:], scores, style, label=name)
        late = scores[len(scores) // 8 :]  # the first rise would hide the rest
        lowest, highest = min(lowest, late.min()), max(highest, late.max())
    space = 0.08 * (highest - lowest) or 1.0
    axis.set(xlabel="training steps", ylabel=label, ylim=(lowest - space, highest + space))
    axis.legend()
    return fig


def differences(axis, rows, label="", colour="#0072B2", shift=0.0):
    """Differences with intervals, one below the other, and a line at zero.

    Args:
        axis: a matplotlib axis.
        rows: dictionary from a name to (mean, half width of the interval).
        label: of these marks, for a legend.
        colour: of the marks.
        shift: of the marks down, as a share of a row, where several sets stand on one axis.
    """
    mean, half = np.array(list(rows.values()), "float64").T
    at = np.arange(len(rows)) + shift
    axis.errorbar(mean, at, xerr=half, fmt="o", capsize=3, color=colour, label=label)
    axis.axvline(0, color="black", linewidth=1, linestyle=":")
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.4, -0.6)
