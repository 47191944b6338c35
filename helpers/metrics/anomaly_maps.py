"""How well maps of strangeness mark the odd pixels: average precision and per-region overlap.

Both are no means over images, so each has its jackknife: a score of each image whose mean is the
score of all images, nearly, so that intervals over images and paired differences can be had.
"""

import numpy as np


def average_precision_by_image(maps, masks):
    """A score of each image whose mean is the pixel AP over all, for intervals: float64 `(N,)`.

    Jackknife pseudo-values, as in `mean_iou_by_image`. The AP of all pixels together is that of
    `sklearn.metrics.average_precision_score`, which would sort all pixels anew for each image left out.
    A map without any sense has an AP of about the share of odd pixels.

    Args:
        maps: strangeness of each pixel, `(N, H, W)`, N ≥ 2, finite; larger is stranger.
        masks: 1 or True on odd pixels, `(N, H, W)`, in two images or more.

    Raises:
        ValueError: If shapes differ, a value is not finite, or fewer than two images have odd or
            have usual pixels.

    Examples:
        >>> masks = np.array([[[0, 1]], [[1, 0]]])
        >>> metrics.average_precision_by_image(masks + 0.5, masks)
        array([1., 1.])

    References:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    maps, masks = _checked(maps, masks)
    order = np.argsort(-maps, axis=None, kind="stable")
    values, odd = maps.ravel()[order], masks.ravel()[order]
    image = order // maps[0].size
    without = [_average_precision(values[image != i], odd[image != i]) for i in range(len(maps))]
    return _pseudo_values(_average_precision(values, odd), without)


def aupro(maps, masks, limit=0.3):
    """Area under the per-region overlap up to a share of false alarms, from 0 to 1.

    At each threshold, the share of each odd region (connected pixels of a mask, diagonals count)
    that is found, averaged over the regions of all images: small flaws count as much as large
    ones. It is drawn over the share of usual pixels above the threshold, from 0 to `limit`, and
    the area is divided by `limit`. Values at random have `limit / 2`.

    Args:
        maps, masks: see `average_precision_by_image`.
        limit: largest share of false alarms, in (0, 1].

    Raises:
        ValueError: As `average_precision_by_image`, or if `limit` is outside (0, 1].

    Examples:
        >>> masks = np.array([[[0, 1]], [[1, 0]]])
        >>> metrics.aupro(masks + 0.5, masks)
        1.0

    References:
        Bergmann et al. (2021). https://doi.org/10.1007/s11263-020-01400-4
    """
    maps, masks = _checked(maps, masks)
    return _area(_normal(maps, masks), _regions(maps, masks), limit)


def aupro_by_image(maps, masks, limit=0.3):
    """A score of each image whose mean is `aupro`, nearly: jackknife pseudo-values, float64 `(N,)`.

    Args:
        maps, masks, limit: see `aupro`.

    Raises:
        ValueError: As `aupro`.

    Examples:
        >>> masks = np.array([[[0, 1]], [[1, 0]]])
        >>> metrics.aupro_by_image(masks + 0.5, masks)
        array([1., 1.])
    """
    maps, masks = _checked(maps, masks)
    normal, regions = _normal(maps, masks), _regions(maps, masks)
    without = [
        _area((normal[0][normal[1] != i], None), [r for r in regions if r[0] != i], limit)
        for i in range(len(maps))
    ]
    return _pseudo_values(_area(normal, regions, limit), without)


LEVELS = 61  # shares of false alarms at which the overlap is taken


def _area(normal, regions, limit):
    if not 0 < limit <= 1:
        raise ValueError(
            "`limit` is a share of the usual pixels, above 0 and at most 1. "
            f"Received: limit={limit!r}"
        )
    shares = np.linspace(0, limit, LEVELS)
    values = normal[0]  # from the largest to the smallest
    # Above the k-th largest there are at most k usual pixels (fewer, where values are equal).
    thresholds = values[np.minimum((shares * len(values)).astype(int), len(values) - 1)]
    found = [1 - np.searchsorted(r, thresholds, side="right") / len(r) for _, r in regions]
    overlap = np.mean(found, axis=0)  # (LEVELS,)
    return float(np.trapezoid(overlap, shares) / limit)


def _normal(maps, masks):
    """Values of usual pixels from the largest to the smallest, and the image of each."""
    image = np.broadcast_to(np.arange(len(maps))[:, None, None], maps.shape)[~masks]
    values = maps[~masks]
    order = np.argsort(-values)
    return values[order], image[order]


def _regions(maps, masks):
    """Pairs of image and sorted values, one an odd region."""
    from scipy import ndimage

    found = []
    for i, (one, mask) in enumerate(zip(maps, masks)):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        found += [(i, np.sort(one[labels == k])) for k in range(1, count + 1)]
    return found


def _average_precision(values, odd):
    """Of values from the largest to the smallest; equal values share one threshold."""
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    hits = np.cumsum(odd)[ends]
    return float(np.sum(np.diff(hits, prepend=0) * hits / (ends + 1)) / hits[-1])


def _pseudo_values(whole, without):
    n = len(without)
    return n * whole - (n - 1) * np.array(without)


def _checked(maps, masks):
    maps, masks = np.asarray(maps, "float64"), np.asarray(masks).astype(bool)
    if maps.ndim != 3 or maps.shape != masks.shape:
        raise ValueError(
            f"maps and masks must both be (N, H, W). Received: {maps.shape} and {masks.shape}"
        )
    if not np.isfinite(maps).all():
        raise ValueError("a value of `maps` is not finite")
    if masks.any(axis=(1, 2)).sum() < 2 or (~masks).any(axis=(1, 2)).sum() < 2:
        raise ValueError("two images or more must have odd pixels, and two or more usual ones")
    return maps, masks
