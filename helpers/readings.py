"""A question that can be understood in three ways, and what twenty people then mark.

Masks with a disagreement that is known exactly: who has understood the question in one way marks
accordingly, without a doubt, and nobody marks the average.
"""

import numpy as np

# People of twenty who understand "mark the pieces" in each of three ways.
READINGS = {"everything": 8, "only lighter": 7, "only darker": 5}


def lighter_pieces(pictures):
    """Pixels of the pieces that are lighter than the ground, bool `(N, H, W)`.

    A piece is a connected region of one class; it is lighter if its mean grey value is above that
    of the background's pixels.

    Args:
        pictures: a `data.Dataset` with `masks`, 0 for the background.
    """
    from scipy import ndimage

    found = np.zeros(pictures.masks.shape, bool)
    for image, mask, out in zip(pictures.images, pictures.masks, found):
        grey = image.mean(axis=-1)
        ground = grey[mask == 0].mean() if (mask == 0).any() else 0.0
        for kind in np.unique(mask[mask > 0]):
            regions, count = ndimage.label(mask == kind)
            means = ndimage.mean(grey, regions, np.arange(1, count + 1))
            out |= np.isin(regions, 1 + np.flatnonzero(means > ground))
    return found


def twenty_people(pictures):
    """What twenty people mark in each picture: `(N, 20, H, W)`, bool, in the order of `READINGS`.

    Args:
        pictures: a `data.Dataset` with `masks`, 0 for the background.
    """
    pieces, light = pictures.masks > 0, lighter_pieces(pictures)
    kinds = pieces, light, pieces & ~light
    return np.stack([k for k, n in zip(kinds, READINGS.values()) for _ in range(n)], axis=1)
