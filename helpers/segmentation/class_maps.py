"""From the logits of a network to the class of each pixel."""

import numpy as np


def class_map(logits):
    """The class of each pixel: the one with the highest logit.

    NumPy's `argmax` takes NaN for the highest of all numbers. A network whose weights are NaN would
    so answer class 0 everywhere, and get the score of somebody who calls everything background.

    Args:
        logits: `(…, classes)`.

    Returns:
        Whole numbers, `(…)`.

    Raises:
        FloatingPointError: If a logit is NaN or infinite.

    Examples:
        >>> from helpers import segmentation
        >>> segmentation.class_map([[0.5, 2.0, -1.0], [3.0, 0.0, 0.0]])
        array([1, 0])
        >>> segmentation.class_map([[0.5, float("nan")]])
        Traceback (most recent call last):
        FloatingPointError: 1 of 2 logits are NaN or infinite: the training of the network diverged; \
lower its learning rate, or clip its gradients
    """
    logits = np.asarray(logits)
    if bad := np.count_nonzero(~np.isfinite(logits)):
        raise FloatingPointError(
            f"{bad:,} of {logits.size:,} logits are NaN or infinite: the training of the network "
            "diverged; lower its learning rate, or clip its gradients"
        )
    return logits.argmax(axis=-1)
