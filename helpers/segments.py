"""Label maps: what they cost in bits, a forest that draws them, and five scores side by side.

NumPy in, NumPy out. Nothing here touches a network.
"""

import numpy as np

from helpers import metrics


def label_bits(maps, num_classes):
    """Bits of a label map under an ideal code that knows three neighbours of every pixel.

    Pixels are sent row by row; the neighbours are those to the left, above, and between the two.
    Their frequencies are taken from `maps` and count as known, so for few maps of many classes
    the number is too small.

    Args:
        maps: integers `(N, H, W)`, labels in [0, num_classes]; the last may stand for void.
        num_classes: C.

    Returns:
        Mean over the maps, bits.
    """
    maps = np.asarray(maps, dtype="int64")
    n, framed = num_classes + 1, np.pad(maps, ((0, 0), (1, 0), (1, 0)))
    near = (framed[:, 1:, :-1] * n + framed[:, :-1, 1:]) * n + framed[:, :-1, :-1]
    table = np.bincount((near * n + maps).ravel(), minlength=n**4).reshape(-1, n)
    total = np.maximum(table.sum(axis=1, keepdims=True), 1)
    return float((table * np.log2(total / np.maximum(table, 1))).sum() / len(maps))


def grid_labels(maps, g, num_classes):
    """Label maps shrunk to g×g by majority vote, void left out: `(N, g, g)`.

    Labels outside [0, num_classes) have no vote. Height and width must be multiples of g.
    """
    maps = np.asarray(maps)
    n, height, width = maps.shape
    if height % g or width % g:
        raise ValueError(f"{height}×{width} pixels cannot be cut into {g}×{g} equal cells")
    cells = maps.reshape(n, g, height // g, g, width // g)
    votes = [(cells == c).sum(axis=(2, 4)) for c in range(num_classes)]
    return np.argmax(votes, axis=0)


def pixel_features(images, scale=4):
    """Colour, gradient and curvature of each pixel at several scales: yields `(H, W, F)`."""
    from skimage.feature import multiscale_basic_features

    for image in images:
        yield multiscale_basic_features(image, channel_axis=-1, sigma_max=scale)


def forest(features, masks, held_features, void=None, pixels=100, trees=30, seed=0):
    """Label maps by a random forest that was trained on some pixels of each image.

    Features are taken one image after another, so generators keep the memory small.

    Args:
        features: iterable of `(H, W, F)`, one for each training image.
        masks: integers `(N, H, W)`.
        held_features: iterable of `(H, W, F)`, one for each of the M images to label.
        void: label that is not trained on, or None.
        pixels: how many of each training image, at most; of one with less that counts, all.
        trees: of the forest.
        seed: of the pixels and of the trees.

    Returns:
        Integers `(M, H, W)`.
    """
    from sklearn.ensemble import RandomForestClassifier

    rng, samples = np.random.default_rng(seed), []
    for image, mask in zip(features, masks, strict=True):
        known = np.flatnonzero(np.asarray(mask) != void)
        spots = rng.choice(known, min(pixels, len(known)), replace=False)
        samples.append((image.reshape(mask.size, -1)[spots], mask.ravel()[spots]))
    model = RandomForestClassifier(trees, min_samples_leaf=3, n_jobs=2, random_state=seed)
    model.fit(*map(np.concatenate, zip(*samples)))
    answers, waiting = [], []
    for image in held_features:
        waiting.append(image)
        if len(waiting) * waiting[0][..., 0].size > 200_000:  # a call costs time of its own
            answers, waiting = [*answers, _vote(model, waiting)], []
    return np.concatenate([*answers, *([_vote(model, waiting)] if waiting else [])])


def _vote(model, images):
    stack = np.stack(images)
    return model.predict(stack.reshape(-1, stack.shape[-1])).reshape(stack.shape[:-1])


SCORES = ("accuracy", "mean IoU", "Dice per image", "boundary IoU", "IoU of worst class")


def scores(truth, answer, num_classes, void=None):
    """Five scores of label maps `(N, H, W)`, in the order of `SCORES`: float64 `(5,)`.

    Dice is the mean over images and classes; a class that is neither in the image nor in the
    answer counts 1.
    """
    ious = metrics.iou_per_class(truth, answer, num_classes, void)
    known = answer if void is None else np.where(truth == void, void, answer)
    dices = [metrics.dice(truth, known, c).mean() for c in range(num_classes)]
    bands = metrics.boundary_iou(truth, answer, num_classes, void)
    accuracy = metrics.pixel_accuracy(truth, answer, void)
    return np.array([accuracy, *map(np.nanmean, (ious, dices, bands)), np.nanmin(ious)])


def iou_per_image(truth, answer, num_classes, void=None):
    """Mean IoU of each image, over the classes in its truth or answer: float64 `(N,)`."""
    pairs = zip(truth, answer, strict=True)
    return np.array([np.nanmean(metrics.iou_per_class(t, a, num_classes, void)) for t, a in pairs])


def confusion_shares(truth, answer, num_classes, void=None):
    """The confusion matrix with each row, a true class, as shares of its pixels: `(C, C)`."""
    counts = metrics.confusion_matrix(truth, answer, num_classes, void)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def enlarged(maps, size):
    """Feature maps of several resolutions, each repeated up to `size`: `(N, H, W, ΣF)`."""
    grown = [m.repeat(size[0] // m.shape[1], 1).repeat(size[1] // m.shape[2], 2) for m in maps]
    return np.concatenate(grown, axis=-1)


def enlarged_each(maps, size):
    """`enlarged` image by image, for `forest`: yields `(H, W, ΣF)`."""
    for levels in zip(*maps):
        yield enlarged([level[None] for level in levels], size)[0]
