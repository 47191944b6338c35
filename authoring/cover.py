"""The picture below a notebook's title: what the reader will have at the end.

It is the figure of the one code cell tagged `picture`, as stored, made smaller. The line of the text
that ends in `<!--picture-->` is written by the build, so picture and text never lag behind a run.
"""

import base64
import io
import re

from helpers.runs.notebooks import BadRequest, notebooks_folder

LINE = re.compile(r"^(?P<sign>(?:# )?)(?:!\[.*\]\(\S*\) )?<!--picture-->$", re.M)
SIZE = (1000, 600)  # pixels at most: sharp on a dense narrow screen, and half of a first screen


def figure_of(notebook):
    """The figure of the cell tagged `picture`.

    Args:
        notebook: An executed notebook node.

    Returns:
        Its PNG as bytes, and its alternative text.

    Raises:
        BadRequest: If not exactly one cell has the tag, or it has not exactly one figure.
    """
    cells = [c for c in notebook.cells if "picture" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise BadRequest(
            "Tag one code cell `picture`: the one whose figure shows what the reader will achieve. "
            f"Received: {len(cells)} such cells."
        )
    shown = [o for o in cells[0].get("outputs", []) if "image/png" in o.get("data", {})]
    if len(shown) != 1:
        raise BadRequest(f"The cell tagged `picture` must show one figure. Received: {len(shown)}.")
    alt = shown[0].get("metadata", {}).get("image/png", {}).get("alt", "")
    return base64.b64decode(shown[0].data["image/png"]), alt


def smaller(png, info=None):
    """A figure as its file is: at most of `SIZE`, in 256 colours, the nearest on the average.

    `info` is a `PngInfo` of what the file shall tell besides.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.quantize(256, kmeans=3).save(file, "PNG", optimize=True, pnginfo=info)
    return file.getvalue()


def path_of(stem):
    """Where the picture of a notebook lies: `docs/pictures/NN.png`."""
    return notebooks_folder().parent / "docs" / "pictures" / f"{stem[:2]}.png"


def line(alt, stem):
    """The line of the text that shows the picture."""
    alt = re.sub(r"([\[\]*_`$\\])", r"\\\1", alt)
    return f"![{alt}](../docs/pictures/{stem[:2]}.png) <!--picture-->"


def fill(text, alt, stem):
    """Write the line into a py:percent text or the source of a cell; without its mark, nothing."""
    return LINE.sub(lambda m: m["sign"] + line(alt, stem), text)


def write(text, notebook, stem):
    """Store the picture of a notebook that has its mark, and fill the line.

    Args:
        text: The notebook as py:percent.
        notebook: The executed notebook; its cells are changed.
        stem: Name of the notebook's file.

    Returns:
        The text with the line filled.
    """
    if not LINE.search(text):
        return text
    png, alt = figure_of(notebook)
    path_of(stem).parent.mkdir(parents=True, exist_ok=True)
    path_of(stem).write_bytes(smaller(png))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill(cell.source, alt, stem)
    return fill(text, alt, stem)
