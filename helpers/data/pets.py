"""Oxford-IIIT Pet: cats and dogs with a mask of pet, background and the border between."""

import numpy as np

from helpers.data import fetch, images
from helpers.data.dataset import Dataset

CLASSES = ("pet", "background", "border")


def load(split, *, size=None, crop=None, limit=None, archive=None):
    """Load a split of the Pets.

    The official lists are `trainval` and `test`. Here every fifth name of the sorted `trainval`
    list (the 5th, 10th, ...) is "val" and the rest is "train".

    Trimaps 1, 2, 3 become the classes 0 pet, 1 background, 2 border. The border is a class of
    its own and covers the pixels that the owners left open, so there is no void.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        size: Resize to (height, width). Sizes differ from image to image: without `size` or
            `crop` the images come as a list, and the whole official set is some gigabytes.
        crop: Cut the middle (height, width) first.
        limit: Take so many images, evenly spaced: the order of the names is that of the breeds.
        archive: The name of (the first file of) one accepted choice of archives.

    Returns:
        A `Dataset` with `masks`, and the factors `breed` (0..36, the official class less one)
        and `species` (0 cat, 1 dog). `ids` begin with the breed's name.

    References:
        Parkhi, Vedaldi, Zisserman, Jawahar, CVPR 2012, doi:10.1109/CVPR.2012.6248092
    """
    fit = images.Fitter(size, crop)
    root, source = fetch.unpacked("pets", archive)
    name = "test" if split == "test" else "trainval"
    text = (root / "annotations" / f"{name}.txt").read_text("utf-8")
    rows = sorted(line.split() for line in text.split("\n") if line.strip() and line[0] != "#")
    if split != "test":
        rows = [row for i, row in enumerate(rows) if (i % 5 == 4) == (split == "val")]
    rows = [rows[i] for i in images.spaced(len(rows), limit)]

    def read(row):
        # Files are asked for by the names in the list: the official archives hold strays.
        image = images.read_rgb(root / "images" / f"{row[0]}.jpg", drop_alpha=True)
        trimap = images.read_indices(root / "annotations" / "trimaps" / f"{row[0]}.png")
        if trimap.shape != image.shape[:2] or trimap.min() < 1 or trimap.max() > len(CLASSES):
            raise ValueError(
                f"{row[0]}: the trimap must have the image's size {image.shape[:2]} and values "
                f"1..3. Received: size {trimap.shape}, values {trimap.min()}..{trimap.max()}"
            )
        return fit.image(image, row[0]), fit.indices(trimap - 1, row[0])

    pictures, masks = zip(*images.read_all(read, rows))
    return Dataset(
        name="pets",
        split=split,
        images=images.together(list(pictures)),
        masks=images.together(list(masks)),
        class_names=CLASSES,
        factors={
            "breed": np.array([int(row[1]) - 1 for row in rows]),
            "species": np.array([int(row[2]) - 1 for row in rows]),
        },
        ids=tuple(row[0] for row in rows),
        source=source,
        licence=fetch.REGISTRY["pets"]["licence"],
    )
