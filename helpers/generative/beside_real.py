"""Models beside real pictures: scores of sets of draws, and bounds at one σ for all.

`score_sets` gives what a `SampleEvaluator` and the rule of whole objects say of draws,
`intervals` the scores of all models and `differences` those of two, `block_scores` scores of one
set block by block; `dequantised` gives bytes without gaps, `at_sigma` a likelihood with another σ,
`bounds_beside` all bounds with their intervals and `bounds_table` their text; `blurred`, `softness`
and `look` tell how soft outlines are. NumPy in, NumPy out.
"""

import math

import numpy as np

from helpers import losses, metrics
from helpers.generative.whole_objects import one_whole_object, survey

MEASURES = ("precision", "recall", "distance", "sharpness")


def score_sets(ruler, means, sigma=0.0, whole=100, seed=0):
    """Scores of sets of draws, with the grain of σ and without it.

    Args:
        ruler: `evaluator.SampleEvaluator`.
        means: means of pixels, `(sets, N, H, W, C)`.
        sigma: standard deviation of a pixel around its mean; 0 adds nothing.
        whole: how many pictures of each set the rule of whole objects looks at.
        seed: of the grain.

    Returns:
        (rows, pictures): one dictionary for each set, the scores of `ruler.evaluate` with grain,
        `whole`, the share with one whole object, and `means`, the scores without grain; and
        pictures with grain, cut to [0, 1], in the shape of `means`.
    """
    grain = np.random.default_rng(seed).standard_normal(means.shape).astype("float32")
    pictures = (means + sigma * grain).clip(0, 1)
    rows = []
    for one, without in zip(pictures, means):
        row = ruler.evaluate(one)
        row["whole"] = float(one_whole_object(one[:whole]).mean())
        row["means"] = ruler.evaluate(without)
        rows.append(row)
    return rows, pictures


def intervals(scores, measures):
    """Mean and half width over the sets of draws of every model, one dictionary for each measure.

    Args:
        scores: dictionary from a model to its rows by `score_sets`.
        measures: dictionary from a name in the rows to what it is called.

    Returns:
        Dictionary from what a measure is called to {model: (mean, half width)}, as
        `plots.interval_panels` takes it.
    """
    panels = {}
    for measure, called in measures.items():
        panels[called] = {
            model: metrics.confidence_interval([row[measure] for row in rows])
            for model, rows in scores.items()
        }
    return panels


def differences(scores, one, other, measures):
    """Mean and half width of the difference of two models, one minus the other, over their sets.

    Args:
        scores: dictionary from a model to its rows by `score_sets`.
        one, other: names of two models with as many sets.
        measures: names in the rows.

    Returns:
        Dictionary from a measure to (mean, half width of the 95 % interval).
    """
    pairs = {}
    for measure in measures:
        a, b = ([row[measure] for row in scores[model]] for model in (one, other))
        found = metrics.paired_difference(a, b)
        pairs[measure] = (found.mean, found.half)
    return pairs


def blurred(images, width):
    """Pictures after a blur by a Gaussian.

    It is done to the frequencies, which is right for every width.
    `scipy.ndimage.gaussian_filter` takes the Gaussian at whole pixels: below a width of half a
    pixel it blurs much less than it says. A picture goes on beyond its border with its other side.

    Args:
        images: `(N, H, W, C)`, values in [0, 1].
        width: standard deviation of the Gaussian, in pixels; 0 changes nothing.

    Returns:
        float32, in the shape of `images`, cut to [0, 1].

    Raises:
        ValueError: if `width` is negative.
    """
    if not width >= 0:
        raise ValueError(f"`width` must be 0 or more. Received: width={width!r}")
    down, across = (2 * np.pi * np.fft.fftfreq(side) for side in images.shape[1:3])
    damping = np.exp(-0.5 * width**2 * (down[:, None] ** 2 + across**2))  # (H, W)
    waves = np.fft.fft2(images, axes=(1, 2)) * damping[..., None]
    return np.fft.ifft2(waves, axes=(1, 2)).real.clip(0, 1).astype("float32")


def softness(images):
    """How soft the outline of each picture's object is, by `whole_objects.outline`.

    Args:
        images: `(N, H, W, C)`; values outside [0, 1] are cut.

    Returns:
        float64 `(N,)`: pixels on the way from the ground's colour to the object's, divided by the
        root of the object's area in pixels. No unit; infinite for a picture of one colour.
    """
    return survey(np.clip(images, 0, 1))["soft"]


def look(ruler, images, count=100):
    """Sharpness of pictures, and how soft their outlines are.

    Args:
        ruler: `evaluator.SampleEvaluator`: sharpness is a share of that of its real pictures.
        images: `(N, H, W, C)`; values outside [0, 1] are cut.
        count: the softness is that of so many of them.

    Returns:
        (sharpness, mean of `softness`, half width of its 95 % interval over pictures). Pictures
        of one colour have no outline and are left out of the softness; it is NaN if all are.
    """
    soft = softness(images[:count])
    soft = soft[np.isfinite(soft)]
    mean, half = metrics.confidence_interval(soft) if len(soft) else (math.nan, math.nan)
    return ruler.evaluate(images)["sharpness"], mean, half


def block_scores(ruler, real, pictures, blocks):
    """Six scores of a set of pictures, one number a block, and which mode each picture belongs to.

    Every block of pictures is compared with a block of real ones of its own. So the spread over
    blocks says how far chance goes in both, and two sets that are compared with the same real
    pictures can be compared block by block (`metrics.paired_difference`).

    Args:
        ruler: `evaluator.SampleEvaluator`.
        real: `(M, H, W, C)`, values in [0, 1], cut into `blocks` of one size.
        pictures: `(N, H, W, C)`, values in [0, 1], cut into blocks of that size; what is left over
            is not looked at.
        blocks: how many.

    Returns:
        (rows, modes). Rows: one dictionary a block, as `metrics.score_table` takes them:
        `distance`, `precision` and `recall` by `ruler.compare`; `whole`, share of
        `one_whole_object`; `soft`, median softness of outlines by `whole_objects.survey`;
        `sharpness`, mean gradient energy as a share of the real block's. Modes: integers of
        `whole_objects.modes`, one a picture that was looked at.

    Raises:
        ValueError: If not a whole block can be made of one of the two.
    """
    by_features = ruler.compare(real, pictures, blocks)
    size = len(real) // blocks
    compared = len(by_features["distance"]) * size
    seen = survey(pictures[:compared])
    energy = metrics.gradient_energy(pictures[:compared])  # (N,)
    real_energy = metrics.gradient_energy(real[:compared])
    rows = []
    for i, start in enumerate(range(0, compared, size)):
        block = slice(start, start + size)
        row = {name: scores[i] for name, scores in by_features.items()}
        row["whole"] = float(seen["whole"][block].mean())
        row["soft"] = float(np.median(seen["soft"][block]))
        row["sharpness"] = float(energy[block].mean() / real_energy[block].mean())
        rows.append(row)
    return rows, seen["mode"]


def dequantised(images, seed=0):
    """Bytes `(N, H, W, C)` → float32 in [0, 1]: uniform noise between each byte and the next.

    References:
        Theis, van den Oord and Bethge (2016). https://arxiv.org/abs/1511.01844
    """
    noise = np.random.default_rng(seed).random(images.shape)
    return ((images + noise) / 256).astype("float32")


def at_sigma(log_likelihood, dimensions, sigma, other):
    """log p(x|latents) of Gaussian pixels with another σ.

    Args:
        log_likelihood: with `sigma`, nats, `(N,)`.
        dimensions: H · W · C.
        sigma, other: standard deviations of a pixel, the one it has and the one asked for.

    Returns:
        float64 `(N,)`, nats.
    """

    def constant(s):
        return -dimensions * (math.log(s) + 0.5 * math.log(2 * math.pi))

    squares = (constant(sigma) - np.asarray(log_likelihood, "float64")) * 2 * sigma**2
    return constant(other) - squares / (2 * other**2)


def bounds_beside(bounds, common, dimensions):
    """Bounds on log p(x) with their own σ and with one for all.

    Args:
        bounds: dictionary from a name to (log p(x|latents), what the latents take, σ of the
            pixels): nats, `(N,)`, twice, and a number.
        common: σ for all.
        dimensions: H · W · C.

    Returns:
        Dictionary from a name to `bound`, `latents`, `common` ((mean, half width) over pictures,
        nats), `sigma` and `bits` (bits per dimension of 8-bit pictures, of the mean bound).
    """
    table = {}
    for name, (log_likelihood, latents, sigma) in bounds.items():
        bound = log_likelihood - latents
        same = at_sigma(log_likelihood, dimensions, sigma, common) - latents
        table[name] = {
            "bound": metrics.confidence_interval(bound),
            "latents": metrics.confidence_interval(latents),
            "common": metrics.confidence_interval(same),
            "sigma": sigma,
            "bits": float(losses.bits_per_dimension(-bound.mean(), dimensions, 256)),
        }
    return table


def bounds_table(table):
    """Text of what `bounds_beside` gives: one row a model, mean ± half width.

    Args:
        table: by `bounds_beside`.
    """
    cells = {}
    for name, row in table.items():
        nats = ["{:.0f} ± {:.0f}".format(*row[key]) for key in ("bound", "latents", "common")]
        cells[name] = [*nats, f"{row['sigma']:.4f}", f"{row['bits']:.3f}"]
    columns = ["bound, nats", "latents, nats", "bound, same σ", "own σ", "bits per dim."]
    return metrics.format_table(columns, cells, 16)
