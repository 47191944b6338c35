"""A random forest that labels pixels from features. NumPy in, NumPy out."""

import numpy as np


def pixel_features(images, scale=4):
    """Colour, gradient and curvature of each pixel at several scales: yields `(H, W, F)`."""
    from skimage.feature import multiscale_basic_features

    for image in images:
        yield multiscale_basic_features(image, channel_axis=-1, sigma_max=scale)


def forest_labels(features, masks, held_features, ignore_class=None, pixels=100, trees=30, seed=0):
    """Label maps by a random forest that was trained on some pixels of each image.

    Features are taken one image after another, so generators keep the memory small.

    Args:
        features: iterable of `(H, W, F)`, one for each training image.
        masks: integers `(N, H, W)`.
        held_features: iterable of `(H, W, F)`, one for each of the M images to label.
        ignore_class: label that is not trained on, or None.
        pixels: how many of each training image, at most; of one with less that counts, all.
        trees: of the forest.
        seed: of the pixels and of the trees.

    Returns:
        Integers `(M, H, W)`.
    """
    from sklearn.ensemble import RandomForestClassifier

    rng, samples = np.random.default_rng(seed), []
    for image, mask in zip(features, masks, strict=True):
        known = np.flatnonzero(np.asarray(mask) != ignore_class)
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


def enlarged(maps, size):
    """Feature maps of several resolutions, each repeated up to `size`: `(N, H, W, ΣF)`."""
    grown = [m.repeat(size[0] // m.shape[1], 1).repeat(size[1] // m.shape[2], 2) for m in maps]
    return np.concatenate(grown, axis=-1)


def enlarged_each(maps, size):
    """`enlarged` image by image, for `forest_labels`: yields `(H, W, ΣF)`."""
    for levels in zip(*maps):
        yield enlarged([level[None] for level in levels], size)[0]
