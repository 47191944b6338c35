"""Recorded results are read by what they are called, and named where they do not fit."""

import json

import numpy as np
import pytest

from helpers.data import records


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return tmp_path


def record(folder, table):
    note = {"networks": ["FCN"], "labels": [5, 6, 7], "arms": ["alone", "other"], "table": table}
    note["word"] = ["yes", "no", "perhaps"]
    (folder / "09-test.json").write_text(json.dumps({"results": note}), "utf-8")


def test_a_record_that_does_not_fit_is_named(folder):
    record(folder, np.zeros((1, 2, 2, 2)).tolist())
    with pytest.raises(ValueError, match=r"09-test.json .*\(1, 2, 2, 2\)"):
        records.scores_by_network("09-test")


def test_a_record_is_read_by_the_kind_of_stranger(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    results = {"novel_mnist_raw": 0.4, "novel_mnist_minus_png": 0.9, "novel_other_raw": 0.1}
    (tmp_path / "some.json").write_text(json.dumps({"results": results}), "utf-8")
    assert records.auroc_by_score("some", "mnist") == {"raw": 0.4, "minus png": 0.9}
    assert records.auroc_by_score("none", "mnist") == {}
