"""`shapes`: discs, squares and triangles over photographed texture, drawn on the spot.

Nothing is downloaded: the textures (brick, grass, gravel) ship inside scikit-image. Masks and
edges are exact, the factors behind each image are known, and five simulated annotators
disagree in known ways (see `ANNOTATORS`). The class follows from the outline alone: every
class has the same sizes (by area), colours and contrasts.
"""

import inspect
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from helpers.data import _shapes_draw as draw
from helpers.data._shapes_annotators import ANNOTATORS, DIRECTIONS, HASTY_CONTRAST, annotate
from helpers.data.dataset import Dataset, is_whole

__all__ = [
    "ANNOTATORS",
    "CLASS_NAMES",
    "DIRECTIONS",
    "HASTY_CONTRAST",
    "SPLITS",
    "TEXTURES",
    "generate",
    "pictures",
]

CLASS_NAMES = ("background", "disc", "square", "triangle")
TEXTURES = tuple(draw.TEXTURES)
SPLITS = {"train": 4000, "val": 1000, "test": 1000}

_BLOCK = 100  # images that share one seed; a constant, or the images would change with it


def generate(
    split="train",
    *,
    n=None,
    size=64,
    seed=0,
    objects=(1, 3),
    radius=(0.11, 0.22),
    contrast=(0.12, 0.45),
    texture=0.25,
    textures=TEXTURES,
    noise=0.05,
    annotators=5,
):
    """Draw a split of the `shapes` set.

    The three splits are independent streams of one seed, and the first images of a stream
    do not depend on how many follow. The same arguments give the same bits.

    An edge is a pixel of an object that has, among its four neighbours, one of something
    behind it (the background or an object further back); so each boundary is one pixel wide
    and lies on the side of the object in front. The larger of two objects is in front.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        n: Number of images; 4000, 1000 and 1000 unless given.
        size: Side of the images in pixels, 16 to 256.
        seed: Seed of the streams, an integer from 0.
        objects: Least and most objects in an image, 1 to 6, or one number for both. They keep apart
            where there is room; of five or six large ones some may be hidden.
        radius: Least and greatest radius as a share of `size`, in (0, 0.25]. The radius of a
            square or triangle is that of the disc of equal area.
        contrast: Least and greatest distance between an object's paint and the background's
            (root mean square over red, green, blue, in [0, 1]). Paints that are not that
            strong stay below.
        texture: Strength of the texture: the standard deviation of the background's brightness as a
            share of its mean. `"flat"` or 0 for plain backgrounds. Objects have a third of it.
        textures: Names of the photographs behind the objects, some of `TEXTURES`.
        noise: Standard deviation of the Gaussian noise on every value of the image in [0, 1].
        annotators: The first so many of `ANNOTATORS`, or a tuple of their names.

    Returns:
        `Dataset` with `images` (N, size, size, 3), `masks` (N, size, size), `edges` (share of the
        annotators who marked the pixel, × 255), `annotations` (list of (A, size, size)) and the
        `factors` of each image, arrays (N,): `objects` (their number), `texture` (index
        in `TEXTURES`), `ground_red`, `ground_green`, `ground_blue`, and of the main object, which is
        the largest and nothing covers it: `class` (1 to 3, as in the masks), `x`, `y`, `radius` (pixels),
        `rotation` (radians, from 0 up to the shape's symmetry; 0 for a disc), `red`, `green`, `blue`
        and `contrast`. With `annotators=("careful",)` the edges are the exact ones.

    Raises:
        ValueError: If an argument is out of its range; the message names it.
    """
    n, names, textures, objects = _check(
        split, n, size, seed, objects, radius, contrast, texture, textures, noise, annotators
    )
    strength = 0.0 if texture == "flat" else float(texture)
    stream = [int(seed), list(SPLITS).index(split)]
    planes = draw.load_textures(textures)
    images = np.empty((n, size, size, 3), "uint8")
    masks = np.empty((n, size, size), "uint8")
    marks = np.empty((n, len(names), size, size), "uint8")

    def block(start):
        here = slice(start, min(start + _BLOCK, n))
        rngs = np.random.default_rng([*stream, start // _BLOCK]).spawn(3)
        # Always the scenes of a full block: a shorter last one begins the same.
        scene, cuts = _scenes(rngs[0], _BLOCK, planes[0], size, objects, radius, contrast)
        directions = DIRECTIONS[rngs[1].integers(0, len(DIRECTIONS), _BLOCK)]
        front = _paint(scene, planes[0], cuts, rngs[2], strength, noise, images[here])
        k = len(front)
        # Counted from behind, with the background first: the class of what stands in front.
        classes = np.pad(scene.shape[:k, ::-1], ((0, 0), (1, 0))).astype("uint8")
        masks[here] = np.take_along_axis(classes, front.reshape(k, -1), axis=1).reshape(front.shape)
        contours = None
        if strength:
            contours = draw.crops(planes[1], scene.texture[:k], *cuts[0, :, :k], size)
        annotate(front, scene.contrast[:k], contours, directions[:k], names, marks[here])
        return scene

    # NumPy lets go of the interpreter's lock while it computes, so two threads help.
    with ThreadPoolExecutor(2) as pool:
        scenes = list(pool.map(block, range(0, n, _BLOCK)))
    share = marks.sum(axis=1, dtype="uint16") * 255 + len(names) // 2
    edges = (share // len(names)).astype("uint8")  # rounded
    return Dataset(
        name="shapes",
        split=split,
        images=images,
        masks=masks,
        class_names=CLASS_NAMES,
        ignore_class=None,
        edges=edges,
        annotations=list(marks),
        factors=_factors(scenes, textures, n),
        ids=tuple(f"shapes-{split}-{seed}-{i:05d}" for i in range(n)),
        source="drawn by helpers.data.shapes over textures that ship with scikit-image",
        licence="MIT; the textures are CC0 (public domain)",
    )


# What an image depends on besides its seed, as `generate` has it.
PICTURE = {
    name: parameter.default
    for name, parameter in inspect.signature(generate).parameters.items()
    if name not in ("split", "n", "seed")
}


def pictures(seeds, n, **options):
    """Draw pictures as `generate` does, without masks, edges and factors: several times faster.

    Args:
        seeds: `np.random.SeedSequence` that nothing was spawned from; it fixes the pictures.
        n: Number of pictures.
        **options: `size`, `objects`, `radius`, `contrast`, `texture`, `textures` and `noise` of
            `generate`. Its `annotators` are checked and not used, so that one dictionary of
            options serves both functions.

    Returns:
        (n, size, size, 3) uint8.

    Raises:
        ValueError: If an argument is out of its range; the message names it.
        TypeError: If there is no such option.

    Examples:
        >>> data.shapes.pictures(np.random.SeedSequence(3), 2, size=32, objects=1).shape
        (2, 32, 32, 3)
    """
    options = PICTURE | options
    n, _, textures, objects = _check("train", n, seed=0, **options)
    size, texture = options["size"], options["texture"]
    strength = 0.0 if texture == "flat" else float(texture)
    planes = draw.load_textures(textures)[0]
    scene_rng, noise_rng = map(np.random.default_rng, seeds.spawn(2))
    ranges = options["radius"], options["contrast"]
    scene, cuts = _scenes(scene_rng, n, planes, size, objects, *ranges)
    images = np.empty((n, size, size, 3), "uint8")
    _paint(scene, planes, cuts, noise_rng, strength, options["noise"], images)
    return images


def _scenes(rng, n, planes, size, objects, radius, contrast):
    """Scenes of `n` images, and pose and corner of the background's and objects' texture: (2, 3, n)."""
    num_textures, poses, height, width = planes.shape
    scene = draw.draw_scenes(rng, n, size, objects, radius, contrast, num_textures)
    highs = np.array([poses, height - size + 1, width - size + 1])[None, :, None]
    return scene, rng.integers(0, highs, (2, 3, n))


def _paint(scene, planes, cuts, rng, strength, noise, images):
    """Fill `images` with the first scenes; gives what is in front: 0 background, M - slot."""
    k, size = images.shape[:2]
    slots = scene.shape.shape[1]
    which = scene.texture[:k]
    back = draw.crops(planes, which, *cuts[0, :, :k], size)  # (k, H, W)
    skin = draw.crops(planes, which, *cuts[1, :, :k], size)
    back = 1 + np.float32(strength) * back
    skin = 1 + np.float32(strength / 3) * skin

    canvas = scene.ground[:k, :, None, None].astype("float32") * back[:, None]  # (k, 3, H, W)
    front = np.zeros((k, size, size), "int8")
    for slot in reversed(range(slots)):  # from the back to the front
        distance = draw.signed_distance(
            scene.shape[:k, slot], scene.x[:k, slot], scene.y[:k, slot],
            scene.radius[:k, slot], scene.rotation[:k, slot], size)  # fmt: skip
        front[distance < 0] = slots - slot
        cover = np.clip(0.5 - distance, 0, 1)  # the share of the pixel that the object covers
        for channel in range(3):
            paint = scene.colour[:k, slot, channel, None, None].astype("float32") * skin
            canvas[:, channel] += cover * (paint - canvas[:, channel])
    noisy = rng.standard_normal((k, size, size, 3), "float32")
    noisy *= np.float32(noise)
    noisy += canvas.transpose(0, 2, 3, 1)
    np.clip(noisy, 0, 1, out=noisy)
    noisy *= 255
    noisy += np.float32(0.5)
    images[...] = noisy  # cuts off the fraction, so this rounds
    return front


def _factors(scenes, textures, n):
    """The blocks' known factors, one array (N,) each."""
    main = {"class": "shape", "x": "x", "y": "y", "radius": "radius", "rotation": "rotation",
            "contrast": "contrast"}  # fmt: skip
    columns = {"objects": [(scene.shape > 0).sum(axis=1) for scene in scenes]}
    columns |= {key: [getattr(scene, field)[:, 0] for scene in scenes]
                for key, field in main.items()}  # fmt: skip
    for channel, colour in enumerate(("red", "green", "blue")):
        columns[colour] = [scene.colour[:, 0, channel] for scene in scenes]
        columns[f"ground_{colour}"] = [scene.ground[:, channel] for scene in scenes]
    ids = np.array([TEXTURES.index(name) for name in textures])
    columns["texture"] = [ids[scene.texture] for scene in scenes]
    factors = {key: np.concatenate(parts)[:n] for key, parts in columns.items()}
    return {
        key: values.astype("float32" if values.dtype.kind == "f" else "int64")
        for key, values in factors.items()
    }


def _number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _check_pair(name, value, low, high, ok=_number):
    good = isinstance(value, (tuple, list)) and len(value) == 2 and all(map(ok, value))
    if not good or not low <= value[0] <= value[1] <= high:
        raise ValueError(
            f"`{name}` must be a pair (least, most) with {low} ≤ least ≤ most ≤ {high}. "
            f"Received: {name}={value!r}"
        )


def _check(
    split, n, size, seed, objects, radius, contrast, texture, textures, noise, annotators
):  # fmt: skip
    """Check the arguments of `generate` and fill in what was left open."""
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    n = SPLITS[split] if n is None else n
    if not is_whole(n) or n < 1:
        raise ValueError(f"`n` must be an integer from 1. Received: n={n!r}")
    if not is_whole(size) or not 16 <= size <= 256:
        raise ValueError(f"`size` must be an integer from 16 to 256. Received: size={size!r}")
    if not is_whole(seed) or seed < 0:
        raise ValueError(f"`seed` must be an integer from 0. Received: seed={seed!r}")
    objects = (objects, objects) if is_whole(objects) else objects
    _check_pair("objects", objects, 1, 6, is_whole)
    _check_pair("radius", radius, 0.02, 0.25)
    _check_pair("contrast", contrast, 0.02, 1)
    if texture != "flat" and not (_number(texture) and 0 <= texture <= 1):
        raise ValueError(
            f'`texture` must be "flat" or a number from 0 to 1. Received: texture={texture!r}'
        )
    textures = (textures,) if isinstance(textures, str) else tuple(textures)
    if not textures or not set(textures) <= set(TEXTURES):
        raise ValueError(
            f"`textures` must name some of {', '.join(TEXTURES)}. Received: textures={textures!r}"
        )
    if not (_number(noise) and 0 <= noise <= 1):
        raise ValueError(f"`noise` must be a number from 0 to 1. Received: noise={noise!r}")
    if is_whole(annotators) and 1 <= annotators <= len(ANNOTATORS):
        names = tuple(ANNOTATORS)[:annotators]
    elif (
        isinstance(annotators, (tuple, list)) and annotators and set(annotators) <= set(ANNOTATORS)
    ):
        names = tuple(annotators)
    else:
        raise ValueError(
            f"`annotators` must be a number from 1 to {len(ANNOTATORS)} or some of "
            f"{', '.join(ANNOTATORS)}. Received: annotators={annotators!r}"
        )
    return int(n), names, textures, tuple(objects)
