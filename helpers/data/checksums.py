"""Is this file one of those accepted? The answer names the checksum found and the one wanted."""

import hashlib
import tarfile
import zipfile
import zlib

from helpers.data.archive import content_digest


class ChecksumError(ValueError):
    """A file that is there, but is not one of the accepted ones."""


def verify(path, entry, trusted=frozenset()):
    """The SHA-256 of a file, checked against its registry entry.

    Args:
        path: The file.
        entry: Has `sha256`, or `md5`, or `content` (SHA-256 over the files inside); and `plain`,
            if the file may also lie there without compression: other names, with their SHA-256.
        trusted: SHA-256 of archives whose content was checked before.

    Raises:
        ChecksumError: Names the checksum found and those accepted.
    """
    if path.name in entry.get("plain", {}).get("names", ()):
        entry = entry["plain"]
    with open(path, "rb") as f:
        sha256 = hashlib.file_digest(f, "sha256").hexdigest()
    if "sha256" in entry:
        pairs = [("SHA-256", sha256, entry["sha256"])]
    elif "md5" in entry:
        with open(path, "rb") as f:
            md5 = hashlib.file_digest(f, lambda: hashlib.md5(usedforsecurity=False))
        pairs = [("MD5", md5.hexdigest(), entry["md5"])]
    elif sha256 in trusted:
        pairs = []
    else:
        verify_content(path, entry)
        pairs = []
    _compare(path, pairs)
    return sha256


def verify_content(path, entry):
    """Check the files inside an archive, or in an unpacked folder, against `content`."""
    _compare(path, [_content_pair(path, entry, part) for part in entry["content"]])


def _compare(path, pairs):
    what = "this is not the file it should be"
    what = "the files in it are not what they should be" if path.is_dir() else what
    for kind, found, accepted in pairs:
        if found != accepted:
            raise ChecksumError(
                f"{path}: {what} (damaged, or another version).\n"
                f"  {kind} found:    {found}\n  {kind} accepted: {accepted}"
            )


def _content_pair(path, entry, part):
    kind = f"SHA-256 over the {part['count']} files {', '.join(part['files'][:2])}"
    try:
        found, count = content_digest(path, entry.get("strip", ""), part["files"])
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        return kind, f"none, the archive cannot be read ({error})", part["sha256"]
    return f"{kind} ({count} found)", found, part["sha256"]
