"""One answer of a network from several views of a photograph: other sizes, and the mirror image."""

import numpy as np
from scipy.special import expit, softmax

from helpers import pyramids
from helpers.data.images import resize_image


def probabilities(model, images, multiple, scales=(1.0,), mirror=False):
    """Mean probabilities over the views, one image at a time.

    Args:
        model: convolutional, `(B, H, W, C)` → logits `(B, H, W, classes)`, at any size; with one
            class, of an edge.
        images: uint8 `(H, W, C)`, in a list or one array.
        multiple: see `pyramids.predict_full_size`.
        scales: sizes of the views, as factors of the image's own.
        mirror: whether each size is read mirrored, too.

    Yields:
        float32 `(H, W, classes)` for each image.
    """
    turns = (False, True) if mirror else (False,)
    # One generator for all: each one compiles the network anew.
    answers = pyramids.predict_full_size(model, _views(images, scales, turns), multiple)
    for image in images:
        found = []
        for _ in scales:
            for turned in turns:
                logits = next(answers)
                found.append(_resized(logits[:, ::-1] if turned else logits, image.shape[:2]))
        yield np.mean(found, axis=0)


def _views(images, scales, turns):
    for image in images:
        for scale in scales:
            sides = tuple(max(1, round(scale * side)) for side in image.shape[:2])
            view = resize_image(image, sides)
            yield from (view[:, ::-1] if turned else view for turned in turns)


def _resized(logits, size):
    """Probabilities at the size of the image."""
    from skimage.transform import resize

    shares = expit(logits) if logits.shape[-1] == 1 else softmax(logits, axis=-1)
    return shares if shares.shape[:2] == tuple(size) else resize(shares, size, order=1)
