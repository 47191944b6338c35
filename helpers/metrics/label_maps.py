"""Scores of label maps, as shares of 1, and what such maps cost in bits. NumPy in, NumPy out."""

import numpy as np

NOTHING = "no pixel counts: there is none, or all of them are void"


def confusion_matrix(truth, prediction, num_classes, ignore_class=None):
    """Counts of pixels, rows the truth, columns the prediction: int64 `(C, C)`.

    Args:
        truth: integer label maps, any shape.
        prediction: the same shape, labels in [0, C).
        num_classes: C.
        ignore_class: label in `truth` that is left out of every score, or None.

    Raises:
        ValueError: on another shape, or a label outside [0, C) that is not void.

    Examples:
        >>> metrics.confusion_matrix([0, 0, 1, 9], [0, 1, 1, 1], 2, ignore_class=9).tolist()
        [[1, 1], [0, 1]]
    """
    truth, prediction = _counted(truth, prediction, ignore_class, num_classes)
    counts = np.bincount(truth * num_classes + prediction, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def _counted(truth, prediction, ignore_class, num_classes=None):
    """Truth and prediction at the pixels that count, int64 `(P,)` each, after all checks."""
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(
            f"`truth` and `prediction` must have the same shape. Received: {truth.shape} "
            f"and {prediction.shape} (has the argmax over the class axis been taken?)"
        )
    for name, labels in (("truth", truth), ("prediction", prediction)):
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"`{name}` must hold integer labels. Received: dtype={labels.dtype}")
    counted = np.ones(truth.shape, bool) if ignore_class is None else truth != ignore_class
    truth, prediction = truth[counted].astype("int64"), prediction[counted].astype("int64")
    highest = np.inf if num_classes is None else num_classes - 1
    for name, labels in (("truth", truth), ("prediction", prediction)):
        if labels.size and (labels.min() < 0 or labels.max() > highest):
            raise ValueError(
                f"`{name}` holds labels {labels.min()} to {labels.max()}, outside 0 to "
                f"{highest}. Is the void label named? Received: ignore_class={ignore_class!r}"
            )
    return truth, prediction


def iou_per_class(truth, prediction, num_classes, ignore_class=None):
    """Intersection over union of each class over all pixels: float64 `(C,)`.

    NaN for a class that occurs neither in the truth nor in the prediction.

    Examples:
        >>> print(metrics.iou_per_class([0, 0, 1, 1], [0, 1, 1, 1], num_classes=3).round(2))
        [0.5  0.67  nan]
    """
    return iou_of_counts(confusion_matrix(truth, prediction, num_classes, ignore_class))


def iou_of_counts(counts):
    """Intersection over union of each class from a `confusion_matrix`: float64 `(C,)`.

    Matrices of single images may be added first. NaN for a class that occurs nowhere.

    Examples:
        >>> print(metrics.iou_of_counts([[1, 1], [0, 2]]).round(2))
        [0.5  0.67]
    """
    counts = np.asarray(counts, "float64")
    hit = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hit
    return np.divide(hit, union, out=np.full(len(counts), np.nan), where=union > 0)


def mean_iou(truth, prediction, num_classes, ignore_class=None):
    """Mean over classes of the intersection over union, counted over all pixels at once.

    Classes that occur nowhere are left out of the mean. `keras.metrics.MeanIoU` counts the same
    in single precision, and needs Keras; a test holds one to the other.

    Raises:
        ValueError: As `confusion_matrix`, or if no pixel counts.

    Examples:
        >>> metrics.mean_iou([0, 0, 1, 1], [0, 1, 1, 0], num_classes=2)     # ⅓ for each class
        0.333...
    """
    counts = _some_counts(confusion_matrix(truth, prediction, num_classes, ignore_class))
    return float(np.nanmean(iou_of_counts(counts)))


def pixel_accuracy(truth, prediction, ignore_class=None):
    """Share of pixels (void left out) whose label is right.

    Raises:
        ValueError: As `confusion_matrix`, or if no pixel counts.

    Examples:
        >>> metrics.pixel_accuracy([0, 0, 1, 9], [0, 1, 1, 1], ignore_class=9)
        0.666...
    """
    counted = _counted(truth, prediction, ignore_class)
    if not counted[0].size:
        raise ValueError(NOTHING)
    return float(np.mean(counted[0] == counted[1]))


def _some_counts(counts):
    if not counts.sum():
        raise ValueError(NOTHING)
    return counts


def dice(truth, prediction, label):
    """Dice overlap of one class in each image: float64 `(B,)`; 1 where both are empty.

    2·|T ∩ P| / (|T| + |P|), per image, not over the batch as one.

    Examples:
        >>> metrics.dice([[0, 1, 1], [0, 0, 0]], [[0, 1, 0], [0, 0, 0]], label=1).round(2)
        array([0.67, 1.  ])
    """
    truth, prediction = np.asarray(truth) == label, np.asarray(prediction) == label
    if truth.shape != prediction.shape:
        raise ValueError(
            "`truth` and `prediction` must have the same shape. "
            f"Received: {truth.shape} and {prediction.shape}"
        )
    axes = tuple(range(1, truth.ndim))
    both = 2.0 * (truth & prediction).sum(axis=axes)
    sizes = truth.sum(axis=axes) + prediction.sum(axis=axes)
    return np.divide(both, sizes, out=np.ones(len(sizes)), where=sizes > 0)


def boundary_iou(truth, prediction, num_classes, ignore_class=None, width=0.02):
    """Boundary IoU of each class: the IoU of the bands along the inner side of the outlines.

    IoU forgives a ragged outline around a large object; this does not. Counted over all images.

    Args:
        truth, prediction: integer label maps `(B, H, W)`, or lists of `(H, W)`.
        num_classes: C.
        ignore_class: label in `truth` that is left out; its border is no outline.
        width: of the band, as a share of the image's diagonal; at least one pixel.

    Returns:
        float64 `(C,)`; NaN for a class without any pixel in a band.

    Raises:
        ValueError: as `confusion_matrix`, and if there are not as many maps of one as of the other.

    Examples:
        >>> truth = np.pad(np.ones((10, 10), int), 5)[None]     # moved by 1, it keeps 90 / 110 of IoU
        >>> print(metrics.boundary_iou(truth, np.roll(truth, 1, axis=2), num_classes=2).round(2))
        [0.69 0.33]

    References:
        Cheng et al. (2021). https://arxiv.org/abs/2103.16562
    """
    from scipy import ndimage

    if len(truth) != len(prediction):
        raise ValueError(
            "`truth` and `prediction` must have as many images. "
            f"Received: {len(truth)} and {len(prediction)}"
        )
    if not 0 < width < 1:
        raise ValueError(
            f"`width` is a share of the diagonal, between 0 and 1. Received: width={width!r}"
        )
    both, either = np.zeros(num_classes), np.zeros(num_classes)
    for t, p in zip(truth, prediction):
        t, p = np.asarray(t), np.asarray(p)
        if t.shape != p.shape or t.ndim != 2:
            raise ValueError(
                "`truth` and `prediction` must be label maps of the same shape (H, W). "
                f"Received: {t.shape} and {p.shape}"
            )
        confusion_matrix(t, p, num_classes, ignore_class)  # refuses what are no labels
        steps = max(1, round(width * np.hypot(*t.shape)))
        counted = np.ones(t.shape, bool) if ignore_class is None else t != ignore_class
        for c in range(num_classes):
            bands = []
            for labels in (t, p):
                # The image's border is an outline too; that of void is none, it is not known.
                inside = np.pad((labels == c) | ~counted, 1)
                kept = ndimage.binary_erosion(inside, np.ones((3, 3), bool), steps)
                bands.append((inside & ~kept)[1:-1, 1:-1] & counted)
            both[c] += (bands[0] & bands[1]).sum()
            either[c] += (bands[0] | bands[1]).sum()
    return np.divide(both, either, out=np.full(num_classes, np.nan), where=either > 0)


def outline_gap(maps):
    """Distance of each pixel to the nearest one of another label, in pixels: float64 `(N, H, W)`.

    `maps` are integer labels `(N, H, W)`. 1 next to an outline; infinite in a map of one label.

    Examples:
        >>> print(metrics.outline_gap([[[0, 0, 0, 1]]]))
        [[[3. 2. 1. 1.]]]
    """
    from scipy import ndimage

    gaps = np.full(np.shape(maps), np.inf)
    for gap, labels in zip(gaps, np.asarray(maps)):
        present = np.unique(labels)
        for label in present if len(present) > 1 else ():
            inside = labels == label
            gap[inside] = ndimage.distance_transform_edt(inside)[inside]
    return gaps


def label_bits(maps, num_classes):
    """Mean bits of a label map under an ideal code that knows three neighbours of every pixel.

    Pixels are sent row by row; the neighbours are those to the left, above, and between the two.
    Their frequencies are taken from `maps` and count as known, so for few maps of many classes
    the number is too small.

    Args:
        maps: integers `(N, H, W)`, labels in [0, num_classes]; the last may stand for void.
        num_classes: C.

    Raises:
        ValueError: If a label is outside [0, num_classes].

    Examples:
        >>> metrics.label_bits(np.zeros((2, 8, 8), int), num_classes=2)     # nothing to tell
        0.0
    """
    maps = np.asarray(maps, dtype="int64")
    if maps.size and not 0 <= maps.min() <= maps.max() <= num_classes:
        raise ValueError(
            f"`maps` must hold labels 0 to {num_classes}. Received: {maps.min()} to {maps.max()}"
        )
    n, framed = num_classes + 1, np.pad(maps, ((0, 0), (1, 0), (1, 0)))
    near = (framed[:, 1:, :-1] * n + framed[:, :-1, 1:]) * n + framed[:, :-1, :-1]
    table = np.bincount((near * n + maps).ravel(), minlength=n**4).reshape(-1, n)
    total = np.maximum(table.sum(axis=1, keepdims=True), 1)
    return float((table * np.log2(total / np.maximum(table, 1))).sum() / len(maps))


LABEL_MAP_SCORES = ("accuracy", "mean IoU", "Dice per image", "boundary IoU", "IoU of worst class")


def label_map_scores(truth, answer, num_classes, ignore_class=None):
    """Five scores of label maps `(N, H, W)`, in the order of `LABEL_MAP_SCORES`: float64 `(5,)`.

    Dice is a mean over images and classes; a class that neither map of an image has counts 1.

    Examples:
        >>> truth = np.array([[[0, 0], [1, 1]]])
        >>> metrics.label_map_scores(truth, truth, num_classes=2)
        array([1., 1., 1., 1., 1.])
    """
    truth, answer = np.asarray(truth), np.asarray(answer)
    ious = iou_per_class(truth, answer, num_classes, ignore_class)
    void = ignore_class is not None and truth == ignore_class
    known = np.where(void, truth, answer)
    dices = [dice(truth, known, c).mean() for c in range(num_classes)]
    bands = boundary_iou(truth, answer, num_classes, ignore_class)
    accuracy = pixel_accuracy(truth, answer, ignore_class)
    return np.array([accuracy, *map(np.nanmean, (ious, dices, bands)), np.nanmin(ious)])
