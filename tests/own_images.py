"""Folders of one's own images, as tests make them, and what is said of them."""

import numpy as np
import pytest
from PIL import Image

from helpers import data


def photo(h=4, w=6):
    """The same random photograph at each call, uint8 (h, w, 3)."""
    return np.random.default_rng(h + w).integers(0, 256, (h, w, 3), dtype=np.uint8)


def blocks(*values, n=12):
    """A mask (n, n) of blocks of 3x3 pixels, all values in turn."""
    rows = np.add.outer(np.arange(n) // 3 * 2, np.arange(n) // 3)
    return np.asarray(values, np.uint8)[rows % len(values)]


def save(path, content=None, kind=None, **options):
    """Saves an array or a picture, black of 12x12 pixels without one; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (12, 12)) if content is None else content
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, kind, **options)


def load(path, split="all", **options):
    return data.load("folder", split, path=path, **options)


def refusal(path, split="all", **options):
    """The words with which a folder is refused."""
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load(path, split, **options)
    return str(error.value)
