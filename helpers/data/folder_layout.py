"""Where the images, masks and edges of a folder of one's own lie, and what is named amiss."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .file_names import ENDINGS, pictures, subfolders

SPLITS = ("train", "val", "test")
# Names that other programs give, and the one that is read here.
SPLIT_NAMES = {"training": "train", "testing": "test"} | dict.fromkeys(
    ("valid", "validation", "validate", "dev", "eval"), "val"
)
KINDS = {
    "images": ["image", "img", "imgs", "photos", "pictures", "jpegimages"],
    "masks": [
        "mask",
        "label",
        "labels",
        "annotation",
        "annotations",
        "annot",
        "segmentation",
        "segmentations",
        "gt",
        "groundtruth",
        "ground_truth",
        "segmentationclass",
    ],
    "edges": ["edge", "boundary", "boundaries", "contours"],
}


class Layout(NamedTuple):
    """The images of one folder, and its folders of masks and of edges, where it has them."""

    images: list[Path]
    masks: Path | None
    edges: Path | None


def split_folders(path: Path) -> dict[str, Path]:
    """Finds the subfolders that are splits; empty, if the folder is not split.

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
    for name, right in SPLIT_NAMES.items():
        if name in folders and (present or _has_pictures(folders[name], inside="images")):
            other = f"; but {right!r} is there too, so move one away" if right in folders else ""
            raise ValueError(
                f"{path}: the folder {folders[name].name!r} is not read. Splits are named train, "
                f"val and test: rename it to {right!r}{other}."
            )
    if not present:
        return {}
    for name, folder in folders.items():
        split = next((s for s in present if name != s and name.startswith(s)), None)
        kind = split and next((k for k in KINDS if _means(name[len(split) :], k)), None)
        if kind and _has_pictures(folder):
            raise ValueError(
                f"{path}: the folder {folder.name!r} is not read. The {kind} of {split!r} belong "
                f"into {present[split].name}/{kind}/."
            )
    if "images" in folders or _has_pictures(path):
        where = f"the folder {folders['images'].name!r}" if "images" in folders else "images"
        raise ValueError(
            f"{path}: has subfolders for the splits {', '.join(present)}, and beside them {where}, "
            "which would be left out. Move it into a split, or away."
        )
    return present


def layout(base: Path) -> Layout:
    """Finds the images, masks and edges of one folder.

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
    for kind in ("masks", "edges"):
        other = next((f for k, f in folders.items() if k in KINDS[kind]), None)
        if kind not in folders and other and _has_pictures(other):
            raise ValueError(
                f"{base}: the folder {other.name!r} is not read. If it holds {kind}, rename it to "
                f"{kind!r}; else move it away."
            )
    return Layout(found, folders.get("masks"), folders.get("edges"))


def _hint(folder: Path) -> str:
    """Words for the usual layouts that are not read."""
    inside = {k: f for k, f in subfolders(folder).items() if _has_pictures(f)}
    names = ", ".join(f.name for f in list(inside.values())[:5])
    images = next((f for k, f in inside.items() if k in KINDS["images"]), None)
    if images:
        return f" If they are in {images.name!r}, rename it to 'images'."
    if set(inside) & {*SPLITS, *SPLIT_NAMES}:
        return (
            f" It has the splits {names} inside. Splits are the outer folders: train/images, "
            "train/masks, val/images and so on."
        )
    if inside and not set(inside) <= set(KINDS):
        return (
            f" There are images in its folders {names}. One folder a class is not read: labels "
            "here are masks and edges, and not classes of whole images. Put the images into one "
            "folder, or give one of these folders as `path`."
        )
    return ""


def _means(end: str, kind: str) -> bool:
    """Whether the end of a name such as `train_labels` or `trainannot` stands for a kind."""
    return end.strip("_- ") in (kind, *KINDS[kind])


def _has_pictures(folder: Path, inside: str = "") -> bool:
    """Whether a folder has images, or a subfolder of the name `inside`."""
    names = [p.name.lower() for p in folder.iterdir() if p.name[0] != "."]
    return inside in names or any(name.endswith(ENDINGS) for name in names)
