"""One's own images: a folder, with masks or edges if there are any, or a single photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import images
from .dataset import Dataset

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def load(split, *, path, size=None, crop=None, limit=None, class_names=None, void=None):
    """Loads images from a folder of one's own, or one image.

    The layout, where `masks` and `edges` are optional::

        folder/images/a.jpg       (or the images directly in folder/)
        folder/masks/a.png        one 8-bit channel of class indices 0, 1, 2, ...
        folder/edges/a.png        one 8-bit channel, 0 no edge .. 255 edge (or 0/1), or
        folder/edges/a/*.png      one such file a person

    With subfolders `train/`, `val/`, `test/`, each of this layout, they are the splits. Without
    them, of every five images in the order of their names the fourth is "test", the fifth "val"
    and the rest "train". "all" is every image, and a single image belongs to every split.

    Args:
        split: `"train"`, `"val"`, `"test"` or `"all"`.
        path: The folder, or one image file.
        size: Resize to (height, width).
        crop: Cut the middle (height, width) first.
        limit: Take the first so many images.
        class_names: Names of the mask's classes in order; `None` numbers them.
        void: The mask value that means "not labelled", often 255.

    Returns:
        A `Dataset`. Photographs are turned upright as the camera's tag says.
    """
    if path is None:
        raise ValueError("The set 'folder' needs `path=`, a folder of images or one image file.")
    path = Path(path).expanduser()
    fit = images.Fitter(size, crop)
    if path.is_file():
        paths, base, count = [path], None, 1
    else:
        base = _base(path, split)
        paths = _images(base / "images" if (base / "images").is_dir() else base)
        count = len(paths)
        if split != "all" and base == path:
            keep = {"train": (0, 1, 2), "test": (3,), "val": (4,)}[split]
            paths = [p for i, p in enumerate(paths) if i % 5 in keep]
        paths = paths[:limit]
        if not paths:
            raise ValueError(
                f"{path}: the split {split!r} is empty, there are only {count} images. Add "
                "images, or make subfolders train/, val/ and test/, or use split='all'."
            )
    has_masks, has_edges = (base is not None and (base / k).is_dir() for k in ("masks", "edges"))

    def read(p: Path):
        image = images.read_rgb(p, upright=True)
        mask = edge = drawn = None
        if has_masks:
            mask = fit.indices(_same_size(*_read_one(base / "masks", p), image), p.name)
        if has_edges:
            edge, drawn = _edges(base / "edges", p, image, fit)
        return fit.image(image, p.name), mask, edge, drawn

    pictures, masks, edges, drawn = map(list, zip(*images.read_all(read, paths)))
    if has_masks:
        class_names = _class_names(masks, paths, class_names, void)
    return Dataset(
        name="folder",
        split=split,
        images=images.together(pictures),
        masks=images.together(masks) if has_masks else None,
        class_names=class_names if has_masks else None,
        void=void if has_masks else None,
        edges=images.together(edges) if has_edges else None,
        annotations=drawn if has_edges else None,
        ids=tuple(p.stem for p in paths),
        source=f"your own images ({len(paths)} of {count} in {path.name!r})",
        licence="your own",
    )


def _base(path: Path, split: str) -> Path:
    if not path.is_dir():
        raise FileNotFoundError(
            f"`path` must be a folder or an image file. Received: {str(path)!r}"
        )
    present = [s for s in ("train", "val", "test") if (path / s).is_dir()]
    if not present:
        return path
    if split in present:
        return path / split
    raise ValueError(
        f"{path}: has subfolders for the splits {', '.join(present)}. Received: split={split!r}"
    )


def _images(folder: Path) -> list[Path]:
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS)
    paths = [p for p in paths if not p.name.startswith(".")]
    if not paths:
        raise FileNotFoundError(f"{folder}: no images ({', '.join(ENDINGS)}) in this folder.")
    stems = [p.stem for p in paths]
    twice = sorted({s for s in stems if stems.count(s) > 1})
    if twice:
        raise ValueError(
            f"{folder}: two images share the name {twice[0]!r}, so a mask could belong to either. "
            "Rename one."
        )
    return paths


def _read_one(folder: Path, image: Path) -> tuple[Path, np.ndarray]:
    path = next((p for e in ENDINGS if (p := folder / f"{image.stem}{e}").is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"{folder}: nothing for the image {image.name!r}. Every image needs a file "
            f"{image.stem}.png there, or the folder must go."
        )
    if path.suffix.lower() in (".jpg", ".jpeg") and folder.name == "masks":
        raise ValueError(f"{path}: JPEG changes class indices. Save masks as PNG.")
    return path, images.read_indices(path)


def _same_size(path: Path, array: np.ndarray, image: np.ndarray) -> np.ndarray:
    if array.shape != image.shape[:2]:
        raise ValueError(
            f"{path}: must have its image's size, {image.shape[0]}x{image.shape[1]} pixels "
            f"(height x width). Received: {array.shape[0]}x{array.shape[1]}"
        )
    return array


def _edges(folder: Path, image_path: Path, image: np.ndarray, fit: images.Fitter):
    """Returns the share (H, W) and what each person drew, (A, H, W)."""
    own = folder / image_path.stem
    files = (
        [(p, images.read_indices(p)) for p in _images(own)]
        if own.is_dir()
        else [_read_one(folder, image_path)]
    )
    strength = np.stack([_same_size(p, a, image) for p, a in files])
    if strength.max() <= 1:  # stored as 0/1
        strength = strength * np.uint8(255)
    strength = fit.stack(strength, image_path.name)
    drawn = (strength >= 128).astype(np.uint8)
    return (strength[0] if len(strength) == 1 else images.share(drawn)), drawn


def _class_names(masks, paths, class_names, void) -> tuple[str, ...]:
    found = [np.unique(m) for m in masks]
    if class_names is None:
        highest = max((int(v) for f in found for v in f if v != void), default=0)
        return tuple(f"class {i}" for i in range(highest + 1))
    for path, values in zip(paths, found):
        wrong = [int(v) for v in values if v != void and v >= len(class_names)]
        if wrong:
            raise ValueError(
                f"The mask of {path.name!r} has the value {wrong[0]}, but there are "
                f"{len(class_names)} classes (0..{len(class_names) - 1}) and void={void}. Name "
                "more classes, or set `void`."
            )
    return tuple(class_names)
