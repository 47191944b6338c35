"""What a network says of photographs: from several views of one, and as thin edges.

A view is the photograph at another size, or its mirror image.
"""

import itertools
from pathlib import Path

import numpy as np
from scipy.special import expit, softmax

from helpers import edges, pyramids
from helpers.data import scaled
from helpers.data.drawn import pictures
from helpers.data.images import read_rgb, resize_image, resize_indices


def probabilities(model, images, multiple, scales=(1.0,), mirror=False):
    """Mean probabilities over the views, one image at a time.

    Args:
        model: convolutional, `(B, H, W, C)` → logits `(B, H, W, classes)`, at any size; with one
            class, of an edge.
        images: uint8 `(H, W, C)`; a list, one array or a generator.
        multiple: see `pyramids.predict_full_size`.
        scales: sizes of the views, as factors of the image's own.
        mirror: whether each size is read mirrored, too.

    Yields:
        float32 `(H, W, classes)` for each image.
    """
    turns = (False, True) if mirror else (False,)
    images, again = itertools.tee(images)
    # One generator for all: each one compiles the network anew.
    answers = pyramids.predict_full_size(model, _views(images, scales, turns), multiple)
    for image in again:
        found = []
        for _ in scales:
            for turned in turns:
                logits = next(answers)
                found.append(_resized(logits[:, ::-1] if turned else logits, image.shape[:2]))
        yield np.mean(found, axis=0)


def edge_maps(model, images, multiple):
    """Thin edge maps, after `edges.nms`, of photographs of any size, one after another.

    Args:
        model, images, multiple: as for `probabilities`; the model has one class.

    Yields:
        float32 `(H, W)` in [0, 1] for each image.
    """
    for shares in probabilities(model, images, multiple):
        height, width = shares.shape[:2]
        # A slope needs two pixels: a picture of a single row counts as two equal ones.
        wide = [(0, max(0, 2 - height)), (0, max(0, 2 - width))]
        strength = np.pad(shares[..., 0].astype("float64"), wide, mode="edge")
        yield edges.nms(strength)[:height, :width]


def as_drawn(model, photographs, multiple, side, values=None):
    """What a network says of photographs, at their size, as somebody would have drawn it.

    Args:
        model, multiple: as for `probabilities`.
        photographs: uint8 `(H, W, 3)`, in a list or from a generator.
        side: longest side that the model sees, in pixels.
        values: those of its classes in masks; None for a model of edges.

    Yields:
        uint8 `(H, W)` for each photograph: values of classes, or edges from 0 to 255.
    """
    photographs, again = itertools.tee(photographs)
    small = (resize_image(p, scaled.fitting(p.shape[:2], side)) for p in photographs)
    found = edge_maps if values is None else pyramids.predict_full_size
    answers = found(model, small, multiple)  # one generator for all, see `probabilities`
    for answer, photo in zip(answers, again):
        size = photo.shape[:2]
        if values is None:
            strengths = np.rint(255 * answer).astype("uint8")
            yield resize_image(strengths[..., None], size)[..., 0]
        else:
            yield resize_indices(np.array(values, "uint8")[answer.argmax(axis=-1)], size)


def photographs_to_show(path="", side=480):
    """Photographs, scaled to a longer side.

    Args:
        path: of an image file, or of a folder of them, of which the first four are taken; ""
            takes three that scikit-image ships.
        side: longer side in pixels.

    Returns:
        List of uint8 `(H, W, 3)`.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If a file is no image.

    Examples:
        >>> from helpers.experiments import photo_views
        >>> [photo.shape for photo in photo_views.photographs_to_show(side=96)]
        [(64, 96, 3), (64, 96, 3), (96, 96, 3)]
    """
    if path:
        place = Path(path).expanduser()
        files = pictures(place)[:4] if place.is_dir() else [place]
        if not files:
            raise FileNotFoundError(f"{place} has no pictures.")
        photos = [read_rgb(file, upright=True) for file in files]
    else:
        import skimage.data

        photos = [skimage.data.chelsea(), skimage.data.coffee(), skimage.data.astronaut()]
    sizes = [np.rint(np.array(p.shape[:2]) * side / max(p.shape[:2])) for p in photos]
    sizes = [size.astype(int).clip(1) for size in sizes]
    return [resize_image(p, (int(h), int(w))) for p, (h, w) in zip(photos, sizes)]


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
