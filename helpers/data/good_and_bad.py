"""Pictures of one's own of things without a flaw, and others to inspect: `good/`, `bad/`, `masks/`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data import folder, images
from helpers.data.dataset import to_float
from helpers.data.drawn import Photo, file_of, files_in, laid_on
from helpers.data.file_names import existing, pictures, subfolders


class GoodAndBad(NamedTuple):
    """Pictures as float32 in [0, 1], (N, H, W, 3), and masks of the bad ones, or None.

    `masks` is uint8 (N, H, W), 1 on what is odd. Of every five good pictures, three are `train`,
    one is `val` and one is `test`.
    """

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    bad: np.ndarray
    masks: np.ndarray | None


def load(path, size, limit=None):
    """Load the pictures of a folder for a detector of flaws.

    The layout::

        folder/good/a.jpg     pictures without a flaw, five or more, to learn from
        folder/bad/b.jpg      pictures to inspect
        folder/masks/b.png    optional, one for each of bad/: 0 is usual, all other values are odd

    A pixel of a resized mask is odd if any of the pixels that it covers is.

    Args:
        path: the folder.
        size: (height, width) that all pictures are resized to.
        limit: Take the first so many of each part.

    Returns:
        `GoodAndBad`.

    Raises:
        FileNotFoundError: If `good/` or `bad/` is missing, has no pictures, or a mask is.
        ValueError: If there are fewer than five good pictures, or a file cannot be read.
    """
    path = existing(path) if path else Path("")
    parts = subfolders(path) if path.is_dir() else {}
    missing = [part for part in ("good", "bad") if part not in parts]
    if missing or not str(path):
        raise FileNotFoundError(
            f"{path}: a detector of flaws needs the folders good/ (pictures without a flaw, to "
            f"learn from) and bad/ (pictures to inspect) in `path`. Missing: {', '.join(missing)}"
        )
    splits = {
        split: to_float(folder.load(split, path=parts["good"], size=size, limit=limit).images)
        for split in ("train", "val", "test")
    }
    bad = folder.load("all", path=parts["bad"], size=size, limit=limit).images
    masks = None
    if "masks" in parts:
        files = files_in(parts["masks"])
        paths = pictures(parts["bad"])[:limit]
        masks = np.stack([_mask(parts["masks"], files, p, size) for p in paths])
    return GoodAndBad(**splits, bad=to_float(bad), masks=masks)


def _mask(place, files, path, size):
    """The odd pixels of one picture, uint8 (H, W)."""
    photo = Photo(path, *images.read_photo(path))
    file = file_of(place, files, path)
    channel = images.read_channel(file)
    odd = laid_on(file, (channel.values > 0).astype("uint8"), channel.tag, photo, None)
    return images.Fitter(size).stack(odd[None], path.name)[0]
