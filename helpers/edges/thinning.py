"""Thinning and non-maximum suppression: edge maps one pixel wide."""

import numpy as np
from scipy import ndimage

# Bit of each neighbour in an 8-bit code; x1 is east, then anticlockwise.
_STEPS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def _deletion_tables():
    """The two lookup tables of Guo and Hall's thinning, boolean (256,) each."""
    code = np.arange(256)
    x = [(code >> k & 1).astype(bool) for k in range(8)]  # x[0] = x1 … x[7] = x8
    crossings = sum(~x[k] & (x[k + 1] | x[(k + 2) % 8]) for k in (0, 2, 4, 6))
    pairs_1 = sum((x[k] | x[k + 1]).astype(int) for k in (0, 2, 4, 6))
    pairs_2 = sum((x[k] | x[(k + 1) % 8]).astype(int) for k in (1, 3, 5, 7))
    thickness = np.minimum(pairs_1, pairs_2)
    both = (crossings == 1) & (thickness >= 2) & (thickness <= 3)
    first = both & ~((x[1] | x[2] | ~x[7]) & x[0])
    second = both & ~((x[5] | x[6] | ~x[3]) & x[4])
    return first, second


_TABLES = _deletion_tables()


def thin(binary):
    """Thins lines until they are one pixel wide, keeping what is connected.

    The same map as `bwmorph(map, "thin", inf)`, which the official benchmark calls, and as
    `skimage.morphology.thin`, which takes several times as long; a test holds them together.

    Args:
        binary: (H, W), boolean or 0/1.

    Returns:
        Boolean (H, W).

    References:
        Guo and Hall, Parallel thinning with two-subiteration algorithms, Communications
        of the ACM 32(3), 1989, https://doi.org/10.1145/62065.62074
    """
    binary = np.asarray(binary)
    if binary.ndim != 2:
        raise ValueError(f"`binary` must have shape (H, W). Received: shape={binary.shape}")
    height, width = binary.shape
    # A frame of background spares every test for the border.
    framed = np.zeros((height + 2, width + 2), np.uint8)
    framed[1:-1, 1:-1] = binary != 0
    flat = framed.ravel()
    steps = [dy * (width + 2) + dx for dy, dx in _STEPS]
    alive = np.flatnonzero(flat)
    while True:
        before = len(alive)
        for table in _TABLES:
            code = np.zeros(len(alive), np.uint8)
            for bit, step in enumerate(steps):
                code |= flat[alive + step] << bit
            gone = table[code]
            flat[alive[gone]] = 0
            alive = alive[~gone]
        if len(alive) == before:
            return framed[1:-1, 1:-1].astype(bool)


def nms(
    magnitude,
    *,
    smooth=1,
    orientation_smooth=4,
    radius=1,
    border=5,
    tolerance=1.01,
):
    """Keeps the ridges of an edge map: non-maximum suppression across the edge.

    The recipe of the structured-edge toolbox, which most published BSDS500
    numbers go through: smooth the map with a triangle filter; read the
    direction across the edge from the second derivatives of a smoother copy;
    remove a pixel when the map, read between pixels, is higher `radius` or
    fewer pixels away in that direction; fade the map out at the image's border.

    Args:
        magnitude: (H, W), floats in [0, 1], edge strength.
        smooth: radius in pixels of the triangle filter on the map (0: none).
        orientation_smooth: the same for the copy the direction is read from.
        radius: how many pixels away, to both sides, a rival may stand.
        border: width in pixels of the band at the image's border that fades
            to 0 (0: none). The filters know less there.
        tolerance: a rival wins only when it is this many times as strong, so
            that a flat ridge keeps its pixels.

    Returns:
        float32 (H, W), 0 where suppressed.

    References:
        Dollár and Zitnick, Fast edge detection using structured forests, PAMI
        37(8), 2015, https://doi.org/10.1109/TPAMI.2014.2377715
    """
    strength = np.asarray(magnitude, np.float32)
    if strength.ndim != 2:
        raise ValueError(f"`magnitude` must have shape (H, W). Received: shape={strength.shape}")
    if min(strength.shape) < 2:
        raise ValueError(f"`magnitude` must be at least 2×2. Received: shape={strength.shape}")
    strength = _triangle(strength, smooth)
    angle = _across(_triangle(strength, orientation_smooth))
    cos, sin = np.cos(angle), np.sin(angle)

    height, width = strength.shape
    y, x = np.mgrid[:height, :width]
    kept = strength > 0
    for distance in range(-radius, radius + 1):
        if distance == 0:
            continue
        where = [
            np.clip(y + distance * sin, 0, height - 1),
            np.clip(x + distance * cos, 0, width - 1),
        ]
        rival = ndimage.map_coordinates(strength, where, order=1, mode="nearest")
        kept &= strength * tolerance >= rival
    return np.where(kept, strength, 0).astype(np.float32) * _fade(height, width, border)


def _across(smoothed):
    """Angle of the direction across the edge, modulo π, from x towards y.

    The rule of thumb of the toolbox, from second derivatives. Where the mixed one is
    exactly 0, as on a drawn horizontal line, the toolbox takes every edge for a vertical
    one; here the other two decide.
    """
    gy, gx = np.gradient(smoothed)
    gxy, gxx = np.gradient(gx)
    gyy = np.gradient(gy, axis=0)
    return np.arctan2(np.where(gxy > 0, -gyy, gyy), gxx + 1e-5)


def _triangle(image, radius):
    """Smooths with the triangle filter 1, 2, …, radius + 1, …, 2, 1 on both axes."""
    if radius == 0:
        return image
    kernel = radius + 1.0 - np.abs(np.arange(-radius, radius + 1))
    kernel /= kernel.sum()
    for axis in (0, 1):
        image = ndimage.correlate1d(image, kernel, axis=axis, mode="reflect")
    return image


def _fade(height, width, border):
    """Weights (H, W): 0 on the outermost pixel, 1 from `border` pixels in."""
    if border == 0:
        return np.float32(1)
    ramps = []
    for length in (height, width):
        reach = min(border, height // 2, width // 2)
        index = np.arange(length)
        depth = np.minimum(index, length - 1 - index)
        ramps.append(np.minimum(depth / reach, 1.0))
    return np.outer(*ramps).astype(np.float32)
