"""Pictures of one's own of things without a flaw, and others to inspect: `good/`, `bad/`, `masks/`."""

from typing import NamedTuple

import numpy as np

from helpers.data import folder, images
from helpers.data.dataset import to_float
from helpers.data.drawn import Photo, file_of, files_in, laid_on
from helpers.data.file_names import ENDINGS, existing, pictures, subfolders
from helpers.data.mask_classes import look_soft
from helpers.data.mask_values import contents

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
        folder/masks/b.png    optional, one for each of bad/: 0 (with a palette, black) is usual,
                              all other values are odd

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
            a JPEG or has soft edges, no mask marks a pixel, each marks more than half of its own,
            or there are pictures in another folder.
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
        drawn = [_mask(parts["masks"], files, p) for p in paths]
        _refuse_shares(parts["masks"], [odd.mean() for odd in drawn])
        fitter = images.Fitter(size)
        masks = np.stack([fitter.stack(odd[None], p.name)[0] for odd, p in zip(drawn, paths)])
    return GoodAndBad(**splits, bad=to_float(bad), masks=masks)


def _refuse_unread(path, inside):
    """Refuse a folder with pictures that would be passed over, such as masks in bad/."""
    if any(file.suffix.lower() in ENDINGS for file in inside.rglob("*")):
        raise ValueError(
            f"{inside}: these pictures are not read. {path} has pictures in good/ and bad/, without "
            "folders inside, and masks of the bad ones in masks/ beside them: move them there, or "
            "away."
        )


def _refuse_shares(place, shares):
    """Refuse masks, by their shares of odd pixels, that mark nothing, or more than half in each."""
    if not any(shares):
        raise ValueError(
            f"{place}: no mask of {len(shares)} marks a pixel: all values are 0. Odd pixels have a "
            "value above 0; without masks, move the folder away."
        )
    if min(shares) > 0.5:
        raise ValueError(
            f"{place}: in each mask more than half of the pixels would be odd ({min(shares):.0%} or "
            "more), so they seem to be light where nothing is odd. Odd pixels have a value above 0: "
            "exchange black and white."
        )


def _mask(place, files, path):
    """The odd pixels of one picture at its own size, uint8 (H, W)."""
    photo = Photo(path, *images.read_photo(path))
    file = file_of(place, files, path)
    channel = images.read_channel(file, exact=True)
    values = channel.values
    if channel.palette is not None:  # positions: the colours tell which of them is black
        colours = np.zeros((256, 3), "uint8")
        known = np.frombuffer(channel.palette, "uint8").reshape(-1, 3)
        colours[: len(known)] = known
        values = colours.max(axis=1)[values]
    elif look_soft([held := contents(file)], sorted(held.values)):
        raise ValueError(
            f"{file}: has soft edges (smoothed, resized, or once saved as JPEG), and each value "
            "above 0 would be odd. Save two values: 255 where the grey is 128 or more, else 0."
        )
    return laid_on(file, (values > 0).astype("uint8"), channel.tag, photo, None)
