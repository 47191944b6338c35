"""Several networks side by side: their answers, and their scores beside a recorded run's."""

from itertools import cycle

import numpy as np

from helpers import plots, records


def gallery(images, truth, answers, class_names, void=None):
    """Images, masks, and for each network its answer and, dark, its errors.

    Args:
        images: `(N, H, W, 3)`, as `plots.image_grid` takes them.
        truth: integer label maps `(N, H, W)`.
        answers: dictionary from the name of a network to its label maps.
        class_names: C names, for the legend.
        void: label that counts as no error, or None.

    Returns:
        The figure, for `plots.show`.
    """
    classes = len(class_names)
    rows, names = [images, plots.mask_to_rgb(truth, classes, void)], ["picture", "truth"]
    for name, answer in answers.items():
        rows += [plots.mask_to_rgb(answer, classes), (answer == truth) | (truth == void)]
        names += [name, "errors"]
    fig = plots.image_grid(rows, row_labels=names, cell=0.85)
    plots.class_legend(fig, class_names)
    return fig


def by_network(table, networks, budgets, record=None, verdicts=None):
    """Means with intervals: a panel for each label budget, networks side by side, a mark a start.

    Args:
        table: dictionary from (network, budget) to a dictionary from the name of a start to
            (mean, half width of the interval).
        networks: names, in order.
        budgets: numbers of labelled images, in order.
        record: name of a file in `data/results` whose results have `networks`, `labels`, `arms`
            and `table` `(networks, labels, arms, 2)`; it is drawn below, or left out where it is
            not there.
        verdicts: dictionary from a budget to what `probes.verdict` says of it, for the titles; a
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


def by_arm(tables, measures, arms):
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


def colour_by_arm(axes, drawn, arms):
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
    return dict(zip(arms, cycle(plots.COLOURS.values())))


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
