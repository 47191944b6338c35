"""helpers.plots.side_by_side: several panels beside each other."""

import matplotlib.pyplot as plt
import numpy as np

from helpers import plots


def test_panels_of_curves():
    fig = plots.curve_panels({"one": {"a": [1, 2], "b": [2, 3]}, "two": {"a": [3, 4]}}, "x", "y")
    assert [axis.get_title() for axis in fig.axes] == ["one", "two"]
    np.testing.assert_array_equal(fig.axes[0].lines[1].get_xydata(), [[0, 2], [1, 3]])
    assert all(axis.get_ylim()[0] == 0 and axis.get_ylim()[1] > 4 for axis in fig.axes)
    fig = plots.curve_panels({"one": {"a": [1, 2]}}, "x", x=[0.1, 0.2])
    np.testing.assert_array_equal(fig.axes[0].lines[0].get_xdata(), [0.1, 0.2])
    plt.close("all")


def test_panels_of_reliability():
    said = np.linspace(0, 1, 50)
    fig = plots.reliability_panels({"all": ({"honest": said}, said), "few": ({"a": said}, said)})
    assert len(fig.axes) == 2 and fig.axes[0].get_ylabel() == "share of annotators"
    plt.close("all")


def test_differences_with_and_without_a_record():
    rows = {"a − b": (0.1, 0.2), "a − c": (-0.1, 0.1)}
    alone = plots.differences_and_record(rows)
    both = plots.differences_and_record(rows, ([0.0, 0.1], [0.1, 0.1]), "difference of ODS")
    texts = [[t.get_text() for t in f.axes[0].get_legend().get_texts()] for f in (alone, both)]
    assert texts == [["your run: a demonstration"], [*texts[0], "recorded study"]]
    assert both.axes[0].get_xlabel() == "difference of ODS"
    plt.close("all")
