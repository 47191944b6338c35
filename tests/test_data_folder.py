"""helpers.data "folder": one's own images."""

import numpy as np
import pytest
from own_images import photo, save
from PIL import Image

from helpers import data


@pytest.fixture
def mine(tmp_path):
    for i in range(10):
        save(tmp_path / f"images/p{i}.png", photo())
        mask = np.zeros((4, 6), np.uint8)
        mask[:, 3:], mask[0, 0] = 2, 255
        save(tmp_path / f"masks/p{i}.png", mask)
    (tmp_path / "images/notes.txt").write_text("not an image")
    return tmp_path


def test_masks(mine):
    ds = data.load("folder", "all", path=mine, ignore_class=255)
    assert len(ds) == 10 and ds.masks.shape == (10, 4, 6) and ds.ignore_class == 255
    assert ds.class_names == ("class 0", "class 1", "class 2") and ds.ids[0] == "p0"
    named = data.load(
        "folder", "all", path=str(mine), ignore_class=255, class_names=["a", "b", "c"]
    )
    assert named.class_names == ("a", "b", "c")
    with pytest.warns(UserWarning, match='the value 255, beside 0, 2 .* taken as "not labelled"'):
        unsaid = data.load("folder", "all", path=mine, size=(3, 5))
    assert set(np.unique(unsaid.masks)) <= {0, 2, 255}


@pytest.mark.filterwarnings("ignore:The mask of .* has the value 255")  # see test_masks
def test_without_subfolders_every_five_are_shared_out(mine):
    parts = {s: data.load("folder", s, path=mine).ids for s in ("train", "val", "test")}
    assert parts["val"] == ("p4", "p9") and parts["test"] == ("p3", "p8")
    assert sorted(sum(parts.values(), ())) == [f"p{i}" for i in range(10)]


def test_subfolders_are_the_splits(tmp_path):
    save(tmp_path / "train/a.jpg", photo())
    save(tmp_path / "test/images/b.png", photo(3, 3))
    assert data.load("folder", "train", path=tmp_path).ids == ("a",)
    assert data.load("folder", "test", path=tmp_path).images.shape == (1, 3, 3, 3)
    with pytest.raises(
        ValueError, match=r"subfolders for the splits train, test. Make the folder val/.*'val'"
    ):
        data.load("folder", "val", path=tmp_path)


def test_one_photograph_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: a quarter to the right
    save(tmp_path / "a.png", photo(4, 6), exif=exif)
    ds = data.load("folder", path=tmp_path / "a.png")
    assert ds.images.shape == (1, 6, 4, 3) and ds.masks is None and ds.edges is None
    assert (ds.images[0] == np.rot90(photo(4, 6), -1)).all()
    assert data.load("folder", path=tmp_path / "a.png", crop=4, size=2).images.shape == (1, 2, 2, 3)


def test_edges_of_one_and_of_several_people(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / f"images/{name}.png", photo())
    one = np.zeros((4, 6), np.uint8)
    one[1] = 1  # stored as 0/1
    save(tmp_path / "edges/a.png", one)
    save(tmp_path / "edges/b/anna.png", one * 255)
    save(tmp_path / "edges/b/ben.png", np.zeros((4, 6), np.uint8))
    ds = data.load("folder", "all", path=tmp_path)
    assert (ds.edges[0] == one * 255).all() and (ds.edges[1] == one * 128).all()
    assert [a.shape for a in ds.annotations] == [(1, 4, 6), (2, 4, 6)]
    small = data.load("folder", "all", path=tmp_path, size=(2, 3))
    assert small.edges[0].tolist() == [[255] * 3, [0] * 3]


def refusal(**options):
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        data.load("folder", "all", **options)
    return str(error.value)


@pytest.mark.filterwarnings("ignore:The mask of .* has the value 255")  # see test_masks
def test_refusals_name_the_file(mine):
    assert "has the value 255" in refusal(path=mine, class_names=("a", "b", "c"))
    save(mine / "masks/p1.png", np.zeros((4, 5), np.uint8))
    assert "p1.png: must have its image's size, 4x6" in refusal(path=mine)
    save(mine / "masks/p1.png", photo())
    assert "p1.png: must have one 8-bit channel" in refusal(path=mine)
    (mine / "masks/p1.png").unlink()
    assert "nothing for the image 'p1.png'" in refusal(path=mine)
    save(mine / "masks/p1.jpg", np.zeros((4, 6), np.uint8))
    assert "JPEG changes class indices" in refusal(path=mine)
    (mine / "masks/p1.jpg").unlink()
    save(mine / "masks/p1.png", np.zeros((4, 6), np.uint8))
    (mine / "images/p2.jpg").write_bytes(b"x")
    assert "two images share the name 'p2'" in refusal(path=mine)
    (mine / "images/p2.png").unlink()
    assert "p2.jpg: not an image that can be read" in refusal(path=mine)
    save(mine / "images/p2.jpg", photo())
    save(mine / "images/p3.png", np.zeros((4, 6), np.uint16))
    assert "more than 8 bits" in refusal(path=mine)


def test_refusals_of_folders(tmp_path):
    assert "must be a folder or an image file" in refusal(path=tmp_path / "absent")
    assert "no images" in refusal(path=tmp_path)
    save(tmp_path / "a.png", photo())
    with pytest.raises(ValueError, match="split 'val' is empty, there are only 1 images"):
        data.load("folder", "val", path=tmp_path)
