"""Edges in whole photographs: native sizes, kept scores, and the table beside published ones."""

import json

import numpy as np
import pytest

from helpers import checkpoint, data, pyramids
from helpers.data import records
from helpers.experiments import photo_edges


@pytest.fixture(scope="module")
def head():
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 2, (4, 6), (1, 1), (2, 2))
    model = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 1)
    return pyramids.at_size(model, (None, None, 3))


def test_maps_have_the_size_of_their_photograph(head):
    photos = [np.zeros((33, 41, 3), "uint8"), np.full((40, 24, 3), 200, "uint8")]
    maps = list(photo_edges.edge_maps(head, photos, 4))
    assert [m.shape for m in maps] == [(33, 41), (40, 24)]
    assert all(m.min() >= 0 and m.max() <= 1 for m in maps)


def test_scores_are_computed_once(head, tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_CACHE", str(tmp_path))
    test, tuning = (data.load("shapes", part, limit=2) for part in ("val", "train"))
    store = checkpoint.ResultStore("photo", seed=0)
    options = {"multiple": 4, "parameters": {"epochs": 1}, "sigmas": (1.0, 2.0)}
    options |= {"thresholds": 5, "max_distance": 0.02}
    first = photo_edges.score_edges({"VAE": head}, test, tuning, store, **options)
    assert set(first) == {"VAE", "Roberts", "Sobel", "Canny", "people"}
    assert [len(value) for value in first.values()] == [3, 3, 3, 3, 1]

    def never(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr(photo_edges.edges, "benchmark", never)
    monkeypatch.setattr(photo_edges.edges, "tune_classical", never)
    again = photo_edges.score_edges({"VAE": head}, test, tuning, store, **options)
    assert again == first


def test_a_small_training_from_end_to_end(capsys):
    plan = {"widths": [4, 6], "depths": [1, 1], "patches": [2, 2]}
    training = {
        "vae_epochs": 1,
        "epochs": 1,
        "steps": 1,
        "learning_rate": 0.01,
        "seed": 0,
        "plan": plan,
    }
    options = {"crop": 16, "thresholds": 3, "max_distance": 0.02, "edge_images": 2}
    model, scores = photo_edges.train_and_score("shapes", "val", training, **options)
    assert model.input_shape == (None, None, None, 3)
    assert {"VAE", "random", "people"} < set(scores)
    assert capsys.readouterr().out.count("weights") == 2


def test_comparison_shows_what_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"results": {"photographs_vae": [0.7215, 0.74, 0.7]}}), "utf-8")
    table = photo_edges.comparison({"Canny": [0.61, 0.6, 0.5]}, "record").splitlines()
    rows = {line.split("  ")[0].strip(): line.split()[-3:] for line in table[1:]}
    assert rows["VAE"] == ["–", "0.722", "–"] or rows["VAE"] == ["–", "0.721", "–"]
    assert rows["Canny"] == ["0.610", "–", "0.611"]
    assert rows["people"] == ["–", "–", "0.803"]
    assert "0.803" in photo_edges.comparison({}, "none")


def test_photographs_have_the_longer_side_asked_for(tmp_path):
    photos = photo_edges.photographs_to_show(side=96)
    assert [max(p.shape) for p in photos] == [96, 96, 96]
    from PIL import Image

    Image.fromarray(np.zeros((30, 60, 3), "uint8")).save(tmp_path / "own.png")
    (own,) = photo_edges.photographs_to_show(str(tmp_path / "own.png"), side=40)
    assert own.shape == (20, 40, 3)
