"""Damage to label maps, for methods to repair: wrong labels, holes in objects, scattered pixels.

What a function gives has one channel for each class. A pixel that is not known has 0 in all of them.
"""

import numpy as np

CLASSES = 4  # background, disc, square, triangle; class 0 is the background in other maps, too
FLIPPED, HOLE = 0.3, 14  # share of wrong labels; side of a hole in pixels
KNOWN = 0.1  # share of the pixels that `points` leaves


def one_hot(masks, num_classes=CLASSES):
    """A channel of 0 and 1 for each class, float32 `(N, H, W)` → `(N, H, W, num_classes)`.

    Examples:
        >>> data.mask_damage.one_hot(np.array([[[0, 2]]])).tolist()
        [[[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]]]
    """
    return np.eye(num_classes, dtype="float32")[masks]


def flips(masks, rng, share=FLIPPED, num_classes=CLASSES):
    """Noise: a share of the pixels gets another class, each other class equally often.

    Args:
        masks: integer `(N, H, W)`, classes from 0.
        rng: NumPy generator.
        share: of the pixels, in [0, 1].
        num_classes: how many there are.

    Returns:
        float32 `(N, H, W, num_classes)`.

    Examples:
        >>> masks = np.zeros((50, 32, 32), "uint8")
        >>> flipped = data.mask_damage.flips(masks, np.random.default_rng(0), share=0.3)
        >>> round(float(flipped[..., 1:].sum(axis=-1).mean()), 2)
        0.3
    """
    other = (masks + rng.integers(1, num_classes, masks.shape)) % num_classes
    return one_hot(np.where(rng.random(masks.shape) < share, other, masks), num_classes)


def squares(masks, rng, side=HOLE):
    """A square on each map, around a random pixel of an object, cut at the border.

    Args:
        masks: integer `(N, H, W)`; a map without an object gets its square anywhere.
        rng: NumPy generator.
        side: of the square, in pixels.

    Returns:
        bool `(N, H, W)`, True inside.

    Examples:
        >>> masks = np.zeros((1, 32, 32), "uint8")
        >>> masks[0, 10:20, 10:20] = 2
        >>> inside = data.mask_damage.squares(masks, np.random.default_rng(0), side=8)
        >>> int(inside.sum()), bool(masks[inside].any())
        (64, True)
    """
    height, width = masks.shape[1:]
    lots = rng.random(masks.shape) + (masks > 0)  # the largest is a pixel of an object
    centre = lots.reshape(len(masks), -1).argmax(axis=1)
    top, left = (centre // width - side // 2, centre % width - side // 2)
    row, column = np.mgrid[:height, :width]
    down, right = row - top[:, None, None], column - left[:, None, None]
    return (down >= 0) & (down < side) & (right >= 0) & (right < side)


def told_hole(masks, rng, side=HOLE, num_classes=CLASSES):
    """A hole in an object that is known to be one: no class there, all channels are 0.

    Args:
        masks, rng, side: see `squares`.
        num_classes: how many there are.

    Returns:
        float32 `(N, H, W, num_classes)`.

    Examples:
        >>> hole = data.mask_damage.told_hole(np.ones((2, 32, 32), int), np.random.default_rng(0))
        >>> sorted({float(known) for known in hole.sum(axis=-1).ravel()})
        [0.0, 1.0]
    """
    return one_hot(masks, num_classes) * ~squares(masks, rng, side)[..., None]


def untold_hole(masks, rng, side=HOLE, num_classes=CLASSES):
    """A hole in an object that looks like background, and nothing says where it is.

    Args:
        masks, rng, side: see `squares`.
        num_classes: how many there are.

    Returns:
        float32 `(N, H, W, num_classes)`.

    Examples:
        >>> hole = data.mask_damage.untold_hole(np.ones((2, 32, 32), int), np.random.default_rng(0))
        >>> bool((hole.sum(axis=-1) == 1).all()), bool(hole[..., 0].any())
        (True, True)
    """
    return one_hot(np.where(squares(masks, rng, side), 0, masks), num_classes)


def points(masks, rng, share=KNOWN, num_classes=CLASSES):
    """Few pixels are known, scattered at random; the others are known to be lost.

    Args:
        masks, rng: see `flips`.
        share: of the pixels that are known, in [0, 1].
        num_classes: how many there are.

    Returns:
        float32 `(N, H, W, num_classes)`.

    Examples:
        >>> masks = np.ones((50, 32, 32), "uint8")
        >>> known = data.mask_damage.points(masks, np.random.default_rng(0), share=0.1)
        >>> round(float(known.sum(axis=-1).mean()), 2), float(known[..., 0].sum())
        (0.1, 0.0)
    """
    return one_hot(masks, num_classes) * (rng.random(masks.shape) < share)[..., None]


# What `any_of_them` draws from: a network that is trained with it has not seen `points`.
KINDS = {"flips": flips, "hole, told": told_hole, "hole, not told": untold_hole}


def any_of_them(masks, rng, num_classes=CLASSES):
    """One of the three kinds for each map, by lot.

    Args:
        masks, rng: see `squares`.
        num_classes: how many there are.

    Returns:
        float32 `(N, H, W, num_classes)`.

    Examples:
        >>> masks = np.ones((8, 32, 32), "uint8")
        >>> data.mask_damage.any_of_them(masks, np.random.default_rng(0)).shape
        (8, 32, 32, 4)
    """
    every = np.stack([damage(masks, rng, num_classes=num_classes) for damage in KINDS.values()])
    return every[rng.integers(0, len(KINDS), len(masks)), np.arange(len(masks))]
