"""How well sampled maps match what several annotators drew: measures for several truths.

A sample is a map of probabilities, or a binary map made of one. NumPy in, NumPy or floats out.
Nothing here knows how the samples came about.
"""

import math

import numpy as np

from helpers.metrics.calibration import checked_probability

EPSILON = 1e-6  # probabilities are kept this far from 0 and 1


def pairwise_iou(a, b):
    """Intersection over union of every map of one set with every map of another.

    Two empty maps agree: their value is 1. `1 - scipy.spatial.distance.cdist(a, b, "jaccard")` of
    flattened maps gives the same; a matrix product takes about a tenth of its time.

    Args:
        a: `(S, H, W)` of 0 and 1.
        b: `(A, H, W)` of 0 and 1.

    Returns:
        float64 `(S, A)`.

    Raises:
        ValueError: If the maps are not binary or differ in size.
    """
    a, b = (_binary(name, maps) for name, maps in (("a", a), ("b", b)))
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"maps must have one size. Received: {a.shape[1:]} and {b.shape[1:]}")
    a, b = (m.reshape(len(m), -1).astype("float64") for m in (a, b))
    both = a @ b.T
    union = a.sum(axis=1)[:, None] + b.sum(axis=1) - both
    return np.where(union > 0, both / np.maximum(union, 1), 1.0)


def generalised_energy_distance(samples, annotations):
    """Squared generalised energy distance with d = 1 − IoU: how far apart two sets of maps are.

    2·E d(S, Y) − E d(S, S′) − E d(Y, Y′). The samples stand for a law that could give more of
    them, so S and S′ are two different ones (a U-statistic); the annotators are taken as all there
    are, so Y and Y′ may be the same person (a V-statistic). For samples from the annotators' own
    law the expectation is 0, and a single picture may come out below it. Kohl et al. take the
    V-statistic for both (`calc_energy_distances` in their code), so the numbers here are lower
    than theirs by E d(S, S′)/n for n samples and do not compare with published ones.

    The expectation is never below 0. Number the pixels in a random order: the chance that two
    masks have the same first pixel is their IoU. With p and q for the shares of samples and of
    annotations by their first pixel, the expectation is the mean of Σ (pᵢ − qᵢ)².

    Args:
        samples: `(S, H, W)` of 0 and 1. A single one stands for a model that always says the same.
        annotations: `(A, H, W)` of 0 and 1.

    References:
        Székely and Rizzo (2013), energy statistics. https://doi.org/10.1016/j.jspi.2013.03.018
        Kohl et al. (2018), with 1 − IoU. https://arxiv.org/abs/1806.05034
    """
    between = 1 - pairwise_iou(samples, annotations)
    among = 1 - pairwise_iou(samples, samples)
    among_annotators = 1 - pairwise_iou(annotations, annotations)
    pairs = len(samples) * (len(samples) - 1)
    among_samples = among.sum() / pairs if pairs else 0.0
    return float(2 * between.mean() - among_samples - among_annotators.mean())


def hungarian_matched_iou(samples, annotations):
    """Mean IoU of the best one-to-one pairing of samples and annotators.

    Both sets are repeated until they are equally large, so each sample and each annotator counts
    the same. Samples that all say one thing can match only those who say it too.

    Args:
        samples: `(S, H, W)` of 0 and 1.
        annotations: `(A, H, W)` of 0 and 1.

    References:
        Kuhn (1955), the assignment problem. https://doi.org/10.1002/nav.3800020109
        Kohl et al. (2019), Hungarian-matched IoU. https://arxiv.org/abs/1905.13077
    """
    from scipy.optimize import linear_sum_assignment

    gain = pairwise_iou(samples, annotations)
    size = math.lcm(*gain.shape)
    gain = np.tile(gain, (size // gain.shape[0], size // gain.shape[1]))
    return float(gain[linear_sum_assignment(gain, maximize=True)].mean())


def pixelwise_nll(probability, annotations):
    """−log p of whole annotations if every pixel is marked on its own, nats, `(A,)`.

    Args:
        probability: `(H, W)`, in [0, 1].
        annotations: `(A, H, W)` of 0 and 1.

    Raises:
        ValueError: If a probability is outside [0, 1], an annotation is not binary, or the
            sizes differ.
    """
    y = _binary("annotations", annotations).astype("float64")
    p = checked_probability(probability, y.shape[1:])
    p = np.clip(p, EPSILON, 1 - EPSILON)
    flat = y.reshape(len(y), -1)
    log_odds = np.log(p) - np.log1p(-p)
    return -(flat @ log_odds.ravel() + np.log1p(-p).sum())


def mixture_nll(maps, annotations):
    """−log of the mean of p(annotation) over several maps, nats, `(A,)`.

    Each annotation as a whole comes from one of the maps: the right likelihood for an ensemble, for
    dropout, and for samples of a latent. For samples it is a bound: in expectation no less than
    the true −log p, and it falls with the number of maps.

    Args:
        maps: probabilities `(S, H, W)`.
        annotations: `(A, H, W)` of 0 and 1.

    Raises:
        ValueError: As `pixelwise_nll`.

    References:
        Burda, Grosse and Salakhutdinov (2016). https://arxiv.org/abs/1509.00519
    """
    from scipy.special import logsumexp

    nll = np.stack([pixelwise_nll(one, annotations) for one in maps])  # (S, A)
    return math.log(len(nll)) - logsumexp(-nll, axis=0)


def unique_annotations(annotations):
    """The different maps among `(A, H, W)`, and how many drew each: `(D, H, W)`, `(D,)`."""
    annotations = np.asarray(annotations)
    flat = annotations.reshape(len(annotations), -1)
    _, first, count = np.unique(flat, axis=0, return_index=True, return_counts=True)
    return annotations[first], count


def dilate(maps, pixels):
    """Lines made wider on each side: a pixel is set if one within `pixels` of it is.

    `skimage.morphology.isotropic_dilation` does the same for a single map; here all at once.

    Args:
        maps: `(..., H, W)` of 0 and 1.
        pixels: distance, 0 or more; 0 changes nothing.

    Returns:
        bool, of the same shape.
    """
    if pixels < 0:
        raise ValueError(f"`pixels` must be 0 or more. Received: pixels={pixels!r}")
    from scipy import ndimage

    maps = np.asarray(maps) > 0
    reach = int(pixels)
    if not reach:
        return maps
    rows, columns = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    disc = rows**2 + columns**2 <= pixels**2
    return ndimage.binary_dilation(maps, disc.reshape((1,) * (maps.ndim - 2) + disc.shape))


def boundary_band(annotations, pixels=5):
    """Pixels no farther than `pixels` from anything that anybody marked, bool `(H, W)`.

    Calibration over a whole picture is flattered by the many pixels that nobody could get wrong.
    """
    return dilate(np.asarray(annotations).any(axis=0), pixels)


def _binary(name, maps):
    maps = np.asarray(maps)
    if maps.ndim != 3 or not len(maps):
        raise ValueError(f"`{name}` must be (n, H, W) with n of 1 or more. Received: {maps.shape}")
    if maps.dtype != bool and not np.isin(maps, (0, 1)).all():
        raise ValueError(
            f"`{name}` must hold 0 and 1; threshold probabilities first. "
            f"Received: values from {maps.min()} to {maps.max()}"
        )
    return maps != 0
