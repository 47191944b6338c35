"""Reading, cropping and resizing: one rule for each kind of array.

Images are averaged (anti-aliased), class indices are picked (nearest neighbour: a mean of two
classes is a third class), and drawn boundaries are kept (a cell is marked if any of its pixels
is: a one-pixel line survives every reduction).
"""

import os
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from helpers.data.dataset import is_whole
from helpers.data.file_names import existing

# Formats, and compressions of TIFF, that change values. A phone's "MPO" is JPEG.
LOSSY = {"JPEG", "MPO", "JPEG2000", "TIFF_JPEG"}
FEW_BITS = {"L;2": 2, "L;4": 4}  # Pillow's names of greys that it spreads over 0 to 255: their bits
# A camera's tag -> how stored pixels are turned to be shown; 1 stands for "as they are".
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def as_size(value, name):
    """Read `size=` or `crop=`: (height, width), or one number for a square."""
    if value is None:
        return None
    pair = (value, value) if is_whole(value) else value
    good = isinstance(pair, (tuple, list)) and len(pair) == 2
    if not good or not all(is_whole(v) and v > 0 for v in pair):
        raise ValueError(
            f"`{name}` must be a positive integer or (height, width) in pixels. Received: "
            f"{name}={value!r}"
        )
    return int(pair[0]), int(pair[1])


def read_rgb(path, upright=False, drop_alpha=False):
    """Read an image file as uint8 (H, W, 3); the arguments are those of `read_photo`."""
    return read_photo(path, upright, drop_alpha)[0]


def read_photo(path, upright=True, drop_alpha=False):
    """Read an image file as uint8 (H, W, 3), and its camera tag (1 if it has none).

    Args:
        path: The file. Its content decides the format, not its ending.
        upright: Whether to turn the image as a camera's orientation tag says.
        drop_alpha: Whether transparent pixels may show the colour that is stored under them.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no image, holds several, has more than 8 bits a channel, or has
            transparent pixels.
    """
    image, tag, raw = _opened(path)
    deep = raw not in FEW_BITS and raw
    if deep or image.mode.startswith(("I", "F")):
        raise ValueError(
            f"{path}: pixels of more than 8 bits (mode {deep or image.mode!r}). "
            "Save the image with 8 bits a channel."
        )
    if image.has_transparency_data and not drop_alpha:
        clear = np.asarray(image.convert("RGBA").getchannel("A")) < 255
        if clear.any():
            raise ValueError(
                f"{path}: {clear.mean():.2%} of the pixels are transparent, so they have no colour "
                "of their own. Put the image on a background and save it without transparency."
            )
    return turned(np.asarray(image.convert("RGB")), tag if upright else 1), tag


def read_indices(path):
    """Read a one-channel file as uint8 (H, W), values as stored (palette positions too)."""
    return read_channel(path).values


class Channel(NamedTuple):
    """A one-channel file: uint8 (H, W) as stored, the camera tag (1 if none), Pillow's mode.

    `palette` has red, green and blue of each position in turn, if the values are positions.
    """

    values: np.ndarray
    tag: int
    mode: str
    palette: bytes | None = None


def read_channel(path, exact=False):
    """Read a one-channel file.

    Args:
        path: The file.
        exact: Whether to refuse what changes values: JPEG and JPEG 2000, and greys of 2 or 4 bits,
            which reading spreads over 0 to 255.

    Raises:
        ValueError: If it has colours or values that no byte holds; further as `read_rgb`.
    """
    image, tag, raw = _opened(path)
    if exact and raw in FEW_BITS:
        raise ValueError(
            f"{path}: {FEW_BITS[raw]} bits a pixel (mode {raw!r}). Save masks with 8 bits."
        )
    if exact and LOSSY & {image.format, str(image.info.get("compression")).upper()}:
        raise ValueError(f"{path}: JPEG changes class indices. Save masks as PNG.")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.mode.startswith("F") or values.min() < 0 or values.max() > 255:
            raise ValueError(
                f"{path}: must have one 8-bit channel (class indices or edge strength), values 0 "
                f"to 255. Received: mode {image.mode!r}, values {values.min():g} to "
                f"{values.max():g}. Save it with 8 bits."
            )
        return Channel(values.astype(np.uint8), tag, image.mode)
    if image.mode not in ("1", "L", "P"):
        raise ValueError(
            f"{path}: must have one 8-bit channel (class indices or edge strength), not "
            f"colours. Received: mode {image.mode!r}. Save it with one grey channel and without "
            "transparency."
        )
    palette = bytes(image.getpalette()) if image.mode == "P" else None
    palette = bytes([0] * 3 + [255] * 3) if image.mode == "1" else palette
    return Channel(np.asarray(image).astype(np.uint8), tag, image.mode, palette)


def turned(array, tag):
    """Turn stored uint8 pixels (H, W, ...) as a camera tag 1..8 says they are to be shown."""
    return np.asarray(Image.fromarray(array).transpose(TURNS[tag])) if tag in TURNS else array


def _opened(path):
    """The image as stored, loaded; its camera tag, 1 to 8; its raw mode if loading changes that."""
    try:
        # From an open file and not from a path: by path, Pillow 13 scrambles uncompressed grey
        # TIFF files that have a tag of a quarter turn.
        with open(existing(path), "rb") as file:
            image = Image.open(file)
            raw = _raw(image)
            tag = _tag(image)
            # A phone hides a second picture in a JPEG ("MPO"); the first one is the photograph.
            count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            image.load()
    except Image.DecompressionBombError:
        raise ValueError(
            f"{path}: a picture of more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels is not read. "
            "Make it smaller."
        ) from None
    # What is wrong inside a PNG or a TIFF is no OSError to Pillow.
    except (OSError, SyntaxError, TypeError, ValueError, struct.error) as error:
        if not existing(path).exists():
            raise FileNotFoundError(
                f"No such image: {path}. Relative paths start in {Path.cwd()}: put the file there, "
                "or give its full path."
            ) from None
        if isinstance(error, UnidentifiedImageError):  # its words name the file once more
            error = "its content is of no known format"
        raise ValueError(
            f"{path}: not an image that can be read ({error}). JPEG, PNG and WebP can."
        ) from None
    if count > 1:
        raise ValueError(
            f"{path}: holds {count} pictures (pages or frames), and only one can be read. Save "
            "each as a file of its own."
        )
    if image.format == "TIFF" and tag in TURNS:  # Pillow has turned it
        image = image.transpose(TURNS[{6: 8, 8: 6}.get(tag, tag)])
    return image, tag, raw


def _raw(image):
    """The raw mode of an unloaded image whose values loading changes to those of 8 bits, or ""."""
    for codec, *_, arguments in image.tile:
        if codec in ("ppm", "ppm_plain") and arguments[-1] > 255:  # the largest value
            return f"{arguments[0]};16"
    # "BGR;16" is 16 bits a pixel. Of 2 and 4 bits, only greys are changed, not palettes.
    found = re.search(r"\w+;16[BLN]|\bL;[24]", str(image.tile))
    return found[0] if found else ""


def _tag(image):
    try:
        tag = image.getexif().get(ExifTags.Base.Orientation, 1)
    # What a camera or an editor wrote there cannot be read.
    except (SyntaxError, ValueError, struct.error):
        return 1
    return tag if tag in TURNS else 1


def centre_crop(array, crop, what, first=0):
    """Cut the middle (height, width) out of axes `first` and `first + 1`."""
    height, width = array.shape[first : first + 2]
    if crop[0] > height or crop[1] > width:
        raise ValueError(
            f"`crop` must fit into every image: {what} is {height}x{width} pixels "
            f"(height x width). Received: crop={crop}"
        )
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    index = (slice(None),) * first + (slice(top, top + crop[0]), slice(left, left + crop[1]))
    return np.ascontiguousarray(array[index])


def resize_image(image, size):
    """Resize uint8 (H, W, C) with Pillow's triangle filter, anti-aliased when it shrinks."""
    return _resized(image, size, Image.Resampling.BILINEAR)


def resize_indices(labels, size):
    """Resize labels (H, W) by nearest neighbour: no value appears that was not there."""
    return _resized(labels, size, Image.Resampling.NEAREST)


def resize_boundaries(lines, size):
    """Resize drawn lines (..., H, W): shrinking takes the maximum of the pixels of each cell.

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


def _resized(array, size, how):
    if array.shape[:2] == tuple(size):
        return array
    flat = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    out = np.asarray(Image.fromarray(flat).resize((size[1], size[0]), how))
    return out.reshape(*size, 1) if flat is not array else out


class Fitter:
    """Cropping, then resizing, of all that belongs to one image, in the same way."""

    def __init__(self, size=None, crop=None):
        self.size, self.crop = as_size(size, "size"), as_size(crop, "crop")

    def _fit(self, array, resize, what, first=0):
        if self.crop is not None:
            array = centre_crop(array, self.crop, what, first)
        return array if self.size is None else resize(array, self.size)

    def image(self, array, what):
        return self._fit(array, resize_image, what)

    def indices(self, array, what):
        return self._fit(array, resize_indices, what)

    def stack(self, array, what):
        """(A, H, W) of 0/1 boundaries."""
        return self._fit(array, resize_boundaries, what, first=1)

    def stack_indices(self, array, what):
        """(A, H, W) of region labels."""
        return np.stack([self.indices(a, what) for a in array])


def share(annotations):
    """(A, H, W) of 0/1 to uint8 (H, W): the share of annotators, times 255, rounded."""
    return np.round(annotations.mean(axis=0, dtype=np.float64) * 255).astype(np.uint8)


def together(arrays):
    """One array if all sizes agree, else the list."""
    return np.stack(arrays) if len({a.shape for a in arrays}) == 1 else arrays


def spaced(n, limit):
    """Positions of `limit` of `n` items, evenly spaced; all of them if `limit` is `None`.

    For orders that follow the class or the time, where the first few are all of one kind.
    """
    count = n if limit is None else min(limit, n)
    return np.arange(count) * n // max(count, 1)


def read_all(function, items):
    """Call `function` on each item, a few at a time: decoding an image frees the interpreter."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))
