"""The ruler learns its kinds, finds no fault with real pictures, and orders known faults."""

import numpy as np
import pytest

from helpers import data, metrics, plots
from helpers.generative import evaluator, samples


@pytest.fixture(scope="module")
def halves():
    options = {"objects": 1, "radius": (0.2, 0.25), "contrast": (0.3, 0.45), "texture": "flat"}
    some = data.load("shapes", "train", limit=600, size=16, annotators=1, **options)
    return data.to_float(some.images), some.factors["class"] - 1


@pytest.fixture(scope="module")
def ruler(halves):
    x, kinds = halves
    return evaluator.SampleEvaluator(x[:400], kinds[:400], x[400:500], steps=60, batch_size=16)


def test_it_knows_more_than_chance(ruler, halves):
    x, kinds = halves
    assert ruler.classes == 3 and ruler.accuracy(x[:400], kinds[:400]) > 0.45


def test_faults_are_worse_than_no_fault(ruler, halves):
    x, kinds = halves
    good = ruler.judge(x[500:])
    made = {n: ruler.judge(a) for n, a in samples.corruptions(x[500:], kinds[500:]).items()}
    assert set(evaluator.METRICS) < set(good) and good["kinds"].sum() == pytest.approx(1)
    for name in ("blurred", "mean picture", "pure noise", "ten pictures"):
        assert made[name]["distance"] > good["distance"], name
    assert made["ten pictures"]["recall"] < 0.5 * good["recall"]
    assert made["mean picture"]["variety"] == pytest.approx(0, abs=1e-3)
    assert made["blurred"]["sharpness"] < 1 < made["pure noise"]["sharpness"]


def test_a_diverged_generator_is_judged_and_not_an_error(ruler, halves):
    row = ruler.judge(np.full_like(halves[0][:100], np.nan))
    assert np.isfinite(row["distance"]) and row["variety"] < 0.01


def test_text_table_by_hand():
    text = metrics.format_table(("a", "b"), {"one": ["1", "2"], "three": ["3", "44"]}, 4)
    assert text.splitlines() == ["        a   b", "one     1   2", "three   3  44"]
    with pytest.raises(ValueError, match="'three'"):
        metrics.format_table(("a", "b"), {"three": ["3"]}, 4)


def test_score_table_by_hand():
    found = {"A": [{"x": 1.0, "y": 2.0}, {"x": 1.0, "y": 2.0}], "B": [{"x": 0.5, "y": 0.25}]}
    text = metrics.score_table(found, ("x", "y"), 1)
    assert [line.split() for line in text.splitlines()] == [
        ["x", "y"],
        ["A", "1.0", "±", "0.0", "2.0", "±", "0.0"],
        ["B", "0.5", "0.2"],
    ]


def test_the_map_marks_every_training():
    rows = [{"precision": 0.2, "recall": 0.4}, {"precision": 0.3, "recall": 0.5}]
    fig = plots.precision_recall_map(
        {"A": rows, "B-C": rows[:1]}, {"x": rows[0], "y": rows[0]}, "no such"
    )
    (axis,) = fig.axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axis.get_lines()}
    assert lines["A"] == [[0.4, 0.2], [0.5, 0.3]] and lines["B-C"] == [[0.4, 0.2]]
    assert [t.get_text() for t in axis.texts] == ["x, y"]


def test_names_of_faults_do_not_meet():
    places = {"far": (0.9, 0.9), "upper": (0.3, 0.85), "lower": (0.33, 0.8), "none": (0.0, 0.0)}
    known = {name: {"recall": x, "precision": y} for name, (x, y) in places.items()}
    fig = plots.precision_recall_map({"A": [known["far"]]}, known, "no such")
    fig.canvas.draw()
    (axis,) = fig.axes
    boxes = [t.get_window_extent() for t in axis.texts]
    assert len(boxes) == 4
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(b.x1 < axis.bbox.x1 and b.x0 > axis.bbox.x0 for b in boxes)


def test_a_lead_needs_an_interval_away_from_0():
    def rows(*numbers):
        return [{"distance": n, "recall": n} for n in numbers]

    found = {"A": rows(0.1, 0.2, 0.3), "B": rows(0.5, 0.61, 0.7), "C": rows(0.1, 0.3, 0.2)}
    assert metrics.who_leads(found, "distance", "A", "B") == "A"
    assert metrics.who_leads(found, "distance", "B", "A") == "A"
    assert metrics.who_leads(found, "recall", "A", "B") == "B"
    assert metrics.who_leads(found, "recall", "A", "C") == "no lead"
    assert metrics.leads(found, ("distance", "recall")) == {
        "A or B": ["A", "B"],
        "A or C": ["no lead", "no lead"],
        "B or C": ["C", "B"],
    }
    single = {name: values[:1] for name, values in found.items()}
    assert metrics.who_leads(single, "recall", "A", "B") == "no lead"
    assert metrics.format_interval([1.0, 1.0], 2) == "1.00 ± 0.00"
