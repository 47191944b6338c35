"""Pictures of one's own of things without a flaw, and others to inspect: `good/`, `bad/`, `masks/`."""

from typing import NamedTuple

import numpy as np

from helpers.data import folder, images
from helpers.data.dataset import to_float
from helpers.data.drawn import Photo, file_of, files_in, laid_on
from helpers.data.file_names import ENDINGS, existing, pictures, subfolders

PARTS = ("good", "bad", "masks")


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
        ValueError: If there are fewer than five good pictures, a file cannot be read, a mask is
            a JPEG, or there are pictures in another folder.
    """
    path = existing(path) if path else None
    parts = subfolders(path) if path and path.is_dir() else {}
    missing = [part for part in ("good", "bad") if part not in parts]
    if missing:
        raise FileNotFoundError(
            f"{path or 'no `path` is given'}: a detector of flaws needs the folders good/ (pictures "
            "without a flaw, to learn from) and bad/ (pictures to inspect) in `path`. Missing: "
            f"{', '.join(missing)}"
        )
    beside = [inside for name, inside in parts.items() if name not in PARTS]
    within = [inside for part in ("good", "bad") for inside in subfolders(parts[part]).values()]
    for inside in beside + within:
        _refuse_unread(path, inside)
    if len(good := pictures(parts["good"])) < 5:
        raise ValueError(
            f"{parts['good']}: there must be five pictures or more without a flaw: of every five, "
            f"three are learned from. Received: {len(good)}"
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


def _refuse_unread(path, inside):
    """Refuse a folder with pictures that would be passed over, such as masks in bad/."""
    if any(file.suffix.lower() in ENDINGS for file in inside.rglob("*")):
        raise ValueError(
            f"{inside}: these pictures are not read. {path} has pictures in good/ and bad/, without "
            "folders inside, and masks of the bad ones in masks/ beside them: move them there, or "
            "away."
        )


def _mask(place, files, path, size):
    """The odd pixels of one picture, uint8 (H, W)."""
    photo = Photo(path, *images.read_photo(path))
    file = file_of(place, files, path)
    channel = images.read_channel(file, exact=True)
    odd = laid_on(file, (channel.values > 0).astype("uint8"), channel.tag, photo, None)
    return images.Fitter(size).stack(odd[None], path.name)[0]
