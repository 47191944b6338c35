"""Whether probabilities can be taken at their word: reliability, calibration error, Brier, risk."""

import numpy as np


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
        ValueError: If the shapes differ or a probability is outside [0, 1].

    References:
        Murphy and Winkler (1977), reliability diagrams. https://doi.org/10.2307/2346866
    """
    probability, outcome = np.asarray(probability, "float64"), np.asarray(outcome, "float64")
    if probability.shape != outcome.shape:
        raise ValueError(
            "probability and outcome must have one shape. "
            f"Received: {probability.shape} and {outcome.shape}"
        )
    if not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(
            "`probability` must lie in [0, 1]. "
            f"Received: values from {probability.min()} to {probability.max()}"
        )
    where = np.minimum(probability * bins, bins - 1).astype(int).ravel()
    count = np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        said, true = (
            np.bincount(where, values.ravel(), bins) / count for values in (probability, outcome)
        )
    return said, true, count


def expected_calibration_error(probability, outcome, bins=10):
    """Mean distance between what is said and what happens, over `reliability`'s bins."""
    said, true, count = reliability(probability, outcome, bins)
    return float(np.nansum(count * np.abs(said - true)) / count.sum())


def brier(probability, share):
    """Mean over pixels and annotators of (probability − mark)², from the share who marked.

    Args:
        probability: any shape, in [0, 1].
        share: the same shape: share of annotators who marked the pixel.

    References:
        Brier (1950). https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    p, s = np.asarray(probability, "float64"), np.asarray(share, "float64")
    return float(np.mean((p - s) ** 2 + s * (1 - s)))


def brier_skill(probability, share):
    """1 − Brier score / that of the base rate of these pixels. 1 is perfect, 0 knows only the rate."""
    base = np.full(np.shape(share), np.mean(share, dtype="float64"))
    reference = brier(base, share)
    return 1 - brier(probability, share) / reference if reference else 0.0


def risk_coverage(uncertainty, error, points=50):
    """Mean error of the pixels that are answered, when the least certain ones are left out.

    Args:
        uncertainty: any shape; larger is less certain.
        error: the same shape; what goes wrong at a pixel, such as the share who disagree.
        points: how many coverages.

    Returns:
        (coverage, risk), each `(points,)`: shares of the pixels from 1/points to 1, and the mean
        error among them. Pixels of equal uncertainty are taken in proportion, in no order.

    References:
        Geifman and El-Yaniv (2017), selective classification. https://arxiv.org/abs/1705.08500
    """
    u, e = np.asarray(uncertainty, "float64").ravel(), np.asarray(error, "float64").ravel()
    if u.shape != e.shape or not len(u):
        raise ValueError(
            f"uncertainty and error must have one shape. Received: {u.shape} and {e.shape}"
        )
    _, group = np.unique(u, return_inverse=True)
    size = np.bincount(group)
    cost = np.bincount(group, e)
    coverage = np.arange(1, points + 1) / points
    at, total = np.r_[0, np.cumsum(size)], np.r_[0, np.cumsum(cost)]
    risk = np.interp(coverage * len(u), at, total) / (coverage * len(u))
    return coverage, risk
