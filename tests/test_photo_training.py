"""Whole photographs: scores at native size, with or without the mirror image."""

import keras
import numpy as np
import pytest

from helpers import checkpoint, data, segmentation
from helpers.experiments import photo_training

MASK = np.array([[0, 0, 1, 1, 0, 2], [0, 1, 1, 1, 0, 2]], "uint8")


def photos():
    images = [np.repeat(100 * (MASK[..., None] % 2), 3, axis=-1).astype("uint8")] * 2
    names = ["ground", "thing"]
    return data.Dataset(
        images=images,
        masks=[MASK, MASK],
        class_names=names,
        ignore_class=2,
        name="two",
        split="val",
    )


def reader(weights):
    """Logits from brightness alone: a 3-pixel filter along the row, so that sides can matter."""
    model = keras.Sequential([keras.Input((None, None, 3))])
    model.add(keras.layers.Conv2D(2, (1, 3), padding="same"))
    kernel = np.zeros((1, 3, 3, 2), "float32")
    kernel[0, :, 0, 1] = weights
    model.set_weights([kernel, np.array([0, -0.1], "float32")])
    return model


def test_ious_are_counted_at_native_size_without_void():
    np.testing.assert_allclose(
        photo_training.class_ious(reader((0, 1, 0)), photos(), 2, ignore_class=2, multiple=4),
        [1, 1],
    )
    everything = photo_training.class_ious(
        reader((0, 0, 0)), photos(), 2, ignore_class=2, multiple=4
    )
    np.testing.assert_allclose(everything, [0.5, 0])


def test_with_the_mirror_image_left_and_right_count_alike():
    """The reader is linear: its mean with its mirror image is the reader of the mean filter."""
    leaning, even = reader((0.6, 0.2, 0)), reader((0.3, 0.2, 0.3))
    alone = photo_training.class_ious(leaning, photos(), 2, ignore_class=2, multiple=2)
    both = photo_training.class_ious(leaning, photos(), 2, ignore_class=2, multiple=2, mirror=True)
    np.testing.assert_allclose(
        both, photo_training.class_ious(even, photos(), 2, ignore_class=2, multiple=2)
    )
    assert np.abs(both - alone).max() > 0.05


@pytest.mark.parametrize("pretrain", [True, False])
def test_a_head_is_trained_on_crops_and_reads_any_size(pretrain, tmp_path):
    shown = data.load("shapes", "train", limit=4, size=32)
    task = (
        shown.images,
        shown.masks,
        4,
        segmentation.PixelCrossEntropy(4),
        checkpoint.ResultStore(tmp_path),
    )
    plan = {"widths": [4, 6], "depths": [1, 1], "patches": [2, 2]}
    model, seconds = photo_training.train_head(
        *task, pretrain=pretrain, vae_epochs=1, epochs=1, steps=2, learning_rate=1e-3, plan=plan,
        crops={"crop": [16, 16], "batch_size": 2},
    )  # fmt: skip
    assert seconds > 0 and model.output_shape == (None, None, None, 4)
    assert len(list(tmp_path.glob("photo-vae*.h5"))) == pretrain
    photo, labels = photo_training.label("", model, 4, side=40)
    assert photo.shape[:2] == labels.shape and max(labels.shape) == 40
