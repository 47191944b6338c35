"""Reading, cropping and resizing: one rule for each kind of array.

Images are averaged (anti-aliased), class indices are picked (nearest neighbour: a mean of two
classes is a third class), and drawn boundaries are kept (a cell is marked if any of its pixels
is: a one-pixel line survives every reduction).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

Size = int | tuple[int, int] | None


def as_size(value: Size, name: str) -> tuple[int, int] | None:
    """Reads `size=` or `crop=`: (height, width), or one number for a square."""
    if value is None:
        return None
    pair = (value, value) if isinstance(value, (int, np.integer)) else value
    good = isinstance(pair, (tuple, list)) and len(pair) == 2
    good = good and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v > 0 for v in pair
    )
    if not good:
        raise ValueError(
            f"`{name}` must be a positive integer or (height, width) in pixels. Received: "
            f"{name}={value!r}"
        )
    return int(pair[0]), int(pair[1])


def read_rgb(path: Path, upright: bool = False) -> np.ndarray:
    """Reads an image file as uint8 (H, W, 3); transparency is dropped.

    Args:
        path: The file. Its content decides the format, not its ending.
        upright: Whether to turn the image as a camera's orientation tag says.
    """
    with _opened(path) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(
                f"{path}: pixels of more than 8 bits (mode {image.mode!r}). "
                "Save the image with 8 bits a channel."
            )
        image = ImageOps.exif_transpose(image) if upright else image
        return np.asarray(image.convert("RGB"))


def read_indices(path: Path) -> np.ndarray:
    """Reads a one-channel file as uint8 (H, W), values as stored (palette positions too)."""
    with _opened(path) as image:
        if image.mode == "1":
            return np.asarray(image).astype(np.uint8)
        if image.mode not in ("L", "P"):
            raise ValueError(
                f"{path}: must have one 8-bit channel (class indices or edge strength), not "
                f"colours. Received: mode {image.mode!r}"
            )
        return np.asarray(image)


def _opened(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except (UnidentifiedImageError, OSError) as error:
        if not Path(path).exists():
            raise FileNotFoundError(
                f"No such image: {path}. Relative paths start in {Path.cwd()}: put the file there, "
                "or give its full path."
            ) from None
        raise ValueError(
            f"{path}: not an image that can be read ({error}). JPEG, PNG and WebP can."
        ) from None
    return image


def centre_crop(array: np.ndarray, crop: tuple[int, int], what: str, first: int = 0) -> np.ndarray:
    """Cuts the middle (height, width) out of axes `first` and `first + 1`."""
    height, width = array.shape[first : first + 2]
    if crop[0] > height or crop[1] > width:
        raise ValueError(
            f"`crop` must fit into every image: {what} is {height}x{width} pixels "
            f"(height x width). Received: crop={crop}"
        )
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    index = (slice(None),) * first + (slice(top, top + crop[0]), slice(left, left + crop[1]))
    return np.ascontiguousarray(array[index])


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes uint8 (H, W, C) with Pillow's triangle filter, anti-aliased when it shrinks."""
    return _resized(image, size, Image.Resampling.BILINEAR)


def resize_indices(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes labels (H, W) by nearest neighbour: no value appears that was not there."""
    return _resized(labels, size, Image.Resampling.NEAREST)


def resize_boundaries(lines: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes drawn lines (..., H, W): shrinking takes the maximum of the pixels of each cell.

    The cells cut the image without gap or overlap, so every marked pixel marks exactly one
    cell. Growing repeats pixels.
    """
    for axis, new in zip((-2, -1), size):
        old = lines.shape[axis]
        if new <= old:
            lines = np.maximum.reduceat(lines, np.arange(new) * old // new, axis=axis)
        else:
            lines = np.take(lines, np.arange(new) * old // new, axis=axis)
    return lines


def _resized(array: np.ndarray, size: tuple[int, int], how) -> np.ndarray:
    if array.shape[:2] == tuple(size):
        return array
    flat = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    out = np.asarray(Image.fromarray(flat).resize((size[1], size[0]), how))
    return out.reshape(*size, 1) if flat is not array else out


class Fitter:
    """Crops, then resizes, everything that belongs to one image in the same way."""

    def __init__(self, size: Size = None, crop: Size = None):
        self.size, self.crop = as_size(size, "size"), as_size(crop, "crop")

    def _fit(self, array, resize, what, first=0):
        if self.crop is not None:
            array = centre_crop(array, self.crop, what, first)
        return array if self.size is None else resize(array, self.size)

    def image(self, array: np.ndarray, what: str) -> np.ndarray:
        return self._fit(array, resize_image, what)

    def indices(self, array: np.ndarray, what: str) -> np.ndarray:
        return self._fit(array, resize_indices, what)

    def stack(self, array: np.ndarray, what: str) -> np.ndarray:
        """(A, H, W) of 0/1 boundaries."""
        return self._fit(array, resize_boundaries, what, first=1)

    def stack_indices(self, array: np.ndarray, what: str) -> np.ndarray:
        """(A, H, W) of region labels."""
        return np.stack([self.indices(a, what) for a in array])


def share(annotations: np.ndarray) -> np.ndarray:
    """(A, H, W) of 0/1 to uint8 (H, W): the share of annotators, times 255, rounded."""
    return np.round(annotations.mean(axis=0, dtype=np.float64) * 255).astype(np.uint8)


def together(arrays: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """One array if all sizes agree, else the list."""
    return np.stack(arrays) if len({a.shape for a in arrays}) == 1 else arrays


def spaced(n: int, limit: int | None) -> np.ndarray:
    """Positions of `limit` of `n` items, evenly spaced; all of them if `limit` is `None`.

    For orders that follow the class or the time, where the first few are all of one kind.
    """
    count = n if limit is None else min(limit, n)
    return np.arange(count) * n // max(count, 1)


def read_all(function: Callable, items: Iterable) -> list:
    """Calls `function` on each item, a few at a time: decoding an image frees the interpreter."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))
