"""Which values a mask file holds and how they are stored, before anybody decides what they mean."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data import images


class Contents(NamedTuple):
    """What one mask file holds: its values, how they are stored, and what looks like soft edges."""

    path: Path
    values: frozenset[int]
    between: int  # neither the lowest nor the highest value of the file
    slopes: int  # of these, with a lower and a higher neighbour, or with no equal one
    colours: dict[int, tuple[int, ...]]  # red, green, blue of each value, if it is a position


_KNOWN: dict[tuple, tuple] = {}  # by the bytes of the file, so a changed file is read again


def contents(path, exact=True):
    """Read what a one-channel file holds (`exact`: as `images.read_channel`).

    A file that was read before in this process is not decoded again.
    """
    key = hashlib.sha256(path.read_bytes()).digest(), exact
    if key not in _KNOWN:
        channel = images.read_channel(path, exact)
        values = np.flatnonzero(np.bincount(channel.values.ravel(), minlength=256)).tolist()
        slopes = _slopes(channel.values) if len(values) > 2 else (0, 0)
        colours = channel.palette and {v: tuple(channel.palette[3 * v :][:3]) for v in values}
        _KNOWN[key] = (frozenset(values), *slopes, colours or {})
    return Contents(path, *_KNOWN[key])


def _slopes(mask):
    padded = np.pad(mask, 1, mode="edge")
    sides = np.stack([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
    slope = (sides.min(axis=0) < mask) & (sides.max(axis=0) > mask)
    slope |= (sides != mask).all(axis=0)
    between = (mask > mask.min()) & (mask < mask.max())
    return int(between.sum()), int((slope & between).sum())
