"""Kept models: what is stored builds the same network again, and says when it cannot."""

import json

import keras
import numpy as np
import pytest

from helpers import kept, pyramids

NET = {"patches": [2, 2], "widths": [4, 6], "depths": [1, 1], "outputs": 3}


def head(outputs=3, widths=(4, 6)):
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 1, widths, (1, 1), (2, 2))
    return pyramids.pixel_head(encoder.input, pyramids.levels(encoder), outputs)


def test_a_kept_model_answers_like_the_one_it_was_made_from(tmp_path):
    model = head()
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")
    path = kept.save(model, "tiny", **NET, folder=tmp_path, dataset="shapes")
    again, about = kept.load("tiny", tmp_path)
    assert path.stat().st_size < kept.MAX_BYTES
    assert about["dataset"] == "shapes" and about["multiple"] == 4
    assert about["parameters"] == model.count_params()
    # 16-bit floats have 11 significant bits.
    ours, theirs = (keras.ops.convert_to_numpy(m(images)) for m in (again, model))
    np.testing.assert_allclose(ours, theirs, atol=5e-3, rtol=5e-3)
    odd = list(pyramids.whole_images(again, [np.zeros((9, 13, 3), "uint8")], about["multiple"]))
    assert odd[0].shape == (9, 13, 3)


def test_nothing_kept_is_no_error(tmp_path):
    assert kept.load("absent", tmp_path) == (None, None)


def test_a_note_that_describes_another_network_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"describe .* weights, and the model has"):
        kept.save(head(widths=(4, 8)), "tiny", **NET, folder=tmp_path)
    path = kept.save(head(), "tiny", **NET, folder=tmp_path)
    note = path.with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "outputs": 2}))
    with pytest.raises(ValueError, match="does not fit the network"):
        kept.load("tiny", tmp_path)


def test_more_than_two_megabytes_are_refused_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="2 MB at most"):
        kept.save(head(), "tiny", **NET, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_models_that_come_with_the_project_load():
    names = [path.stem for path in kept.FOLDER.glob("*.npz")]
    for name in names:
        model, about = kept.load(name)
        logits = next(pyramids.whole_images(model, [np.zeros((33, 47, 3))], about["multiple"]))
        assert logits.shape == (33, 47, about["outputs"]) and np.isfinite(logits).all()
        assert {"dataset", "licence", "scores"} <= set(about), name
