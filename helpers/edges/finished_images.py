"""A file of finished images, so that a killed evaluation goes on where it stopped."""

import functools
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from helpers.checkpoint import code_versions

LIBRARIES = ("numpy", "scipy")  # the counts are theirs, too


class Checkpoint:
    """Counts of finished images, one line of JSON each, found by their input.

    The key of an image is a digest of its prediction, its annotations, the
    settings and the code that counts. So a changed prediction is evaluated
    again, and so are all after a change of that code; one file may serve
    several evaluations.

    Args:
        path: file name, made when it does not exist.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.done = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = self.path.read_bytes() if self.path.exists() else b""
        whole = written[: written.rfind(b"\n") + 1]
        if len(whole) < len(written):
            # A kill in the middle of a write leaves half a line.
            os.truncate(self.path, len(whole))
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                entry = json.loads(line)
                self.done[entry["key"]] = np.array(entry["counts"], np.int64)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{self.path} is not a checkpoint of an edge benchmark (line {number}). "
                    "Name another file, or remove this one."
                ) from error

    def add(self, key, index, counts):
        """Writes one image's counts (T, 4) in a single append, down to the disk."""
        self.done[key] = counts
        line = json.dumps({"image": index, "key": key, "counts": counts.tolist()}) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)


@functools.cache
def code_version():
    """A hash of the code that counts, and of its libraries: of the benchmark and what it imports.

    Raises:
        RuntimeError: If a module was changed after it was imported.
    """
    modules = code_versions.reached(("edges/berkeley",))
    return code_versions.short(code_versions.unchanged(modules), code_versions.libraries(LIBRARIES))


def image_key(prediction, annotations, settings):
    """Digest of one image's input; `settings` is anything with a stable `repr`."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((code_version(), settings, annotations.shape)).encode())
    digest.update(np.ascontiguousarray(prediction, np.float64))
    digest.update(np.ascontiguousarray(annotations, np.uint8))
    return digest.hexdigest()
