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
    """Colour, gradient and curvature of each pixel at several scales: `(N, H, W, F)`."""
    from skimage.feature import multiscale_basic_features

    return np.stack(
        [multiscale_basic_features(i, channel_axis=-1, sigma_max=scale) for i in images]
    )


def forest(features, masks, held_features, void=None, pixels=100, trees=30, seed=0):
    """Label maps by a random forest that was trained on some pixels of each image.

    Args:
        features: `(N, H, W, F)`, of the training images.
        masks: integers `(N, H, W)`.
        held_features: `(M, H, W, F)`, of the images to label.
        void: label that is not trained on, or None.
        pixels: how many of each training image, on average.
        trees: of the forest.
        seed: of the pixels and of the trees.

    Returns:
        Integers `(M, H, W)`.
    """
    from sklearn.ensemble import RandomForestClassifier

    labels = np.asarray(masks).ravel()
    known = np.arange(labels.size) if void is None else np.flatnonzero(labels != void)
    spots = np.random.default_rng(seed).choice(known, min(pixels * len(masks), len(known)), False)
    model = RandomForestClassifier(trees, min_samples_leaf=3, n_jobs=2, random_state=seed)
    model.fit(features.reshape(labels.size, -1)[spots], labels[spots])
    *shape, width = held_features.shape
    return model.predict(held_features.reshape(-1, width)).reshape(shape)


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
