"""Models beside real pictures: scores of sets of draws, and bounds at one σ for all.

`score_sets` gives what a `SampleEvaluator` and the rule of whole objects say of draws,
`block_scores` the same and more block by block, for intervals; `dequantised` bytes without gaps,
`at_sigma` a likelihood with another σ, and `bounds_beside` all bounds with their intervals. NumPy
in, NumPy out.
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


def bounds_beside(bounds, sigmas, common, dimensions):
    """Bounds on log p(x) with their own σ and with one for all.

    Args:
        bounds: dictionary from a name to (log p(x|latents), what the latents take): nats, `(N,)`.
        sigmas: dictionary from a name to the σ of its pixels.
        common: σ for all.
        dimensions: H · W · C.

    Returns:
        Dictionary from a name to `bound`, `latents`, `common` ((mean, half width) over pictures,
        nats), `sigma` and `bits` (bits per dimension of 8-bit pictures, of the mean bound).
    """
    table = {}
    for name, (log_likelihood, latents) in bounds.items():
        bound = log_likelihood - latents
        same = at_sigma(log_likelihood, dimensions, sigmas[name], common) - latents
        table[name] = {
            "bound": metrics.confidence_interval(bound),
            "latents": metrics.confidence_interval(latents),
            "common": metrics.confidence_interval(same),
            "sigma": sigmas[name],
            "bits": float(losses.bits_per_dimension(-bound.mean(), dimensions, 256)),
        }
    return table
