"""Scores of several methods or networks, the reader's run beside a recorded one.

What a recorded run holds comes from `helpers.data.records`; the figures take it as it is returned.
"""

from itertools import cycle

import numpy as np

from helpers.plots.style import COLOURS


def label_efficiency(budgets, arms, floor=None, title="your run"):
    """Mean IoU over the number of pictures with a mask, a line for each method.

    Args:
        budgets: numbers of pictures with a mask, `(B,)`; drawn on a log axis.
        arms: dictionary from a name to `(B, 2)`: mean and half width of the interval.
        floor: score without any look at the picture, a dotted line; None draws none.
        title: of the panel.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    fig, axis = plt.subplots(figsize=(8.6, 4))
    axis.set(title=title, xscale="log", xlabel="pictures with a mask")
    axis.set_ylabel("mean IoU, with 95 % interval")
    marks = cycle(["o-", "v--", "s:", "D-.", "^-", "P--", "X:"])
    for i, ((name, values), style) in enumerate(zip(arms.items(), marks)):
        mean, half = np.asarray(values, dtype="float64").T
        at = np.array(budgets) * 1.04 ** (i - len(arms) / 2)  # or intervals hide each other
        axis.errorbar(at, mean, half, fmt=style, capsize=3, label=name)
    if floor is not None:
        axis.axhline(floor, color="k", linestyle=":", label="without a look")
    axis.set_xticks(budgets, [f"{n:g}" for n in budgets])
    axis.minorticks_off()
    axis.legend(fontsize=8)
    return fig


def scores_by_method(tables, measures, methods, labels=None, ends=()):
    """Means with intervals: a row of panels for each table, a panel for each measure.

    Args:
        tables: dictionary from a title to `{method: {measure: (mean, half width)}}`, such as the
            reader's run and a recorded one. Empty tables are left out.
        measures: dictionary from a measure to the label of its axis.
        methods: all names that tables may have, so that each has one colour and mark in all.
        labels: dictionary from a method to the name that a reader sees; None shows the names.
        ends: at most two dictionaries from a measure to a value to compare with: lines
            across the panels, the first dashed, the second dotted.

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
            for end, colour, style in zip(ends, ("C2", "k"), ("--", ":")):
                axis.axvline(end[key], color=colour, linestyle=style)
        line[0].set_title(title)
    return fig


def _colours(methods):
    return dict(zip(methods, cycle(COLOURS.values())))
