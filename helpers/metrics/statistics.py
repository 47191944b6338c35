"""What repeated runs allow to be said: means with intervals, and which of two methods is ahead."""

import math
from itertools import combinations

import numpy as np

from helpers.metrics import statistics


def confidence_interval(values, level=0.95):
    """The mean of repeated measurements and half the width of its interval.

    Student's t, so the values (one a seed) count as independent draws from one normal law.
    For the difference of two methods, give the differences seed by seed: what both share by
    the seed then cancels.

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


def verdict(runs, claim="VAE", rivals=("random", "random, frozen", "autoencoder", "denoising")):
    """What repeated trainings of twins allow to be said about pretraining as a VAE.

    "the VAE helps" if the interval of `claim` minus the best rival lies above 0; else
    "pretraining helps" if that of the best pretrained arm minus the first rival does; else
    "nothing helps". Best means the highest mean. Differences are taken seed by seed.

    Args:
        runs: dictionary from an arm to its scores, one a seed, `(N,)`, the same seeds in all.
        claim: the arm the claim is about.
        rivals: its twins. The first starts from random weights; those with "random" in their
            name are not pretrained.

    Returns:
        Dictionary with `word`, `rival` and (`gain`, `gain_half`): claim minus rival; `best` and
        (`lift`, `lift_half`): the best pretrained arm minus the first rival. A single seed allows
        nothing to be said: `word` is "nothing helps".
    """
    runs = {arm: np.asarray(values, dtype="float64") for arm, values in runs.items()}

    def best_of(arms):
        return max(arms, key=lambda arm: runs[arm].mean())

    rival = best_of(rivals)
    best = best_of([claim, *(arm for arm in rivals if "random" not in arm)])
    gain, gain_half = confidence_interval(runs[claim] - runs[rival])
    lift, lift_half = confidence_interval(runs[best] - runs[rivals[0]])
    several = len(runs[claim]) > 1
    word = "pretraining helps" if several and lift > lift_half else "nothing helps"
    word = "the VAE helps" if several and gain > gain_half else word
    return {
        "word": word, "rival": rival, "gain": gain, "gain_half": gain_half,
        "best": best, "lift": lift, "lift_half": lift_half,
    }  # fmt: skip


def who_leads(found, measure, one, other):
    """Which of two models is ahead on a measure: a name, or "no lead".

    A lead is a 95 % interval of the difference, seed by seed, that does not hold 0. A single
    training has no interval, so nobody leads.

    Args:
        found: dictionary from a model to its rows of scores, one a seed, the same seeds in all.
        measure: a name in them. Of "distance" less is better, of all others more.
        one, other: names of models.
    """
    gaps = [a[measure] - b[measure] for a, b in zip(found[one], found[other], strict=True)]
    mean, half = statistics.confidence_interval(gaps)
    if len(gaps) < 2 or abs(mean) <= half:
        return "no lead"
    return one if (mean > 0) is not (measure == "distance") else other


def leads(found, measures):
    """Who is ahead, pair by pair: a dictionary from "A or B" to a word of `who_leads` a measure."""
    pairs = combinations(found, 2)
    return {" or ".join(two): [who_leads(found, m, *two) for m in measures] for two in pairs}
