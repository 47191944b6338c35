"""Figures with alternative text, one style, and colours that colour-blind readers can tell apart.

Every figure of the series ends in `show(fig, alt="...")`. Nothing here imports matplotlib until a
function needs it.

References:
    Okabe, M. & Ito, K. (2008). Color Universal Design. https://jfly.uni-koeln.de/color/
"""

import html
import io
import re
import sys

import numpy as np

# Okabe and Ito's palette, by name; lines and bars take them in this order.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "vermillion": "#D55E00",
    "black": "#000000",
    "yellow": "#F0E442",
}

# Class 0 is the background. CamVid needs eleven; any two are apart for every kind of colour vision.
CLASS_COLOURS = (
    "#D9D9D9", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#D55E00", "#F0E442", "#332288", "#661100", "#9933FF", "#000000",
)  # fmt: skip
VOID_COLOUR = "#FFFFFF"

DPI = 144  # drawn at 144, shown at 96 dots an inch: sharp on dense screens, small as stored
STYLE = {
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "axes.spines.right": False, "axes.spines.top": False, "axes.titlelocation": "left",
    "figure.constrained_layout.use": True, "figure.dpi": 96, "figure.figsize": (6.4, 3.6),
    "font.family": "DejaVu Sans", "font.size": 10, "axes.titlesize": 11, "axes.labelsize": 11,
    "image.cmap": "gray", "image.interpolation": "nearest", "savefig.dpi": DPI,
    "legend.frameon": False, "lines.linewidth": 1.8,
}  # fmt: skip
SUMMARY = "<summary>Describe this figure</summary>"
DETAILS = '<details class="figure-description">'


def use():
    """Set the style of the series for every figure drawn from here on."""
    import matplotlib as mpl

    mpl.rcParams.update(STYLE)
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=list(COLOURS.values()))


def show(fig, alt):
    """Display a figure with alternative text, and close it.

    The picture carries `alt` in its output metadata, from where nbconvert and our site write it
    into `<img alt>`. JupyterLab does not read that metadata, so a folded "Describe this figure"
    follows, which every reader can open.

    Args:
        fig: A matplotlib figure.
        alt: What is seen, in a sentence or two: the finding, not the kind of drawing.

    Raises:
        ValueError: If `alt` is missing, shorter than 25 characters, or starts with "figure of".
    """
    import matplotlib.pyplot as plt

    alt = check_alt(alt)
    buffer = io.BytesIO()
    # A white face, because dark themes would swallow black labels.
    look = {"dpi": DPI, "bbox_inches": "tight", "pad_inches": 0.06, "facecolor": "white"}
    kwargs = {"metadata": {"Software": None}, "pil_kwargs": {"optimize": True}}
    fig.savefig(buffer, format="png", **look, **kwargs)
    plt.close(fig)
    module = sys.modules.get("IPython")
    if module is None or module.get_ipython() is None:  # a plain script: nothing to display on
        return
    from IPython.display import display

    png = buffer.getvalue()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    size = {"width": round(width * 96 / DPI), "height": round(height * 96 / DPI)}
    data = {"image/png": png, "text/plain": f"Figure. {alt}"}
    display(data, metadata={"image/png": {"alt": alt, **size}}, raw=True)
    folded = f"{DETAILS}{SUMMARY}<p>{html.escape(alt)}</p></details>"
    display({"text/html": folded, "text/plain": alt}, raw=True)


def check_alt(alt):
    """Return the alternative text with its spaces tidied; raises a ValueError as `show` does."""
    text = " ".join(alt.split()) if isinstance(alt, str) else ""
    wrong = None
    if len(text) < 25:
        wrong = "alt must tell in a sentence or two (25 characters or more) what the figure shows"
    elif re.match(r"(an?|the)?\s*(figure|image|picture|photo) (of|showing)\b", text, re.I):
        wrong = "alt must start with what is seen; that it is an image, a screen reader says itself"
    if wrong:
        raise ValueError(f"{wrong}. Received: alt={alt!r}")
    return text


def image_grid(
    images, rows=None, *, row_labels=None, column_labels=None, limits=None, cmap=None, cell=None
):
    """Draw images as one tidy grid.

    Args:
        images: Rows of images: a list with one array `(N, H, W)`, `(N, H, W, C)` or one list of
            images for each row, or one array `(R, N, H, W[, C])`. With `rows`, one flat array or
            list of images, cut into that many rows. Grey or RGB; uint8, bool, or float in [0, 1].
            Images of different sizes are centred in the largest.
        rows: Number of rows of a flat list; without it, a flat list makes one row.
        row_labels: One text for each row, written to its left.
        column_labels: One text for each column, written above it.
        limits: `(low, high)` for float values that are not in [0, 1], mapped to black and white.
        cmap: A matplotlib colour map for images of one channel; grey without it.
        cell: Width and height of the largest image in inches; chosen so that the grid fits.

    Returns:
        The figure, for `show`.

    Raises:
        ValueError: If shapes, labels or values do not fit; says what was received.
    """
    import matplotlib.pyplot as plt

    table = [[_to_rgb(i, limits, cmap) for i in row] for row in _rows(images, rows)]
    if not table or not table[0]:
        raise ValueError("image_grid needs at least one image. Received: none")
    columns = max(map(len, table))
    row_labels = _labels("row_labels", row_labels, len(table))
    column_labels = _labels("column_labels", column_labels, columns)
    height = max(i.shape[0] for row in table for i in row)
    width = max(i.shape[1] for row in table for i in row)
    gap = max(1, round(0.04 * max(height, width)))
    step_y, step_x = height + gap, width + gap
    canvas = np.full((len(table) * step_y - gap, columns * step_x - gap, 3), 255, np.uint8)
    for r, row in enumerate(table):
        for c, image in enumerate(row):
            top = r * step_y + (height - image.shape[0]) // 2
            left = c * step_x + (width - image.shape[1]) // 2
            canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    cell = cell or min(1.6, 8.5 / columns)
    scale = cell / max(height, width)
    size = (canvas.shape[1] * scale, canvas.shape[0] * scale)
    figure, axes = plt.subplots(figsize=size, layout="none")
    figure.subplots_adjust(0, 0, 1, 1)
    axes.imshow(canvas, interpolation="nearest", aspect="equal")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, labelsize=9)
    axes.set_xticks(np.arange(columns) * step_x + width / 2 - 0.5, column_labels)
    axes.set_yticks(np.arange(len(table)) * step_y + height / 2 - 0.5, row_labels)
    return figure


def mask_to_rgb(mask, num_classes=None, void=None):
    """Colour a mask of class indices.

    Args:
        mask: Integers `(..., H, W)`.
        num_classes: Number of classes; checked if given.
        void: Index of pixels without a label, drawn white.

    Returns:
        uint8 `(..., H, W, 3)`, class k in `CLASS_COLOURS[k]`.

    Raises:
        ValueError: If the mask has an index that is no class.
    """
    mask = np.asarray(mask)
    limit = len(CLASS_COLOURS) if num_classes is None else num_classes
    if limit > len(CLASS_COLOURS):
        raise ValueError(f"There are {len(CLASS_COLOURS)} colours. Received: num_classes={limit}")
    if mask.dtype.kind not in "iub":
        raise ValueError(f"mask must hold integers. Received: dtype={mask.dtype}")
    wrong = set(np.unique(mask).tolist()) - set(range(limit)) - {void}
    if wrong:
        raise ValueError(f"mask holds indices that are no class. Received: {sorted(wrong)}")
    index = mask.astype(int) if void is None else np.where(mask == void, limit, mask).astype(int)
    colours = [*CLASS_COLOURS[:limit], VOID_COLOUR]
    return np.array([tuple(bytes.fromhex(c[1:])) for c in colours], np.uint8)[index]


def class_legend(fig, class_names):
    """Add a row of named class colours below a figure of masks."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, edgecolor="#555555") for c in CLASS_COLOURS[: len(class_names)]]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 6, "fontsize": 9}
    fig.legend(handles, class_names, **place)


def _labels(name, labels, count):
    if labels is not None and len(labels) != count:
        raise ValueError(f"{name} needs {count} texts. Received: {list(labels)}")
    return [""] * count if labels is None else list(labels)


def _rows(images, rows):
    """Sort what `image_grid` accepts into a list of rows of `(H, W[, C])` arrays."""
    items = [
        [np.asarray(i) for i in row] if isinstance(row, (list, tuple)) else np.asarray(row)
        for row in images
    ]
    # (H, W, 3) is one image, (N, H, W) a row of grey ones: the last axis tells them apart.
    flat = all(
        isinstance(i, np.ndarray) and (i.ndim == 2 or (i.ndim == 3 and i.shape[-1] in (1, 3, 4)))
        for i in items
    )
    if not flat:
        if rows is not None and rows != len(items):
            raise ValueError(f"images already holds {len(items)} rows. Received: rows={rows}")
        return [list(row) for row in items]
    rows = 1 if rows is None else rows
    if rows < 1 or len(items) % rows:
        raise ValueError(f"{len(items)} images do not fill the grid. Received: rows={rows}")
    per_row = len(items) // rows
    return [items[r * per_row : (r + 1) * per_row] for r in range(rows)]


def _to_rgb(image, limits, cmap):
    """Turn one image of any accepted kind into uint8 `(H, W, 3)`."""
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim != 2 and (image.ndim != 3 or image.shape[-1] != 3):
        raise ValueError(f"An image is (H, W), (H, W, 1) or (H, W, 3). Received: {image.shape}")
    if image.dtype != bool and image.dtype != np.uint8 and image.dtype.kind != "f":
        raise ValueError(f"An image is uint8, bool or float. Received: {image.dtype}")
    image = image / 255.0 if image.dtype == np.uint8 else image.astype(float)
    low, high = limits or (0.0, 1.0)
    image = (image - low) / (high - low)
    inside = image.min() >= -1e-3 and image.max() <= 1 + 1e-3  # False for NaN
    if not (inside or (limits and np.isfinite(image).all())):
        raise ValueError(
            "Float images lie in [0, 1]; give limits=(low, high) for others. "
            f"Received: values from {image.min():.3g} to {image.max():.3g}"
        )
    image = np.clip(image, 0.0, 1.0)
    if image.ndim == 2 and cmap is not None:
        import matplotlib as mpl

        image = mpl.colormaps[cmap](image)[..., :3]
    image = np.round(image * 255).astype(np.uint8)
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
