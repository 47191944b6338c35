"""Roberts, Sobel and Canny on equal terms: each with the blur that suits it, thin, graded."""

import numpy as np

from helpers.edges.berkeley import benchmark
from helpers.edges.detectors import canny_levels, gradient_magnitude
from helpers.edges.morphology import nms

CLASSICS = ("Roberts", "Sobel", "Canny")


def classical_maps(name, images, sigma, scale, thresholds=99, border=0):
    """Thin, graded edge maps of a classical detector, one after another.

    Roberts and Sobel are magnitudes of gradients after `nms`; Canny has its own suppression and
    hysteresis, with a low threshold of 0.4 times the high one.

    Args:
        name: one of `CLASSICS`.
        images: iterable of (H, W, C), uint8 or floats in [0, 1].
        sigma: standard deviation in pixels of the Gaussian blur that goes first.
        scale: the slope that becomes 1; see `steepest`.
        thresholds: those of the benchmark to come; Canny's maps have these levels.
        border: width in pixels of the band in which `nms` fades out.

    Yields:
        (H, W) in [0, 1] for each image.
    """
    if name not in CLASSICS:
        raise ValueError(f"`name` must be one of {CLASSICS}. Received: name={name!r}")
    for image in images:
        if name == "Canny":
            yield canny_levels(image, sigma, thresholds, scale=scale)
        else:
            slope = gradient_magnitude(image, name.lower(), sigma, scale)
            yield nms(slope, border=border)


def steepest(name, images, sigma, share=0.001):
    """The slope that a share of all pixels exceeds: a scale that spreads edges over thresholds."""
    operator = "roberts" if name == "Roberts" else "sobel"
    slopes = [gradient_magnitude(image, operator, sigma).ravel() for image in images]
    return float(np.quantile(np.concatenate(slopes), 1 - share))


def tune_classical(
    name, images, annotations, sigmas=(0.5, 1.0, 2.0, 3.0), thresholds=19, max_distance=0.0075
):
    """The blur with the best ODS on these images, and its scale: `[sigma, scale]`.

    Args:
        name: one of `CLASSICS`.
        images, annotations: of the training part; see `benchmark`.
        sigmas: blurs to choose from.
        thresholds, max_distance: of the benchmark that chooses.
    """
    settings = [[float(sigma), steepest(name, images, sigma)] for sigma in sigmas]
    scores = [
        benchmark(
            classical_maps(name, images, *setting, thresholds),
            annotations,
            thresholds,
            max_distance,
        ).ods
        for setting in settings
    ]
    return settings[int(np.argmax(scores))]
