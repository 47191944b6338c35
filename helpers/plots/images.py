"""Images and masks side by side in one figure."""

import numpy as np

from helpers.plots.style import CLASS_COLOURS, VOID_COLOUR


def segmentation_gallery(images, truth, answers, class_names, ignore_class=None):
    """Images, masks, and for each network its answer and, dark, its errors.

    Args:
        images: `(N, H, W, 3)`, as `plots.image_grid` takes them.
        truth: integer label maps `(N, H, W)`.
        answers: dictionary from the name of a network to its label maps.
        class_names: C names, for the legend.
        ignore_class: label that counts as no error, or None.

    Returns:
        The figure, for `plots.show`.
    """
    classes = len(class_names)
    rows, names = [images, mask_to_rgb(truth, classes, ignore_class)], ["picture", "truth"]
    for name, answer in answers.items():
        rows += [mask_to_rgb(answer, classes), (answer == truth) | (truth == ignore_class)]
        names += [name, "errors"]
    fig = image_grid(rows, row_labels=names, cell=0.85)
    class_legend(fig, class_names)
    return fig


def worst_pictures(held_out, answers, worst, task, names=None):
    """A figure of some held-out pictures, their truth and what the network says.

    Of segments it has a legend of the classes.

    Args:
        held_out: a `data.Dataset`.
        answers: a class map or an edge map of each of its pictures.
        worst: indices of the pictures to show.
        task: "segments" or "edges".
        names: what stands above each of the pictures shown; their `ids` unless given.

    Returns:
        The figure, for `plots.show`.
    """
    names = [held_out.ids[i] for i in worst] if names is None else list(names)
    rows = [[held_out.images[i] for i in worst]]
    if task == "segments":
        rows += [
            [mask_to_rgb(maps[i], len(held_out.class_names), held_out.ignore_class) for i in worst]
            for maps in (held_out.masks, answers)
        ]
    else:
        rows += [[1 - held_out.edges[i] / 255 for i in worst], [1 - answers[i] for i in worst]]
    labels = ["picture", "truth", "network"]
    fig = image_grid(rows, row_labels=labels, column_labels=names)
    if task == "segments":
        class_legend(fig, held_out.class_names)
    return fig


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
    plain = {"parse_math": False}  # names of files may have a dollar
    axes.set_xticks(np.arange(columns) * step_x + width / 2 - 0.5, column_labels, **plain)
    axes.set_yticks(np.arange(len(table)) * step_y + height / 2 - 0.5, row_labels, **plain)
    return figure


def picture_rows(rows, count=10):
    """The first pictures of several sets as rows of one grid, each with its name.

    Args:
        rows: dictionary from a name to `(N, H, W, C)`, floats; what lies outside of [0, 1] is cut.
        count: of pictures in a row.

    Returns:
        The figure, for `show`.
    """
    pictures = [np.clip(row[:count], 0, 1) for row in rows.values()]
    return image_grid(pictures, row_labels=list(rows))


def mask_to_rgb(mask, num_classes=None, ignore_class=None):
    """Colour a mask of class indices.

    Args:
        mask: Integers `(..., H, W)`.
        num_classes: Number of classes; checked if given.
        ignore_class: Index of pixels without a label, drawn white.

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
    wrong = set(np.unique(mask).tolist()) - set(range(limit)) - {ignore_class}
    if wrong:
        raise ValueError(f"mask holds indices that are no class. Received: {sorted(wrong)}")
    index = (
        mask.astype(int)
        if ignore_class is None
        else np.where(mask == ignore_class, limit, mask).astype(int)
    )
    colours = [*CLASS_COLOURS[:limit], VOID_COLOUR]
    return np.array([tuple(bytes.fromhex(c[1:])) for c in colours], np.uint8)[index]


def class_legend(fig, class_names):
    """Add a row of named class colours below a figure of masks."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, edgecolor="#555555") for c in CLASS_COLOURS[: len(class_names)]]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 6, "fontsize": 9}
    legend = fig.legend(handles, [_shown(name) for name in class_names], **place)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _labels(name, labels, count):
    if labels is not None and len(labels) != count:
        raise ValueError(f"{name} needs {count} texts. Received: {list(labels)}")
    return [""] * count if labels is None else [_shown(label) for label in labels]


def _shown(name):
    """A name with escapes for what is not Unicode, as names of files may be: no font draws it."""
    return str(name).encode("utf-8", "backslashreplace").decode("utf-8")


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
