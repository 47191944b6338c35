"""Pictures of a set brought to a longest side, with all that was drawn in them."""

import dataclasses

import numpy as np

from helpers.data.images import resize_boundaries, resize_image, resize_indices, share


def at_most(dataset, side):
    """A data set whose pictures are at most `side` pixels long; smaller ones stay as they are.

    Args:
        dataset: a `data.Dataset`.
        side: longest side in pixels.

    Returns:
        A `data.Dataset` whose images, and what was drawn in them, are lists.

    Examples:
        >>> from helpers.data import scaled
        >>> large = data.load("shapes", "val", limit=2, size=64)
        >>> [image.shape for image in scaled.at_most(large, 32).images]
        [(32, 32, 3), (32, 32, 3)]
    """
    sizes = [fitting(image.shape[:2], side) for image in dataset.images]
    scaled = {"images": list(map(resize_image, dataset.images, sizes))}
    if dataset.masks is not None:
        scaled["masks"] = list(map(resize_indices, dataset.masks, sizes))
    if dataset.segmentations is not None:
        scaled["segmentations"] = [
            np.stack([resize_indices(one, size) for one in people])
            for people, size in zip(dataset.segmentations, sizes)
        ]
    if dataset.annotations is None and dataset.edges is not None:
        scaled["edges"] = list(map(resize_boundaries, dataset.edges, sizes))
    if dataset.annotations is not None:
        drawn = list(map(resize_boundaries, dataset.annotations, sizes))
        # One drawing may have strengths, which its 0s and 1s do not tell.
        edges = [
            resize_boundaries(strengths, size) if len(each) == 1 else share(each)
            for strengths, size, each in zip(dataset.edges, sizes, drawn)
        ]
        scaled |= {"annotations": drawn, "edges": edges}
    return dataclasses.replace(dataset, **scaled)


def fitting(size, side):
    """(height, width) with the same proportions, and no side longer than `side` pixels.

    Examples:
        >>> from helpers.data import scaled
        >>> scaled.fitting((480, 640), 320), scaled.fitting((30, 40), 320)
        ((240, 320), (30, 40))
    """
    scale = min(1.0, side / max(size))
    return tuple(max(1, round(scale * length)) for length in size)
