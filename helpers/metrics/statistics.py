"""What repeated runs allow to be said: means with intervals, and which of two methods is ahead.

One rule for all: a method is ahead if the 95 % interval of its paired differences lies above 0.
"""

import math
from collections import namedtuple

import numpy as np

# Mean and half width of the interval of differences, and "ahead", "behind" or "level".
PairedDifference = namedtuple("PairedDifference", "mean half word")


def confidence_interval(values, level=0.95):
    """The mean of repeated measurements and half the width of its interval.

    Student's t, so the values (one a seed) count as independent draws from one normal law.
    For the difference of two methods, see `paired_difference`. The ends are those of
    `scipy.stats.ttest_1samp(values, 0).confidence_interval(level)`, which has no answer for a
    single value and warns of equal ones.

    Args:
        values: One number a repetition, `(N,)`.
        level: Share of such intervals that hold the true mean.

    Returns:
        (mean, half width). The half width is 0 for a single value: it says nothing about spread.

    Raises:
        ValueError: If there are no values, or `level` is not between 0 and 1.
    """
    values = np.asarray(values, dtype="float64")
    if values.ndim != 1 or not len(values):
        raise ValueError(f"`values` must be (N,) with N ≥ 1. Received: shape {values.shape}")
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1. Received: level={level!r}")
    if len(values) == 1:
        return float(values[0]), 0.0
    from scipy import stats

    t = stats.t.ppf(0.5 + level / 2, len(values) - 1)
    return float(values.mean()), float(t * values.std(ddof=1) / math.sqrt(len(values)))


def crossed_interval(scores, level=0.95):
    """The mean of scores by seed and picture, and half the width of an interval that covers both.

    The seeds' means give one half width (`confidence_interval`), the pictures' means another, and
    the squares of the two are added. So it holds for other first weights and other pictures of
    the same kind. A single seed says nothing about first weights: then it covers pictures only.

    Args:
        scores: `(seeds, pictures)`, as a rule paired differences of two methods.
        level: See `confidence_interval`.

    Returns:
        (mean, half width).

    Raises:
        ValueError: If `scores` is not two-dimensional.
    """
    scores = np.asarray(scores, dtype="float64")
    if scores.ndim != 2:
        raise ValueError(f"`scores` must be (seeds, pictures). Received: shape {scores.shape}")
    mean, by_seed = confidence_interval(scores.mean(axis=1), level)
    _, by_picture = confidence_interval(scores.mean(axis=0), level)
    return mean, math.hypot(by_seed, by_picture)


def crossed_p_value(scores):
    """The p-value of "the mean is 0" that goes with `crossed_interval`: 0.05 where 0 is its end.

    It is 1 − the level at which the interval's end reaches 0. A single seed and a single picture
    have no interval: the p-value is 1.

    Args:
        scores: `(seeds, pictures)`, as a rule paired differences of two methods.

    Examples:
        >>> scores = np.array([[0.1, 0.3], [0.2, 0.2]])
        >>> p = metrics.crossed_p_value(scores)
        >>> mean, half = metrics.crossed_interval(scores, level=1 - p)
        >>> bool(abs(mean - half) < 1e-6)
        True
    """
    from scipy import optimize

    scores = np.asarray(scores, dtype="float64")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite: did a training diverge?")
    mean, half = crossed_interval(scores)
    if scores.size < 2 or not mean:
        return 1.0
    if not half:  # the same in every seed and picture
        return 1e-12 if abs(mean) > 1e-12 else 1.0

    def beyond(p):
        return crossed_interval(scores, 1 - p)[1] - abs(mean)

    lowest, highest = 1e-12, 1 - 1e-12
    if beyond(lowest) <= 0:
        return lowest
    if beyond(highest) >= 0:  # a mean that differs from 0 by rounding
        return 1.0
    return float(optimize.brentq(beyond, lowest, highest, xtol=1e-12))


def holm(p_values):
    """p-values of several comparisons after Holm's correction, in the order given, `(M,)`.

    One below 0.05 is a finding even though M were looked at. `statsmodels.multipletests` has it
    beside many others; the package would be a dependency for four lines.

    References:
        Holm (1979). https://www.jstor.org/stable/4615733
    """
    p_values = np.asarray(p_values, dtype="float64")
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(steps).clip(max=1.0)
    return corrected


def contrasts(gains):
    """Gains of one method over another with intervals, and words after Holm's correction.

    Args:
        gains: `{key: (seeds, pictures)}`, differences of scores on the same pictures, positive
            where the first method is better.

    Returns:
        `{key: {"gain", "half", "p", "word"}}`. The interval gain ± half is `crossed_interval`, not
        corrected; p is `crossed_p_value`, corrected for all gains of the call. The word is "better"
        or "worse" if p is below 0.05, else "level".

    Examples:
        >>> found = metrics.contrasts({"a − b": np.array([[0.3, 0.31, 0.29, 0.3]])})
        >>> round(found["a − b"]["gain"], 2), found["a − b"]["word"]
        (0.3, 'better')
    """
    found, bad = {}, [key for key, scores in gains.items() if not np.isfinite(scores).all()]
    if bad:
        raise ValueError(
            f"scores are not finite: {', '.join(map(str, bad))}. Did a training diverge?"
        )
    corrected = holm([crossed_p_value(scores) for scores in gains.values()])
    for (key, scores), p in zip(gains.items(), corrected):
        gain, half = crossed_interval(scores)
        found[key] = {"gain": gain, "half": half, "p": float(p), "word": "level"}
        if p < 0.05:
            found[key]["word"] = "better" if gain > 0 else "worse"
    return found


def paired_difference(a, b, level=0.95):
    """Whether a is ahead of b, from scores of the same seeds: what both share by the seed cancels.

    Args:
        a, b: One score a seed, `(N,)`, more is better.
        level: See `confidence_interval`.

    Returns:
        `PairedDifference(mean, half, word)` of a − b. The word is "ahead" if the interval lies
        above 0, "behind" if below, else "level". A single seed has no interval and is "level".

    Raises:
        ValueError: If a and b differ in length.
    """
    a, b = (np.asarray(values, dtype="float64") for values in (a, b))
    if a.shape != b.shape:
        raise ValueError(f"a and b must have the same seeds. Received: {a.shape} and {b.shape}")
    mean, half = confidence_interval(a - b, level)
    if len(a) < 2 or not abs(mean) > half:
        return PairedDifference(mean, half, "level")
    return PairedDifference(mean, half, "ahead" if mean > 0 else "behind")
