"""How the `shapes` images are drawn: scenes, silhouettes, textures.

Every function works on a whole block of images at once. A *scene* holds, for each
image and each of its slots, one object; slot 0 is the largest object and stands in front,
the way the nearest thing looks largest. Lengths are in pixels, angles in radians, colours in
[0, 1].
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

DISC, SQUARE, TRIANGLE = 1, 2, 3
# The photographs, and the share of each one's pixels whose gradient is too weak for a strong
# contour: chosen so that about 1 % of any photograph is contour.
TEXTURES = {"brick": 0.97, "grass": 0.88, "gravel": 0.865}

# All three shapes of one "radius" have the area of a disc of that radius, so size says
# nothing about the class.
SQUARE_HALF = np.sqrt(np.pi) / 2  # half a side of the square, in radii
TRIANGLE_INNER = np.sqrt(np.pi / (3 * np.sqrt(3)))  # inscribed circle of the triangle, in radii
# The distance from the centre to the farthest point, by class (background has none).
REACH = np.array([0.0, 1.0, SQUARE_HALF * np.sqrt(2), 2 * TRIANGLE_INNER])
# A turn by this angle leaves the shape as it was (a disc has no rotation: 0).
SYMMETRY = np.array([0.0, 0.0, np.pi / 2, 2 * np.pi / 3])

_TRIES = 12  # candidate positions for one object
_ROOM = 0.8  # two centres keep this share of the sum of their radii, where a candidate does


@dataclass(frozen=True)
class Scene:
    """The objects of N images in M slots, as arrays of shape (N, M) unless said otherwise.

    Attributes:
        shape: Class of the object, 1 to 3; 0 in an empty slot. Full slots come first.
        x: Column of the centre. Pixel centres have whole numbers.
        y: Row of the centre.
        radius: Radius of the disc of equal area. It falls from slot to slot.
        rotation: Angle, from 0 up to the shape's symmetry.
        colour: Paint, (N, M, 3).
        contrast: Root mean square of paint minus background over red, green, blue.
        ground: Paint of the background, (N, 3).
        texture: Index of the background's photograph in `textures`, (N,).
    """

    shape: np.ndarray
    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    rotation: np.ndarray
    colour: np.ndarray
    contrast: np.ndarray
    ground: np.ndarray
    texture: np.ndarray


def hsv_to_rgb(hue, saturation, value):
    """Turn hue, saturation and value, each in [0, 1], into red, green, blue: (..., 3).

    Like `skimage.color.hsv2rgb`, but for the last bits, which the bytes of the set depend on.
    """
    k = (np.array([5.0, 3.0, 1.0]) + np.asarray(hue)[..., None] * 6) % 6
    ramp = np.clip(np.minimum(k, 4 - k), 0, 1)
    value, saturation = np.asarray(value)[..., None], np.asarray(saturation)[..., None]
    return value * (1 - saturation * ramp)


def draw_scenes(rng, n, size, objects, radius, contrast, num_textures):
    """Draw the objects of `n` images: what they are, where, how large and of what colour.

    Args:
        rng: NumPy generator.
        n: Number of images.
        size: Side of the images in pixels.
        objects: Least and most objects in an image.
        radius: Least and greatest radius, as a share of `size`.
        contrast: Least and greatest distance of a paint from the background's.
        num_textures: Number of background photographs.

    Returns:
        `Scene`.
    """
    slots = objects[1]
    count = rng.integers(objects[0], slots + 1, n)
    full = np.arange(slots) < count[:, None]  # (N, M)
    r = rng.uniform(radius[0] * size, radius[1] * size, (n, slots))
    r = -np.sort(-np.where(full, r, 0), axis=1)
    shape = np.where(full, rng.integers(DISC, TRIANGLE + 1, (n, slots)), 0)
    rotation = rng.random((n, slots)) * SYMMETRY[shape]
    x, y = _place(rng, shape, r, size)

    # Tinted clearly: in nearly grey scenes a small VAE learns brightness and never colour.
    ground = hsv_to_rgb(rng.random(n), rng.uniform(0.2, 0.6, n), rng.uniform(0.25, 0.5, n))
    # Of a paint and its opposite, take the one that is further from the background, then
    # thin it until it has the contrast that was drawn.
    hue, strong = rng.random((n, slots)), rng.uniform(0.3, 0.85, (n, slots))
    paints = np.stack(
        [hsv_to_rgb((hue + turn) % 1, strong, 0.95) for turn in (0, 0.5)]
    )  # (2, N, M, 3)
    away = paints - ground[:, None]
    distance = np.sqrt(np.mean(away**2, axis=-1))  # (2, N, M)
    wanted = rng.uniform(*contrast, (n, slots))
    first = distance[0] >= distance[1]
    away = np.where(first[..., None], away[0], away[1])
    distance = np.where(first, distance[0], distance[1])
    contrast = np.minimum(wanted, distance)
    colour = ground[:, None] + away * (contrast / distance)[..., None]
    texture = rng.integers(0, num_textures, n)
    return Scene(shape, x, y, r, rotation, colour, contrast, ground, texture)


def _place(rng, shape, radius, size):
    """Find a centre for every object: inside the frame, and apart from the larger ones."""
    n, slots = shape.shape
    reach = REACH[shape] * radius
    x, y = np.zeros((n, slots)), np.zeros((n, slots))
    for slot in range(slots):
        low = reach[:, slot, None]
        span = (size - 1) - 2 * low
        tries = low[None] + rng.random((2, n, _TRIES)) * span[None]  # (2, N, tries)
        room = np.full((n, _TRIES), np.inf)
        for other in range(slot):
            gap = np.hypot(tries[0] - x[:, other, None], tries[1] - y[:, other, None])
            room = np.minimum(room, gap / (radius[:, slot] + radius[:, other] + 1e-9)[:, None])
        # The first candidate with room enough, or else the one with the most.
        best = np.argmax(np.minimum(room, _ROOM), axis=1)
        x[:, slot], y[:, slot] = tries[:, np.arange(n), best]
    return x, y


def signed_distance(shape, x, y, radius, rotation, size):
    """Distance of every pixel centre from the outline, negative inside: (N, size, size) float32.

    Outside a corner it is the distance to the nearer side's line, which is all that
    painting needs.
    """
    grid = np.arange(size, dtype="float32")
    out = np.full((len(shape), size, size), np.inf, "float32")
    for kind in (DISC, SQUARE, TRIANGLE):
        (these,) = np.nonzero(shape == kind)
        if not len(these):
            continue
        dx = grid - x[these, None].astype("float32")  # (k, W)
        dy = grid - y[these, None].astype("float32")  # (k, H)
        r = radius[these, None, None].astype("float32")
        if kind == DISC:
            out[these] = np.sqrt((dx**2)[:, None, :] + (dy**2)[:, :, None]) - r
            continue
        # A polygon is what lies on the inner side of all its sides; `angles` are their normals.
        sides, inner = (2, SQUARE_HALF) if kind == SQUARE else (3, TRIANGLE_INNER)
        step = np.pi / 2 if kind == SQUARE else 2 * np.pi / 3
        far = None
        for side in range(sides):
            angle = rotation[these, None] + side * step
            along = (np.cos(angle).astype("float32") * dx)[:, None, :]
            along = along + (np.sin(angle).astype("float32") * dy)[:, :, None]
            along = np.abs(along) if kind == SQUARE else along
            far = along if far is None else np.maximum(far, along, out=far)
        out[these] = far - np.float32(inner) * r
    return out


@lru_cache(maxsize=4)
def load_textures(names):
    """Read photographs that ship inside scikit-image and find their strong contours.

    Each comes in four poses: as it is, mirrored, and both turned by a quarter.

    Args:
        names: Tuple of names, some of `TEXTURES`.

    Returns:
        Grey values of mean 0 and standard deviation 1, clipped to ±2.5: float32 (T, 4, H, W); and
        the contours, uint8 0/1 of the same shape.
    """
    from scipy import ndimage
    from skimage import data, feature

    greys, contours = [], []
    for name in names:
        grey = getattr(data, name)().astype("float64")
        grey = (grey - grey.mean()) / grey.std()
        weak = TEXTURES[name]
        lines = feature.canny(
            grey,
            sigma=2.0,
            use_quantiles=True,
            low_threshold=weak,
            high_threshold=min(weak + 0.07, 0.99),
        )
        parts, _ = ndimage.label(lines, np.ones((3, 3)))
        lines &= np.bincount(parts.ravel())[parts] > 32  # long lines only
        for stack, plane in ((greys, np.clip(grey, -2.5, 2.5)), (contours, lines)):
            poses = [plane, plane[:, ::-1]]
            stack.append(np.stack([*poses, *(pose.T for pose in poses)]))
    return np.stack(greys).astype("float32"), np.stack(contours).astype("uint8")


def crops(planes, which, pose, top, left, size):
    """Cut one (size, size) window for each image out of planes (T, 4, H, W): (N, size, size)."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (size, size), axis=(2, 3))
    return windows[which, pose, top, left]
