"""Names of files that people give: the same name can be written in several ways.

A camera writes `IMG_1.JPG` and a program `img_1.png`. One system stores `é` as one character,
another as two (the Unicode forms NFC and NFD). Here such names are the same name.
"""

import unicodedata
from pathlib import Path

# A photograph that is stored in one of these is not read, and must not be passed over in silence.
UNREAD = (
    *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jxl", ".jpe", ".apng", ".psd", ".svg"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".rw2", ".orf", ".raf"),
)
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".gif")


def nfc(name):
    """The name with composed characters."""
    return unicodedata.normalize("NFC", name)


def same(name):
    """A key that is equal for names which differ only by case or by Unicode form."""
    return nfc(nfc(name).lower())


def by_key(paths, why, noun="images"):
    """The paths by the key of their names; an image's ending does not count.

    Raises:
        ValueError: If two of them have the same key; names both and says `why` it matters.
    """
    found = {}
    for path in paths:
        name = path.stem if noun == "images" else path.name
        key = same(name)
        if key in found:
            raise ValueError(
                f"{path.parent}: two {noun} share the name {nfc(name)!r}: "
                f"{ascii_too(found[key].name)} and {ascii_too(path.name)} (case, ending and the "
                f"way an accent is stored do not count). {why} Rename one."
            )
        found[key] = path
    return found


def ascii_too(name):
    """Quote a name, with escapes where it would look like another one."""
    return repr(name) if name == nfc(name) else f"{name!r} (stored as {name!a})"


def child(folder, name):
    """The entry of a folder whose name is the same as `name`, or `None`.

    Raises:
        ValueError: If several are.
    """
    try:
        paths = sorted(p for p in folder.iterdir() if same(p.name) == same(name))
    except OSError:
        return None
    return by_key(paths, "Only one can be meant.", "entries")[same(name)] if paths else None


def existing(path):
    """The path as it is stored; unchanged, if nothing is there.

    A path that is there exactly as written is taken. Else its parts are looked for one by one.
    """
    path = Path(path).expanduser()
    if path.exists():
        return path
    found = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        there = found / part
        there = there if there.exists() else child(found, part)
        if there is None:
            return path
        found = there
    return found


def pictures(folder, why="A mask could belong to either."):
    """The images of a folder in the order of their names, a list of paths.

    Raises:
        ValueError: If two share a name (says `why` it matters), or if one has a format that is
            not read.
    """
    files = [p for p in folder.iterdir() if not p.name.startswith(".") and not p.is_dir()]
    files = [p for p in files if not p.is_fifo()]  # to open one would wait for its writer
    files.sort(key=lambda p: nfc(p.name))  # the same order on every system
    paths = [p for p in files if p.suffix.lower() in ENDINGS]
    found = by_key(paths, why)
    # Cameras store a raw file beside the JPEG: then the picture is there.
    unread = [p for p in files if p.suffix.lower() in UNREAD and same(p.stem) not in found]
    if unread:
        raise ValueError(
            f"{unread[0]}: images of the kind {unread[0].suffix!r} are not read, and this one "
            "would be left out. Save it as PNG or JPEG, or move it away."
        )
    return paths


def subfolders(folder):
    """The subfolders of a folder by the keys of their names; hidden ones are left out."""
    paths = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return by_key(paths, "Only one can be meant.", "folders")
