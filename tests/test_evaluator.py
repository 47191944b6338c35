"""The evaluator learns its classes, finds no fault with real pictures, and orders known faults."""

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
def sample_evaluator(halves):
    x, labels = halves
    return evaluator.SampleEvaluator(x[:400], labels[:400], x[400:500], steps=60, batch_size=16)


def test_it_knows_more_than_chance(sample_evaluator, halves):
    x, labels = halves
    assert (
        sample_evaluator.num_classes == 3
        and sample_evaluator.accuracy(x[:400], labels[:400]) > 0.45
    )


def test_corruptions_are_worse_than_no_fault(sample_evaluator, halves):
    x, labels = halves
    good = sample_evaluator.evaluate(x[500:])
    made = {
        n: sample_evaluator.evaluate(a)
        for n, a in samples.corruptions(x[500:], labels[500:]).items()
    }
    assert set(evaluator.METRICS) < set(good) and good["kinds"].sum() == pytest.approx(1)
    for name in ("blurred", "mean picture", "pure noise", "ten pictures"):
        assert made[name]["distance"] > good["distance"], name
    assert made["ten pictures"]["recall"] < 0.5 * good["recall"]
    assert made["mean picture"]["variety"] == pytest.approx(0, abs=1e-3)
    assert made["blurred"]["sharpness"] < 1 < made["pure noise"]["sharpness"]


def test_a_diverged_generator_is_scored_and_not_an_error(sample_evaluator, halves):
    row = sample_evaluator.evaluate(np.full_like(halves[0][:100], np.nan))
    assert np.isfinite(row["distance"]) and row["variety"] < 0.01


def test_text_table_by_hand():
    text = metrics.format_table(("a", "b"), {"one": ["1", "2"], "three": ["3", "44"]}, 4)
    assert text.splitlines() == ["        a   b", "one     1   2", "three   3  44"]
    with pytest.raises(ValueError, match="'three'"):
        metrics.format_table(("a", "b"), {"three": ["3"]}, 4)


def test_a_wide_table_goes_on_below():
    rows = {"one": ["1", "2", "3"]}
    text = metrics.format_table(("a", "b", "c"), rows, 4, corner="title", block=2)
    assert text.splitlines() == ["title   a   b", "one     1   2", "title   c", "one     3"]


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


def test_a_lead_needs_an_interval_away_from_0():
    def rows(*numbers):
        return [{"distance": n, "recall": n} for n in numbers]

    found = {"A": rows(0.1, 0.2, 0.3), "B": rows(0.5, 0.61, 0.7), "C": rows(0.1, 0.3, 0.2)}
    turned = {name: found[name] for name in "BA"}
    assert metrics.pairwise_leads(turned, ("distance", "recall")) == {"B or A": ["A", "B"]}
    assert metrics.pairwise_leads(found, ("distance", "recall")) == {
        "A or B": ["A", "B"],
        "A or C": ["no lead", "no lead"],
        "B or C": ["C", "B"],
    }
    single = {name: values[:1] for name, values in found.items()}
    said = metrics.pairwise_leads(single, ("distance", "recall")).values()
    assert list(said) == [["no lead", "no lead"]] * 3
    assert metrics.format_interval([1.0, 1.0], 2) == "1.00 ± 0.00"
