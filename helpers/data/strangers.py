"""Usual pictures, and others that a model has not seen: whole strangers, and pictures with a flaw.

From the program that draws `shapes`, or from a folder of one's own (`good_and_bad`). Imported by
its own name.
"""

from typing import NamedTuple

import numpy as np

from helpers import data
from helpers.data import damage, good_and_bad, scenes
from helpers.data.dataset import to_float


class Strangers(NamedTuple):
    """Pictures as float32 in [0, 1], `(N, H, W, 3)`, and masks as uint8 `(N, H, W)`, 1 where odd.

    `level` are usual pictures to measure what is usual. In `strange`, a dictionary from a kind to
    pictures, the last kind has flaws of few pixels: `masks`, or None, are theirs; `flaws` is the
    kind of each flaw in `damage.KINDS`, and `intact` the pictures before, None where not known.
    `textured` are the scenes of the flat, the clean and the noisy pictures as usual ones, or None.
    """

    train: np.ndarray
    level: np.ndarray
    usual: np.ndarray
    strange: dict
    masks: np.ndarray | None
    x_tune: np.ndarray
    tuning_masks: np.ndarray
    flaws: np.ndarray | None = None
    intact: np.ndarray | None = None
    textured: np.ndarray | None = None


def load(dataset, size, images, val_images, tuning_images, seed=0, path=""):
    """Those of `from_shapes` for the data set "shapes", of `from_folder` for "folder".

    Args:
        dataset: one of the two.
        size, images, val_images, tuning_images, seed, path: see there.

    Returns:
        `Strangers`.

    Raises:
        ValueError: If the data set is another one.
    """
    if dataset == "shapes":
        return from_shapes(size, images, val_images, tuning_images, seed)
    if dataset == "folder":
        return from_folder(path, size, images, val_images, tuning_images, seed)
    raise ValueError(f'`dataset` must be "shapes" or "folder". Received: dataset={dataset!r}')


def from_shapes(size, images, val_images, tuning_images, seed=0):
    """Pictures of notebook 08, and four kinds of strangers, `val_images` of each.

    They are "flat" (no texture), "clean" (neither texture nor noise), "noisy" (twice the noise)
    and "damaged" (one flaw each).

    Args:
        size: side in pixels.
        images: number of `train`; `level` are the first 300 of them.
        val_images, tuning_images: numbers of held-out pictures, and of pictures with flaws of
            another seed, for choosing.
        seed: of pictures and flaws, from 0.

    Returns:
        `Strangers`.

    Examples:
        >>> from helpers.data import strangers
        >>> pictures = strangers.from_shapes(size=16, images=4, val_images=3, tuning_images=3)
        >>> list(pictures.strange), pictures.masks.shape
        (['flat', 'clean', 'noisy', 'damaged'], (3, 16, 16))
    """

    def draw(split, count, offset, **changes):
        options = {"size": size, **scenes.CLEAR, **changes}
        return data.load("shapes", split, limit=count, seed=seed + offset, **options).images

    train = to_float(draw("train", images, 0))
    intact = draw("val", val_images, 1)
    damaged, masks, flaws = damage.damage(intact, seed)
    strange = {
        "flat": draw("val", val_images, 2, texture=0),
        "clean": draw("val", val_images, 2, texture=0, noise=0.0),
        "noisy": draw("val", val_images, 2, noise=2 * scenes.CLEAR["noise"]),
        "damaged": damaged,
    }
    tuning, tuning_masks, _ = damage.damage(draw("train", tuning_images, 1), seed + 1)
    return Strangers(
        train=train,
        level=train[:300],
        usual=to_float(draw("val", val_images, 0)),
        strange={kind: to_float(x) for kind, x in strange.items()},
        masks=masks,
        x_tune=to_float(tuning),
        tuning_masks=tuning_masks,
        flaws=flaws,
        intact=to_float(intact),
        textured=to_float(draw("val", val_images, 2)),
    )


def from_folder(path, size, images, val_images, tuning_images, seed=0):
    """Pictures of one's own, in good/ and bad/; flaws for choosing are drawn on good ones.

    Args:
        path: the folder, see `good_and_bad.load`.
        size: side in pixels.
        images: at most so many of each part are read.
        val_images, tuning_images: the most of `usual` and of the bad ones, and of `x_tune`.
        seed: of the flaws that are drawn, from 0.

    Returns:
        `Strangers`, with one kind, "bad". `level` are good pictures that are not in `train`.

    Raises:
        FileNotFoundError, ValueError: see `good_and_bad.load`.
        ValueError: If fewer than nine pictures are good, or fewer than two are bad.
    """
    own = good_and_bad.load(path, (size, size), limit=images)
    if len(own.test) < 2 or len(own.bad) < 2:
        raise ValueError(
            f"{path}: intervals need two good pictures that nothing was learned from, so nine in "
            f"good/, and two in bad/. Received: {len(own.test)} and {len(own.bad)}"
        )
    to_tune = np.rint(255 * own.val[:tuning_images]).astype("uint8")
    tuning, tuning_masks, _ = damage.damage(to_tune, seed + 1)
    return Strangers(
        train=own.train,
        level=own.val,
        usual=own.test[:val_images],
        strange={"bad": own.bad[:val_images]},
        masks=None if own.masks is None else own.masks[:val_images],
        x_tune=to_float(tuning),
        tuning_masks=tuning_masks,
    )
