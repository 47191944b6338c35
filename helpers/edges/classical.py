"""Roberts, Sobel and Canny as graded edge maps, on equal terms: each with the blur that suits it."""

import numpy as np
from scipy import ndimage

from helpers.edges.berkeley import benchmark, check_thresholds
from helpers.edges.thinning import nms

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

    Raises:
        ValueError: If there is no such detector.
    """
    _check_name(name)
    for image in images:
        if name == "Canny":
            yield canny_levels(image, sigma, thresholds, scale=scale)
        else:
            slope = gradient_magnitude(image, name.lower(), sigma, scale)
            yield nms(slope, border=border)


def _check_name(name):
    if name not in CLASSICS:
        raise ValueError(f"`name` must be one of {CLASSICS}. Received: name={name!r}")


def steepest(name, images, sigma, share=0.001):
    """The slope that a share of all pixels exceeds: a scale that spreads edges over thresholds.

    Args:
        name: one of `CLASSICS`; Canny has the slopes of Sobel.
        images, sigma: see `classical_maps`.
        share: of the pixels of all images.

    Returns:
        A slope between 0 and 1; see `gradient_magnitude`.

    Raises:
        ValueError: If there is no such detector.
    """
    _check_name(name)
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


def noise_comparison(noises, redraw, known, scored, max_distance=0.0075, seed=0):
    """Classical detectors on noisy pictures and on what a model makes of those pictures.

    Each case has the blur of 1, 2 or 3 pixels that is best for it on other pictures.

    Args:
        noises: standard deviations of the Gaussian noise that is added.
        redraw: from pictures (N, H, W, C) to as many pictures, such as reconstructions.
        known: (pictures, annotations) to choose the blur by.
        scored: (pictures, annotations) to score.
        max_distance: see `benchmark`; 49 thresholds.
        seed: of the noise.

    Returns:
        (results, blurs): each a dictionary from a detector to a dictionary from "picture" and
        "reconstruction" to a list over the noises, of `BenchmarkResult` and of blurs in pixels.
    """
    found, blurs = ({name: {} for name in CLASSICS} for _ in range(2))
    for noise in noises:
        rng = np.random.default_rng(seed)
        noisy = [(x + rng.normal(0, noise, x.shape)).clip(0, 1) for x, _ in (known, scored)]
        sources = {"picture": noisy, "reconstruction": [redraw(x) for x in noisy]}
        for source, (few, many) in sources.items():
            for name in CLASSICS:
                blur, scale = tune_classical(
                    name, few, known[1], (1.0, 2.0, 3.0), max_distance=max_distance
                )
                maps = classical_maps(name, many, blur, scale, 49)
                result = benchmark(maps, scored[1], 49, max_distance)
                found[name].setdefault(source, []).append(result)
                blurs[name].setdefault(source, []).append(blur)
    return found, blurs


# Rec. 709 luma, the weights of `skimage.color.rgb2gray`.
LUMA = (0.2125, 0.7154, 0.0721)

# Largest value of |Sobel| by `ndimage.sobel` on images in [0, 1]: 4 on each axis.
SOBEL_RANGE = 4 * np.sqrt(2)
EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


def gradient_magnitude(image, operator="sobel", sigma=0.0, scale=1.0):
    """Length of the grey-value gradient, between 0 and 1.

    Args:
        image: (H, W) or (H, W, C), C = 1 or 3; uint8, or floats in [0, 1].
        operator: "sobel" or "roberts", as in `skimage.filters`, both with range [0, 1].
        sigma: standard deviation in pixels of a Gaussian filter applied first (0: none).
        scale: the magnitude that becomes 1; larger ones are cut there. Edges in
            photographs are far below 1, so a smaller scale spreads them over evenly
            spaced thresholds. "image" takes the image's own maximum: thresholds then mean
            something else in every image.

    Returns:
        float64 (H, W). No thinning and no non-maximum suppression: see `nms`.
    """
    from skimage import filters

    operators = {"sobel": filters.sobel, "roberts": filters.roberts}
    if operator not in operators:
        raise ValueError(
            f"`operator` must be one of {tuple(operators)}. Received: operator={operator!r}"
        )
    grey = _grey(image)
    if sigma:
        grey = ndimage.gaussian_filter(grey, sigma, mode="nearest")
    return _rescale(operators[operator](grey), scale)


def canny_levels(image, sigma=1.0, thresholds=99, low=0.4, scale=1.0):
    """Canny's detector at all thresholds in one map.

    Canny's lines shrink as its thresholds rise. So there is a map whose pixels
    ≥ t are exactly Canny's edges with high threshold t and low threshold `low` · t,
    for each t in `thresholds`, and `benchmark` with these thresholds and no
    suppression of its own scores the detector.

    Args:
        image: (H, W) or (H, W, C), C = 1 or 3; uint8, or floats in [0, 1].
        sigma: standard deviation of Canny's Gaussian filter, in pixels.
        thresholds: as for `benchmark`, on the scale of `gradient_magnitude(image, "sobel",
            sigma, scale)`: at scale 1, `skimage.feature.canny`'s thresholds are 4·√2
            times as large.
        low: low threshold as a share of the high one.
        scale: as for `gradient_magnitude`.

    Returns:
        float64 (H, W): the largest threshold at which the pixel is an edge, or 0.

    References:
        Canny, A computational approach to edge detection, PAMI 8(6), 1986,
        https://doi.org/10.1109/TPAMI.1986.4767851
    """
    from skimage.feature import canny

    thresholds = check_thresholds(thresholds)
    if not 0 < low <= 1:
        raise ValueError(f"`low` must lie in (0, 1]. Received: low={low}")
    grey = _grey(image)
    # All of Canny's ridges, and the magnitude as Canny has it: the filter sees
    # nothing outside the image and is corrected for it.
    ridges = canny(grey, sigma, low_threshold=0, high_threshold=0)
    seen = ndimage.gaussian_filter(np.ones_like(grey), sigma, mode="constant")
    smooth = ndimage.gaussian_filter(grey, sigma, mode="constant") / (seen + np.finfo(float).eps)
    magnitude = np.hypot(ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1))
    magnitude = np.where(ridges, _rescale(magnitude / SOBEL_RANGE, scale), 0)

    levels = np.zeros(grey.shape)
    for threshold in thresholds:
        if magnitude.max() < threshold:
            break
        lines, count = ndimage.label(magnitude >= low * threshold, EIGHT_NEIGHBOURS)
        strong = np.zeros(count + 1, bool)
        strong[lines[magnitude >= threshold]] = True
        strong[0] = False
        levels[strong[lines]] = threshold
    return levels


def _rescale(magnitude, scale):
    if isinstance(scale, str):
        if scale != "image":
            raise ValueError(f'`scale` must be a number or "image". Received: scale={scale!r}')
        scale = magnitude.max() or 1.0
    elif not scale > 0:
        raise ValueError(f"`scale` must be above 0. Received: scale={scale}")
    return np.clip(magnitude / scale, 0.0, 1.0)


def _grey(image):
    """Grey values (H, W), float64 in [0, 1]."""
    image = np.asarray(image)
    if image.dtype == np.uint8:
        image = image / 255.0
    image = image.astype(np.float64)
    if image.ndim == 3 and image.shape[-1] == 3:
        image = image @ np.array(LUMA)
    elif image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim != 2:
        raise ValueError(
            f"`image` must have shape (H, W), (H, W, 1) or (H, W, 3). Received: shape={image.shape}"
        )
    if not (image.min() >= 0 and image.max() <= 1 + 1e-6):  # also catches NaN
        raise ValueError(
            "`image` must be uint8 or hold floats in [0, 1]. "
            f"Received: values from {image.min()} to {image.max()}"
        )
    return image
