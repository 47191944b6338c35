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
    assert mean == pytest.approx(metrics.mean_iou(TRUTH, ANSWER, 3), abs=1e-3)
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
