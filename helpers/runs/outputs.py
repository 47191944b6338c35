"""Executed notebooks as the results of a sweep: where they lie, and what they tell.

A run is one notebook with its results inside, under a name that holds the run's id. It is written
whole or not at all, so a file that is there is a run that is done.
"""

import dataclasses
import os
import uuid
from pathlib import Path

from helpers.runs.request import BadRequest

FAILED = ".failed.ipynb"


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
    """A folder or URL of executed notebooks."""

    def __init__(self, target):
        self.target = str(target)
        self.remote = "://" in self.target
        if not self.remote:
            self.target = str(Path(self.target).resolve())
            try:
                Path(self.target).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadRequest(
                    f"Cannot make the output folder {self.target}: {error.strerror}."
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
        partial = Path(path).with_name(f".{uuid.uuid4().hex}.partial")
        partial.write_text(text, "utf-8")
        os.replace(partial, path)

    def remove_failure(self, name):
        """Forget an earlier failure that is mended."""
        if not self.remote:
            Path(self.path(name, failed=True)).unlink(missing_ok=True)


def read_outcome(name, path, output):
    """The `Outcome` that an executed notebook tells."""
    import nbformat
    from papermill.iorw import papermill_io

    from helpers.runs.results import read_results

    node = nbformat.reads(papermill_io.read(str(path)), as_version=4)
    payload = read_results(node)
    seconds = node.metadata.get("papermill", {}).get("duration") or 0.0
    return Outcome(name, str(output), None, seconds, payload["headline"] or "", payload["results"])
