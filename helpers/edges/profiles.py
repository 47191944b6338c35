"""What a map does at each distance from the edges that people drew."""

import numpy as np
from scipy import ndimage


def distance_to_edges(share, least=0.5):
    """Distance of every pixel to the nearest one that enough people drew, in pixels, (N, H, W).

    Args:
        share: (N, H, W), the share of annotators who drew a pixel.
        least: the share that counts as an edge. In a picture without one, all pixels are as far
            away as its diagonal is long.

    Examples:
        >>> from helpers import edges
        >>> share = np.zeros((1, 3, 5))
        >>> share[0, :, 1] = 1
        >>> edges.distance_to_edges(share)[0, 0]
        array([1., 0., 1., 2., 3.])
    """
    share = np.asarray(share)
    found = np.full(share.shape, np.hypot(*share.shape[1:]))
    for one, drawn in zip(found, share >= least):
        if drawn.any():
            one[:] = ndimage.distance_transform_edt(~drawn)
    return found


def edge_profile(maps, distance, reach=8):
    """Mean of maps over all pixels at distance 0, 1, … reach − 1 from an edge, (reach,).

    Args:
        maps: N maps (H, W).
        distance: (N, H, W), see `distance_to_edges`; rounded here.
        reach: how many distances. One that no pixel has gets 0.
    """
    maps, distance = np.asarray(maps), np.rint(distance)
    means = [maps[distance == d].mean() if (distance == d).any() else 0 for d in range(reach)]
    return np.array(means)
