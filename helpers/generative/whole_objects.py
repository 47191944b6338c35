"""Which pictures show exactly one whole disc, square or triangle: a rule, so that draws are counted.

`one_whole_object` says yes or no, `modes` which shape is where, `survey` both at one look and how
soft the outlines are, `outline` what they look at. NumPy in, NumPy out. The rule is for pictures
like those of `shapes` with one object on faint texture; it knows nothing of photographs.
"""

from functools import lru_cache

import numpy as np

from helpers.data import to_float
from helpers.data._shapes_draw import DISC, SQUARE, SYMMETRY, TRIANGLE, signed_distance

KINDS = {DISC: "disc", SQUARE: "square", TRIANGLE: "triangle"}
FAINT = 0.15  # least contrast of an object with its ground, in units of a pixel
CRUMB = 0.1  # a second region counts as an object from this share of the first one's area
MARGIN = (0.8, 1.12)  # areas that are accepted, times the least and the greatest area
FIT = 0.84  # least IoU with the best disc, square or triangle
SOFT = 5.5  # most pixels on the way from ground to object, divided by the root of the area
UNEVEN = 0.15  # greatest spread of the colour inside the object, divided by the contrast
TURNS = 12  # rotations of each shape that are tried, each in three sizes


def one_whole_object(images, radius=(0.18, 0.25)):
    """Whether each picture shows one whole object and nothing else that stands out.

    All of these must hold: one region differs clearly from the colour of the ground, and no
    second one of a tenth of its size; its area is one that the set has; a disc, a square or a
    triangle covers it (IoU of 0.84 or more); its outline is sharp; its colour is even.

    On 500 pictures of each kind that the limits were not chosen on (`shapes` of 32×32 pixels,
    `texture=0.1`, `noise=0.02`, contrast 0.25 to 0.6), it says yes to 98.8 % of the pictures with
    one object, to 0.4 % of those with two, to none with a contrast of 0.02, and to 3.2 % of means
    of two pictures. On pictures of 16×16 it refuses too many whole objects to be of use.

    Args:
        images: `(N, H, W, C)`, uint8, or float in [0, 1].
        radius: of the objects, least and greatest, as given to `shapes`.

    Returns:
        Booleans, `(N,)`.

    Raises:
        ValueError: if the array has no such shape, or holds values that are no pixels.

    Examples:
        >>> from helpers.generative import whole_objects
        >>> easy = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6)}
        >>> dataset = data.load("shapes", "val", limit=3, size=32, texture=0.1, noise=0.02, **easy)
        >>> whole_objects.one_whole_object(dataset.images).tolist()
        [True, True, True]
        >>> whole_objects.one_whole_object(np.full((1, 32, 32, 3), 0.5)).tolist()     # a bare ground
        [False]
    """
    return survey(images, radius)["whole"]


def modes(images):
    """Which of twelve groups each picture belongs to: three kinds times four quarters.

    The kind is the shape that fits the largest region best, however badly; the quarter is that of
    the region's centre.

    Args:
        images: `(N, H, W, C)`, uint8, or float in [0, 1].

    Returns:
        Integers, `(N,)`: 4 · kind + 2 · (lower half) + (right half), kinds 0 disc, 1 square, 2
        triangle; −1 for a picture of one colour.

    Examples:
        >>> from helpers.generative import whole_objects
        >>> picture = np.full((32, 32, 3), 0.3)
        >>> picture[18:30, 2:14] = 0.8     # a square, lower left
        >>> whole_objects.modes(picture[None]).tolist()
        [6]
    """
    return survey(images)["mode"]


def survey(images, radius=(0.18, 0.25)):
    """What `one_whole_object` and `modes` say, and how soft the outlines are, at one look.

    A look at a picture takes a millisecond or two, so who needs more than one of the three asks
    here.

    Args:
        images: `(N, H, W, C)`, uint8, or float in [0, 1].
        radius: of the objects, least and greatest, as given to `shapes`.

    Returns:
        Dictionary of arrays `(N,)`: `whole`, booleans of `one_whole_object`; `mode`, integers of
        `modes`; `soft`, floats of `outline`: pixels on the way from ground to object, divided by
        the root of the area in pixels, infinite for a picture of one colour.

    Raises:
        ValueError: if the array has no such shape, or holds values that are no pixels.

    Examples:
        >>> from helpers.generative import whole_objects
        >>> picture = np.full((32, 32, 3), 0.3)
        >>> picture[10:22, 8:20] = 0.8
        >>> seen = whole_objects.survey(picture[None])
        >>> bool(seen["whole"][0]), int(seen["mode"][0])     # a square, upper left
        (True, 4)
    """
    least, most = (np.pi * r**2 * m for r, m in zip(radius, MARGIN))
    found = [outline(image) for image in _pixels(images)]
    return {
        "whole": np.array([_is_whole(f, least, most) for f in found], dtype=bool),
        "mode": np.array([_mode(f) for f in found], dtype=int),
        "soft": np.array([f["soft"] for f in found], dtype=float),
    }


def outline(image):
    """The largest region of a picture that differs from its ground, and what shape it has.

    The ground's colour is the median pixel, so an object must cover less than half of the
    picture. The region is what Otsu's threshold leaves of the distance from that colour.

    Args:
        image: `(H, W, C)`, uint8, or float in [0, 1].

    Returns:
        Dictionary: `mask` (H, W) of the region; `contrast`, root mean square over the channels of
        its colour minus the ground's; `second`, area of the next region as a share of this one's;
        `area`, as a share of the picture; `kind`, the best of "disc", "square" and "triangle", and
        `fit`, the IoU with it; `soft`, pixels on the way from ground to object, divided by the root
        of the area in pixels; `uneven`, spread of the colour inside, divided by the contrast.

    Examples:
        >>> from helpers.generative import whole_objects
        >>> picture = np.full((32, 32, 3), 0.3)
        >>> picture[10:22, 8:20] = 0.8
        >>> found = whole_objects.outline(picture)
        >>> found["kind"], round(found["contrast"], 1), int(found["mask"].sum())
        ('square', 0.5, 144)
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    x = _pixels(np.asarray(image)[None])[0]  # (H, W, C)
    ground = np.median(x, axis=(0, 1))  # (C,)
    smooth = ndimage.gaussian_filter(x, (0.6, 0.6, 0))
    distance = np.sqrt(np.mean((smooth - ground) ** 2, axis=-1))  # (H, W)
    regions, count = ndimage.label(distance > threshold_otsu(distance))
    if not count:  # a picture of one colour
        nothing = {"contrast": 0.0, "second": 0.0, "area": 0.0, "fit": 0.0}
        empty = np.zeros(x.shape[:2], dtype=bool)
        return {"mask": empty, "kind": "disc", "soft": np.inf, "uneven": np.inf, **nothing}

    areas = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    largest = int(np.argmax(areas))
    mask = regions == largest + 1  # (H, W)
    area = int(areas[largest])
    contrast = float(np.median(distance[mask]))

    wide = ndimage.binary_dilation(mask, iterations=3)
    rim = wide & ~ndimage.binary_erosion(mask, iterations=3)
    level = distance / contrast  # 0 on the ground, 1 on the object
    soft = (rim & (level > 0.25) & (level < 0.75)).sum() / np.sqrt(area)

    inside = ndimage.binary_erosion(mask, iterations=2)
    paint = np.median(x[mask], axis=0)  # (C,)
    spread = np.sqrt(np.mean((smooth[inside] - paint) ** 2)) if inside.any() else np.inf
    kind, fit = _best_shape(mask)
    return {
        "mask": mask,
        "contrast": contrast,
        "second": float(np.delete(areas, largest).max(initial=0) / area),
        "area": area / mask.size,
        "kind": kind,
        "fit": fit,
        "soft": float(soft),
        "uneven": float(spread / contrast),
    }


def _is_whole(found, least, most):
    return (
        found["contrast"] >= FAINT
        and found["second"] < CRUMB
        and least <= found["area"] <= most
        and found["fit"] >= FIT
        and found["soft"] <= SOFT
        and found["uneven"] <= UNEVEN
    )


def _mode(found):
    rows, columns = np.nonzero(found["mask"])
    if not len(rows):
        return -1
    middle_row, middle_column = ((side - 1) / 2 for side in found["mask"].shape)
    quarter = 2 * int(rows.mean() > middle_row) + int(columns.mean() > middle_column)
    return 4 * list(KINDS.values()).index(found["kind"]) + quarter


def _pixels(images):
    x = np.asarray(images)
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"pictures must be (N, H, W, C). Received: shape {x.shape}")
    if x.dtype.kind == "f" and not (x.min() >= 0 and x.max() <= 1):  # False for NaN, too
        raise ValueError(
            "floats must lie in [0, 1]; cut a network's answer with `.clip(0, 1)`. "
            f"Received: values from {x.min():.3g} to {x.max():.3g}"
        )
    return to_float(x)


def _best_shape(mask):
    """Name and IoU of the shape that covers a mask best, around its centre of mass."""
    size = max(mask.shape)
    rows, columns = np.nonzero(mask)
    kinds, poses = _poses(len(rows), size)
    best_kind, best = DISC, 0.0
    # The poses have their centre on a pixel; the mask's may lie between two.
    for row in (np.floor(rows.mean()), np.ceil(rows.mean())):
        for column in (np.floor(columns.mean()), np.ceil(columns.mean())):
            at = (rows - int(row) + size, columns - int(column) + size)
            both = poses[:, at[0], at[1]].sum(axis=1)  # (P,)
            iou = both / (len(rows) + poses.sum(axis=(1, 2)) - both)
            if iou.max() > best:
                best_kind, best = kinds[int(np.argmax(iou))], float(iou.max())
    return KINDS[best_kind], best


@lru_cache(maxsize=512)
def _poses(area, size):
    """Every shape of about that area, in every rotation and size that is tried.

    Returns:
        Kinds `(P,)`, and masks `(P, 2·size + 1, 2·size + 1)` around the pixel in the middle.
    """
    tried = [
        (kind, turn * SYMMETRY[kind] / TURNS, scale * np.sqrt(area / np.pi))
        for kind in KINDS
        for turn in range(1 if kind == DISC else TURNS)
        for scale in (0.95, 1.0, 1.05)
    ]
    kinds, turns, radii = (np.array(column) for column in zip(*tried))
    middle = np.full(len(kinds), float(size))
    return kinds, signed_distance(kinds, middle, middle, radii, turns, 2 * size + 1) < 0
