"""Recorded results are read by what they are called."""

import json

from helpers.data import records


def test_a_record_is_read_by_task_method_and_measure(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    results = {"masks_one_map_nll": [9.0, 1.0], "masks_one_map_ged": [0.5, 0.1]}
    results |= {"masks_latent_nll": [5.0, 2.0], "edges_one_map_nll": [7.0, 1.0]}
    (tmp_path / "some.json").write_text(json.dumps({"results": results}), "utf-8")
    methods, measures = ["one map", "dropout", "latent"], ["nll", "ged"]
    found = records.scores_by_method("some", "masks", methods, measures)
    assert found == {
        "one map": {"nll": (9.0, 1.0), "ged": (0.5, 0.1)},
        "latent": {"nll": (5.0, 2.0)},
    }
    assert records.scores_by_method("none", "masks", methods, measures) == {}
    assert records.results_of("some", "edges_") == {"one_map_nll": [7.0, 1.0]}
