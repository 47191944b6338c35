"""Whether probabilities can be taken at their word: reliability, calibration error, Brier score."""

import numpy as np


def checked_probability(probability, shape):
    """Probabilities as float64, for outcomes of this shape.

    Raises:
        ValueError: If their shape is another, or one is outside [0, 1].
    """
    p = np.asarray(probability, "float64")
    if p.shape != shape:
        raise ValueError(
            f"probability and outcome must have one shape. Received: {p.shape} and {shape}"
        )
    return _within_0_and_1(p, "`probability` must lie in [0, 1]; apply a sigmoid to logits")


def _shares(outcome, name):
    outcome = np.asarray(outcome, "float64")
    return _within_0_and_1(outcome, f"`{name}` must lie in [0, 1]; divide bytes by 255")


def _within_0_and_1(values, text):
    if values.size and not (values.min() >= 0 and values.max() <= 1):  # nor with a NaN
        raise ValueError(f"{text}. Received: values from {values.min()} to {values.max()}")
    return values


def reliability(probability, outcome, bins=10):
    """What was said and what happened, in bins of equal width of what was said.

    Args:
        probability: in [0, 1], any shape.
        outcome: of the same shape: 0 or 1, or a share such as that of annotators.
        bins: how many.

    Returns:
        (said, true, count), each `(bins,)`: means of both and the number of entries in a bin;
        NaN where a bin is empty.

    Raises:
        ValueError: If the shapes differ, a value is outside [0, 1], or there is none.

    References:
        Murphy and Winkler (1977), reliability diagrams. https://doi.org/10.2307/2346866
    """
    outcome = _shares(outcome, "outcome")
    probability = checked_probability(probability, outcome.shape)
    if not probability.size:
        raise ValueError(f"there is no probability. Received: shape {probability.shape}")
    where = np.minimum(probability * bins, bins - 1).astype(int).ravel()
    count = np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        said, true = (
            np.bincount(where, values.ravel(), bins) / count for values in (probability, outcome)
        )
    return said, true, count


def expected_calibration_error(probability, outcome, bins=10):
    """Mean distance between what is said and what happens, over `reliability`'s bins.

    Args:
        probability, outcome, bins: see `reliability`.

    Raises:
        ValueError: As `reliability`.
    """
    said, true, count = reliability(probability, outcome, bins)
    return float(np.nansum(count * np.abs(said - true)) / count.sum())


def brier(probability, share):
    """Mean over pixels and annotators of (probability − mark)², from the share who marked.

    Args:
        probability: any shape, in [0, 1].
        share: the same shape: share of annotators who marked the pixel.

    Raises:
        ValueError: If the shapes differ or a value is outside [0, 1].

    References:
        Brier (1950). https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    s = _shares(share, "share")
    p = checked_probability(probability, s.shape)
    return float(np.mean((p - s) ** 2 + s * (1 - s)))
