"""Recorded results are read by what they are called."""

import json

import pytest

from helpers.data import records
from helpers.runs import provenance


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


DAMAGED = [b'{"results": {', b"", b"version https://", b"[]", b"\xff"]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_record_is_named_with_what_mends_it(content, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    (tmp_path / "some.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"some\.json is damaged .*git checkout -- \S*some\.j"):
        records.results_of("some")


@pytest.mark.parametrize("text", ["{}", '{"results": [1]}'])
def test_a_record_without_results_is_damaged(text, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    (tmp_path / "some.json").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"some\.json is damaged"):
        records.results_of("some")


@pytest.mark.parametrize("prefix", ["", "masks_"])
def test_a_key_that_a_record_has_not_is_an_error_that_names_the_record(
    prefix, tmp_path, monkeypatch
):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    found = records.results_of("some", prefix)
    assert not found and "nll" not in found and found.get("nll") is None
    with pytest.raises(FileNotFoundError, match=r"some\.json is not here.*nll.*git checkout"):
        found["nll"]
    (tmp_path / "some.json").write_text('{"results": {"masks_ged": 1, "ged": 1}}', "utf-8")
    found = records.results_of("some", prefix)
    assert found["ged"] == 1 and dict(found) == found
    with pytest.raises(KeyError, match=rf"some\.json has no '{prefix}nll'.*git checkout"):
        found["nll"]
    with pytest.raises(KeyError, match="no record"):
        records.results_of("")["nll"]


def test_no_record_of_a_notebook_copies_another():
    paths = set(records.RESULTS.glob("*.json")) - set(records.RESULTS.glob("[01][0-9]-*"))
    of_commands = [
        value
        for path in paths
        for value in json.loads(path.read_text("utf-8")).get("results", {}).values()
    ]
    for path in records.RESULTS.glob("[01][0-9]-*.json"):
        keys = json.loads(path.read_text("utf-8"))["results"]
        assert not [key for key in keys if key.startswith(provenance.COPIED)], path.name
        same = [k for k, value in keys.items() if isinstance(value, list) and value in of_commands]
        assert same == [], path.name
