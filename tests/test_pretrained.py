"""Kept models: what is stored builds the same network again, and says when it cannot."""

import json
import re
import subprocess

import keras
import numpy as np
import pytest

from helpers import pretrained, pyramids
from helpers.checkpoint import code_versions
from helpers.data import records

NET = {"patches": [2, 2], "widths": [4, 6], "depths": [1, 1], "num_classes": 3}


def head(num_classes=3, widths=(4, 6)):
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 1, widths, (1, 1), (2, 2))
    return pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes)


def test_a_kept_model_answers_like_the_one_it_was_made_from(tmp_path):
    model = head()
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")
    path = pretrained.save(model, "tiny", **NET, folder=tmp_path, dataset="shapes")
    again, about = pretrained.load("tiny", tmp_path)
    assert path.stat().st_size < pretrained.MAX_BYTES
    assert about["dataset"] == "shapes" and about["multiple"] == 4
    assert about["parameters"] == model.count_params()
    assert about["commit"] == code_versions.git_commit()
    # 16-bit floats have 11 significant bits.
    ours, theirs = (keras.ops.convert_to_numpy(m(images)) for m in (again, model))
    np.testing.assert_allclose(ours, theirs, atol=5e-3, rtol=5e-3)
    odd = list(
        pyramids.predict_full_size(again, [np.zeros((9, 13, 3), "uint8")], about["multiple"])
    )
    assert odd[0].shape == (9, 13, 3)


def test_nothing_kept_is_no_error(tmp_path):
    assert pretrained.load("absent", tmp_path) == (None, None)


def test_a_note_that_describes_another_network_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"describe .* weights, and the model has"):
        pretrained.save(head(widths=(4, 8)), "tiny", **NET, folder=tmp_path)
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    note = path.with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "num_classes": 2}))
    with pytest.raises(ValueError, match="does not fit the network"):
        pretrained.load("tiny", tmp_path)


def test_more_than_two_megabytes_are_refused_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="2 MB at most"):
        pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_models_that_come_with_the_project_load():
    names = [path.stem for path in pretrained.FOLDER.glob("*.npz")]
    for name in names:
        model, about = pretrained.load(name)
        logits = next(pyramids.predict_full_size(model, [np.zeros((33, 47, 3))], about["multiple"]))
        assert logits.shape == (33, 47, about["num_classes"]) and np.isfinite(logits).all()
        assert {"dataset", "licence", "scores", "commit"} <= set(about), name


COMMITTED = [*sorted(records.RESULTS.glob("*.json")), *sorted(pretrained.FOLDER.glob("*.json"))]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_committed_names_its_commit(path):
    note = json.loads(path.read_text("utf-8"))
    commit = note.get("provenance", note)["commit"]
    assert re.fullmatch(r"[0-9a-f]{12,40}(-dirty)?", commit)

    def git(*command):
        return subprocess.run(["git", *command], cwd=path.parent, capture_output=True, text=True)

    if git("rev-parse", "--is-shallow-repository").stdout.strip() == "false":
        known = git("cat-file", "-e", f"{commit.removesuffix('-dirty')}^{{commit}}")
        assert known.returncode == 0, f"{path.name}: {commit} is no commit of this project"


def test_what_is_committed_is_never_stale(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("asked for a version of the code")

    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"results": {"a": 1}}))
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    for name in ("version_of", "unchanged", "score_code", "training_code", "normal"):
        monkeypatch.setattr(code_versions, name, never)
    assert pretrained.load(path.stem, tmp_path)[0] and records.results_of("run") == {"a": 1}
