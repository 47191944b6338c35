"""Numbers of the README files and the picture of the first, from stored notebooks and recorded runs.

A number stands there as in a notebook's prose, `12.3<!--=key-->`; the key says where it is from:
`n04_elbo` is `elbo` in the record of notebook 04, and `run_mnist_nll__test_nll` is `test_nll` in
`data/results/mnist_nll.json`.
"""

import json

from helpers.runs.prose import fill_numbers
from helpers.runs.request import notebooks_folder, series
from helpers.runs.results import read_results

PICTURE_TAG = "readme-picture"
PAGES = ("README.md", "data/README.md")


def known_results():
    """Return every citable result, by key."""
    known = {}
    for notebook in series():
        for key, value in read_results(notebook)["results"].items():
            known[f"n{notebook.stem[:2]}_{key}"] = value
    for path in sorted((notebooks_folder().parent / "data" / "results").glob("*.json")):
        stem = path.stem.replace("-", "_")
        for key, value in json.loads(path.read_text(encoding="utf-8"))["results"].items():
            known[f"run_{stem}__{key}"] = value
    return known


def refilled(text):
    """Return a text with every cited number as it is on record."""
    return fill_numbers(text, known_results())


def picture(notebook):
    """Return the PNG of the cell tagged `readme-picture`, as text in base 64, or None."""
    for cell in notebook.cells:
        if PICTURE_TAG in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    return output["data"]["image/png"]
    return None


def refresh():
    """Rewrite `PAGES`, and `docs/picture.png` where a notebook has one."""
    import base64

    import nbformat

    root = notebooks_folder().parent
    for page in (root / name for name in PAGES):
        page.write_text(refilled(page.read_text(encoding="utf-8")), encoding="utf-8")
    for path in series():
        data = picture(nbformat.read(path, as_version=4))
        if data:
            target = root / "docs" / "picture.png"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(base64.b64decode(data))
