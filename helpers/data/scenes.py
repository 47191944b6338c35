"""Scenes of `shapes` as lists of objects, and their label maps: for codes that name what is there.

`shapes.generate` tells the factors of the largest object only. Here are the places, sizes and turns
of all of them, and the way from such a list back to a label map.
"""

import dataclasses

import numpy as np

from helpers.data import _shapes_draw as draw

REACH = draw.REACH  # (4,): distance from the centre to the farthest point, in radii, by class
SYMMETRY = draw.SYMMETRY  # (4,): the turn that leaves a shape as it was, in radians, by class
# Options of `shapes` for clear scenes: one or two large objects whose colours differ from the ground.
CLEAR = {
    "objects": (1, 2),
    "radius": (0.18, 0.25),
    "contrast": (0.25, 0.6),
    "texture": 0.15,
    "noise": 0.03,
    "annotators": 1,
}
STREAM = 2000  # beside the seed, so that these are no scenes of a split


def sample(n, seed=0, size=32, objects=(1, 2), radius=(0.18, 0.25)):
    """Draw scenes as `shapes.generate` does, without pictures.

    Args:
        n: Number of scenes.
        seed: An integer from 0.
        size: Side of a picture in pixels.
        objects: Least and most objects in a scene.
        radius: Least and greatest radius as a share of `size`.

    Returns:
        A scene of n pictures in M = `objects[1]` slots; see `label_maps`. `shape` (N, M) has the
        classes, 0 in an empty slot, `x`, `y`, `radius` pixels, `rotation` radians. Slot 0 has the
        largest object and lies in front.

    Examples:
        >>> scene = data.scenes.sample(5, seed=0, size=32, objects=(1, 2))
        >>> scene.shape.shape, bool((scene.shape[:, 0] > 0).all())
        ((5, 2), True)
    """
    rng = np.random.default_rng([int(seed), STREAM])
    return draw.draw_scenes(rng, n, size, objects, radius, (0.3, 0.6), len(draw.TEXTURES))


def label_maps(scene, size):
    """The label maps of scenes, exact: uint8 (N, size, size).

    Examples:
        >>> scene = data.scenes.sample(5, seed=0, size=32)
        >>> data.scenes.label_maps(scene, size=32).shape
        (5, 32, 32)
    """
    n, slots = scene.shape.shape
    maps = np.zeros((n, size, size), "uint8")
    for slot in reversed(range(slots)):  # from the back to the front
        columns = [getattr(scene, key)[:, slot] for key in ("shape", "x", "y", "radius")]
        distance = draw.signed_distance(*columns, scene.rotation[:, slot], size)
        maps = np.where(distance < 0, scene.shape[:, slot, None, None], maps)
    return maps.astype("uint8")


def sample_maps(n, seed=0, size=32, objects=(1, 2), radius=(0.18, 0.25)):
    """Label maps of drawn scenes, uint8 `(n, size, size)`; arguments as in `sample`.

    Examples:
        >>> data.scenes.sample_maps(5, seed=0, size=32).shape
        (5, 32, 32)
    """
    return label_maps(sample(n, seed, size, objects, radius), size)


def replaced(scene, **fields):
    """The same scenes with other places, sizes or turns, each (N, M).

    Examples:
        >>> scene = data.scenes.sample(2, seed=0)
        >>> bool((data.scenes.replaced(scene, x=0 * scene.x).x == 0).all())
        True
    """
    return dataclasses.replace(scene, **fields)


def rounded(scene, size, radius, places, radii, turns):
    """The same scenes as a code with few numbers tells them: each value the middle of its step.

    Radii from the least to the greatest are cut into equal steps, then for each object the places
    that it may have with that radius, and the turns up to its symmetry.

    Args:
        scene: from `sample`.
        size, radius: as there.
        places: Steps of x and of y.
        radii: Steps of the radius.
        turns: Steps of the rotation.

    Examples:
        >>> scene = data.scenes.sample(50, size=32, radius=(0.18, 0.25))
        >>> coarse = data.scenes.rounded(scene, 32, (0.18, 0.25), places=4, radii=1, turns=2)
        >>> len(np.unique(coarse.radius[:, 0]))
        1
    """
    r = _middle(scene.radius, radius[0] * size, radius[1] * size, radii)
    reach = REACH[scene.shape] * r  # an object keeps so far from the border
    return dataclasses.replace(
        scene,
        radius=r,
        x=_middle(scene.x, reach, size - 1 - reach, places),
        y=_middle(scene.y, reach, size - 1 - reach, places),
        rotation=_middle(scene.rotation, 0, SYMMETRY[scene.shape], turns),
    )


def _middle(values, low, high, steps):
    """The middle of the step, of so many equal ones from low to high, in which each value lies."""
    width = (high - low) / steps
    step = np.floor((values - low) / np.maximum(width, 1e-9)).clip(0, steps - 1)
    return low + (step + 0.5) * width
