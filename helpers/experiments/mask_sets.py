"""Pictures with label maps for notebook 14, and label maps without end to learn a prior from.

Class 0 is the background in all of them, which `data.mask_damage` asks for.
"""

import dataclasses
from collections import namedtuple
from functools import partial

import numpy as np

from helpers import data
from helpers.data import scenes

MaskSet = namedtuple("MaskSet", "train val class_names draw")
SHAPES = 1000  # pictures of `shapes` to learn from and to tune with
ZOOMS, SHIFT = (0.8, 1.25), 3  # of `varied`: least and largest factor; pixels at 32×32


def load(dataset, size, seed, val_images, tuning):
    """One data set in the form that notebook 14 needs.

    Args:
        dataset: "shapes", or "pets" with the classes background, pet and border.
        size: height and width, pixels.
        seed: of `shapes`.
        val_images: pictures to score on; the Pets have 36.
        tuning: the last so many pictures of `train` are for tuning: `draw` does not use them.

    Returns:
        `MaskSet(train, val, class_names, draw)`: two data sets, see `data.load`; names; and a
        function of (how many, seed) that draws label maps, uint8 `(N, size, size)`. Those of
        `shapes` are new, those of the Pets are `varied` from the pictures to learn from.

    Examples:
        >>> from helpers.experiments import mask_sets
        >>> found = mask_sets.load("shapes", 32, seed=0, val_images=4, tuning=10)
        >>> found.val.masks.shape, found.draw(5, seed=1).shape, found.class_names[0]
        ((4, 32, 32), (5, 32, 32), 'background')
    """
    if dataset == "shapes":
        options = {"size": size, "seed": seed, **scenes.CLEAR}
        train = data.load("shapes", "train", limit=SHAPES, **options)
        val = data.load("shapes", "val", limit=val_images, **options)
        kind = {"size": size, **{key: scenes.CLEAR[key] for key in ("objects", "radius")}}
        draw = partial(scenes.sample_maps, **kind)
        return MaskSet(train, val, train.class_names, draw)
    train = _background_first(data.load("pets", "train", size=(size, size)))
    val = _background_first(data.load("pets", "val", size=(size, size), limit=val_images))
    known = train.masks[: len(train.masks) - tuning]

    def draw(count, seed):
        return varied(known, count, seed)

    return MaskSet(train, val, train.class_names, draw)


def _background_first(pets):
    """The Pets with the classes 0 background, 1 pet, 2 border."""
    masks = np.array([1, 0, 2], "uint8")[pets.masks]
    return dataclasses.replace(pets, masks=masks, class_names=("background", "pet", "border"))


def varied(masks, count, seed):
    """Label maps drawn with repetition, each mirrored by lot, zoomed and moved a little.

    Args:
        masks: integer `(M, H, W)`.
        count: N.
        seed: an integer from 0.

    Returns:
        uint8 `(N, H, W)`. Beyond a border the outermost pixel goes on.

    Examples:
        >>> from helpers.experiments import mask_sets
        >>> masks = np.zeros((1, 32, 32), "uint8")
        >>> masks[0, 8:24, 8:24] = 1
        >>> drawn = mask_sets.varied(masks, count=6, seed=0)
        >>> drawn.shape, len(np.unique(drawn.sum(axis=(1, 2)))) > 1
        ((6, 32, 32), True)
    """
    rng = np.random.default_rng([int(seed), 14])
    height, width = masks.shape[1:]
    which = rng.integers(len(masks), size=count)
    zoom = np.exp(rng.uniform(*np.log(ZOOMS), size=(count, 1)))
    move = rng.uniform(-SHIFT, SHIFT, size=(2, count, 1)) * height / 32
    mirror = np.where(rng.random((count, 1)) < 0.5, -1, 1)
    row = (np.arange(height) - (height - 1) / 2 - move[0]) / zoom + (height - 1) / 2
    column = mirror * (np.arange(width) - (width - 1) / 2 - move[1]) / zoom + (width - 1) / 2
    row = row.round().astype(int).clip(0, height - 1)  # (N, H)
    column = column.round().astype(int).clip(0, width - 1)  # (N, W)
    drawn = masks[which[:, None, None], row[:, :, None], column[:, None, :]]
    return drawn.astype("uint8")
