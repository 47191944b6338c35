"""The edges of the `shapes` images, and the annotators who draw them."""

import numpy as np

# What each annotator does with the exact edges, in this order.
ANNOTATORS = {
    "careful": "marks the exact edges",
    "unsteady": "draws the exact edges one pixel away, in one of the eight directions, by image",
    "hasty": "overlooks objects whose contrast is below HASTY_CONTRAST",
    "zealous": "also marks strong contours of the background's texture",
    "outliner": "leaves out the edges between one object and another",
}
HASTY_CONTRAST = 0.2

# One pixel away, as (row, column).
DIRECTIONS = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])


def boundaries(front):
    """Mark the pixels of an object next to something that lies behind it.

    Args:
        front: Integer array (N, H, W), 0 for the background; of two neighbours the one in
            front has the greater number.

    Returns:
        Boolean array (N, H, W). The line is one pixel wide, eight-connected and drawn on the
        side of the object in front. The frame of the image is no boundary.
    """
    edges = np.zeros(front.shape, bool)
    down, right = front[:, 1:] > front[:, :-1], front[:, :, 1:] > front[:, :, :-1]
    up, left = front[:, 1:] < front[:, :-1], front[:, :, 1:] < front[:, :, :-1]
    edges[:, 1:] |= down
    edges[:, :-1] |= up
    edges[:, :, 1:] |= right
    edges[:, :, :-1] |= left
    return edges


def annotate(front, contrast, contours, directions, names, marks):
    """Fill `marks` (k, A, H, W) with what each named annotator draws."""
    exact = boundaries(front)
    slots = contrast.shape[1]
    for a, name in enumerate(names):
        drawn = exact
        if name == "unsteady":
            drawn = np.zeros_like(exact)
            padded = np.pad(exact, ((0, 0), (1, 1), (1, 1)))
            for row, column in DIRECTIONS:
                (these,) = np.nonzero((directions == (row, column)).all(axis=1))
                moved = np.roll(padded[these], (row, column), axis=(1, 2))
                drawn[these] = moved[:, 1:-1, 1:-1]
        elif name == "hasty":
            # Column 0 is the background, then the slots from the back to the front.
            seen = np.pad(contrast[:, ::-1] >= HASTY_CONTRAST, ((0, 0), (1, 0)))
            drawn = exact & seen[np.arange(len(front))[:, None, None], front]
        elif name == "zealous" and contours is not None:
            drawn = exact | ((contours > 0) & (front == 0))
        elif name == "outliner" and slots > 1:
            # What is left when all objects are one.
            drawn = boundaries((front > 0).astype("int8"))
        marks[:, a] = drawn
