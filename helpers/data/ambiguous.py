"""A question that can be understood in three ways, and what twenty people then mark.

Masks with a disagreement that is known exactly: who has understood the question in one way marks
accordingly, without a doubt, and nobody marks the average.
"""

import numpy as np

# People of twenty who understand "mark the pieces" in each of three ways.
INTERPRETATIONS = {"everything": 8, "only warm": 7, "only cold": 5}


def warm_pieces(pictures):
    """Pixels of the pieces that have more red than blue, bool `(N, H, W)`.

    A piece is a connected region of one class; its mean colour decides.

    Args:
        pictures: a `data.Dataset` of colour images with `masks`, 0 for the background.
    """
    from scipy import ndimage

    found = np.zeros(pictures.masks.shape, bool)
    for image, mask, out in zip(pictures.images, pictures.masks, found):
        warmth = image[..., 0].astype("float64") - image[..., 2]
        for kind in np.unique(mask[mask > 0]):
            regions, count = ndimage.label(mask == kind)
            means = ndimage.mean(warmth, regions, np.arange(1, count + 1))
            out |= np.isin(regions, 1 + np.flatnonzero(means > 0))
    return found


def twenty_annotators(pictures):
    """What twenty people mark in each picture: `(N, 20, H, W)`, bool, in the order of `INTERPRETATIONS`.

    Args:
        pictures: a `data.Dataset` with `masks`, 0 for the background.
    """
    pieces, warm = pictures.masks > 0, warm_pieces(pictures)
    kinds = pieces, warm, pieces & ~warm
    return np.stack([k for k, n in zip(kinds, INTERPRETATIONS.values()) for _ in range(n)], axis=1)


def with_all_interpretations(pictures, limit=None):
    """The pictures that hold warm and cold pieces, so that all three interpretations differ.

    Args:
        pictures: a `data.Dataset`, as for `twenty_annotators`.
        limit: the first so many of them; None takes all.

    Raises:
        ValueError: If there is none.
    """
    warm = warm_pieces(pictures)
    cold = (pictures.masks > 0) & ~warm
    found = np.flatnonzero(warm.any(axis=(1, 2)) & cold.any(axis=(1, 2)))[:limit]
    if not len(found):
        raise ValueError(f"none of {len(pictures)} pictures has warm and cold pieces: take more")
    return pictures.subset(found)
