"""Scores of several methods or networks, the reader's run beside a recorded one.

What a recorded run holds comes from `helpers.data.records`; the figures take it as it is returned.
"""

from itertools import cycle

import numpy as np

from helpers.plots.style import COLOURS


def label_efficiency(budgets, arms, recorded=None, floor=None, title="your run"):
    """Scores over the number of labelled images, a recorded run beside the reader's.

    Args:
        budgets: numbers of labelled images, `(B,)`; drawn on a log axis.
        arms: dictionary from a name to `(B, 2)`: mean and half width of the interval.
        recorded: (budgets, arms) of a recorded run, from `records.label_efficiency`, or None.
        floor: score without any look at the image, a dotted line; None draws none.
        title: of the first panel.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    panels = {title: (budgets, arms)} | ({"recorded run": recorded} if recorded else {})
    fig, axes = plt.subplots(1, len(panels), figsize=(8.6, 4), sharey=True, squeeze=False)
    for axis, (name, (numbers, curves)) in zip(axes[0], panels.items()):
        axis.set_title(name)
        marks = cycle(["o-", "v--", "s:", "D-.", "^-", "P--", "X:"])
        for i, ((name, values), style) in enumerate(zip(curves.items(), marks)):
            mean, half = np.asarray(values, dtype="float64").T
            at = np.array(numbers) * 1.04 ** (i - len(curves) / 2)  # or intervals hide each other
            axis.errorbar(at, mean, half, fmt=style, capsize=3, label=name)
        if floor is not None:
            axis.axhline(floor, color="k", linestyle=":")
        axis.set(xscale="log", xlabel="images with labels")
        axis.set_xticks(numbers, [f"{n:g}" for n in numbers])
        axis.minorticks_off()
    axes[0, 0].set(ylabel="score, with 95 % interval")
    axes[0, 0].legend(fontsize=8)
    return fig


def scores_by_method(tables, measures, methods, labels=None):
    """Means with intervals: a row of panels for each table, a panel for each measure.

    Args:
        tables: dictionary from a title to `{method: {measure: (mean, half width)}}`, such as the
            reader's run and a recorded one. Empty tables are left out.
        measures: dictionary from a measure to the label of its axis.
        methods: all names that tables may have, so that each has one colour and mark in all.
        labels: dictionary from a method to the name that a reader sees; None shows the names.

    Returns:
        The figure, for `plots.show`.

    Raises:
        ValueError: If there is nothing to draw, or a method that is not among `methods`.
    """
    import matplotlib.pyplot as plt

    tables, labels = {title: rows for title, rows in tables.items() if rows}, labels or {}
    if not tables:
        raise ValueError("no table has a row")
    unknown = {method for rows in tables.values() for method in rows} - set(methods)
    if unknown:
        raise ValueError(f"methods must be among {list(methods)}. Received: {sorted(unknown)}")
    colours, marks = _colours(methods), dict(zip(methods, cycle("osD^v")))
    tall = [len(rows) for rows in tables.values()]
    size = (8.6, 0.3 * sum(tall) + 0.85 * len(tall))
    shape = len(tables), len(measures)
    fig, axes = plt.subplots(
        *shape, figsize=size, squeeze=False, sharey="row", height_ratios=[n + 1 for n in tall]
    )
    for line, (title, rows) in zip(axes, tables.items()):
        for axis, (key, label) in zip(line, measures.items()):
            for at, (method, cells) in enumerate(rows.items()):
                if key in cells:
                    mean, half = cells[key]
                    style = {"fmt": marks[method], "color": colours[method]}
                    axis.errorbar(mean, at, xerr=half, capsize=3, **style)
            axis.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
            axis.set_yticks(range(len(rows)), [labels.get(method, method) for method in rows])
        line[0].set_title(title)
    return fig


def colour_by_method(axes, drawn, methods):
    """Lets the lines that are drawn next have the colours of these methods in `scores_by_method`.

    Args:
        axes: matplotlib axes.
        drawn: methods in the order in which they will be drawn.
        methods: as for `scores_by_method`.
    """
    colours = _colours(methods)
    for axis in axes:
        axis.set_prop_cycle(color=[colours[method] for method in drawn])


def _colours(methods):
    return dict(zip(methods, cycle(COLOURS.values())))


def precision_recall_map(rows, known, recorded=None):
    """Precision over recall, one mark a training; a recorded run beside the reader's.

    Args:
        rows: dictionary from a model to its rows with `precision` and `recall`, one a training.
        known: dictionary from a name to such a row: marked as crosses with their names.
        recorded: `{model: {"precision", "recall"}}` of a recorded run, lists with one number a
            training, from `records.precision_recall`; or None.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    sides = ("recall", "precision")
    panels = {"your run": {m: {s: [row[s] for row in of] for s in sides} for m, of in rows.items()}}
    panels |= {"recorded run": recorded} if recorded else {}
    fig, axes = plt.subplots(1, len(panels), figsize=(4.3 * len(panels), 4.2), squeeze=False)
    for axis, (title, points) in zip(axes[0], panels.items()):
        if title == "your run":
            _name_points(axis, known)
        for (name, of), mark in zip(points.items(), cycle("osD^vP")):
            axis.plot(of["recall"], of["precision"], mark, label=name, alpha=0.8)
        axis.set(xlabel="recall", title=title, xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))
        axis.set(ylabel="precision", aspect="equal")
    axes[0, -1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def _name_points(axis, known):
    """A cross and its name for each row; names keep inside the axes and off each other."""
    places = {}
    for name, row in known.items():
        place = round(row["recall"], 2), round(row["precision"], 2)
        places.setdefault(place, []).append(name)
    for x, y in places:
        axis.plot(x, y, "x", color="0.5")
        crowded = any(abs(x - a) < 0.15 and 0 < b - y < 0.08 for a, b in places)
        side = "right" if x > 0.7 else "left"
        look = {"xytext": (4 if side == "left" else -4, -11 if crowded else 4), "ha": side}
        text = ", ".join(places[x, y])
        axis.annotate(text, (x, y), textcoords="offset points", fontsize=7, color="0.35", **look)
