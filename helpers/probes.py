"""What features know and what pictures hold: linear probes, power spectra, means with intervals.

NumPy in, NumPy or floats out. Nothing here touches a network; scikit-learn and SciPy are imported
by the functions that need them.
"""

import math

import keras
import numpy as np


def interval(values, level=0.95):
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


def balanced(labels, n):
    """Positions of the first `n` labels with equally many of each class, in order of class.

    Args:
        labels: Integer class of each example, `(N,)`.
        n: How many to take in all; rounded down to a multiple of the number of classes.

    Returns:
        Integer positions.

    Raises:
        ValueError: If a class has too few examples, or `n` is below the number of classes.
    """
    labels = np.asarray(labels)
    classes = np.unique(labels)
    each = n // len(classes)
    if each < 1:
        raise ValueError(f"{len(classes)} classes need n ≥ {len(classes)}. Received: n={n!r}")
    positions = [np.flatnonzero(labels == c)[:each] for c in classes]
    short = [int(c) for c, found in zip(classes, positions) if len(found) < each]
    if short:
        raise ValueError(f"class {short[0]} has fewer than {each} examples. Received: n={n!r}")
    return np.concatenate(positions)


def probe_value(features, truth, held_features, held_truth):
    """R² on held-out examples of ridge regression from standardised features to one number.

    Args:
        features: `(N, K)`; they set the scale of both.
        truth: `(N,)`.
        held_features: `(M, K)`.
        held_truth: `(M,)`.

    Returns:
        Explained share of the variance: 1 is perfect, 0 no better than the mean, may be negative.
    """
    from sklearn.linear_model import Ridge

    return _score(Ridge(1.0), features, truth, held_features, held_truth)


def probe_class(features, truth, held_features, held_truth):
    """Accuracy on held-out examples of logistic regression from standardised features.

    Arguments as for `probe_value`, with integer classes.

    References:
        Alain and Bengio (2016), linear probes. https://arxiv.org/abs/1610.01644
    """
    from sklearn.linear_model import LogisticRegression

    return _score(LogisticRegression(max_iter=2000), features, truth, held_features, held_truth)


def power_spectrum(images):
    """Mean power by spatial frequency, from 1 cycle a picture to half the side.

    Channels are averaged, each picture's mean is taken off, and powers are averaged over rings of
    equal frequency (rounded). Only a wave along an axis reaches half the side undamped.

    Args:
        images: `(N, H, H, C)`, floats.

    Returns:
        float64 `(H // 2,)`. White noise of variance v in each channel is flat at v / C.

    Raises:
        ValueError: If the images are not square.
    """
    images = np.asarray(images, dtype="float64")
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(f"`images` must be (N, H, H, C). Received: shape {images.shape}")
    flat = images.mean(axis=-1)
    flat -= flat.mean(axis=(1, 2), keepdims=True)
    side = flat.shape[1]
    power = (np.abs(np.fft.fft2(flat)) ** 2).mean(axis=0) / side**2
    frequency = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(frequency[:, None], frequency)).astype(int).ravel()
    means = np.bincount(ring, power.ravel()) / np.bincount(ring)
    return means[1 : side // 2 + 1]


def _score(model, features, truth, held_features, held_truth):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # NumPy takes no tensor of PyTorch that carries gradients.
    features, held_features = (
        keras.ops.convert_to_numpy(f) if keras.ops.is_tensor(f) else np.asarray(f)
        for f in (features, held_features)
    )
    if features.ndim != 2 or held_features.shape[1:] != features.shape[1:]:
        raise ValueError(
            "features must be (N, K) and (M, K). "
            f"Received: shapes {features.shape} and {held_features.shape}"
        )
    pipeline = make_pipeline(StandardScaler(), model).fit(features, truth)
    return float(pipeline.score(held_features, held_truth))


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
    gain, gain_half = interval(runs[claim] - runs[rival])
    lift, lift_half = interval(runs[best] - runs[rivals[0]])
    several = len(runs[claim]) > 1
    word = "pretraining helps" if several and lift > lift_half else "nothing helps"
    word = "the VAE helps" if several and gain > gain_half else word
    return {
        "word": word, "rival": rival, "gain": gain, "gain_half": gain_half,
        "best": best, "lift": lift, "lift_half": lift_half,
    }  # fmt: skip
