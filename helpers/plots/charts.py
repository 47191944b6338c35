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


def interval_panels(panels, limits=(0, 1.25), columns=None):
    """One panel of `intervals` beside the other, with common rows; the first row is on top.

    Args:
        panels: dictionary from a label to rows as for `intervals`; panels without rows are left
            out, and the names of the rows are those of the first.
        limits: of all panels, or a dictionary from a label to its limits.
        columns: how many panels stand side by side, the others below; all of them unless given.

    Returns:
        The figure, for `plots.show`.

    Raises:
        ValueError: If no panel has a row.
    """
    import matplotlib.pyplot as plt

    panels = {label: rows for label, rows in panels.items() if rows}
    if not panels:
        raise ValueError("no panel has a row")
    names = list(next(iter(panels.values())))
    columns = len(panels) if columns is None else columns
    lines = -(-len(panels) // columns)  # of panels, rounded up
    size = (3.2 + 2.9 * columns, lines * (0.8 + 0.3 * len(names)))
    figure, axes = plt.subplots(lines, columns, figsize=size, sharey=True, squeeze=False)
    for axis, (label, rows) in zip(axes.flat, panels.items()):
        own = limits[label] if isinstance(limits, dict) else limits
        intervals(axis, {name: rows[name] for name in names}, label, own)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    if not axes[0, 0].yaxis_inverted():  # each panel has turned the common axis round
        axes[0, 0].invert_yaxis()
    return figure


def latent_scatter(latents, regions=None, ellipses=12, limit=2500):
    """Latents of many pictures in two coordinates, and a circle for the prior N(0, I).

    One panel for each model. The two coordinates are those with the largest mean KL from
    N(0, 1), or, without regions, the two that vary most. The circle has the radius 2 and holds
    86 % of the prior in two coordinates.

    Args:
        latents: dictionary from a model to `(N, K)`, K ≥ 2, one latent a picture.
        regions: dictionary from a model to (means, standard deviations) of q(z|x), `(N, K)` each;
            a model may be missing.
        ellipses: the regions of so many of the pictures are drawn, two standard deviations wide.
        limit: so many pictures are drawn as dots.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Circle, Ellipse

    regions = regions or {}
    size = (3.4 * max(len(latents), 1.2), 3.8)
    figure, axes = plt.subplots(1, len(latents), figsize=size, squeeze=False)
    reach = max(2.2, *(np.quantile(np.abs(z), 0.998) for z in latents.values()))
    for axis, (name, z) in zip(axes[0], latents.items()):
        means, sigmas = regions.get(name, (None, None))
        used = z.var(axis=0)
        if means is not None:
            used = (0.5 * (means**2 + sigmas**2 - 1) - np.log(sigmas)).mean(axis=0)
        a, b = (int(k) for k in np.argsort(-used)[:2])
        axis.scatter(*z[:limit, [a, b]].T, s=3, color="#56B4E9", alpha=0.5, label="pictures")
        circle = Circle((0, 0), 2, fill=False, color="#D55E00", lw=2, label="N(0, I), 86 %")
        axis.add_patch(circle)
        if means is not None:
            for (x, y), (w, h) in zip(means[:ellipses, [a, b]], sigmas[:ellipses, [a, b]]):
                axis.add_patch(Ellipse((x, y), 4 * w, 4 * h, fill=False, color="#000000", lw=1.3))
            axis.plot([], [], "o", mfc="none", mec="#000000", label=r"regions, 2 $\sigma_z$")
        limits = (-1.15 * reach, 1.15 * reach)
        axis.set(xlabel=f"$z_{{{a}}}$", ylabel=f"$z_{{{b}}}$", title=name, aspect="equal")
        axis.set(xlim=limits, ylim=limits)
    named = {  # what any panel shows, once each
        label: handle
        for axis in reversed(axes[0])
        for handle, label in zip(*axis.get_legend_handles_labels())
    }
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3)
    return figure
