"""authoring.photographs: a training that is stopped goes on, and test is looked at once."""

import json

import numpy as np
import pytest

from authoring import __main__ as shell
from authoring import photographs
from authoring.supervised import Supervised
from helpers import data, pretrained

RNG = np.random.default_rng(0)
SEGMENTS = {
    **photographs.RECIPES["pets"],
    "arguments": {"num_classes": 3, "widths": [4, 6, 8], "dilations": [1, 2]},
    "crop": [16, 16],
    "batch_size": 2,
    "epochs": 3,
}
EDGES = {
    **photographs.RECIPES["bsds500"],
    "arguments": {"widths": [4, 4, 4, 4], "depths": [1, 1, 1, 1], "side_width": 2},
    "crop": [16, 16],
    "batch_size": 2,
    "epochs": 2,
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Two steps an epoch, and photographs of 24×32 pixels with a bright rectangle."""
    monkeypatch.setattr(photographs, "EPOCH", 2)

    def load(name, split, size=None, limit=None):
        n = {"train": 4, "val": 3, "test": 2}[split]
        masks = np.zeros((n, 24, 32), "uint8")
        masks[:, 6:18, 8:20] = 1
        images = np.where(masks[..., None] == 1, 200, 40).astype("uint8").repeat(3, axis=-1)
        drawn = np.zeros((n, 1, 24, 32), "uint8")
        drawn[:, :, 6, 8:20] = drawn[:, :, 17, 8:20] = 1
        return data.Dataset(
            name,
            split,
            images,
            masks,
            ("ground", "thing", "nothing"),
            edges=255 * drawn[:, 0],
            annotations=list(drawn),
            licence="none",
        )

    monkeypatch.setattr(photographs.data, "load", load)


def arrays(folder, name):
    with np.load(folder / f"photo-{name}.npz") as stored:
        return [stored[key] for key in stored.files]


@pytest.mark.parametrize(("name", "recipe"), [("pets", SEGMENTS), ("bsds500", EDGES)])
def test_a_stopped_training_ends_as_an_unbroken_one(name, recipe, tmp_path):
    whole = photographs.keep(
        name, recipe, folder=tmp_path / "a", work=tmp_path / "w", say=lambda _: None
    )
    assert [row["epoch"] for row in whole["learning_curve"]] == list(range(1, recipe["epochs"] + 1))
    lines = []

    def stop(line):
        lines.append(line)
        if " step 4 of" in line:  # before the state of the second epoch is kept
            raise KeyboardInterrupt

    again = {"recipe": recipe, "folder": tmp_path / "b", "work": tmp_path / "v"}
    with pytest.raises(KeyboardInterrupt):
        photographs.keep(name, **again, say=stop)
    log = (tmp_path / "v" / f"{name}-train.log").read_text("utf-8")
    assert "weights" in log and "min left" in log
    lines.clear()
    note = photographs.keep(name, **again, say=lines.append)
    assert any("goes on after step 2" in line for line in lines)
    assert len(note["learning_curve"]) == recipe["epochs"]
    for one, other in zip(arrays(tmp_path / "a", name), arrays(tmp_path / "b", name)):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=1e-4)


def test_the_second_protocol_learns_from_val_as_well(tmp_path):
    known = []
    real = photographs._stream
    photographs_stream = lambda recipe, parts: known.append(parts) or real(recipe, parts)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photographs, "_stream", photographs_stream)
        note = photographs.keep(
            "pets", SEGMENTS, "train+val", tmp_path, tmp_path / "w", say=lambda _: None
        )
    assert [part.split for part in known[0]] == ["train", "val"]
    assert note["learned_from"] == "train+val" and note["gigapixels"] == 3 * 2 * 2 * 256 / 1e9
    with pytest.raises(ValueError, match="photo-pets-trainval learned from val"):
        photographs.score_kept("pets", "val", "train+val", tmp_path)
    with pytest.raises(ValueError, match="holds photo-pets-trainval: remove it"):
        photographs.keep("pets", SEGMENTS, "train+val", tmp_path, tmp_path / "w")


def test_test_is_looked_at_once(tmp_path):
    photographs.keep("pets", SEGMENTS, "train", tmp_path, tmp_path / "w", say=lambda _: None)
    for _ in range(2):
        found = photographs.score_kept("pets", "val", folder=tmp_path)
    assert set(found) == {"one view", "several views"}
    photographs.score_kept("pets", "test", folder=tmp_path)
    with pytest.raises(ValueError, match="scored on test before"):
        photographs.score_kept("pets", "test", folder=tmp_path)
    note = json.loads((tmp_path / "photo-pets.json").read_text("utf-8"))
    assert set(note["scores"]) == {"val", "test"} and note["scores"]["test"]["photographs"] == 2
    assert 0 <= note["scores"]["val"]["one view"]["score"][0] <= 1
    assert pretrained.load("photo-pets", tmp_path)[0].output_shape[-1] == 3


def test_a_perfect_network_has_a_perfect_score():
    val = photographs.data.load("pets", "val")

    def perfect(*_, **__):
        return (np.eye(3, dtype="float32")[mask] for mask in val.masks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photographs.photo_views, "probabilities", perfect)
        found = photographs.score(None, val, SEGMENTS)
    assert found["score"][0] == 1 and found["classes"][:2] == [1, 1]


def test_a_score_of_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no photo-pets: train it first"):
        photographs.score_kept("pets", "val", folder=tmp_path)


def test_a_training_that_diverges_is_named_and_its_state_is_not_kept(tmp_path):
    wild = {**SEGMENTS, "learning_rate": float("inf")}
    with pytest.raises(ValueError, match=r"loss of epoch \d is nan: the training diverged"):
        photographs.keep("pets", wild, folder=tmp_path, work=tmp_path / "w", say=lambda _: None)
    assert not list(tmp_path.glob("photo-pets*"))


def test_every_output_counts_by_its_share():
    a, b = np.ones((1, 4, 4, 1), "float32"), np.full((1, 4, 4, 1), 3.0, "float32")
    image = photographs.keras.Input((4, 4, 1))
    model = Supervised(image, [image + 0, image * 3])
    model.shares, model.pixel_loss = [1.0, 0.5], lambda y, p: ((p - y) ** 2).mean()
    assert model.compute_loss(y=np.zeros_like(a), y_pred=[a, b]) == 1 + 0.5 * 9


def test_the_shell(capsys, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(photographs, "keep", stopped)
    assert shell.main(["photographs", "pets"]) == 130
    assert "goes on from the last hundred steps" in capsys.readouterr().out
    monkeypatch.setattr(
        photographs, "keep", lambda name, learn: {"gigapixels": 2.0, "minutes": 3.0}
    )
    assert shell.main(["photographs", "pets", "--learn", "train+val"]) == 0
    assert "2.0 gigapixels" in capsys.readouterr().out
    monkeypatch.setattr(
        photographs, "score_kept", lambda name, split, learn: {"one view": {"score": [0.5, 0.1]}}
    )
    assert shell.main(["photographs", "pets", "--score", "val"]) == 0
    assert "pets, val, one view: 0.500 ± 0.100" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        shell.main(["photographs", "cats"])
