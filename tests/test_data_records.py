"""Recorded results are read by what they are called."""

import json

from helpers.data import records


def test_a_record_is_read_by_the_kind_of_stranger(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    results = {"novel_mnist_raw": 0.4, "novel_mnist_minus_png": 0.9, "novel_other_raw": 0.1}
    (tmp_path / "some.json").write_text(json.dumps({"results": results}), "utf-8")
    assert records.auroc_by_score("some", "mnist") == {"raw": 0.4, "minus png": 0.9}
    assert records.auroc_by_score("none", "mnist") == {}
