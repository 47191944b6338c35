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
    import matplotlib.pyplot as plt

    later, axis = plt.subplots()
    plots.colour_by_method([axis], ["latent", "one map"], methods)
    lines = [axis.plot([0, 1])[0] for _ in range(2)]
    bars = [fig.axes[0].containers[i][0] for i in (1, 0)]
    assert [line.get_color() for line in lines] == [bar.get_color() for bar in bars]
    plt.close(later)
    with pytest.raises(ValueError, match="no table"):
        plots.scores_by_method({"none": {}}, measures, methods)
    with pytest.raises(ValueError, match="among"):
        plots.scores_by_method({"your run": mine}, measures, ["one map"])


def test_the_map_marks_every_training():
    rows = [{"precision": 0.2, "recall": 0.4}, {"precision": 0.3, "recall": 0.5}]
    fig = plots.precision_recall_map({"A": rows, "B-C": rows[:1]}, {"x": rows[0], "y": rows[0]})
    (axis,) = fig.axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axis.get_lines()}
    assert lines["A"] == [[0.4, 0.2], [0.5, 0.3]] and lines["B-C"] == [[0.4, 0.2]]
    assert [t.get_text() for t in axis.texts] == ["x, y"]


def test_names_of_faults_do_not_meet():
    places = {"far": (0.9, 0.9), "upper": (0.3, 0.85), "lower": (0.33, 0.8), "none": (0.0, 0.0)}
    known = {name: {"recall": x, "precision": y} for name, (x, y) in places.items()}
    fig = plots.precision_recall_map({"A": [known["far"]]}, known)
    fig.canvas.draw()
    (axis,) = fig.axes
    boxes = [t.get_window_extent() for t in axis.texts]
    assert len(boxes) == 4
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(b.x1 < axis.bbox.x1 and b.x0 > axis.bbox.x0 for b in boxes)
