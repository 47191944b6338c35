"""One answer of a network from several views of a photograph: other sizes, and the mirror image."""

import numpy as np

from helpers import pyramids
from helpers.data.images import resize_image


def probabilities(model, images, multiple, scales=(1.0,), mirror=False):
    """Mean probabilities over the views, one image at a time.

    Args:
        model: convolutional, `(B, H, W, C)` → logits `(B, H, W, classes)`, at any size; with one
            class, of an edge.
        images: iterable of uint8 `(H, W, C)`.
        multiple: see `pyramids.predict_full_size`.
        scales: sizes of the views, as factors of the image's own.
        mirror: whether each size is read mirrored, too.

    Yields:
        float32 `(H, W, classes)` for each image.
    """
    for image in images:
        size = image.shape[:2]
        total, views = 0.0, 0
        for scale in scales:
            sides = tuple(max(multiple, round(scale * side)) for side in size)
            view = image if sides == size else resize_image(np.ascontiguousarray(image), sides)
            pair = [view, view[:, ::-1]] if mirror else [view]
            answers = pyramids.predict_full_size(model, pair, multiple)
            for logits, turned in zip(answers, (False, True)):
                shares = _shares(logits[:, ::-1] if turned else logits)
                total = total + (shares if sides == size else _enlarged(shares, size))
                views += 1
        yield total / views


def _shares(logits):
    """Softmax over the last axis, or the logistic function of a single logit."""
    if logits.shape[-1] == 1:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _enlarged(shares, size):
    """Each class by itself, linearly."""
    import skimage.transform

    return skimage.transform.resize(shares, (*size, shares.shape[-1]), order=1).astype("float32")
