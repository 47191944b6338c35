"""A score of each image whose mean is the mean IoU, so that intervals over images can be had."""

import numpy as np

from helpers.metrics.label_maps import confusion_matrix


def mean_iou_by_image(truth, prediction, num_classes, ignore_class=None):
    """A score of each image whose mean is the mean IoU over all, for intervals: float64 `(N,)`.

    The mean IoU is no mean over images: it is made of sums over all of them. A score is the mean
    IoU m plus N times what this image's pixels change in it, to first order (the *infinitesimal
    jackknife*). The scores' mean is m, and half the width of an interval over images is that of
    their mean. Scores of one image are alike in all methods, so differences of two methods may be
    taken image by image.

    A class that few images hold moves the scores of these far below 0 or above 1, and makes the
    interval wide. (To leave each image out in turn, as the ordinary jackknife does, fails there:
    without its only image, a class has no IoU.)

    Args:
        truth, prediction: integer label maps `(N, H, W)`, N ≥ 2.
        num_classes: C.
        ignore_class: label in `truth` that is left out, or None.

    Raises:
        ValueError: If there are fewer than two images, or no pixel counts.

    Examples:
        >>> truth = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]])
        >>> metrics.mean_iou_by_image(truth, truth, num_classes=2)
        array([1., 1.])

    References:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 11 and 21.
    """
    pairs = zip(truth, prediction, strict=True)
    return mean_iou_of_counts([confusion_matrix(t, p, num_classes, ignore_class) for t, p in pairs])


def mean_iou_of_counts(counts):
    """As `mean_iou_by_image`, from a confusion matrix of each image, `(N, C, C)`."""
    counts = np.asarray(counts, "float64")
    n = len(counts)
    if n < 2:
        raise ValueError(f"there must be two images or more. Received: {n}")
    hits = np.einsum("ncc->nc", counts)  # (N, C)
    unions = counts.sum(axis=1) + counts.sum(axis=2) - hits
    there = unions.sum(axis=0) > 0  # classes in the truth or in an answer
    if not there.any():
        raise ValueError("no pixel of these images counts: all of them are void")
    hits, unions = hits[:, there], unions[:, there]
    union = unions.sum(axis=0)
    iou = hits.sum(axis=0) / union
    changes = (hits - iou * unions) / union  # of the IoU of each class by each image
    return iou.mean() + n * changes.mean(axis=1)
