"""Tables of scores as text, by hand."""

import pytest

from helpers import metrics


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
