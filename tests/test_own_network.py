"""One command trains, scores, saves and applies a network for a folder of one's own pictures."""

import io
import json
import os
import shutil

import keras
import numpy as np
import pytest
from own_images import save
from PIL import Image

from helpers import data, plots
from helpers.checkpoint import training_backup
from helpers.experiments import own_network

QUICK = {"epochs": 2, "steps": 2, "say": lambda line: None}


def folder(path, need, n=10, values=(0, 7), shape=(44, 52)):
    """Bright squares on dark noise, with their masks or outlines."""
    rng = np.random.default_rng(0)
    for i in range(n):
        picture = rng.integers(0, 90, (*shape, 3), dtype="uint8")
        mask, edge = np.full(shape, values[0], "uint8"), np.zeros(shape, "uint8")
        top, left = rng.integers(2, np.subtract(shape, 21))
        picture[top : top + 20, left : left + 20] += 120
        mask[top : top + 20, left : left + 20] = values[1]
        edge[top : top + 20, [left, left + 19]] = edge[[top, top + 19], left : left + 20] = 255
        save(path / "images" / f"{i:02}.png", picture)
        if need == "masks":
            save(path / "masks" / f"{i:02}.png", mask)
        elif need == "edges":
            save(path / "edges" / f"{i:02}.png", edge)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    made = {}
    for need in ("masks", "edges"):
        base = tmp_path_factory.mktemp(need)
        told = own_network.train(folder(base / "mine", need), base / "out", **QUICK)
        made[need] = base, told
    return made


@pytest.mark.parametrize(("need", "score"), [("masks", "mean_iou"), ("edges", "ods")])
def test_a_folder_becomes_a_network_with_scores(trained, need, score):
    base, told = trained[need]
    assert json.loads((base / "out" / "scores.json").read_text("utf-8")) == told
    value, half = told[score]
    assert 0 <= value <= 1 and half >= 0 and 0 <= told["floor"] <= 1
    assert told["pictures"] == 6 and told["held_out"] == 2 and len(told["worst"]) == 2
    assert sorted(told["worst"].values()) == list(told["worst"].values())
    width, height = Image.open(base / "out" / "worst.png").size
    assert width > 100 and height > 100
    assert not (base / "out" / own_network.UNFINISHED).exists()
    assert (base / "out" / "export").exists() == (keras.backend.backend() == "tensorflow")


def test_a_trained_network_labels_a_folder_in_the_values_of_its_masks(trained, tmp_path):
    base, told = trained["masks"]
    save(tmp_path / "new" / "wide.png", np.zeros((33, 700, 3), "uint8"))
    save(tmp_path / "new" / "small.jpg", np.zeros((35, 41, 3), "uint8"))
    written = own_network.label(base / "out", tmp_path / "new", tmp_path / "a", say=QUICK["say"])
    assert [path.name for path in written] == ["small.png", "wide.png"]
    answers = [np.asarray(Image.open(path)) for path in written]
    assert [a.shape for a in answers] == [(35, 41), (33, 700)]
    assert told["values"] == [0, 7] and set(np.unique(np.concatenate(answers, None))) <= {0, 7}
    one = own_network.label(
        trained["edges"][0] / "out", tmp_path / "new" / "small.jpg", tmp_path / "b"
    )
    assert np.asarray(Image.open(one[0])).shape == (35, 41)


def test_a_longer_training_finds_the_squares(tmp_path):
    mine = folder(tmp_path / "mine", "masks", n=20)
    told = own_network.train(mine, tmp_path / "out", epochs=8, steps=5, say=QUICK["say"])
    assert told["mean_iou"][0] > told["floor"] + 0.1


def test_what_is_wrong_is_said(trained, tmp_path, capsys):
    base, _ = trained["masks"]
    with pytest.raises(FileExistsError, match="is not empty"):
        own_network.train(base / "mine", base / "out", **QUICK)
    with pytest.raises(ValueError, match="name a folder elsewhere"):
        own_network.train(base / "mine", base / "mine" / "out", **QUICK)
    for name in ("epochs", "steps", "side"):
        with pytest.raises(ValueError, match=f"`{name}` must be at least"):
            own_network.train(base / "mine", tmp_path / "o", **{**QUICK, name: 0})
    with pytest.raises(ValueError, match=r"too few pictures.*1 held out"):
        own_network.train(folder(tmp_path / "five", "masks", n=5), tmp_path / "o", **QUICK)
    with pytest.raises(ValueError, match="name another folder for the answers"):
        own_network.label(base / "out", base / "mine" / "images", base / "mine" / "images")
    with pytest.raises(ValueError, match=r"needs a folder `masks` or a folder `edges`"):
        own_network.train(folder(tmp_path / "bare", None), tmp_path / "o", **QUICK)
    with pytest.raises(ValueError, match="has no edges"):
        own_network.train(base / "mine", tmp_path / "o", task="edges", **QUICK)
    with pytest.raises(ValueError, match=r"`task` must be.*Received: task='boxes'"):
        own_network.train(base / "mine", tmp_path / "o", task="boxes", **QUICK)
    small = folder(tmp_path / "small", "masks", shape=(24, 60))
    with pytest.raises(ValueError, match=r"too small.*Received: 6"):
        own_network.train(small, tmp_path / "o", side=16, **QUICK)
    with pytest.raises(FileNotFoundError, match="no trained network"):
        own_network.label(tmp_path, base / "mine" / "images", tmp_path / "o")
    with pytest.raises(SystemExit, match="There is no"):
        own_network.main(["label", str(base / "out"), str(tmp_path / "none"), str(tmp_path / "o")])
    assert not (tmp_path / "o").exists()


def test_masks_with_void_pixels_need_their_names(tmp_path, capsys):
    mine = folder(tmp_path / "mine", "masks", values=(0, 7))
    for path in sorted((mine / "masks").iterdir()):
        mask = np.array(Image.open(path))
        mask[:2] = 255
        save(path, mask)
    quick = ["--epochs", "1", "--steps", "1"]
    names = ["--classes", "0=ground,7=square", "--void", "255"]
    own_network.main(["train", str(mine), str(tmp_path / "out"), *quick, *names])
    told = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    assert told["class_names"] == ["ground", "square"] and told["values"] == [0, 7]
    assert not (tmp_path / "out" / own_network.UNFINISHED).exists()
    with pytest.raises(SystemExit):
        own_network.main(["train", str(mine), str(tmp_path / "no"), "--classes", "ground"])
    assert "say it like 0=road,7=car" in capsys.readouterr().err


def test_a_stray_value_makes_no_class_void(tmp_path):
    mine = folder(tmp_path / "mine", "masks", values=(0, 255))
    mask = np.array(Image.open(mine / "masks" / "03.png"))
    mask[0, 0] = 1
    save(mine / "masks" / "03.png", mask)
    with pytest.raises(SystemExit, match="has the value 255, beside 0, 1") as error:
        own_network.main(["train", str(mine), str(tmp_path / "out")])
    assert "Here ignore_class=V is --void V" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_classes_and_what_is_left_out_are_told(tmp_path):
    mine, said = folder(tmp_path / "mine", "masks", n=20), []
    for kind in ("images", "masks"):
        picture = Image.open(mine / kind / "01.png")
        save(mine / kind / "01.png", picture.crop((0, 0, 52, 38)))
    own_network.train(mine, tmp_path / "out", **{**QUICK, "say": said.append})
    assert said[0].startswith(
        "11 pictures to learn from, 4 held out, crops of 40×40; 1 smaller ones"
    )
    assert said[1] == "2 classes: class 0, class 7"


def test_a_picture_of_one_row_has_edges_too(trained, tmp_path):
    save(tmp_path / "new" / "thin.png", np.zeros((900, 1, 3), "uint8"))
    out = trained["edges"][0] / "out"
    (path,) = own_network.label(out, tmp_path / "new", tmp_path / "a", say=QUICK["say"])
    assert np.asarray(Image.open(path)).shape == (900, 1)


def test_a_held_out_picture_of_one_row_is_named_before_a_training(tmp_path):
    mine = folder(tmp_path / "mine", "edges", n=15)
    for kind, shape in (("images", (1, 60, 3)), ("edges", (1, 60))):
        save(mine / kind / "04.png", np.zeros(shape, "uint8"))
    with pytest.raises(ValueError, match=r"04 is a single row of pixels"):
        own_network.train(mine, tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("need", ["masks", "edges"])
def test_a_network_that_diverged_labels_nothing(trained, tmp_path, need):
    net = tmp_path / "net"
    shutil.copytree(trained[need][0] / "out", net)
    network = keras.models.load_model(net / "network.keras")
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    network.save(net / "network.keras")
    place = trained[need][0] / "mine" / "images"
    with pytest.raises(SystemExit, match=r"outputs are NaN or infinite: the training"):
        own_network.main(["label", str(net), str(place), str(tmp_path / "answers")])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", None])
def test_a_damaged_network_is_named(trained, tmp_path, content):
    shutil.copytree(trained["masks"][0] / "out", tmp_path / "net")
    if content is None:
        (tmp_path / "net" / "network.keras").unlink()
    else:
        (tmp_path / "net" / "network.keras").write_bytes(content)
    with pytest.raises(ValueError, match=r"network\.keras is missing or damaged; train again"):
        own_network.label(tmp_path / "net", trained["masks"][0] / "mine" / "images", tmp_path / "a")


@pytest.mark.parametrize("words", [["train", "mine"], ["label", "net", "photographs"]])
def test_a_file_is_no_folder_for_the_results(tmp_path, capsys, words):
    (tmp_path / "there.txt").write_text("text")
    with pytest.raises(SystemExit):
        own_network.main([*words, str(tmp_path / "there.txt")])
    assert "there.txt is a file: name a folder" in capsys.readouterr().err


def test_a_value_with_two_names_is_refused(capsys):
    with pytest.raises(SystemExit):
        own_network.main(["train", "a", "b", "--classes", "0=road,0=car"])
    assert "a value is given twice" in capsys.readouterr().err


def test_empty_targets_are_refused(tmp_path):
    mine = folder(tmp_path / "mine", "edges")
    for path in (mine / "edges").iterdir():
        save(path, np.zeros((44, 52), "uint8"))
    with pytest.raises(ValueError, match="no edge is drawn"):
        own_network.train(mine, tmp_path / "o", **QUICK)


@pytest.mark.parametrize("text", ["{}", "{", "[]"])
def test_a_damaged_note_is_named(tmp_path, text):
    (tmp_path / "scores.json").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"scores\.json is damaged"):
        own_network.label(tmp_path, tmp_path, tmp_path / "o")


def test_a_photograph_that_cannot_be_read_is_left_out_and_told(trained, tmp_path):
    save(tmp_path / "new" / "good.png", np.zeros((40, 40, 3), "uint8"))
    (tmp_path / "new" / "torn.png").write_bytes(b"no picture")
    lines = []
    written = own_network.label(
        trained["masks"][0] / "out", tmp_path / "new", tmp_path / "a", say=lines.append
    )
    assert [path.name for path in written] == ["good.png"]
    assert "torn.png" in lines[0] and lines[1].startswith("1 of 2")


def test_a_stopped_training_goes_on(tmp_path, monkeypatch):
    mine = folder(tmp_path / "mine", "masks")
    whole = own_network.train(mine, tmp_path / "whole", **QUICK)
    keep = training_backup.TrainingBackup.on_epoch_end

    def stop(self, epoch, logs=None):
        keep(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(training_backup.TrainingBackup, "on_epoch_end", stop)
    with pytest.raises(KeyboardInterrupt):
        own_network.train(mine, tmp_path / "parts", **QUICK)
    monkeypatch.undo()
    notes = [p for p in tmp_path.rglob("training-*.json") if ".curve" not in p.name]
    assert len(notes) == 1  # with the seconds of the first sitting
    notes[0].write_text(json.dumps(json.loads(notes[0].read_text()) | {"seconds": 5000.0}))
    lines = []
    again = own_network.train(mine, tmp_path / "parts", **{**QUICK, "say": lines.append})
    assert any("goes on after step" in line for line in lines)
    assert again["mean_iou"] == pytest.approx(whole["mean_iou"], abs=1e-6)
    assert again["seconds"] > 5000  # of all sittings


def test_answers_overwrite_nothing(trained, tmp_path):
    network = trained["masks"][0] / "out"
    for name in ("a.png", "b.png"):
        save(tmp_path / "lab" / "images" / name)
    drawn = tmp_path / "lab" / "masks"
    save(drawn / "b.png", np.full((12, 12), 7, "uint8"))
    before = (drawn / "b.png").read_bytes()
    with pytest.raises(FileExistsError, match=r"b\.png.*name a new folder"):
        own_network.label(network, tmp_path / "lab" / "images", drawn)
    assert (drawn / "b.png").read_bytes() == before and len(list(drawn.iterdir())) == 1
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "c.jpg").symlink_to(tmp_path / "lab" / "images" / "a.png")
    with pytest.raises(ValueError, match="name another folder for the answers"):
        own_network.label(network, tmp_path / "links", tmp_path / "lab" / "images")
    for note in ("network.keras", "scores.json"):
        save(tmp_path / note / "x.png")
        (tmp_path / note / note).write_text("{}", "utf-8")
        with pytest.raises(ValueError, match="holds a network"):
            own_network.label(network, tmp_path / "links", tmp_path / note)
    with pytest.raises(ValueError, match="holds a network"):
        own_network.label(network, tmp_path / "links", network)
    assert sorted(path.name for path in (tmp_path / "lab" / "images").iterdir()) == [
        "a.png",
        "b.png",
    ]


def test_a_broken_link_is_left_out_and_no_answer_is_a_failure(trained, tmp_path):
    network = trained["masks"][0] / "out"
    save(tmp_path / "new" / "good.png", np.zeros((40, 40, 3), "uint8"))
    (tmp_path / "new" / "a.png").symlink_to("gone.png")
    (tmp_path / "new" / "b.png").symlink_to("b.png")
    lines = []
    written = own_network.label(network, tmp_path / "new", tmp_path / "a", say=lines.append)
    assert [path.name for path in written] == ["good.png"]
    assert "a.png" in lines[0] and "b.png" in lines[1] and lines[2].startswith("1 of 3")
    (tmp_path / "new" / "good.png").unlink()
    with pytest.raises(SystemExit, match=r"no photograph of .* could be read"):
        own_network.main(["label", *map(str, (network, tmp_path / "new", tmp_path / "b"))])


def test_names_may_hold_any_characters(trained, tmp_path, capsys):
    names = ("$x_{$ and $", "$$", os.fsdecode(b"caf\xe9"))
    pictures = np.zeros((3, 8, 8, 3), "uint8")
    masks = pictures[..., 0]
    part = data.Dataset("mine", "val", pictures, masks, names, edges=masks, ids=names)
    for task in ("segments", "edges"):
        figure = plots.worst_pictures(part, list(masks), [0, 1, 2], task)
        figure.savefig(io.BytesIO(), bbox_inches="tight")
        ids = [label.get_text() for label in figure.axes[0].get_xticklabels()]
        assert ids == ["$x_{$ and $", "$$", r"caf\udce9"]
    save(tmp_path / "new" / "good.png", np.zeros((40, 40, 3), "uint8"))
    try:
        (tmp_path / "new" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"no picture")
    except OSError:
        pytest.skip("this system has no names that are not UTF-8")
    network = trained["masks"][0] / "out"
    own_network.main(["label", *map(str, (network, tmp_path / "new", tmp_path / "a"))])
    assert r"caf\udce9.png" in capsys.readouterr().out


def test_a_picture_that_cannot_be_drawn_costs_no_training(tmp_path, monkeypatch):
    def fail(*_):
        raise errors[0]

    monkeypatch.setattr(plots, "worst_pictures", fail)
    mine, out, lines = folder(tmp_path / "mine", "masks"), tmp_path / "out", []
    errors = [RuntimeError("no font")]
    with pytest.raises(RuntimeError, match="no font"):
        own_network.train(mine, out, **QUICK)
    assert (out / "network.keras").exists() and (out / "scores.json").exists()
    errors = [ValueError("There are 12 colours.")]
    own_network.train(mine, out, **{**QUICK, "say": lines.append})  # the same command goes on
    assert "goes on after step 4" in lines and "There are 12 colours." in lines[-2]
    assert not (out / own_network.UNFINISHED).exists()


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    def stop(**_):
        raise KeyboardInterrupt

    for command, word in (("train", "the same command goes on"), ("label", "name a new folder")):
        monkeypatch.setattr(own_network, command, stop)
        with pytest.raises(SystemExit) as status:
            own_network.main([command, "a", "b", "c"][: 3 + (command == "label")])
        assert status.value.code == 130 and word in capsys.readouterr().err


@pytest.mark.parametrize("need", ["masks", "edges"])
@pytest.mark.parametrize("empty", [["04"], ["04", "09"]])
def test_scores_need_two_held_out_pictures_that_count(tmp_path, need, empty):
    mine = folder(tmp_path / "mine", need)
    for name in empty:
        save(mine / need / f"{name}.png", np.full((44, 52), 255 * (need == "masks"), "uint8"))
    names = {"class_names": {0: "ground", 7: "square"}, "ignore_class": 255}
    with pytest.raises(ValueError, match=f"2 held out, of these without .*: {', '.join(empty)}$"):
        own_network.train(mine, tmp_path / "o", **QUICK, **(names if need == "masks" else {}))
    assert not (tmp_path / "o").exists()


def test_both_splits_need_what_is_learned(tmp_path):
    for split, need in (("train", "masks"), ("val", "edges")):
        folder(tmp_path / "mine" / split, need, n=3)
    with pytest.raises(ValueError, match=r"has no masks.*val/"):
        own_network.train(tmp_path / "mine", tmp_path / "o", **QUICK)
