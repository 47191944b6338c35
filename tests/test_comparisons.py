"""Panels show every score where it belongs."""

import pytest

from helpers import plots


def test_methods_lie_below_each_other_and_empty_tables_are_left_out():
    mine = {"one map": {"nll": (9, 1), "ged": (0.5, 0.1)}, "latent": {"nll": (5, 2)}}
    old = {"latent": {"nll": (4, 0.5), "ged": (0.25, 0.0)}}
    measures = {"nll": "nats", "ged": "distance"}
    methods, labels = ["one map", "latent"], {"one map": "deterministic"}
    tables = {"your run": mine, "recorded": old, "none": {}}
    fig = plots.scores_by_method(tables, measures, methods, labels)
    assert len(fig.axes) == 4
    points = [
        [tuple(float(v[0]) for v in bar[0].get_data()) for bar in a.containers] for a in fig.axes
    ]
    assert points == [[(9, 0), (5, 1)], [(0.5, 0)], [(4, 0)], [(0.25, 0)]]
    assert [a.get_title() for a in fig.axes] == ["your run", "", "recorded", ""]
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["deterministic", "latent"]
    assert [a.get_xlabel() for a in fig.axes[:2]] == ["nats", "distance"]
    low, high = fig.axes[0].get_ylim()
    assert low > high  # the first method on top
    latents = [fig.axes[0].containers[1][0], fig.axes[2].containers[0][0]]
    assert latents[0].get_color() == latents[1].get_color() != "C0"
    assert latents[0].get_marker() == latents[1].get_marker()
    with pytest.raises(ValueError, match="no table"):
        plots.scores_by_method({"none": {}}, measures, methods)
    with pytest.raises(ValueError, match="among"):
        plots.scores_by_method({"your run": mine}, measures, ["one map"])
