"""Unpacking an archive so that either all of it is there or none of it."""

import hashlib
import json
import os
import posixpath
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

MARKER = "SOURCE.json"


class UnsafeArchive(ValueError):
    """An archive with a path that would leave the folder it is unpacked into."""


class Member(NamedTuple):
    """One file of an archive: its path inside, and a function that returns its bytes.

    Files are read whole: they are small here, and a tar file read in pieces is six times slower.
    """

    path: str
    read: Callable[[], bytes]


def members(archive):
    """The regular files of a zip or tar archive, or of a folder, one after another.

    Each is a `Member`. Paths inside a folder begin with its name.

    Folders, links and devices are never written, so they are passed over; but a name or a link
    that climbs out of the folder condemns the whole archive. Of a folder, links are
    followed and hidden files are left out; see `_files`.

    Raises:
        UnsafeArchive: If a path is absolute, has a drive letter, or climbs out with `..`.
    """
    if archive.is_dir():
        for path in _files(archive):
            yield Member(path.relative_to(archive.parent).as_posix(), path.read_bytes)
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as z:
            for info in z.infolist():
                path = _inside(info.filename, archive)
                if stat.S_ISLNK(info.external_attr >> 16):
                    _inside(_target(path, z.read(info).decode("utf-8", "replace")), archive)
                elif not info.is_dir():
                    yield Member(path, lambda info=info: z.read(info))
    else:
        with tarfile.open(archive) as t:
            for info in t:
                path = _inside(info.name, archive)
                if info.issym():
                    _inside(_target(path, info.linkname), archive)
                elif info.islnk():
                    _inside(info.linkname, archive)
                elif info.isfile():
                    yield Member(path, lambda info=info: t.extractfile(info).read())


def _files(folder):
    """The files in a folder and below it, behind links too.

    Files and folders whose name starts with a dot are the system's, such as .DS_Store.
    """
    for home, folders, names in os.walk(folder, followlinks=True):
        home = Path(home)
        # A link to a folder that it lies in would be followed for ever.
        above = {os.path.realpath(path) for path in (home, *home.absolute().parents)}
        folders[:] = [n for n in folders if n[0] != "." and os.path.realpath(home / n) not in above]
        yield from (home / n for n in names if n[0] != "." and (home / n).is_file())


def _target(path, link):
    # An absolute link stays absolute under join, and is refused as such.
    return posixpath.join(posixpath.dirname(path), link)


def _inside(name, archive):
    path = name.replace("\\", "/")
    normal = posixpath.normpath(path)
    if normal.startswith(("/", "../")) or normal == ".." or (len(normal) > 1 and normal[1] == ":"):
        raise UnsafeArchive(
            f"{archive}: refused, because the path {name!r} inside it leads out of the folder "
            "it is unpacked into. Nothing was kept. Do not use this file: take the archive from "
            "its official address again."
        )
    return normal


def unpack(archives, keep, target, marker):
    """Unpack archives into one new folder, which appears only when it is complete.

    The files are written to a hidden neighbour folder, the marker last, and the folder is then
    renamed: a run that is killed half-way leaves nothing under the name `target`.

    Args:
        archives: Pairs of an archive and the leading folder to strip from its paths.
        keep: Only paths that begin with one of these (after stripping) are written.
        target: The folder to make. If another process made it meanwhile, that one is kept.
        marker: Written as JSON to the file `SOURCE.json` in the folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(target)
    work = target.parent / f".{target.name}.partial-{uuid4().hex[:8]}"
    work.mkdir()
    try:
        # Reading every member's name first would decompress a tar twice. What a later name
        # condemns is removed again below.
        for archive, strip in archives:
            for member in members(archive):
                path = member.path.removeprefix(strip)
                if path.startswith(tuple(keep)):
                    destination = work / path
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    _write(destination, member.read())
        (work / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
        try:
            os.rename(work, target)
        except OSError:
            if not (target / MARKER).is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(path, data):
    path.write_bytes(data)


def _remove_stale(target):
    """Clear what killed runs left, if nobody can still be at work on it (one hour)."""
    for old in target.parent.glob(f".{target.name}.partial-*"):
        if time.time() - old.stat().st_mtime > 3600:
            shutil.rmtree(old, ignore_errors=True)


def content_digest(archive, strip="", patterns=("*",)):
    """One SHA-256 for many files, whatever archive they travel in.

    It is the SHA-256 of the text that `sha256sum` prints for the files that match `patterns`
    (lines `<sha256>  <path>`), sorted by path in byte order.

    Args:
        archive: Path of the archive, or of a folder: its links are followed, and what is hidden
            in it (.DS_Store) does not count.
        strip: The leading folder to strip from its paths.
        patterns: As of a shell (`*.png`); a file counts if one of them fits.

    Returns:
        The digest in hexadecimal, and the number of files.
    """
    lines = []
    for member in members(archive):
        path = member.path.removeprefix(strip)
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            lines.append((path, hashlib.sha256(member.read()).hexdigest()))
    text = "".join(f"{digest}  {path}\n" for path, digest in sorted(lines))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), len(lines)
