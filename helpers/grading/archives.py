"""Archives that are handed in: unpacked within limits, and never outside of their folder."""

import bz2
import contextlib
import gzip
import lzma
import os
import re
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

LARGEST = 20 * 2**20  # bytes of one file; a notebook without outputs has a thousandth of that
DEEPEST = 3  # archives within archives

READ = {
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tar",
    ".tbz2": "tar",
    ".txz": "tar",
    ".tar.gz": "tar",
    ".tar.bz2": "tar",
    ".tar.xz": "tar",
}
UNREAD = (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".lz", ".cab", ".iso")

# What systems leave behind, and nobody wrote.
JUNK = re.compile(
    r"\..*|__MACOSX|__pycache__|Thumbs\.db|desktop\.ini|~\$.*|.*:Zone\.Identifier", flags=re.I
)
_FAULTS = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError, LookupError),
    *(zipfile.BadZipFile, zlib.error, tarfile.TarError, lzma.LZMAError, OverflowError),
)


class BadArchive(Exception):
    """An archive that is not read; the text says why."""


class Place:
    """A folder for what is unpacked. It is deleted when nothing refers to this any more."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="submissions-"))
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.count = 0

    def new(self):
        """Return a new empty folder in it."""
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        return folder


def kind(name):
    """Return "zip" or "tar", "unread" for an archive that Python does not read, or None."""
    lower = name.lower()
    for ending, found in READ.items():
        if lower.endswith(ending):
            return found
    return "unread" if lower.endswith(UNREAD) else None


def stem(name):
    """Return an archive's name without its endings."""
    endings = sorted((*READ, *UNREAD), key=len, reverse=True)
    return next((name[: -len(e)] for e in endings if name.lower().endswith(e)), name)


@dataclass
class Budget:
    """What may still be unpacked: of one student, or of a class."""

    files: int = 2000
    size: int = 200 * 2**20  # bytes

    def pay(self, files, size, name):
        """Take files and bytes off, or refuse the archive `name`."""
        self.files, self.size = self.files - files, self.size - size
        if self.files < 0 or self.size < 0:
            raise BadArchive(f"{name} is too large: too many files, or too many bytes unpacked.")


def names_in(path):
    """Return the parts of the name of each file in an archive.

    Raises:
        BadArchive: As `unpack`.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpack(path, Path(folder), Budget(20_000, 2 * 2**30), wanted=lambda name: False)
        return [p.relative_to(folder).parts for p in Path(folder).rglob("*")]


def is_wanted(name):
    """Whether the bytes of a file in an archive are needed."""
    return ".ipynb" in name.lower() or kind(name) in ("zip", "tar")


def unpack(path, folder, budget, wanted=is_wanted):
    """Unpack an archive; the archives in it stay as they are.

    Args:
        path: The archive.
        folder: An empty folder. Nothing is written outside of it, whatever the names say.
        budget: What may still be unpacked.
        wanted: Called with a file's name: whether its bytes are needed. Other files are made,
            but stay empty.

    Returns:
        Texts about what was left out, for example a link.

    Raises:
        BadArchive: If it is damaged, encrypted, too large, or of a kind that is not read.
    """
    if kind(path.name) == "unread":
        raise BadArchive(
            f"{path.name} is an archive of a kind that is not read. Hand in the notebook itself, "
            "or a .zip."
        )
    left_out = []
    try:
        budget.pay(0, path.stat().st_size, path.name)
        members = {"zip": _of_zip, "tar": _of_tar}[kind(path.name)](path, budget)
        with contextlib.closing(members):
            for number, (name, read) in enumerate(members, 1):
                parts = _parts(name)
                if not parts or any(JUNK.fullmatch(part) for part in parts):
                    continue
                if read is None:
                    left_out.append(f"{parts[-1]} in {path.name} is a link.")
                    continue
                target = _free(folder, parts, number)
                target.parent.mkdir(parents=True, exist_ok=True)
                # One byte too many is kept, so that a file that is too large is seen to be.
                data = read(LARGEST + 1) if wanted(target.name) else b""
                budget.pay(1, len(data), path.name)
                target.write_bytes(data)
    except _FAULTS as error:
        # An error of the system names a path on this machine; its words are enough.
        told = getattr(error, "strerror", None) or str(error) or "it is damaged"
        told = "it is encrypted" if "encrypted" in told else told
        raise BadArchive(f"{path.name} cannot be unpacked: {told}.") from None
    return left_out


def _of_zip(path, budget):
    """Yield name and reader of each file in a zip."""
    with zipfile.ZipFile(path) as packed:
        for info in packed.infolist():
            if not info.is_dir():
                yield info.filename, lambda most, info=info: _first(packed.open(info), most)


def _of_tar(path, budget):
    """Yield name and reader of each file in a tar; of what is a link, None for the reader."""
    with path.open("rb") as file:
        head = file.read(2)
    opened = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}.get(head, open)
    with opened(path, "rb") as stream, tempfile.TemporaryFile() as plain:
        # Where a tar ends is known only when it is read, so it is unpacked first, up to the limit.
        size = 0
        while block := stream.read(2**20):
            size += len(block)
            if size > budget.size:
                raise BadArchive(f"{path.name} is too large: too many bytes unpacked.")
            plain.write(block)
        plain.seek(0)
        with tarfile.open(fileobj=plain, mode="r:") as packed:
            for info in packed:
                if info.isreg():
                    yield info.name, lambda most, info=info: _first(packed.extractfile(info), most)
                elif not info.isdir():
                    yield info.name, None


def _first(file, most):
    with file:
        return file.read(most)


def _parts(name):
    """Return the parts of a name in an archive that stay inside: no root, no drive, no `..`."""
    parts = [re.sub(r"[\x00-\x1f]", "_", part) for part in re.split(r"[\\/]+", name)]
    parts = [p if len(os.fsencode(p)) <= 200 else p[-50:] for p in parts]
    return [p for p in parts if p not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", p)]


def _free(folder, parts, number):
    """Return a path that nothing has yet: files of one name stay, and one called like a folder."""
    target = folder.joinpath(*parts)
    while target.exists() or any(above.is_file() for above in target.parents):
        target, number = folder.joinpath(f"again {number}", *parts), number + 1
    return target
