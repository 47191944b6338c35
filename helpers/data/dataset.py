"""The one structure every data set comes in, and the step from stored bytes to floats."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np


def is_whole(value):
    """Whether a value is an integer, Python's or NumPy's, and no bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with whatever is known about them, stored as bytes.

    A field that a set does not have is `None` (or empty, for `factors`). `images`, `masks` and
    `edges` are one array where all images have the same size, else a list at native size.

    Attributes:
        name: Name of the set, as `load` takes it.
        split: `"train"`, `"val"` or `"test"`.
        images: uint8, (N, H, W, C), or a list of (H, W, C).
        masks: uint8 class indices, (N, H, W), or a list of (H, W).
        class_names: Name of class `i` at position `i` (of the labels, in sets that have labels
            and no masks).
        ignore_class: The index in `masks` that stands for "not labelled", to be left out of training
            and scores; `None` if there is none. It is not among `class_names`.
        edges: uint8, (N, H, W), or a list of (H, W): the share of annotators who marked the
            pixel, times 255 and rounded. Divide by 255 to get the share.
        annotations: List of uint8 0/1 arrays (A_i, H, W): what each of the A_i people drew.
        factors: Known facts about each image, one array of length N by name (labels too).
        ids: One name for each image.
        source: Where the bytes came from, and what was done to them.
        licence: What the owners allow.
        segmentations: List of uint16 arrays (A_i, H, W) of region labels, where asked for.
        stored_values: The value that class `i` has in the mask files, at position `i`; `None`
            where that is `i` itself.
    """

    name: str
    split: str
    images: np.ndarray | list
    masks: np.ndarray | list | None = None
    class_names: tuple[str, ...] | None = None
    ignore_class: int | None = None
    edges: np.ndarray | list | None = None
    annotations: list | None = None
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    segmentations: list | None = None
    stored_values: tuple[int, ...] | None = None

    def __post_init__(self):
        n = len(self.images)
        if not self.ids:
            object.__setattr__(self, "ids", tuple(f"{self.split}-{i:05d}" for i in range(n)))
        for key in ("masks", "edges", "annotations", "segmentations", "ids"):
            value = getattr(self, key)
            if value is not None and len(value) != n:
                raise ValueError(
                    f"Data set {self.name!r}: `{key}` must have one entry an image. "
                    f"Received: {len(value)} for {n} images."
                )
        for key, value in self.factors.items():
            if len(value) != n:
                raise ValueError(
                    f"Data set {self.name!r}: factor {key!r} must have one value an image. "
                    f"Received: {len(value)} for {n} images."
                )
        for key in ("images", "masks", "edges"):
            _check_bytes(self.name, key, getattr(self, key))

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        shape = self.images.shape if isinstance(self.images, np.ndarray) else f"{len(self)} sizes"
        has = [k for k in ("masks", "edges", "annotations") if getattr(self, k) is not None]
        return (
            f"Dataset({self.name!r}, {self.split!r}, images={shape}, has={has}, "
            f"factors={sorted(self.factors)}, source={self.source!r})"
        )

    def subset(self, indices):
        """Keep some images, with everything that belongs to them.

        Args:
            indices: Integers, a boolean mask of length N, or a slice.

        Returns:
            A `Dataset` with the chosen images in the order asked for.
        """
        n = len(self)
        if not isinstance(indices, slice):
            indices = np.asarray(indices)
            if indices.dtype == bool and indices.shape != (n,):
                raise ValueError(
                    f"A boolean mask must have shape ({n},). Received: shape {indices.shape}"
                )
            if indices.size == 0:
                indices = indices.astype(int)
        try:
            chosen = np.arange(n)[indices]
        except IndexError as error:
            raise IndexError(f"Indices must lie in 0..{n - 1}. Received: {error}") from None
        if chosen.ndim != 1:
            raise ValueError("`indices` must be one-dimensional. Received: a single number.")
        return replace(
            self,
            factors={key: np.asarray(value)[chosen] for key, value in self.factors.items()},
            **{
                f.name: _take(getattr(self, f.name), chosen)
                for f in fields(self)
                if f.name in ("images", "masks", "edges", "annotations", "segmentations", "ids")
            },
        )


def to_float(x):
    """Turn stored bytes into the floats a network takes.

    Args:
        x: uint8 or bool array of any shape; or floats already in [0, 1]; or a list of arrays.

    Returns:
        float32 of the same shape, in [0, 1]: a byte is divided by 255.

    Examples:
        >>> data.to_float(np.array([0, 255], np.uint8))
        array([0., 1.], dtype=float32)
    """
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], np.ndarray):
        return [to_float(item) for item in x]
    x = np.asarray(x)
    if x.dtype == np.uint8:
        return np.multiply(x, np.float32(1 / 255), dtype=np.float32)
    if x.dtype == bool:
        return x.astype(np.float32)
    if np.issubdtype(x.dtype, np.floating):
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
        if low >= 0.0 and high <= 1.0:
            return x.astype(np.float32)
        raise ValueError(
            f"Floats must lie in [0, 1] already. Received: values from {low:g} to {high:g}"
        )
    raise TypeError(f"`x` must hold uint8, bool or floats in [0, 1]. Received: dtype {x.dtype}")


def _take(value, chosen):
    if value is None or isinstance(value, np.ndarray):
        return value if value is None else value[chosen]
    return type(value)(value[i] for i in chosen)


def _check_bytes(name, key, value):
    """Refuse anything but uint8 of the right number of axes."""
    if value is None:
        return
    axes = 3 if key == "images" else 2
    arrays = [value[0]] if isinstance(value, np.ndarray) and len(value) else value
    for array in arrays:
        if array.dtype != np.uint8 or array.ndim != axes:
            raise ValueError(
                f"Data set {name!r}: each of `{key}` must be uint8 with {axes} axes. "
                f"Received: {array.dtype}, shape {array.shape}"
            )
