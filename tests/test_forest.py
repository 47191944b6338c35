"""Codes, baselines and scores of label maps."""

import numpy as np
import pytest

from helpers import metrics, segmentation


def test_bits_of_maps_without_surprise_are_none():
    assert metrics.label_bits(np.zeros((5, 8, 8), int), 4) == pytest.approx(0, abs=1e-9)


def test_bits_of_noise_are_those_of_the_pixels():
    maps = np.random.default_rng(0).integers(0, 4, (200, 32, 32))
    assert metrics.label_bits(maps, 4) == pytest.approx(32 * 32 * 2, rel=0.01)


def test_bits_fall_when_pixels_agree():
    rough = np.random.default_rng(0).integers(0, 3, (20, 4, 4))
    smooth = rough.repeat(8, 1).repeat(8, 2)
    fine = np.random.default_rng(1).integers(0, 3, smooth.shape)
    assert metrics.label_bits(smooth, 3) < 0.3 * metrics.label_bits(fine, 3)


def test_grid_takes_the_majority_and_leaves_void_out():
    maps = np.array([[[0, 0, 1, 1], [0, 2, 9, 9], [2, 2, 9, 9], [2, 1, 9, 9]]])
    assert metrics.grid_labels(maps, 2, 3).tolist() == [[[0, 1], [2, 0]]]
    with pytest.raises(ValueError, match="3×3"):
        metrics.grid_labels(maps, 3, 3)


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


def test_five_scores_by_hand():
    truth = np.zeros((2, 4, 4), int)
    truth[0, 1:3, 1:3] = 1
    truth[0, 0] = 9
    assert metrics.label_map_scores(
        truth, np.where(truth == 9, 1, truth), 2, ignore_class=9
    ) == pytest.approx(1.0)
    none = metrics.label_map_scores(truth, np.zeros_like(truth), 2, ignore_class=9)
    assert none[0] == pytest.approx(24 / 28)  # 28 pixels count, four are of class 1
    assert none[1] == pytest.approx((24 / 28 + 0) / 2)
    assert none[2] == pytest.approx((2 * 8 / 20 + 1 + 0 + 1) / 4)  # class 1: none there in image 1
    assert none[4] == 0
    assert len(none) == len(metrics.LABEL_MAP_SCORES)


def test_iou_per_image_and_shares():
    truth = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]]])
    answer = np.array([[[0, 1], [1, 0]], [[0, 0], [0, 0]]])
    each = metrics.iou_per_image(truth, answer, 2)
    assert each == pytest.approx([metrics.mean_iou(truth[:1], answer[:1], 2), 1.0])
    shares = metrics.confusion_shares(truth, answer, 3)
    assert shares[:2].sum(axis=1) == pytest.approx(1) and shares[2].sum() == 0
    assert shares[1] == pytest.approx([1 / 3, 2 / 3, 0])


def test_enlarged_repeats_every_level():
    maps = [np.ones((2, 4, 4, 3)), np.arange(8.0).reshape(2, 2, 2, 1)]
    grown = segmentation.enlarged(maps, (4, 4))
    assert grown.shape == (2, 4, 4, 4)
    assert grown[0, :, :, 3].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    np.testing.assert_array_equal(list(segmentation.enlarged_each(maps, (4, 4))), grown)
