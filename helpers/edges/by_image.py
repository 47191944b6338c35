"""A score of each image whose mean is the ODS, so that intervals over images can be had."""

import numpy as np

from helpers.edges.scores import best_blend, recall_precision
from helpers.metrics.statistics import confidence_interval


def ods_by_image(result):
    """A score of each image whose mean is the ODS of all, for intervals: float64 `(N,)`.

    The ODS is no mean over images: it is one F of the counts of all images, at one threshold for
    all. These are its jackknife pseudo-values, N·m − (N − 1)·mᵢ with m the ODS of all images and mᵢ
    that of all but image i. Their mean is m up to a term of order 1/N, and an interval over images
    is that of their mean. Scores of one image are alike in all methods, so differences of two
    methods may be taken image by image. A single score can lie outside [0, 1].

    Args:
        result: a `BenchmarkResult` of two images or more.

    Raises:
        ValueError: If there is a single image.

    Examples:
        >>> from helpers import edges
        >>> lines = np.zeros((2, 20, 20))
        >>> lines[:, 10, 3:17] = 1
        >>> result = edges.benchmark(lines, lines[:, None], thresholds=3, max_distance=0.05)
        >>> edges.ods_by_image(result)
        array([1., 1.])

    References:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    n, total = len(result.per_image), result.per_image.sum(axis=0)
    if n < 2:
        raise ValueError(f"`result` must be of two images or more. Received: {n}")

    def ods(counts):
        return best_blend(result.thresholds, *recall_precision(counts))[3]

    without = np.array([ods(total - one) for one in result.per_image])
    return n * ods(total) - (n - 1) * without


def ods_difference(one, other):
    """ODS of one detector minus that of another on the same images, and half of its 95 % interval.

    The interval is that of `metrics.confidence_interval` over images, of the paired differences of
    `ods_by_image`.

    Args:
        one, other: a `BenchmarkResult` each, of the same two or more images in the same order.

    Returns:
        (difference, half width).
    """
    _, half = confidence_interval(ods_by_image(one) - ods_by_image(other))
    return one.ods - other.ods, half
