"""A score of each image whose mean is the mean IoU, so that intervals over images can be had."""

import numpy as np

from helpers.metrics.label_maps import confusion_matrix, iou_of_counts


def mean_iou_by_image(truth, prediction, num_classes, ignore_class=None):
    """A score of each image whose mean is the mean IoU over all, for intervals: float64 `(N,)`.

    The mean IoU is no mean over images. These are its jackknife pseudo-values, N·m − (N − 1)·mᵢ with
    m the mean IoU of all images and mᵢ that of all but image i. Their mean is m up to a term of
    order 1/N, and half the width of an interval over images is that of their mean. Scores of one
    image are alike in all methods, so differences of two methods may be taken image by image.

    Args:
        truth, prediction: integer label maps `(N, H, W)`, N ≥ 2.
        num_classes: C.
        ignore_class: label in `truth` that is left out, or None.

    Examples:
        >>> truth = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]])
        >>> metrics.mean_iou_by_image(truth, truth, num_classes=2)
        array([1., 1.])

    References:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    pairs = zip(truth, prediction, strict=True)
    return mean_iou_of_counts([confusion_matrix(t, p, num_classes, ignore_class) for t, p in pairs])


def mean_iou_of_counts(counts):
    """As `mean_iou_by_image`, from a confusion matrix of each image, `(N, C, C)`."""
    counts = np.asarray(counts)
    n, total = len(counts), counts.sum(axis=0)
    if n < 2:
        raise ValueError(f"there must be two images or more. Received: {n}")
    without = np.array([np.nanmean(iou_of_counts(total - one)) for one in counts])
    return n * np.nanmean(iou_of_counts(total)) - (n - 1) * without
