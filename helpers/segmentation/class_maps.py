"""From the logits of a network to the class of each pixel."""

import numpy as np

from helpers import pyramids


def class_map(logits):
    """The class of each pixel: the one with the highest logit.

    Args:
        logits: `(…, classes)`.

    Returns:
        Whole numbers, `(…)`.

    Raises:
        FloatingPointError: If a logit is NaN or infinite; see `pyramids.finite`.

    Examples:
        >>> from helpers import segmentation
        >>> segmentation.class_map([[0.5, 2.0, -1.0], [3.0, 0.0, 0.0]])
        array([1, 0])
    """
    return pyramids.finite(np.asarray(logits)).argmax(axis=-1)
