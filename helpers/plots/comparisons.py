"""Scores of several methods or networks, the reader's run beside a recorded one."""

from itertools import cycle

import numpy as np

from helpers.data import records
from helpers.plots.style import COLOURS


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


def scores_by_network(table, networks, budgets, record=None, verdicts=None):
    """Means with intervals: a panel for each label budget, networks side by side, a mark a start.

    Args:
        table: dictionary from (network, budget) to a dictionary from the name of a start to
            (mean, half width of the interval).
        networks: names, in order.
        budgets: numbers of labelled images, in order.
        record: name of a file in `data/results` whose results have `networks`, `labels`, `arms`
            and `table` `(networks, labels, arms, 2)`; it is drawn below, or left out where it is
            not there.
        verdicts: dictionary from a budget to what `metrics.verdict` says of it, for the titles; a
            record has its own list `word`.

    Returns:
        The figure, for `plots.show`.

    Raises:
        ValueError: If the record's table does not fit its names.
    """
    import matplotlib.pyplot as plt

    words = [verdicts[b]["word"] if verdicts else "" for b in budgets]
    rows = {"your run": (networks, budgets, table, words)}
    old = records.results_of(record)
    if old:
        rows["recorded run"] = _read(record, old)
    wide = max(len(b) for _, b, *_ in rows.values())
    size = (8.6, 3.1 * len(rows) + 0.4)
    fig, axes = plt.subplots(len(rows), wide, figsize=size, sharey=True, squeeze=False)
    for line, (title, (names, numbers, scores, said)) in zip(axes, rows.items()):
        for axis, number, word in zip(line, numbers, said):
            _panel(axis, {name: scores[name, number] for name in names})
            axis.set_title(f"{title}, {number} labels" + (f": {word}" if word else ""))
        for axis in line[len(numbers) :]:
            axis.set_axis_off()
        line[0].set(ylabel="mean IoU, 95 % interval")
    drawn = {}
    for axis in axes[:, 0]:
        drawn |= dict(zip(*reversed(axis.get_legend_handles_labels())))
    fig.legend(drawn.values(), drawn, loc="outside lower center", ncols=4, fontsize=9)
    return fig


def scores_by_method(tables, measures, arms):
    """Means with intervals: a row of panels for each table, a panel for each measure.

    Args:
        tables: dictionary from a title to `{arm: {measure: (mean, half width)}}`, such as the
            reader's run and a recorded one. Empty tables are left out.
        measures: dictionary from a measure to the label of its axis.
        arms: all names that tables may have, so that each has one colour and mark in all of them.

    Returns:
        The figure, for `plots.show`.

    Raises:
        ValueError: If there is nothing to draw, or an arm that is not among `arms`.
    """
    import matplotlib.pyplot as plt

    tables = {title: rows for title, rows in tables.items() if rows}
    if not tables:
        raise ValueError("no table has a row")
    unknown = {arm for rows in tables.values() for arm in rows} - set(arms)
    if unknown:
        raise ValueError(f"arms must be among {list(arms)}. Received: {sorted(unknown)}")
    colours, marks = _colours(arms), dict(zip(arms, cycle("osD^v")))
    tall = [len(rows) for rows in tables.values()]
    size = (8.6, 0.3 * sum(tall) + 0.85 * len(tall))
    shape = len(tables), len(measures)
    fig, axes = plt.subplots(
        *shape, figsize=size, squeeze=False, sharey="row", height_ratios=[n + 1 for n in tall]
    )
    for line, (title, rows) in zip(axes, tables.items()):
        for axis, (key, label) in zip(line, measures.items()):
            for at, (arm, cells) in enumerate(rows.items()):
                if key in cells:
                    mean, half = cells[key]
                    look = {"fmt": marks[arm], "color": colours[arm]}
                    axis.errorbar(mean, at, xerr=half, capsize=3, **look)
            axis.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
            axis.set_yticks(range(len(rows)), list(rows))
        line[0].set_title(title)
    return fig


def colour_by_method(axes, drawn, arms):
    """Lets the lines that are drawn next have the colours that `by_arm` gives to these arms.

    Args:
        axes: matplotlib axes.
        drawn: arms in the order in which they will be drawn.
        arms: as for `by_arm`.
    """
    colours = _colours(arms)
    for axis in axes:
        axis.set_prop_cycle(color=[colours[arm] for arm in drawn])


def _colours(arms):
    return dict(zip(arms, cycle(COLOURS.values())))


def _panel(axis, groups):
    arms = list(next(iter(groups.values())))
    offsets = 0.12 * (np.arange(len(arms)) - (len(arms) - 1) / 2)
    for arm, offset, style in zip(arms, offsets, cycle("osD^vPX")):
        mean, half = np.array([values[arm] for values in groups.values()], "float64").T
        at = np.arange(len(groups)) + offset
        axis.errorbar(at, mean, half, fmt=style, capsize=2, markersize=5, label=arm)
    axis.set_xticks(range(len(groups)), list(groups))
    axis.set_xlim(-0.6, len(groups) - 0.4)
    axis.grid(axis="x", visible=False)


def _read(name, old):
    names, numbers, arms = old["networks"], old["labels"], old["arms"]
    scores = np.asarray(old["table"], "float64")
    if scores.shape != (len(names), len(numbers), len(arms), 2):
        raise ValueError(
            f"{name}.json names {len(names)} networks, {len(numbers)} budgets and {len(arms)} "
            f"starts. Received: a table of shape {scores.shape}"
        )
    found = {
        (name, number): {arm: tuple(scores[i, j, k]) for k, arm in enumerate(arms)}
        for i, name in enumerate(names)
        for j, number in enumerate(numbers)
    }
    return names, numbers, found, old.get("word", [""] * len(numbers))


def precision_recall_map(found, known, record=None):
    """Precision over recall, one mark a training; a recorded run beside the reader's.

    Args:
        found: dictionary from a model to its rows with `precision` and `recall`, one a training.
        known: dictionary from a name to such a row: marked as crosses with their names.
        record: name of a file in `data/results` whose results have `MODEL_precision` and
            `MODEL_recall` for each model (a hyphen as an underscore); left out where it is not
            there, or lacks them.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    sides = ("recall", "precision")
    panels = {"your run": {m: [[r[s] for r in rows] for s in sides] for m, rows in found.items()}}
    old = records.results_of(record)
    if old:
        keys = {m: [f"{m.replace('-', '_')}_{s}" for s in sides] for m in found}
        if all(k in old for pair in keys.values() for k in pair):
            panels["recorded run"] = {m: [old[k] for k in pair] for m, pair in keys.items()}
    fig, axes = plt.subplots(1, len(panels), figsize=(4.3 * len(panels), 4.2), squeeze=False)
    for axis, (title, points) in zip(axes[0], panels.items()):
        if title == "your run":
            _name_points(axis, known)
        for (name, (across, up)), mark in zip(points.items(), cycle("osD^vP")):
            axis.plot(across, up, mark, label=name, alpha=0.8)
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
