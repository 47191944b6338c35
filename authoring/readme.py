"""Numbers of the Markdown pages and the picture of the README, from notebooks and recorded runs.

A number stands there as in a notebook's prose, `12.3<!--=key-->`; the key says where it is from:
`n07_elbo` is `elbo` in the record of notebook 07, and `run_mnist_nll__test_nll` is `test_nll` in
`data/results/mnist_nll.json`.
"""

import base64
import io
import json

import numpy as np

from authoring.number_markers import fill_numbers
from helpers.runs.notebooks import BadRequest, notebooks_folder, series
from helpers.runs.results import read_results

PICTURE_TAG = "readme-picture"
# Of the figure in notebook 00: held out, reconstructions of both trainings, new ones of the long.
ROWS = (0, 1, 2, 5)
PAGES = ("*.md", "data/*.md", "docs/**/*.md", "benchmarks/*.md", "notebooks/*.md")


def pages():
    """Return the paths of the project's Markdown pages; each may cite results."""
    root = notebooks_folder().parent
    return sorted({path for pattern in PAGES for path in root.glob(pattern)})


def known_results():
    """Return every citable result, by key.

    Raises:
        BadRequest: If two records would have the same keys.
    """
    known = {}
    for notebook in series():
        for key, value in read_results(notebook)["results"].items():
            known[f"n{notebook.stem[:2]}_{key}"] = value
    stems = {}
    for path in sorted((notebooks_folder().parent / "data" / "results").glob("*.json")):
        stem = path.stem.replace("-", "_")
        if stems.setdefault(stem, path.name) != path.name:
            raise BadRequest(f"{stems[stem]} and {path.name} have the same keys: rename one.")
        for key, value in json.loads(path.read_text(encoding="utf-8"))["results"].items():
            known[f"run_{stem}__{key}"] = value
    return known


def refilled(text, name="the page", known=None):
    """Return a text with every cited number as it is on record.

    Args:
        text: Markdown.
        name: What it is called in an error.
        known: As from `known_results`, which is read where this is None.
    """
    return fill_numbers(text, known_results() if known is None else known, name)


def picture(notebook):
    """Return the PNG of the cell tagged `readme-picture`, as text in base 64, or None."""
    for cell in notebook.cells:
        if PICTURE_TAG in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    return output["data"]["image/png"]
    return None


def some_rows(png, rows=ROWS):
    """Return a figure of rows of pictures with some of its rows alone, as a PNG.

    Args:
        png: The figure, as bytes. Between two rows it is white from side to side.
        rows: Which of them, counted from 0.

    Raises:
        BadRequest: If the figure has fewer rows.
    """
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    inked = np.r_[False, (pixels < 250).any(axis=(1, 2)), False].astype("int8")
    tops, ends = (np.flatnonzero(np.diff(inked) == sign) for sign in (1, -1))
    if max(rows) >= len(tops):
        raise BadRequest(f"The figure has {len(tops)} rows of pictures. Received: rows={rows}")
    gap = 255 * np.ones((tops[1] - ends[0], *pixels.shape[1:]), "uint8")
    bands = [part for row in rows for part in (pixels[tops[row] : ends[row]], gap)]
    margin = pixels[: tops[0]]
    file = io.BytesIO()
    kept = Image.fromarray(np.concatenate([margin, *bands[:-1], margin]))
    kept.save(file, "PNG", optimize=True)
    return file.getvalue()


def refresh():
    """Rewrite the pages, and `docs/picture.png` where a notebook has one."""
    import nbformat

    root, known = notebooks_folder().parent, known_results()
    texts = {path: path.read_text(encoding="utf-8") for path in pages()}
    # All are filled before the first is written: an error leaves every page as it was.
    filled = {
        path: refilled(text, path.relative_to(root).as_posix(), known)
        for path, text in texts.items()
    }
    for path, text in filled.items():
        if text != texts[path]:
            path.write_text(text, encoding="utf-8")
    for path in series():
        data = picture(nbformat.read(path, as_version=4))
        if data:
            target = root / "docs" / "picture.png"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(some_rows(base64.b64decode(data)))
