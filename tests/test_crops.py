"""Random crops: repeatable, and image and target always move alike."""

import numpy as np
import pytest

from helpers import data

RNG = np.random.default_rng(0)
FULL = {"flip": True, "turn": True, "scale": 1.7}


def coded(shapes=((40, 60), (60, 40)), seed=0):
    """Images whose channels tell their pixel: the row, the column, and 20 times the class."""
    rng = np.random.default_rng(seed)
    images, masks = [], []
    for height, width in shapes:
        rows, columns = np.indices((height, width))
        blocks = rng.integers(0, 12, (height // 10, width // 10))
        mask = blocks.repeat(10, 0).repeat(10, 1)
        images.append(np.stack([rows, columns, 20 * mask], -1).astype("uint8"))
        masks.append(mask.astype("uint8"))
    return images, masks


def batch(crops, index=0):
    x, y = crops[index]
    return np.round(255 * x).astype(int), y


# --- what comes out ---------------------------------------------------------------------------


def test_shapes_and_types_with_images_of_both_orientations():
    images, masks = coded()
    (x,) = data.Crops(images, (16, 24), steps=3, batch_size=5, light=0.1)[0]
    assert x.shape == (5, 16, 24, 3) and x.dtype == np.float32
    x, y = data.Crops(images, 24, masks, batch_size=5, **FULL)[0]
    assert x.shape == (5, 24, 24, 3) and y.shape == (5, 24, 24) and y.dtype == np.uint8
    assert len(data.Crops(images, 16, steps=7)) == 7
    grey = [image[..., :1] for image in images]
    assert data.Crops(grey, 16, batch_size=2, **FULL)[0][0].shape == (2, 16, 16, 1)
    # A whole image is its own largest crop.
    x, y = batch(data.Crops(images[:1], (40, 60), masks[:1], flip=False, batch_size=1))
    np.testing.assert_array_equal(x[0], images[0])
    np.testing.assert_array_equal(y[0], masks[0])


def test_a_batch_is_a_function_of_seed_epoch_and_index():
    images, masks = coded()

    def make(**options):
        return data.Crops(images, 16, masks, steps=4, light=0.2, **{**FULL, **options})

    a, b = make(), make()
    first = a[2]
    for want, got in zip(first, b[2]):
        np.testing.assert_array_equal(want, got)
    a[0], a[3]  # the order of asking does not count
    np.testing.assert_array_equal(a[2][0], first[0])
    assert (a[1][0] != first[0]).any() and (make(seed=1)[2][0] != first[0]).any()
    a.on_epoch_end()
    assert (a[2][0] != first[0]).any()
    np.testing.assert_array_equal(a[2][0], make(first_epoch=1)[2][0])


def test_a_crop_is_a_part_of_its_image():
    images, masks = coded()
    for x, y in zip(*batch(data.Crops(images, 16, masks, flip=False, batch_size=20))):
        top, left = x[0, 0, :2]
        parts = [image[top : top + 16, left : left + 16] for image in images]
        i = [part.shape == x.shape and (part == x).all() for part in parts].index(True)
        np.testing.assert_array_equal(y, masks[i][top : top + 16, left : left + 16])


def test_every_image_place_turn_and_mirror_comes_up():
    images, _ = coded()
    (x,) = data.Crops(images, 16, batch_size=400, turn=True)[0]
    x = np.round(255 * x).astype(int)
    steps = {tuple(np.r_[c[1, 0, :2] - c[0, 0, :2], c[0, 1, :2] - c[0, 0, :2]]) for c in x}
    assert len(steps) == 8  # the symmetries of a square
    lowest = x[..., :2].min(axis=(1, 2))
    assert (lowest.min(axis=0) == 0).all()
    assert (lowest.max(axis=0) == 60 - 16).all()  # the last row and column are reached
    (x,) = data.Crops(images, 16, batch_size=400)[0]
    mirrored = (x[:, 0, 1, 1] < x[:, 0, 0, 1]).mean()
    assert 0.42 < mirrored < 0.58 and (x[:, 1, 0, 0] > x[:, 0, 0, 0]).all()


@pytest.mark.parametrize(
    "options", [{"flip": True}, {"turn": True}, {"scale": 2.0}, FULL], ids=lambda o: "-".join(o)
)
def test_target_and_image_move_alike(options):
    images, masks = coded()
    x, y = batch(data.Crops(images, 24, masks, batch_size=30, **{"flip": False, **options}))
    # Away from the borders of classes, where pixels are mixed, the third channel is the class.
    inner = np.ones(y.shape, bool)
    for axis, shift in [(1, 1), (1, -1), (2, 1), (2, -1), (1, 2), (1, -2), (2, 2), (2, -2)]:
        inner &= np.roll(y, shift, axis) == y
    assert inner.mean() > 0.2
    wrong = x[..., 2][inner] != 20 * y[inner]
    assert wrong.mean() < (0.02 if options.get("scale") else 1e-9)
    # Where the target's transform were another, it would agree by chance only.
    assert (x[..., 2][:, ::-1][inner] != 20 * y[inner]).mean() > 0.3


def test_classes_are_never_mixed():
    images, _ = coded()
    masks = [np.where(image[..., 1] % 2, 255, 3).astype("uint8") for image in images]
    _, y = batch(data.Crops(images, 24, masks, batch_size=30, **FULL))
    assert set(np.unique(y)) == {3, 255}


def test_shares_are_numbers_between_0_and_1():
    images, masks = coded()
    x, y = data.Crops(images, 16, masks, share=True, flip=False)[0]
    assert y.shape == (8, 16, 16, 1) and y.dtype == np.float32
    np.testing.assert_allclose(255 * y[..., 0], np.round(255 * x[..., 2]) / 20, atol=1e-3)
    lines = [np.where(mask % 2, 255, 0).astype("uint8") for mask in masks]
    _, y = data.Crops(images, 24, lines, share=True, batch_size=30, **FULL)[0]
    assert y.min() == 0 and y.max() == 1 and len(np.unique(y)) > 10  # read between pixels


@pytest.mark.parametrize("crop", [(24, 24), (12, 30)])
def test_scale_is_the_same_for_both_sides_and_log_uniform(crop):
    images, _ = coded([(120, 150), (150, 120)])
    (x,) = data.Crops(images, crop, scale=2, flip=False, batch_size=300)[0]
    rows = 255 * (x[:, -2, 0, 0] - x[:, 1, 0, 0]) / (crop[0] - 3)  # pixels an output pixel
    columns = 255 * (x[:, 0, -2, 1] - x[:, 0, 1, 1]) / (crop[1] - 3)
    np.testing.assert_allclose(rows, columns, atol=0.25)
    assert 0.4 < rows.min() < 0.56 and 1.8 < rows.max() < 2.2
    assert 0.4 < (rows > 1).mean() < 0.6


def test_an_image_hardly_larger_than_the_crop_keeps_its_form():
    images, masks = coded([(40, 60)])
    crops = data.Crops(images, (40, 40), masks, scale=2, flip=False, batch_size=100)
    x, _ = crops[0]
    rows = 255 * (x[:, -1, 20, 0] - x[:, 0, 20, 0]) / 39
    columns = 255 * (x[:, 20, -1, 1] - x[:, 20, 0, 1]) / 39
    np.testing.assert_allclose(rows, columns, atol=0.05)
    assert rows.max() == pytest.approx(1, abs=0.01) and rows.min() < 0.6


def test_an_image_is_not_resampled_for_almost_nothing():
    """A crop as wide as its image but one pixel is cut out, and not blurred."""
    images, masks = coded(((100, 120),))
    crops = data.Crops(images, 99, masks, steps=20, scale=1.7, flip=False, seed=3)
    exact = 0
    for index in range(20):
        rows = batch(crops, index)[0][..., 0]
        steps = np.diff(rows, axis=1)
        exact += int((steps == 1).all(axis=(1, 2)).sum())
    assert exact > 60  # about half of 160: the others are shown larger


def test_colour_changes_contrast_and_saturation_and_no_grey_becomes_coloured():
    grey = np.repeat(RNG.integers(40, 200, (20, 20, 1)), 3, axis=-1).astype("uint8")
    red = grey.copy()
    red[..., 0] = 220
    (x,) = data.Crops([grey], 20, batch_size=8, flip=False, colour=0.3)[0]
    assert np.ptp(x, axis=-1).max() < 1e-5 and x.min() >= 0 and x.max() <= 1
    spread = x.std(axis=(1, 2, 3))
    assert spread.max() > 1.2 * spread.min()
    (x,) = data.Crops([red], 20, batch_size=8, flip=False, colour=0.3)[0]
    apart = np.ptp(x, axis=-1).mean(axis=(1, 2))
    assert apart.max() > 1.2 * apart.min()


def test_a_crop_of_one_pixel_can_be_shown_larger():
    images, masks = coded()
    x, y = batch(data.Crops(images, 1, masks, scale=8, flip=False, batch_size=40))
    assert x.shape == (40, 1, 1, 3) and y.shape == (40, 1, 1)


def test_light_bends_values_and_keeps_their_order_and_range():
    ramp = np.arange(256, dtype="uint8").reshape(16, 16, 1).repeat(3, -1)
    (x,) = data.Crops([ramp], 16, flip=False, light=0.4, batch_size=200)[0]
    assert x.min() == 0 and x.max() == 1 and x.dtype == np.float32
    flat = x.reshape(200, 256, 3)
    assert (np.diff(flat, axis=1) > 0).all()
    gamma = np.log(np.log(flat[:, 128]) / np.log(128 / 255))  # (200, 3)
    common = gamma.mean(axis=1)
    assert np.std(common) == pytest.approx(0.4 * np.sqrt(1 + 0.25 / 3), rel=0.15)
    assert np.std(gamma - common[:, None]) == pytest.approx(0.2 * np.sqrt(2 / 3), rel=0.15)
    np.testing.assert_array_equal(
        data.Crops([ramp], 16, flip=False)[0][0][0], ramp * np.float32(1 / 255)
    )


def test_images_may_be_one_array_and_a_crop_lower_than_it_has_channels():
    images, masks = (np.stack(a) for a in coded([(20, 30)] * 3))
    x, y = data.Crops(images, (1, 8), masks, light=0.3)[0]
    assert x.shape == (8, 1, 8, 3) and y.shape == (8, 1, 8)
    for same, listed in zip((x, y), data.Crops(list(images), (1, 8), list(masks), light=0.3)[0]):
        np.testing.assert_array_equal(same, listed)


def test_images_are_left_as_they_were():
    images, masks = coded()
    copies = [a.copy() for a in images + masks]
    data.Crops(images, 16, masks, light=0.3, **FULL)[0]
    for a, b in zip(copies, images + masks):
        np.testing.assert_array_equal(a, b)


def test_a_model_trains_on_them_in_epochs():
    import keras

    images, masks = coded()
    crops = data.Crops(images, 8, masks, steps=3, batch_size=2, **FULL)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Dense(12)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, run_eagerly=True)
    history = model.fit(crops, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and int(model.optimizer.iterations) == 6
    assert crops.epoch >= 2  # Keras ends one before the first, too


# --- bad input --------------------------------------------------------------------------------


IMAGES, MASKS = coded()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.Crops(IMAGES, (16, 8), turn=True), r"square crops. Received: crop=\(16, 8\)"),
        (lambda: data.Crops(IMAGES, 0), "positive integer"),
        (lambda: data.Crops(IMAGES, 8, scale=0.9), "scale=0.9"),
        (lambda: data.Crops(IMAGES, 8, light=-1), "light=-1"),
        (lambda: data.Crops(IMAGES, 8, colour=-1), "colour=-1"),
        (lambda: data.Crops([], 8), "at least one image"),
        (lambda: data.Crops(IMAGES, 8, MASKS[:1]), "Received: 1 and 2"),
        (lambda: data.Crops(IMAGES, (41, 8)), r"image 0 is smaller than the crop.*\(40, 60\)"),
        (lambda: data.Crops(IMAGES, (8, 41)), r"image 1 is smaller than the crop.*\(60, 40\)"),
        (
            lambda: data.Crops(IMAGES, 8, MASKS[::-1]),
            r"target 0 must .* size \(40, 60\)\. Received: shape=\(60, 40\)",
        ),
        (
            lambda: data.Crops(IMAGES, 8, [m.astype(int) for m in MASKS], scale=2),
            "`targets` must be uint8.*int64",
        ),
        (
            lambda: data.Crops(IMAGES, 8, [m / 255 for m in MASKS], share=True),
            "`targets` must be uint8.*float64",
        ),
        (lambda: data.Crops([i / 255 for i in IMAGES], 8, scale=2), "`images` must be uint8"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
