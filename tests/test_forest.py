"""A forest that labels pixels, and features enlarged to the size of the image."""

import numpy as np

from helpers import segmentation


def test_forest_finds_a_class_that_is_written_in_the_features():
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3, (12, 8, 8))
    masks[:, 0] = 9  # void
    features = np.stack([masks == 1, masks == 2], axis=-1) + 0.1 * rng.normal(size=(12, 8, 8, 2))
    answer = segmentation.forest_labels(
        features[:8], masks[:8], features[8:], ignore_class=9, pixels=50
    )
    assert answer.shape == (4, 8, 8) and 9 not in answer
    assert (answer == masks[8:])[:, 1:].mean() > 0.99
    ours, theirs = iter(features[:8]), iter(features[8:])
    again = segmentation.forest_labels(ours, masks[:8], theirs, ignore_class=9, pixels=50)
    np.testing.assert_array_equal(again, answer)


def test_forest_labels_more_pixels_than_fit_into_one_call():
    masks = np.random.default_rng(0).integers(0, 2, (5, 256, 256))
    answer = segmentation.forest_labels(masks[:1, ..., None], masks[:1], masks[..., None], trees=2)
    np.testing.assert_array_equal(answer, masks)


def test_enlarged_repeats_every_level():
    maps = [np.ones((2, 4, 4, 3)), np.arange(8.0).reshape(2, 2, 2, 1)]
    grown = segmentation.enlarged(maps, (4, 4))
    assert grown.shape == (2, 4, 4, 4)
    assert grown[0, :, :, 3].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    np.testing.assert_array_equal(list(segmentation.enlarged_each(maps, (4, 4))), grown)
