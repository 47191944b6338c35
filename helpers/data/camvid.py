"""CamVid, SegNet version: 480x360 frames from a car, eleven classes and void."""

from pathlib import Path

from helpers.data import fetch, images
from helpers.data.dataset import Dataset

CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
VOID = 11


def load(split, *, size=None, crop=None, limit=None, archive=None):
    """Load a split of CamVid (367 train, 101 val, 233 test) by the official lists.

    Frames that follow each other look alike, so the official lists are the only split: a random
    one would put near copies of training frames into the test set.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        size: Resize to (height, width).
        crop: Cut the middle (height, width) first.
        limit: Take so many frames, evenly spaced over the list: neighbours are near copies.
        archive: The name of one accepted archive, e.g. `"CamVid_png_sample.zip"`.

    Returns:
        A `Dataset` with `masks`; class 11 is void.

    References:
        Brostow, Fauqueur, Cipolla, Pattern Recognition Letters 30(2), 2009,
        doi:10.1016/j.patrec.2008.04.005
    """
    fit = images.Fitter(size, crop)
    root, source = fetch.unpacked("camvid", archive)
    folder = root / "CamVid"
    lines = (folder / f"{split}.txt").read_text("utf-8").split("\n")
    # A line names image and label map by paths of the authors' machine: the file name counts.
    stems = [Path(line.split()[0]).stem for line in lines if line.strip()]
    stems = [stems[i] for i in images.spaced(len(stems), limit)]

    def read(stem):
        # The lists say .png; an archive with re-encoded images has .jpg under the same name.
        path = next(
            (p for e in ("png", "jpg") if (p := folder / split / f"{stem}.{e}").is_file()), None
        )
        if path is None:
            raise FileNotFoundError(f"{folder / split}: no {stem}.png or {stem}.jpg")
        image = images.read_rgb(path)
        mask = images.read_indices(folder / f"{split}annot" / f"{stem}.png")
        if mask.shape != image.shape[:2] or mask.max() > VOID:
            raise ValueError(
                f"{stem}: the label map must have the image's size {image.shape[:2]} and classes "
                f"0..{VOID}. Received: size {mask.shape}, classes up to {mask.max()}"
            )
        return fit.image(image, stem), fit.indices(mask, stem)

    pictures, masks = zip(*images.read_all(read, stems))
    return Dataset(
        name="camvid",
        split=split,
        images=images.together(list(pictures)),
        masks=images.together(list(masks)),
        class_names=CLASSES,
        ignore_class=VOID,
        ids=tuple(stems),
        source=source,
        licence=fetch.REGISTRY["camvid"]["licence"],
    )
