"""Where the images, masks and edges of a folder of one's own lie, and what is named amiss."""

import re
from pathlib import Path
from typing import NamedTuple

from helpers.data.file_names import ENDINGS, pictures, same, subfolders

SPLITS = ("train", "val", "test")
# How other programs begin the name of a split (the longer of two words first), and the name that
# is read here.
SPLIT_NAMES = {"training": "train", "train": "train", "testing": "test", "test": "test"} | (
    dict.fromkeys(("validation", "validate", "valid", "val", "dev", "evaluation", "eval"), "val")
)
# Words in names of folders, and in names of files that lie among the images.
KINDS = {
    word: kind
    for kind, words in (
        ("images", "image images img imgs photo photos picture pictures jpegimages"),
        ("masks", "mask masks label labels labelstr annotation annotations annot seg segs gt"),
        ("masks", "segmentation segmentations segmentationclass segmentationobject groundtruth"),
        ("masks", "target targets trimap trimaps pixellabeldata"),
        ("edges", "edge edges boundary boundaries contour contours"),
    )
    for word in words.split()
}
DRAWN = [word for word, kind in KINDS.items() if kind != "images"]


class Layout(NamedTuple):
    """The images of one folder, and its folders of masks and of edges, where it has them."""

    images: list[Path]
    masks: Path | None
    edges: Path | None


def split_folders(path):
    """The subfolders that are splits, by split; empty, if the folder is not split.

    Raises:
        FileNotFoundError: If the path is no folder.
        ValueError: If a subfolder has another name for a split, or if images lie beside them.
    """
    if not path.is_dir():
        start = "" if path.is_absolute() else f"; relative paths start in {Path.cwd()}"
        raise FileNotFoundError(
            f"`path` must be a folder or an image file. Received: {str(path)!r}{start}"
        )
    folders = subfolders(path)
    present = {s: folders[s] for s in SPLITS if s in folders}
    whole = "images" in folders or _has_pictures(path)
    for name, folder in folders.items():
        split, kind = _split_and_kind(name)
        if name in SPLITS or split is None:
            continue
        right = folders[split].name if split in folders else split
        if kind is None and (present or _has_pictures(folder, inside="images")):
            other = f"; but {split!r} is there too, so move one away" if split in folders else ""
            raise ValueError(
                f"{path}: the folder {folder.name!r} is not read. Splits are named train, "
                f"val and test: rename it to {split!r}{other or ', or move it away'}."
            )
        if kind and (present or not whole) and _has_pictures(folder):
            raise ValueError(
                f"{path}: the folder {folder.name!r} is not read. The {kind} of {split!r} belong "
                f"into {right}/{kind}/."
            )
    if not present:
        return {}
    if whole:
        where = f"the folder {folders['images'].name!r}" if "images" in folders else "images"
        raise ValueError(
            f"{path}: has subfolders for the splits {', '.join(present)}, and beside them {where}, "
            "which would be left out. Move it into a split, or away."
        )
    return present


def layout(base):
    """The images, masks and edges of one folder.

    Raises:
        FileNotFoundError: If it has no images; says where there are some.
        ValueError: If masks or edges lie in a folder of another name, or images in two places.
    """
    folders = subfolders(base)
    place = folders.get("images", base)
    if place != base and _has_pictures(base):
        raise ValueError(
            f"{base}: has images in {place.name}/ and beside it, and the latter would be left out. "
            "Move them into it, or away."
        )
    found = pictures(place)
    if not found:
        raise FileNotFoundError(
            f"{place}: no images ({', '.join(ENDINGS)}) in this folder.{_hint(place)}"
        )
    _refuse_drawn(found)
    beside = subfolders(base.absolute().parent) if same(base.name) == "images" else ()
    if kind := next((k for k in ("masks", "edges") if k in beside), None):
        raise ValueError(
            f"{base}: the {kind} beside this folder would be left out. Give the folder above it: "
            f"path={str(base.absolute().parent)!r}"
        )
    for kind in ("masks", "edges"):
        other = next((f for k, f in folders.items() if _kind(k) == kind), None)
        if kind not in folders and other and _has_pictures(other):
            raise ValueError(
                f"{base}: the folder {other.name!r} is not read. If it holds {kind}, rename it to "
                f"{kind!r}; else move it away."
            )
    return Layout(found, folders.get("masks"), folders.get("edges"))


def _hint(folder):
    """Words for the usual layouts that are not read."""
    inside = {k: f for k, f in subfolders(folder).items() if _has_pictures(f)}
    names = ", ".join(f.name for f in list(inside.values())[:5])
    images = next((f for k, f in inside.items() if _kind(k) == "images"), None)
    if images:
        return f" If they are in {images.name!r}, rename it to 'images'."
    if any(_split_and_kind(k)[0] for k in inside):
        return (
            f" It has the splits {names} inside. Splits are the outer folders: train/images, "
            "train/masks, val/images and so on."
        )
    if inside and not {_kind(k) for k in inside} <= {"masks", "edges"}:
        return (
            f" There are images in its folders {names}. One folder a class is not read: labels "
            "here are masks and edges, and not classes of whole images. Put the images into one "
            "folder, or give one of these folders as `path`."
        )
    return ""


def _refuse_drawn(paths):
    """Refuse `a_mask.png` beside `a.jpg`: it would be taken for a photograph."""
    keys = {same(p.stem): p for p in paths}
    for key, path in keys.items():
        for word in DRAWN:
            for rest, end in ((key.removesuffix(word), -1), (key.removeprefix(word), 0)):
                image = keys.get(rest.strip("_-. "))
                if image and rest != key and not rest[end].isalnum():
                    raise ValueError(
                        f"{path}: by its name it belongs to {image.name!r} and is no photograph. "
                        f"Move it to {KINDS[word]}/{image.stem}.png, in a folder {KINDS[word]!r} "
                        "beside the images or beside 'images'. If it is a photograph, rename it."
                    )


def _kind(name):
    """What the files in a folder of this name are: the kind of one of its words."""
    words = re.split(r"[\W_\d]+", name)
    return next((KINDS[w] for w in ("".join(words), *reversed(words)) if w in KINDS), None)


def _split_and_kind(name):
    """Read `valid`, `train_set`, `val2017` as a split, `trainannot`, `masks-test` as its kind."""
    for word, split in SPLIT_NAMES.items():
        for rest in (name.removeprefix(word), name.removesuffix(word)):
            kind = _kind(rest)
            if rest != name and kind:
                return split, kind
        rest = name.removeprefix(word)
        if rest != name and rest.strip("_- .0123456789") in ("", "s", "set", "sets", "data"):
            return split, None
    return None, None


def _has_pictures(folder, inside=""):
    """Whether a folder has images, or a subfolder of the name `inside`."""
    names = [p.name.lower() for p in folder.iterdir() if p.name[0] != "."]
    return inside in names or any(name.endswith(ENDINGS) for name in names)
