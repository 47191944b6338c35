"""Executed notebooks as the results of a sweep: where they lie, and what they tell.

A run is one notebook with its results inside, under a name that holds the run's id. It is written
whole or not at all, so a file that is there is a run that is done. Whether the place can be
written is tried before a kernel starts. A place that fails nevertheless costs no run: its notebook
is kept on this machine.
"""

import contextlib
import dataclasses
import importlib.util
import os
import tempfile
import uuid
from pathlib import Path

from helpers.runs.notebooks import BadRequest, notebooks_folder

FAILED = ".failed.ipynb"
PARTIAL = ".partial.ipynb"
# What papermill can write to: the module it needs, and its own extra that brings the module.
URLS = {
    "s3": ("boto3", "s3"),
    "gs": ("gcsfs", "gcs"),
    "abs": ("azure.storage.blob", "azure"),
    "adl": ("azure.datalake.store", "azure"),
    "hdfs": ("pyarrow", "hdfs"),
    "http": ("requests", "all"),
    "https": ("requests", "all"),
}
# What is written to a URL to see whether it can be written.
TRIAL = "vae-runs-trial.json"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one run: `error` is None if every cell ran, `reused` if it had been done."""

    name: str
    output: str
    error: str | None = None
    seconds: float = 0.0
    headline: str = ""
    results: dict = dataclasses.field(default_factory=dict)
    reused: bool = False


class Output:
    """A folder or URL of executed notebooks.

    Raises:
        BadRequest: if the folder cannot be made, or nothing here can write to such a URL.
    """

    def __init__(self, target):
        self.target = str(target)
        self.remote = "://" in self.target
        if self.remote:
            _check_url(self.target)
        else:
            self.target = str(output_folder(self.target).resolve())
            make_folder(self.target)

    def check(self):
        """Try to write, and leave nothing but a small `TRIAL` at a URL.

        Raises:
            BadRequest: if that fails.
        """
        if not self.remote:
            return
        try:
            self.put(f"{self.target.rstrip('/')}/{TRIAL}", "{}")
        except Exception as error:  # each kind of URL has errors of its own
            raise BadRequest(
                f"Cannot write to {self.target}: {type(error).__name__}: {error}"
            ) from None

    def path(self, name, failed=False):
        """Where the notebook of a run lies."""
        return f"{self.target.rstrip('/')}/{name}{FAILED if failed else '.ipynb'}"

    def done(self, name):
        """The `Outcome` of a run that is done, or None."""
        path = self.path(name)
        if not self.remote and not Path(path).exists():
            return None
        try:
            return dataclasses.replace(read_outcome(name, path, path), reused=True)
        except Exception:  # each kind of URL has errors of its own; what cannot be read is not done
            return None

    def put(self, path, text):
        """Write an executed notebook, whole or not at all."""
        if self.remote:
            from papermill.iorw import papermill_io

            papermill_io.write(text, path)
            return
        write_whole(path, text)

    def put_or_keep(self, path, text):
        """As `put`; where that fails, keep the notebook on this machine.

        Returns:
            (path, error): where the notebook lies, and None or what went wrong in one sentence.
        """
        try:
            self.put(path, text)
        except Exception as error:  # each kind of URL has errors of its own
            kept = keep(text, path.rpartition("/")[2])
            return str(kept), lost_place(path, error, kept)
        return path, None

    def remove_failure(self, name):
        """Forget an earlier failure that is mended."""
        if not self.remote:
            remove_stale(self.path(name, failed=True))


def write_whole(path, text):
    """Write a file, whole or not at all."""
    partial = Path(path).with_name(f".{uuid.uuid4().hex}.partial")
    try:
        partial.write_text(text, "utf-8")
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def remove_stale(path):
    """Remove what an earlier run left, if that can be done; it is worth no error."""
    with contextlib.suppress(OSError):
        Path(path).unlink(missing_ok=True)


def output_folder(text):
    """The folder that `--out` names.

    Raises:
        BadRequest: if it is no folder's name, or that of the notebooks, which would be lost.
    """
    scheme, colon, _ = text.partition(":")
    if colon and scheme.lower() in (*URLS, "file"):
        raise BadRequest(f"{text!r} is no folder. A URL starts with {scheme.lower()}://")
    try:
        text.encode()
        folder = Path(text).expanduser()
        there = folder.resolve() == notebooks_folder().resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a strange character, no user
        raise BadRequest(f"{text!r} is no folder's name: {str(error).rstrip('.')}.") from None
    if there:
        raise BadRequest(f"{text!r} is the folder of the notebooks, which a run would replace.")
    return folder


def make_folder(folder):
    """Make an output folder, and try to write in it.

    Raises:
        BadRequest: if that fails.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a character that no name can have
        reason = getattr(error, "strerror", None) or error
        raise BadRequest(f"Cannot make the output folder {folder}: {reason}.") from None
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadRequest(f"Cannot write in the output folder {folder}: {error.strerror}.") from None


def keep(text, name):
    """Keep an executed notebook on this machine because its own place failed; return its path.

    It goes to `runs/kept`, or where that cannot be written either, to the folder of temporary
    files, under a name that no other has.
    """
    name = f"{cut(name.removesuffix('.ipynb'), 180)}__{uuid.uuid4().hex[:8]}.ipynb"
    for folder in (notebooks_folder().parent / "runs", Path(tempfile.gettempdir()) / "vae-runs"):
        path = folder.absolute() / "kept" / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            return path
        except OSError as error:
            last = error
    raise last


def cut(name, size):
    """The start of a file's name, of `size` bytes at most; a file system counts bytes."""
    return name.encode()[:size].decode(errors="ignore")


def lost_place(path, error, kept):
    """The sentence that tells where a notebook is whose own place failed."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return f"cannot write {path} ({words}). The executed notebook is kept in {kept}"


def read_outcome(name, path, output):
    """The `Outcome` that an executed notebook tells."""
    import nbformat
    from papermill.iorw import papermill_io

    from helpers.runs.results import read_results

    node = nbformat.reads(papermill_io.read(str(path)), as_version=4)
    payload = read_results(node)
    seconds = node.metadata.get("papermill", {}).get("duration") or 0.0
    return Outcome(name, str(output), None, seconds, payload["headline"] or "", payload["results"])


def _check_url(url):
    """Refuse a URL that nothing here can write to; what others have registered may do so."""
    from papermill.iorw import papermill_io

    scheme = url.partition("://")[0]
    if papermill_io.get_handler(f"{scheme}://") is papermill_io.get_handler("local"):
        raise BadRequest(
            f"Nothing here can write to {url}. A folder is written as its path; a URL starts with "
            f"{', '.join(f'{known}://' for known in URLS)}."
        )
    if not url.partition("://")[2].strip("/"):
        raise BadRequest(f"{url} names no place. Write it as {scheme}://place/folder.")
    if url.startswith(("http://github.com/", "https://github.com/")):
        raise BadRequest(f"Nothing here can write to {url}: papermill only reads from there.")
    module, extra = URLS.get(scheme, (None, None))
    if module and not _is_there(module):
        raise BadRequest(
            f"{url} needs the package {module}. Install it with: pip install 'papermill[{extra}]'"
        )


def _is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of a package that holds it
        return False
