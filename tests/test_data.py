"""helpers.data: the structure, the door, the rules for cropping and resizing, batches."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from helpers import data
from helpers.data import images as im


def make(n=6, h=4, w=5, **more):
    rng = np.random.default_rng(0)
    return data.Dataset(
        name="made",
        split="train",
        images=rng.integers(0, 256, (n, h, w, 3), dtype=np.uint8),
        masks=rng.integers(0, 3, (n, h, w), dtype=np.uint8),
        annotations=[np.zeros((2, h, w), np.uint8) for _ in range(n)],
        factors={"x": np.arange(n)},
        **more,
    )


# --- the door ---------------------------------------------------------------------------------


def test_importing_data_is_light():
    code = (
        "import sys, helpers.data; heavy = {'keras', 'tensorflow', 'matplotlib', 'skimage', "
        "'sklearn', 'scipy', 'pooch'}; print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_unknown_set_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown data set.*bsds500.*Received: 'cifar'") as error:
        data.load("cifar")
    assert all(name in str(error.value) for name in data.names())


@pytest.mark.parametrize("name", ["mnist", "bsds500", "shapes"])
def test_unknown_split_lists_the_known_ones(name):
    with pytest.raises(ValueError, match=r"train, val, test.*Received: split='dev'"):
        data.load(name, "dev")


def test_unknown_option_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"known are segmentations, archive.*Received: masks=True"):
        data.load("bsds500", masks=True)
    with pytest.raises(ValueError, match=r"known are none.*Received: archive='x'"):
        data.load("mnist", archive="x")
    with pytest.raises(ValueError, match=r"noise.*Received: nois=1"):
        data.load("shapes", nois=1)


def test_a_number_of_numpy_is_a_limit():
    assert len(data.load("shapes", "val", limit=np.int64(3), size=32).images) == 3


@pytest.mark.parametrize("limit", [0, -1, 2.5, True])
def test_limit_is_checked(limit):
    with pytest.raises(ValueError, match=f"`limit` must be a positive.*limit={limit}"):
        data.load("mnist", limit=limit)


def test_arguments_of_another_set_are_refused():
    with pytest.raises(ValueError, match="belongs to the set 'folder'"):
        data.load("mnist", path="somewhere")
    with pytest.raises(ValueError, match="use `size`, not `crop`"):
        data.load("shapes", crop=32)
    with pytest.raises(ValueError, match="needs `path=`"):
        data.load("folder")


@pytest.mark.parametrize("size", [0, (3,), (3, 0), "64", 2.0, (True, 3), ("3", 4), (2.5, 4)])
def test_size_is_checked(size):
    with pytest.raises(ValueError, match=r"positive integer or \(height, width\)"):
        im.as_size(size, "size")


def test_shapes_come_through_the_same_door():
    ds = data.load("shapes", "val", limit=3, size=32, seed=7)
    assert ds.images.shape == (3, 32, 32, 3) and ds.masks.shape == (3, 32, 32)
    assert (ds.images == data.load("shapes", "val", limit=3, size=32, seed=7).images).all()
    assert (ds.images != data.load("shapes", "val", limit=3, size=32, seed=8).images).any()


# --- the structure ----------------------------------------------------------------------------


def test_subset_takes_everything_along():
    ds = make()
    part = ds.subset([4, 1])
    assert len(part) == 2 and part.ids == (ds.ids[4], ds.ids[1])
    assert (part.images[0] == ds.images[4]).all() and (part.masks[1] == ds.masks[1]).all()
    assert part.factors["x"].tolist() == [4, 1] and len(part.annotations) == 2
    assert ds.subset(slice(2)).factors["x"].tolist() == [0, 1]
    assert ds.subset(np.arange(6) > 3).factors["x"].tolist() == [4, 5]
    assert len(ds.subset([])) == 0


def test_what_is_not_told_is_empty_and_images_are_numbered():
    ds = make()
    assert ds.ids[:2] == ("train-00000", "train-00001") and (ds.source, ds.licence) == ("", "")
    assert repr(ds) == (
        "Dataset('made', 'train', images=(6, 4, 5, 3), has=['masks', 'annotations'], "
        "factors=['x'], source='')"
    )


def test_subset_of_lists():
    ds = data.Dataset("made", "train", images=[np.zeros((h, 2, 3), np.uint8) for h in (1, 2, 3)])
    assert [a.shape[0] for a in ds.subset([2, 0]).images] == [3, 1]


def test_subset_refuses():
    with pytest.raises(IndexError, match=r"0..5.*6"):
        make().subset([6])
    with pytest.raises(ValueError, match=r"boolean mask must have shape \(6,\)"):
        make().subset([True, False])


def test_structure_is_checked():
    ok = np.zeros((2, 3, 3, 1), np.uint8)
    with pytest.raises(
        ValueError, match=r"`masks` must have one entry an image. Received: 1 for 2"
    ):
        data.Dataset("made", "train", images=ok, masks=np.zeros((1, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"factor 'x'.*Received: 3 for 2"):
        data.Dataset("made", "train", images=ok, factors={"x": np.zeros(3)})
    with pytest.raises(ValueError, match=r"`images` must be uint8.*float32"):
        data.Dataset("made", "train", images=ok.astype("float32"))
    with pytest.raises(ValueError, match=r"`masks` must be uint8 with 2 axes.*\(3, 3, 1\)"):
        data.Dataset("made", "train", images=ok, masks=ok)


def test_to_float():
    out = data.to_float(np.array([0, 51, 255], np.uint8))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, [0, 0.2, 1], rtol=1e-6)
    assert out.max() == 1.0
    assert data.to_float(np.array([True, False])).tolist() == [1, 0]
    assert data.to_float(np.array([0.25])).dtype == np.float32
    assert len(data.to_float([np.zeros((2, 2), np.uint8)] * 3)) == 3
    with pytest.raises(ValueError, match="Received: values from 0 to 255"):
        data.to_float(np.array([0.0, 255.0]))
    for value in (-0.5, -1e-6, 1.001):
        with pytest.raises(ValueError, match="Floats must lie"):
            data.to_float(np.array([0.5, value]))
    with pytest.raises(TypeError, match="dtype int64"):
        data.to_float(np.array([1, 2], np.int64))


# --- cropping and resizing --------------------------------------------------------------------


def checker(h=40, w=60):
    """A mask of the labels 0 and 10 only: any average of the two shows."""
    return ((np.add.outer(np.arange(h), np.arange(w)) // 3) % 2 * 10).astype(np.uint8)


@pytest.mark.parametrize("size", [(17, 23), (20, 30), (80, 90), (39, 61)])
def test_masks_are_resized_by_nearest_neighbour(size):
    mask = checker()
    assert im.resize_indices(mask, size).shape == size
    assert set(np.unique(im.resize_indices(mask, size))) <= {0, 10}
    # The test can fail: the filter for photographs invents labels.
    averaged = np.asarray(Image.fromarray(mask).resize(size[::-1], Image.Resampling.BILINEAR))
    assert set(np.unique(averaged)) - {0, 10}


def test_a_mask_stays_on_its_image():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:50] = 1
    image = np.repeat(mask[..., None] * 200, 3, axis=-1).astype(np.uint8)
    small_mask, small = im.resize_indices(mask, (20, 30)), im.resize_image(image, (20, 30))
    assert (small_mask[5:15, 10:25] == 1).all() and small_mask.sum() == 10 * 15
    assert ((small[..., 0] > 100) == small_mask).all()


def test_images_are_averaged_when_they_shrink():
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    small = im.resize_image(stripes, (8, 8))[1:-1, 1:-1]  # an unfiltered pick gives 0 or 255
    assert small.min() > 110 and small.max() < 145


def test_grey_images_keep_their_channel():
    assert im.resize_image(np.zeros((28, 28, 1), np.uint8), (32, 32)).shape == (32, 32, 1)


@pytest.mark.parametrize("size", [(7, 9), (20, 31), (1, 1), (40, 60)])
def test_a_drawn_line_survives_every_reduction(size):
    rng = np.random.default_rng(0)
    lines = (rng.random((3, 40, 60)) < 0.02).astype(np.uint8)
    small = im.resize_boundaries(lines, size)
    expected = np.zeros((3, *size), np.uint8)  # brute force: each mark marks its cell
    rows = [max(i for i in range(size[0]) if i * 40 // size[0] <= y) for y in range(40)]
    columns = [max(i for i in range(size[1]) if i * 60 // size[1] <= x) for x in range(60)]
    for a, y, x in np.argwhere(lines):
        expected[a, rows[y], columns[x]] = 1
    assert (small == expected).all() and small.any()


def test_boundaries_grow_by_repeating():
    assert im.resize_boundaries(np.array([[0, 1]]), (2, 4)).tolist() == [[0, 0, 1, 1]] * 2


def test_masks_of_one_bit_are_read_as_classes(tmp_path):
    mask = np.random.default_rng(0).integers(0, 2, (5, 9), dtype=np.uint8)
    Image.fromarray(mask * 255).convert("1").save(tmp_path / "mask.png")
    found = im.read_indices(tmp_path / "mask.png")
    assert found.dtype == np.uint8 and (found == mask).all()


def test_crop_takes_the_middle():
    array = np.arange(5 * 6).reshape(5, 6)
    assert im.centre_crop(array, (3, 2), "a").tolist() == array[1:4, 2:4].tolist()
    with pytest.raises(ValueError, match=r"b.jpg is 5x6 pixels.*crop=\(6, 6\)"):
        im.centre_crop(array, (6, 6), "b.jpg")


def test_spaced():
    assert im.spaced(10, 3).tolist() == [0, 3, 6]
    assert im.spaced(3, None).tolist() == im.spaced(3, 9).tolist() == [0, 1, 2]


def test_share_of_annotators():
    drawn = np.zeros((4, 1, 3), np.uint8)
    drawn[:1, 0, 1], drawn[:, 0, 2] = 1, 1
    assert im.share(drawn).tolist() == [[0, 64, 255]]  # 0/4, 1/4 of 255 rounded, 4/4


# --- batches ----------------------------------------------------------------------------------


def batches(**more):
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 4, 1), np.uint8)
    return data.Batches(pixels, batch_size=4, **more)


def which(batch):
    return np.round(batch[0][:, 0, 0, 0] * 255).astype(int).tolist()


def test_batches_cover_everything_once_and_keep_the_rest():
    b = batches(seed=3)
    assert len(b) == 3 and [len(x[0]) for x in b] == [4, 4, 2]
    assert sorted(i for x in b for i in which(x)) == list(range(10))
    assert b[0][0].dtype == np.float32
    assert [which(x) for x in batches(shuffle=False)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_order_is_fixed_by_seed_and_epoch():
    a, b = batches(seed=3), batches(seed=3)
    first = [which(x) for x in a]
    assert first == [which(x) for x in b] != [which(x) for x in batches(seed=4)]
    a.on_epoch_end()
    assert [which(x) for x in a] != first
    b.on_epoch_end()
    assert [which(x) for x in a] == [which(x) for x in b]


def test_targets_follow_their_images():
    labels = np.arange(10)
    for x, y in batches(targets=labels):
        assert which((x,)) == y.tolist()
    shares = np.full((10, 2, 4), 255, np.uint8)
    x, y, w = batches(targets={"a": labels, "b": shares}, sample_weight=labels * 2)[0]
    assert y["b"].dtype == np.uint8 and which((x,)) == y["a"].tolist() == (w // 2).tolist()
    assert batches(targets=shares, scale_targets=True)[0][1].max() == 1.0
    x, y = batches(targets="images")[1]
    assert (x == y).all()


def test_flips_mirror_image_and_mask_together():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 3, 4, 1), dtype=np.uint8)
    b = data.Batches(images, 50, targets=images[..., 0], flip=True, shuffle=False)
    x, y = b[0]
    assert (np.round(x[..., 0] * 255) == y).all()
    turned = (y != images[..., 0]).any(axis=(1, 2))
    assert 10 < turned.sum() < 40
    assert (y[turned] == images[turned, :, ::-1, 0]).all()
    assert (b[0][1] == y).all()  # the same batch asked twice
    b.on_epoch_end()
    assert (b[0][1] != y).any()


def test_batches_refuse():
    with pytest.raises(ValueError, match=r"load the set with `size=` or `crop=`.*list"):
        data.Batches([np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises(ValueError, match=r"one entry an image \(10\).*9 entries"):
        batches(targets=np.zeros(9))
    with pytest.raises(ValueError, match=r"`targets` must be arrays.* Received: list of 10"):
        batches(targets=[0] * 10)
    with pytest.raises(ValueError, match=r"can only be 'images'. Received: 'masks'"):
        batches(targets="masks")
    with pytest.raises(ValueError, match=r"`batch_size` must be a positive integer. Received: 0"):
        data.Batches(np.zeros((2, 2, 2, 1), np.uint8), batch_size=0)


def test_keras_trains_on_batches():
    import keras

    labels = np.arange(10, dtype=np.float32) / 255
    model = keras.Sequential(
        [keras.Input((2, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    train = batches(targets=labels)
    model.fit(train, epochs=2, verbose=0)
    assert train.epoch >= 2  # Keras resets once more before the first fit
    assert model.predict(batches(shuffle=False), verbose=0).shape == (10, 1)


@pytest.mark.parametrize("name", ["size", "crop"])
def test_a_wrong_size_is_told_by_its_name(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a positive integer"):
        im.Fitter(**{name: 0})
