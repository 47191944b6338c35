"""helpers.experiments.photographs: a training that is stopped goes on; test is looked at once, and kept."""

import hashlib
import json

import numpy as np
import pytest

from authoring import __main__ as shell
from helpers import data, pretrained
from helpers.checkpoint import long_training
from helpers.experiments import photo_recipes, photographs
from helpers.runs import read_results
from helpers.runs.notebooks import find

RNG = np.random.default_rng(0)
SEGMENTS = {
    **photo_recipes.RECIPES["pets"],
    "arguments": {"num_classes": 3, "widths": [4, 6, 8], "dilations": [1, 2]},
    "crop": [16, 16],
    "batch_size": 2,
    "epochs": 3,
    "steps_per_epoch": 2,
}
EDGES = {
    **photo_recipes.RECIPES["bsds500"],
    "arguments": {"widths": [4, 4, 4, 4], "depths": [1, 1, 1, 1], "side_width": 2},
    "crop": [16, 16],
    "batch_size": 2,
    "epochs": 2,
    "steps_per_epoch": 2,
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Photographs of 24×32 pixels with a bright rectangle."""

    def load(name, split, size=None, limit=None):
        assert size == ((256, 256) if name == "pets" else None)
        n = min({"train": 4, "val": 23, "test": 2}[split], limit or 99)
        masks = np.zeros((n, 24, 32), "uint8")
        masks[:, 6:18, 8:20] = 1
        masks[:, 20:] = 3  # void
        images = np.where(masks[..., None] == 1, 200, 40).astype("uint8").repeat(3, axis=-1)
        drawn = np.zeros((n, 1, 24, 32), "uint8")
        drawn[:, :, 6, 8:20] = drawn[:, :, 17, 8:20] = 1
        return data.Dataset(
            name,
            split,
            images,
            masks,
            ("ground", "thing", "nothing"),
            ignore_class=3,
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
    rows = whole["learning_curve"]
    assert [row["steps"] for row in rows] == [2 * i for i in range(1, recipe["epochs"] + 1)]
    assert whole["steps"] == 2 * recipe["epochs"] and all(row["loss"] > 0 for row in rows)
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


def test_a_stop_before_the_first_score_is_gone_on_from(tmp_path):
    recipe = {**SEGMENTS, "epochs": 26}  # a score after every second epoch
    stops, lines = [], []

    def stop(self, epoch, logs=None):
        if epoch == 1 and not stops:
            stops.append(epoch)
            raise KeyboardInterrupt

    again = {"recipe": recipe, "folder": tmp_path, "work": tmp_path / "w", "say": lines.append}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_training._Curve, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            photographs.keep("pets", **again)
    note = photographs.keep("pets", **again)
    assert any("goes on after step 2" in line for line in lines)
    assert [row["steps"] for row in note["learning_curve"]] == list(range(4, 53, 4))


def test_the_second_protocol_learns_from_val_and_has_no_score_of_it(tmp_path):
    known, real = [], photo_recipes.crops_of

    def stream(recipe, parts):
        known.extend(parts)
        return real(recipe, parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photo_recipes, "crops_of", stream)
        note = photographs.keep(
            "pets", SEGMENTS, "train+val", tmp_path, tmp_path / "w", say=lambda _: None
        )
    assert [part.split for part in known] == ["train", "val"] and len(known[1]) == 23
    assert note["learned_from"] == "train+val" and note["gigapixels"] == 3 * 2 * 2 * 256 / 1e9
    assert {row["score"] for row in note["learning_curve"]} == {None}
    with pytest.raises(ValueError, match="photo-pets-trainval learned from val"):
        photographs.score_kept("pets", "val", "train+val", tmp_path)
    with pytest.raises(ValueError, match="holds photo-pets-trainval: remove it"):
        photographs.keep("pets", SEGMENTS, "train+val", tmp_path, tmp_path / "w")


def missing(*_, **__):
    raise FileNotFoundError("no archive")


def test_test_is_looked_at_once(tmp_path):
    photographs.keep("pets", SEGMENTS, "train", tmp_path, tmp_path / "w", say=lambda _: None)
    for _ in range(2):
        found = photographs.score_kept("pets", "val", folder=tmp_path)
    assert set(found) == {"one view", "several views"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photographs.data, "load", missing)
        with pytest.raises(FileNotFoundError):
            photographs.score_kept("pets", "test", folder=tmp_path)
    photographs.score_kept("pets", "test", folder=tmp_path)  # nothing had been seen
    with pytest.raises(ValueError, match="scored on test before"):
        photographs.score_kept("pets", "test", folder=tmp_path)
    note = json.loads((tmp_path / "photo-pets.json").read_text("utf-8"))
    assert set(note["scores"]) == {"val", "test"} and note["scores"]["test"]["photographs"] == 2
    assert 0 <= note["scores"]["val"]["one view"]["score"][0] <= 1
    assert pretrained.load("photo-pets", tmp_path)[0].output_shape[-1] == 3


def test_a_perfect_network_has_a_perfect_score(monkeypatch):
    val = photographs.data.load("pets", "val", size=(256, 256))
    truth = [np.eye(4, dtype="float32")[mask][..., :3] for mask in val.masks]
    monkeypatch.setattr(photographs.photo_views, "probabilities", lambda *_, **__: iter(truth))
    found = photographs.score(None, val, SEGMENTS)
    assert found["score"][0] == 1 and found["classes"][:2] == [1, 1]
    drawn = [one[0][..., None].astype("float32") for one in val.annotations]
    monkeypatch.setattr(photographs.photo_views, "probabilities", lambda *_, **__: iter(drawn))
    assert photographs.score(None, val, EDGES)["score"][0] == pytest.approx(1)


def test_the_loss_weighs_classes_by_their_share_of_what_counts():
    known = [photographs.data.load("camvid", "train")]
    recipe = {**SEGMENTS, "balance": 0.5}
    loss = photo_recipes.loss_of(recipe, known)
    ground, thing = 20 * 32 - 144, 144
    shares = np.array([ground, thing, 0]) / (ground + thing)
    np.testing.assert_allclose(loss.class_weights, np.maximum(shares, 1e-3) ** -0.5)
    assert loss.ignore_class == 3
    assert photo_recipes.loss_of({**recipe, "balance": 0.0}, known).class_weights == [1, 1, 1]


def test_a_score_of_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no photo-pets: train it first"):
        photographs.score_kept("pets", "val", folder=tmp_path)


def test_a_training_that_diverges_is_named_and_its_state_is_not_kept(tmp_path):
    wild = {**SEGMENTS, "learning_rate": float("inf")}
    with pytest.raises(ValueError, match=r"the loss is nan at step \d: the training diverged"):
        photographs.keep("pets", wild, folder=tmp_path, work=tmp_path / "w", say=lambda _: None)
    assert not list((tmp_path / "w").glob("*.weights.h5"))


@pytest.mark.parametrize("name", photo_recipes.RECIPES)
def test_every_recipe_builds_and_its_file_will_be_small(name):
    recipe = photo_recipes.RECIPES[name]
    model = pretrained.build(recipe["builder"], {**recipe["arguments"], **recipe["outputs"]})
    assert len(model.outputs) == len(recipe["shares"])
    assert 2 * model.count_params() < pretrained.MAX_BYTES
    assert not any(side % pretrained.photo_networks.MULTIPLE for side in recipe["crop"])


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no recipe of this name: cats\. There are: bsds500"):
        photographs.keep("cats")
    with pytest.raises(ValueError, match="`learn` must be one of train, train"):
        photographs.keep("pets", learn="test")


def test_the_shell(capsys, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(photographs, "keep", stopped)
    assert shell.main(["photographs", "pets"]) == 130
    assert "goes on from the last hundred steps" in capsys.readouterr().out
    done = {"gigapixels": 2.0, "minutes": 3.0}
    monkeypatch.setattr(photographs, "keep", lambda name, learn, say: done)
    assert shell.main(["photographs", "pets", "--learn", "train+val"]) == 0
    assert "2.0 gigapixels" in capsys.readouterr().out
    monkeypatch.setattr(
        photographs, "score_kept", lambda name, split, learn: {"one view": {"score": [0.5, 0.1]}}
    )
    assert shell.main(["photographs", "pets", "--score", "val"]) == 0
    assert "pets, val, one view: 0.500 ± 0.100" in capsys.readouterr().out
    monkeypatch.undo()
    assert shell.main(["photographs", "cats"]) == 2
    assert "There are: bsds500" in capsys.readouterr().err


KEPT_PHOTO = sorted(path.stem for path in pretrained.FOLDER.glob("photo-*.json"))


@pytest.mark.parametrize("name", KEPT_PHOTO)
def test_the_scores_of_a_kept_network_hang_together(name):
    weights, note = pretrained.FOLDER / f"{name}.npz", pretrained.FOLDER / f"{name}.json"
    told = json.loads(note.read_text("utf-8"))
    kept = told.get("scores", {})
    for scores in kept.values():
        for found in (scores["one view"], scores["several views"]):
            mean, half = found["score"]
            assert 0 < half < mean < 1
            if "classes" in found:
                assert np.nanmean(found["classes"]) == pytest.approx(mean, abs=1e-9)
    looks = (pretrained.FOLDER / photographs.LOOKS).read_text("utf-8")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert ("test" in kept) == (digest in looks)


def test_the_notebook_tells_the_scores_that_are_kept():
    stored = read_results(find("11"))["results"]
    pairs = {"edges": "bsds500", "pets": "pets", "camvid": "camvid"}
    pairs["camvid_both"] = "camvid-trainval"
    for key, name in pairs.items():
        note = json.loads((pretrained.FOLDER / f"photo-{name}.json").read_text("utf-8"))
        for way, views in (("test", "one view"), ("views", "several views")):
            assert stored[f"{key}_{way}"] == note["scores"]["test"][views]["score"]
