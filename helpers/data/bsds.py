"""BSDS500: photographs, and the boundaries that four to nine people drew in each."""

import numpy as np

from helpers.data import fetch, images
from helpers.data.dataset import Dataset


def load(split, *, size=None, crop=None, limit=None, segmentations=False, archive=None):
    """Load a split of BSDS500 (200 train, 100 val, 200 test; 481x321 or 321x481 pixels).

    Resizing keeps every drawn line (see `images.resize_boundaries`), so lines grow relatively
    thicker as the image shrinks. Scores are computed at native size.

    Args:
        split: `"train"`, `"val"` or `"test"`. Tune on train and val; read test once.
        size: Resize to (height, width).
        crop: Cut the middle (height, width) first; 320 fits both orientations.
        limit: Take the first so many images, in the order of their names.
        segmentations: Whether to read the region labels as well.
        archive: The name of one accepted archive.

    Returns:
        A `Dataset` with `edges`, `annotations`, and `segmentations` if asked for.

    References:
        Arbelaez, Maire, Fowlkes, Malik, TPAMI 33(5), 2011, doi:10.1109/TPAMI.2010.161
    """
    fit = images.Fitter(size, crop)
    root, source = fetch.unpacked("bsds500", archive)
    folder = root / "BSDS500" / "data"
    # Only the .jpg: the folders also hold files that a file manager left.
    paths = sorted((folder / "images" / split).glob("*.jpg"))[:limit]

    def read(path):
        image = images.read_rgb(path)
        drawn, regions = _annotations(folder / "groundTruth" / split / f"{path.stem}.mat")
        if drawn.shape[1:] != image.shape[:2]:
            raise ValueError(
                f"{path.stem}: annotations of {drawn.shape[1:]} pixels, image {image.shape[:2]}"
            )
        regions = fit.stack_indices(regions, path.name) if segmentations else None
        return fit.image(image, path.name), fit.stack(drawn, path.name), regions

    pictures, annotations, regions = zip(*images.read_all(read, paths))
    return Dataset(
        name="bsds500",
        split=split,
        images=images.together(list(pictures)),
        edges=images.together([images.share(a) for a in annotations]),
        annotations=list(annotations),
        segmentations=list(regions) if segmentations else None,
        ids=tuple(path.stem for path in paths),
        source=source,
        licence=fetch.REGISTRY["bsds500"]["licence"],
    )


def _annotations(path):
    """Read (A, H, W) boundaries, uint8 0/1, and (A, H, W) region labels, uint16 from 1."""
    from scipy.io import loadmat

    cell = loadmat(path)["groundTruth"][0]  # 1 x A cells, each a 1 x 1 struct
    drawn = np.stack([c["Boundaries"][0, 0] for c in cell])
    regions = np.stack([c["Segmentation"][0, 0] for c in cell])
    return (drawn > 0).astype(np.uint8), regions.astype(np.uint16)
