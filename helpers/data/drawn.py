"""What was drawn on an image, masks and edges, laid on it the right way round."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data import images
from helpers.data.file_names import ENDINGS, nfc, pictures, same, subfolders
from helpers.data.mask_values import contents

ONE = "Only one can be meant."
SURE = 128  # strengths from here on are an edge


class Photo(NamedTuple):
    """An image as it is shown, (H, W, 3), with its file and its camera tag."""

    path: Path
    pixels: np.ndarray
    tag: int


def files_in(folder):
    """The image files of a folder by the keys of their names."""
    return {same(p.stem): p for p in pictures(folder, ONE)}


def file_of(folder, files, photo):
    """The file of an image among those of a folder (by key).

    Raises:
        FileNotFoundError: If there is none; names what is like it.
    """
    key = same(photo.stem)
    if key in files:
        return files[key]
    name = nfc(photo.stem)
    like = sorted(p for p in folder.iterdir() if p.is_file() and same(p.name).startswith(key))
    hint = ""
    if like:
        read = like[0].suffix.lower() in ENDINGS
        mend = "rename it" if read else "this format is not read; save it as PNG"
        hint = f" There is {like[0].name!r}: {mend}, if it is meant."
    raise FileNotFoundError(
        f"{folder}: nothing for the image {photo.name!r}. Every image needs a file {name}.png "
        f"there, or the folder must go.{hint}"
    )


def laid_on(path, values, tag, photo, drawn_on):
    """Turn stored values (H, W) so that they lie on the image as it is shown.

    They may have been drawn on the image as it is shown (then only a tag of their own turns
    them), or on its stored pixels (then they turn as the image does). Where the two differ, the
    sizes tell, or `drawn_on` does.

    Raises:
        ValueError: If no way fits in size, or if two fit and differ.
    """
    ways = {"shown": images.turned(values, tag), "stored": images.turned(values, photo.tag)}
    size = photo.pixels.shape[:2]
    fits = [a for k, a in ways.items() if drawn_on in (None, k) and a.shape == size]
    if not fits:
        exchanged = ""
        if values.shape[::-1] == size or values.shape == size:
            exchanged = (
                " The sizes differ by a quarter turn only. Camera tags: image "
                f"{photo.tag}, this file {tag} (1 is upright), drawn_on={drawn_on!r}. Turn the "
                "file, or correct what does not hold."
            )
        raise ValueError(
            f"{path}: must have its image's size, {size[0]}x{size[1]} pixels "
            f"(height x width). Received: {values.shape[0]}x{values.shape[1]}.{exchanged}"
        )
    if not all(np.array_equal(fits[0], a) for a in fits):
        raise ValueError(
            f"{path}: cannot tell how this lies on the image {photo.path.name!r}. Camera tags turn "
            f"them differently (image {photo.tag}, this file {tag}; 1 is upright) and both ways "
            "fit in size. If it was drawn on the image as it is stored, with the tag passed over, "
            "write drawn_on='stored'; if on the upright image, drawn_on='shown'. Or save the "
            "image upright and without the tag."
        )
    return fits[0]


class Edges:
    """The edges of a folder: one file an image, or a folder with one file a person.

    Args:
        folders: The edge folders of all splits: what kind the single files are is decided over
            all of them.
        drawn_on: As `laid_on`.
    """

    def __init__(self, folders, drawn_on):
        self.drawn_on = drawn_on
        self.single = {f: files_in(f) for f in folders}
        self.people = {f: subfolders(f) for f in folders}
        paths = [p for files in self.single.values() for p in files.values()]
        values = images.read_all(lambda p: contents(p, exact=False).values, paths)
        self.strengths = any(len(v) > 2 for v in values)
        self.highest = max((max(v) for v in values), default=0)

    def of(self, folder, photo, fit):
        """The share (H, W) of an image, and what each person drew, (A, H, W)."""
        key = same(photo.path.stem)
        person = self.people[folder].get(key)
        if person and key in self.single[folder]:
            raise ValueError(
                f"{folder}: has the file {self.single[folder][key].name!r} and the folder "
                f"{person.name!r} for the image {photo.path.name!r}. Keep one of them."
            )
        if person:
            files = pictures(person, ONE)
            if not files:
                raise FileNotFoundError(f"{person}: no edges (images) in this folder.")
        else:
            files = [file_of(folder, self.single[folder], photo.path)]
        stack = np.stack([self._strength(p, photo, not person) for p in files])
        stack = fit.stack(stack, photo.path.name)
        drawn = (stack >= SURE).astype(np.uint8)
        return (stack[0] if len(stack) == 1 else images.share(drawn)), drawn

    def _strength(self, path, photo, single):
        channel = images.read_channel(path)
        values = laid_on(path, channel.values, channel.tag, photo, self.drawn_on)
        found = np.unique(values)
        if len(found) == 1 and found[0] > 0:
            raise ValueError(
                f"{path}: every pixel has the value {found[0]}, so all or nothing would be an "
                "edge. Store 0 for no edge and 255 for an edge."
            )
        strengths = single and self.strengths and found[-1] > 1
        if len(found) <= 2 and not strengths:  # a drawing: no edge, and edge
            values = np.where(values > found[0], 255, 0).astype(np.uint8)
            return _lines(path, values)
        highest = self.highest if single else int(found[-1])
        if channel.mode not in ("L", "1") or highest < SURE:
            raise ValueError(
                f"{path}: {len(found)} values up to {found[-1]} (mode {channel.mode!r}) cannot be "
                "read as strengths of edges, 0 no edge to 255 sure edge in one 8-bit grey channel, "
                f"of which {SURE} and more are an edge. Save it so, or with two values."
            )
        return _lines(path, values)


def _lines(path, values):
    """The values, uint8 (H, W), unchanged; dark lines on a light ground are refused."""
    share = (values >= SURE).mean()
    if share > 0.5:
        raise ValueError(
            f"{path}: {share:.0%} of the pixels would be edges, so the lines seem to be dark on a "
            "light ground. Edges are the higher values: exchange dark and light."
        )
    return values
