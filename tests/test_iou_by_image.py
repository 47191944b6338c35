"""Scores of images for intervals of the mean IoU, against the bootstrap."""

import numpy as np
import pytest

from helpers import metrics

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, (300, 8, 8))
# Answers of which some images are far worse than others.
WRONG = RNG.random((300, 1, 1)) * 0.6 > RNG.random((300, 8, 8))
ANSWER = np.where(WRONG, (TRUTH + 1) % 3, TRUTH)


def test_the_mean_is_the_mean_iou_and_the_interval_that_of_the_bootstrap():
    scores = metrics.mean_iou_by_image(TRUTH, ANSWER, 3)
    mean, half = metrics.confidence_interval(scores)
    assert mean == pytest.approx(metrics.mean_iou(TRUTH, ANSWER, 3), rel=1e-12)
    draws = RNG.integers(0, 300, (400, 300))
    again = [metrics.mean_iou(TRUTH[d], ANSWER[d], 3) for d in draws]
    assert half == pytest.approx(1.96 * np.std(again), rel=0.15)


def test_differences_are_paired():
    worse = ANSWER.copy()
    worse[:, 0] = 0
    more, less = (metrics.mean_iou_by_image(TRUTH, a, 3) for a in (ANSWER, worse))
    draws = RNG.integers(0, 300, (400, 300))
    again = [
        metrics.mean_iou(TRUTH[d], ANSWER[d], 3) - metrics.mean_iou(TRUTH[d], worse[d], 3)
        for d in draws
    ]
    mean, half = metrics.confidence_interval(more - less)
    assert mean == pytest.approx(np.mean(again), abs=3e-3)
    assert half == pytest.approx(1.96 * np.std(again), rel=0.15)


def test_void_counts_for_nothing_and_one_image_is_refused():
    truth = TRUTH.copy()
    truth[:, :4] = 255
    other = ANSWER.copy()
    other[:, :4] = 0
    a, b = (metrics.mean_iou_by_image(truth, answer, 3, 255) for answer in (ANSWER, other))
    np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"two images or more\. Received: 1"):
        metrics.mean_iou_by_image(TRUTH[:1], ANSWER[:1], 3)


@pytest.mark.parametrize("found", [False, True])
def test_a_class_that_one_image_holds_counts_as_in_the_mean_iou(found):
    truth = np.zeros((20, 8, 8), int)
    truth[:, 4:] = 1
    truth[3, :2] = 2
    answer = truth.copy()
    if not found:
        answer[answer == 2] = 0
    answer[:, 4, :3] = 0
    scores = metrics.mean_iou_by_image(truth, answer, 3)
    assert scores.mean() == pytest.approx(metrics.mean_iou(truth, answer, 3), rel=1e-12)
    assert np.isfinite(scores).all()
    draws = np.random.default_rng(0).integers(0, 20, (2000, 20))
    draws = draws[(draws == 3).any(axis=1)]  # without its image the class is not there
    again = [metrics.mean_iou(truth[d], answer[d], 3) for d in draws]
    assert metrics.confidence_interval(scores)[1] == pytest.approx(2.09 * np.std(again), abs=0.02)


def test_images_without_a_pixel_that_counts_are_refused():
    truth = np.full((3, 8, 8), 255)
    with pytest.raises(ValueError, match="all of them are void"):
        metrics.mean_iou_by_image(truth, np.zeros_like(truth), 3, 255)
