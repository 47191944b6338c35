"""Several panels of curves beside each other, with one legend."""

from itertools import cycle

STYLES = ("-o", "--s", "-.^", ":D")


def curve_panels(panels, xlabel, ylabel="", x=None):
    """One panel of curves for each entry.

    Args:
        panels: dictionary from a title to a dictionary from a curve's name to its values.
        xlabel, ylabel: of the axes; the latter stands once, at the left. All panels have one axis
            of values, from 0.
        x: where the values stand; 0, 1, 2, … unless given.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    size = (1.4 + 3.3 * len(panels), 3.2)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for axis, (title, curves) in zip(axes[0], panels.items()):
        for (name, values), style in zip(curves.items(), cycle(STYLES)):
            axis.plot(range(len(values)) if x is None else x, values, style, label=name)
        axis.set(title=title, xlabel=xlabel)
        axis.legend(loc="best")
    highest = max(max(map(max, curves.values())) for curves in panels.values())
    axes[0, 0].set_ylim(0, 1.05 * highest)
    axes[0, 0].set_ylabel(ylabel)
    return figure


def reliability_panels(panels):
    """Reliability curves (see `reliability`) in one panel for each choice of pixels.

    Args:
        panels: dictionary from a title to (answers, outcome) as for `reliability`.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    from helpers.plots.charts import reliability

    size = (0.8 + 4.0 * len(panels), 4.0)
    figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False)
    for axis, (title, (answers, outcome)) in zip(axes[0], panels.items()):
        reliability(axis, answers, outcome)
        axis.set(title=title, xlabel="probability that the network says")
    axes[0, 0].set_ylabel("share of annotators")
    return figure


def differences_and_record(rows, recorded=None, label="difference"):
    """Differences of a short run, and below each the recorded one, where there is a record.

    Args:
        rows: dictionary from a name to (mean, half width), see `differences`.
        recorded: means and half widths in the order of `rows`, a pair of lists, or None.
        label: of the axis.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    from helpers.plots.charts import differences

    figure, axis = plt.subplots(figsize=(6.4, 2.8))
    differences(axis, rows, "your run: a demonstration")
    if recorded is not None:
        pairs = dict(zip(rows, zip(*recorded)))
        differences(axis, pairs, "recorded study", "#D55E00", shift=0.3)
    axis.set_xlabel(label)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure
