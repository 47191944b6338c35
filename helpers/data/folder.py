"""One's own images: a folder, with masks or edges if there are any, or a single photograph."""

import os

from helpers.data import images, mask_classes, mask_values
from helpers.data.dataset import Dataset
from helpers.data.drawn import Edges, Photo, file_of, files_in, laid_on
from helpers.data.file_names import existing, nfc, same
from helpers.data.folder_layout import Layout, layout, split_folders


def load(
    split,
    *,
    path,
    size=None,
    crop=None,
    limit=None,
    class_names=None,
    ignore_class=None,
    drawn_on=None,
):
    """Load images from a folder of one's own, or one image.

    The layout, where `masks` and `edges` are optional::

        folder/images/a.jpg       (or the images directly in folder/)
        folder/masks/a.png        one 8-bit channel of class indices 0, 1, 2, ...
        folder/edges/a.png        one 8-bit channel, 0 no edge .. 255 edge (or 0/1), or
        folder/edges/a/*.png      one such file a person

    Upper and lower case of names and endings do not count, and neither does the Unicode form.

    With subfolders `train/`, `val/`, `test/`, each of this layout, they are the splits. Without
    them, of every five images in the order of their names the fourth is "test", the fifth "val"
    and the rest "train", and "all" is every image. A single image belongs to every split.

    Classes are counted over the masks of all splits, so each mask is read once more for that (not
    again in the same process, while the file is the same):

    - Values 0, 1, 2, ... are class indices; some may be missing (at least half must occur).
    - Two values, such as 0 and 255, are two classes.
    - Other values, such as 0, 7 and 200, are classes in their order.

    Palettes whose colours differ, and greys as positions beside greys, are refused.

    Where a class is not stored as its index, `stored_values` of the result has the value of each
    class, and `source` tells it too. What can be read in two ways is refused, with what to write.

    Several people's edges: two values in a file are "no edge" and "edge", whatever they are; of
    more values, those from 128 are edges. One file an image with more than two values somewhere
    in the folder is a map of strengths, of which 255 is a sure edge. Edges on more than half of
    the pixels are refused: they are dark lines on a light ground.

    Args:
        split: `"train"`, `"val"`, `"test"` or, of a folder without such subfolders, `"all"`.
        path: The folder, or one image file.
        size: Resize to (height, width).
        crop: Cut the middle (height, width) first.
        limit: Take the first so many images.
        class_names: Names of the mask's classes in order, or a mapping of mask value to name,
            e.g. `{0: "background", 255: "cell"}`; `None` numbers them.
        ignore_class: The mask value that means "not labelled", often 255. If it is smaller than the
            number of classes and none of them, it becomes 255.
        drawn_on: Where a camera's tag turns an image and not its mask (or edges): `"stored"` if
            they were drawn on the image as it is stored, `"shown"` if on the upright image.
            `None` finds out by the sizes, and refuses if they do not tell.

    Returns:
        A `Dataset`. Photographs are turned upright as the camera's tag says, masks and edges
        with them.

    Raises:
        FileNotFoundError: If the folder, its images, or the mask of an image is missing.
        ValueError: If something can be read in two ways, or not at all; says what to do.
    """
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise ValueError(
            "The set 'folder' needs `path=`, a folder of images or one image file. "
            f"Received: path={path!r}"
        )
    if drawn_on not in (None, "stored", "shown"):
        raise ValueError(
            f"`drawn_on` must be 'stored', 'shown' or None. Received: drawn_on={drawn_on!r}"
        )
    path = existing(path)
    fit = images.Fitter(size, crop)
    if path.is_file():
        here, paths, count, everywhere = Layout([path], None, None), [path], 1, []
    else:
        folders = split_folders(path)
        if folders and split not in folders:
            mend = "Ask for one of them" if split == "all" else f"Make the folder {split}/, too"
            raise ValueError(
                f"{path}: has subfolders for the splits {', '.join(folders)}. {mend}. "
                f"Received: split={split!r}"
            )
        here = layout(folders.get(split, path))
        everywhere = [here, *(_other(f) for s, f in folders.items() if s != split)]
        paths, count = here.images, len(here.images)
        if split != "all" and not folders:
            keep = {"train": (0, 1, 2), "test": (3,), "val": (4,)}[split]
            paths = [p for i, p in enumerate(paths) if i % 5 in keep]
        paths = paths[:limit]
        if not paths:
            raise ValueError(
                f"{path}: the split {split!r} is empty, there are only {count} images. Add "
                "images, or make subfolders train/, val/ and test/, or use split='all'."
            )
    if (class_names is not None or ignore_class is not None) and not any(
        f.masks for f in everywhere
    ):
        raise ValueError(
            f"{path}: `class_names` and `ignore_class` tell what the values in masks mean, and there is no "
            "folder 'masks'. Add it, or leave them out."
        )
    if here.masks:
        files = files_in(here.masks)
        masks = {p: file_of(here.masks, files, p) for p in paths}
        classes = mask_classes.decide(_all_masks(everywhere), class_names, ignore_class)
    if here.edges:
        edges = Edges([place.edges for place in everywhere if place.edges], drawn_on)

    def read(p):
        photo = Photo(p, *images.read_photo(p))
        mask = edge = people = None
        if here.masks:
            channel = images.read_channel(masks[p], exact=True)
            mask = laid_on(masks[p], channel.values, channel.tag, photo, drawn_on)
            mask = classes.table[fit.indices(mask, p.name)]
        if here.edges:
            edge, people = edges.of(here.edges, photo, fit)
        return fit.image(photo.pixels, p.name), mask, edge, people

    found, mask_arrays, shares, people = map(list, zip(*images.read_all(read, paths)))
    return Dataset(
        name="folder",
        split=split,
        images=images.together(found),
        masks=images.together(mask_arrays) if here.masks else None,
        class_names=classes.names if here.masks else None,
        ignore_class=classes.ignore_class if here.masks else None,
        stored_values=classes.stored if here.masks else None,
        edges=images.together(shares) if here.edges else None,
        annotations=people if here.edges else None,
        ids=tuple(nfc(p.stem) for p in paths),
        source=f"your own images ({len(paths)} of {count} in {path.name!r})"
        + (classes.told(ignore_class) if here.masks else ""),
        licence="your own",
    )


def _other(folder):
    """The layout of a split that is not asked for: it may still be empty."""
    try:
        return layout(folder)
    except FileNotFoundError:
        return Layout([], None, None)


def _all_masks(places):
    """What the mask of every image holds, over all splits."""
    paths = []
    for place in places:
        masks = files_in(place.masks) if place.masks else {}
        paths += [masks[key] for p in place.images if (key := same(p.stem)) in masks]
    return images.read_all(mask_values.contents, paths)
