"""Data sets behind one door: `load(name, split)` returns the same structure for each.

    from helpers import data
    train = data.load("shapes", "train", limit=2000)
    train.images.shape, train.masks.shape          # (2000, 64, 64, 3), (2000, 64, 64)

For who needs pictures, masks or edges, the project's or their own. `shapes` is drawn on the spot.
The real sets are read from the folder that the environment variable `HELPERS_DATA` names, else
from the cache, else downloaded; every file is verified against the accepted checksums (see
`data/README.md`). A set that cannot be had is an error, never another set in its place.

Notebooks: 00 to 03 and 06 to 18.
"""

import importlib
import inspect

from helpers.data import records
from helpers.data.dataset import Dataset, is_whole, to_float
from helpers.data.fetch import ChecksumError, MissingData, cache_folder, unpacked

__all__ = [
    "Batches",
    "ChecksumError",
    "Crops",
    "Dataset",
    "MissingData",
    "cache_folder",
    "load",
    "names",
    "records",
    "splits",
    "to_float",
    "unpacked",
]

# Name of the set -> module and function. Modules are imported when a set is asked for.
_SETS = {
    "shapes": ("shapes", "generate"),
    "bsds500": ("bsds", "load"),
    "camvid": ("camvid", "load"),
    "pets": ("pets", "load"),
    "mnist": ("mnist", "load_mnist"),
    "fashion_mnist": ("mnist", "load_fashion"),
    "binarized_mnist": ("mnist", "load_binarized"),
    "folder": ("folder", "load"),
}


def names():
    """The names that `load` knows, a tuple."""
    return tuple(_SETS)


def splits(name):
    """The splits of a set, a tuple."""
    return ("train", "val", "test", "all") if _known(name) == "folder" else ("train", "val", "test")


def load(
    name,
    split="train",
    *,
    size=None,
    crop=None,
    limit=None,
    seed=0,
    path=None,
    **options,
):
    """Load one split of a data set.

    Args:
        name: One of `names()`.
        split: `"train"`, `"val"` or `"test"`; official splits where there are any. `mnist` and
            `fashion_mnist`: the last 10,000 of the official 60,000 are "val". `pets`: every
            fifth of `trainval` is "val". `shapes`: three streams of one seed.
        size: Resize to (height, width) or a square, after `crop`. Images are averaged, masks are
            picked by nearest neighbour, drawn edges are kept (a cell is marked if any of its
            pixels is). For `shapes`, the size to draw at.
        crop: Cut the middle (height, width), or a square, out of each image.
        limit: Take so many images; `None` takes all. They are the first ones, but evenly spaced
            ones where the order follows the class or the time (`camvid`, `pets`, and the test
            split of `binarized_mnist`).
        seed: Seeds `shapes`; the other sets are what they are.
        path: For `folder`: the folder of images, or one image file.
        **options: What a single set takes besides, e.g. `segmentations=True` for `bsds500`.

    Returns:
        A `Dataset`: images and masks as bytes, in one array if the sizes agree, else in a list.

    Raises:
        ValueError: Unknown set, split or option (the known ones are listed), or a value that
            does not fit.
        MissingData: The set is not here and cannot be downloaded; says what to put where.
        ChecksumError: A file is not one of those accepted; names both checksums.

    Examples:
        >>> from helpers import data
        >>> val = data.load("shapes", "val", limit=3)
        >>> val.images.shape, val.masks.shape, val.class_names
        ((3, 64, 64, 3), (3, 64, 64), ('background', 'disc', 'square', 'triangle'))
    """
    module, function = _SETS[_known(name)]
    if split not in splits(name):
        raise ValueError(
            f"Unknown split of {name!r}; known are {', '.join(splits(name))}. "
            f"Received: split={split!r}"
        )
    if limit is not None and not (is_whole(limit) and limit >= 1):
        raise ValueError(f"`limit` must be a positive integer or None. Received: limit={limit!r}")
    if path is not None and name != "folder":
        raise ValueError(f"`path` belongs to the set 'folder'. Received: {name!r}, path={path!r}")
    loader = getattr(importlib.import_module(f"helpers.data.{module}"), function)
    common = {"size": size, "crop": crop, "limit": limit}
    if name == "folder":
        common["path"] = path
    elif name == "shapes":
        if crop is not None:
            raise ValueError("shapes are drawn at any size: use `size`, not `crop`.")
        common = {"n": limit, "seed": seed} | ({} if size is None else {"size": size})
    taken = {"split", "path", "n", "seed", *common, "size", "crop"}
    known = [p for p in inspect.signature(loader).parameters if p not in taken]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"Unknown option of {name!r}; known are {', '.join(known) or 'none'}. "
            f"Received: {unknown[0]}={options[unknown[0]]!r}"
        )
    return loader(split, **common, **options)


def _known(name):
    if name not in _SETS:
        raise ValueError(f"Unknown data set; known are {', '.join(_SETS)}. Received: {name!r}")
    return name


def __getattr__(name):
    # These are Keras classes, and importing Keras takes seconds: only who asks for one pays.
    if name in ("Batches", "Crops"):
        return getattr(importlib.import_module(f"helpers.data.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
