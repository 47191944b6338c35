"""Is this picture of the kind the model was trained on? Scores, and how well they tell.

All scores are in nats per image, and larger means stranger.
"""

import io
import math

import keras
import numpy as np
from keras import ops

from helpers import backend, losses, models
from helpers.layers import PACKAGE
from helpers.metrics.density import check_one_level

FLOOR = 0.01  # smallest standard deviation of a pixel, two and a half grey levels of 256


@keras.saving.register_keras_serializable(package=PACKAGE)
class HeteroscedasticVAE(models.VAE):
    """A VAE with Gaussian pixels whose decoder says for each pixel how sure it is.

    The decoder gives 2C channels: C means, then C raw values r with σ = FLOOR + exp(r). A black
    background can so become nearly certain, as it can for models of 8-bit values.

    Args:
        encoder, decoder, seed: as for `models.VAE`.

    Raises:
        ValueError: As `models.VAE`, or if `likelihood` or `sigma` is given and is not "gaussian"
            or 1.0, which a saved model has.
    """

    gives = 2

    def __init__(self, encoder, decoder, seed=None, **kwargs):
        fixed = {"likelihood": "gaussian", "sigma": 1.0}
        for name, value in fixed.items():
            if kwargs.get(name, value) != value:
                raise ValueError(
                    "each pixel is Gaussian and has a σ of its own, from the decoder. "
                    f"Received: {name}={kwargs[name]!r}"
                )
        super().__init__(encoder, decoder, seed=seed, **{**kwargs, **fixed})

    def decode(self, z, training=False):
        """Latent → means of the pixels, `(B, H, W, C)`."""
        return ops.split(ops.cast(self.decoder(z, training=training), "float32"), 2, axis=-1)[0]

    def reconstruction_nll(self, x, z, training=False):
        """−log p(x|z), `(B,)`, nats per image."""
        output = ops.cast(self.decoder(z, training=training), "float32")
        mean, raw = ops.split(output, 2, axis=-1)
        return losses.gaussian_nll(x, mean, ops.log(FLOOR + ops.exp(raw)))


def auroc(in_distribution, out_of_distribution):
    """Probability that a strange picture scores higher than a usual one; ties count half.

    Args:
        in_distribution, out_of_distribution: scores, `(N,)` and `(M,)`.

    Returns:
        0.5 for a score that tells nothing, 1 for one that tells all, below 0.5 for one that has
        it the wrong way round.

    Raises:
        ValueError: If a score is not finite, or there are none of a kind.

    References:
        Hanley and McNeil (1982). https://doi.org/10.1148/radiology.143.1.7063747
    """
    from sklearn.metrics import roc_auc_score

    scores = np.concatenate([in_distribution, out_of_distribution])
    if not (0 < len(in_distribution) < len(scores) and np.isfinite(scores).all()):
        raise ValueError("scores must be finite, and one or more of each kind")
    return float(roc_auc_score(np.arange(len(scores)) >= len(in_distribution), scores))


def auroc_interval(in_distribution, out_of_distribution):
    """AUROC and half the width of its 95 % interval over pictures of both kinds.

    The share of usual pictures below each strange one, and of strange ones above each usual one,
    are averaged over independent pictures: the variance of the AUROC is the sum of theirs.

    Args:
        in_distribution, out_of_distribution: scores, `(N,)` and `(M,)`, two or more of each.

    Returns:
        (AUROC, half width). Where all are told apart the half width is 0, and says nothing.

    References:
        DeLong, DeLong and Clarke-Pearson (1988). https://doi.org/10.2307/2531595
    """
    counts = len(in_distribution), len(out_of_distribution)
    if min(counts) < 2:
        raise ValueError(f"an interval needs two scores or more of each kind. Received: {counts}")
    value = auroc(in_distribution, out_of_distribution)
    return value, _half_width(_placements(in_distribution, out_of_distribution))


def auroc_difference(one, other):
    """AUROC of one score minus that of another on the same pictures, and half its interval's width.

    Args:
        one, other: pairs of scores of usual and of strange pictures, `(N,)` and `(M,)`, the same
            pictures in the same order in both.

    Returns:
        (difference, half width) of the 95 % interval over pictures of both kinds.

    Raises:
        ValueError: If the two have other numbers of pictures.

    References:
        DeLong, DeLong and Clarke-Pearson (1988). https://doi.org/10.2307/2531595
    """
    pairs = [_placements(*scores) for scores in (one, other)]
    if any(np.shape(a) != np.shape(b) for a, b in zip(*pairs)):
        raise ValueError("the two scores must be of the same pictures")
    return auroc(*one) - auroc(*other), _half_width([a - b for a, b in zip(*pairs)])


def _placements(usual, strange):
    """For each usual picture the share of strange ones above it, for each strange one of usual below."""
    usual, strange = (np.asarray(s, "float64") for s in (usual, strange))
    above = (strange[:, None] > usual) + 0.5 * (strange[:, None] == usual)  # (M, N)
    return above.mean(axis=0), above.mean(axis=1)


def _half_width(parts):
    return float(1.96 * math.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)))


def elbo_terms(vae, images, draws=4, batch_size=100):
    """Reconstruction term and KL of each image, `(2, N)` nats: means of `draws` draws of z."""
    found = []
    for start in range(0, len(images), batch_size):
        x = ops.convert_to_tensor(images[start : start + batch_size])
        draw = [[ops.convert_to_numpy(term) for term in vae.terms(x)] for _ in range(draws)]
        found.append(np.mean(draw, axis=0))
    return np.concatenate(found, axis=1)


def negative_elbo(vae, images, draws=4, batch_size=100):
    """Mean of `draws` one-sample estimates of −ELBO, `(N,)`."""
    return elbo_terms(vae, images, draws, batch_size).sum(axis=0)


def roughness(images):
    """Mean absolute difference of neighbouring pixels of `(N, H, W, C)`, `(N,)`: asks no model."""
    images = np.asarray(images)
    down, across = (np.abs(np.diff(images, axis=axis)).mean(axis=(1, 2, 3)) for axis in (1, 2))
    return (down + across) / 2


def png_nats(images):
    """Length of each image as a PNG file, in nats: 8 ln 2 a byte.

    Args:
        images: floats in [0, 1] or uint8, `(N, H, W, C)` with C 1 or 3.

    References:
        Serrà et al. (2020), input complexity. https://arxiv.org/abs/1909.11480
    """
    from PIL import Image

    images = np.asarray(images)
    if images.dtype != np.uint8:
        images = np.rint(np.clip(images, 0, 1) * 255).astype("uint8")
    lengths = []
    for image in images:
        with io.BytesIO() as file:
            Image.fromarray(image.squeeze()).save(file, "PNG", optimize=True)
            lengths.append(file.tell())
    return np.array(lengths) * 8 * math.log(2)


def input_complexity(nll, images, density=True):
    """−log p minus the length as a PNG: what the model finds hard and a general code does not.

    Args:
        nll: −log p or a bound on it, `(N,)`, nats.
        images: `(N, H, W, C)`, as for `png_nats`.
        density: whether it is that of a density on [0, 1]; D ln 256 is then added, which makes
            it that of 8-bit values.

    References:
        Serrà et al. (2020). https://arxiv.org/abs/1909.11480
    """
    levels = math.prod(np.shape(images)[1:]) * math.log(256) if density else 0.0
    return np.asarray(nll) + levels - png_nats(images)


def typicality(nll, in_distribution):
    """|−log p − its mean over usual pictures|: too likely is as strange as too unlikely.

    Args:
        nll: −log p or a bound on it, `(N,)`, nats.
        in_distribution: that of pictures the model was trained on.

    References:
        Nalisnick et al. (2019), typicality. https://arxiv.org/abs/1906.02994
    """
    return np.abs(np.asarray(nll) - np.mean(in_distribution))


def batch_means(nll):
    """Means of ten pictures each, in their order; what is left over does not count.

    Raises:
        ValueError: If there are fewer than ten.
    """
    nll = np.asarray(nll, "float64")
    if len(nll) < 10:
        raise ValueError(f"ten pictures make one mean. Received: {len(nll)}")
    return nll[: len(nll) // 10 * 10].reshape(-1, 10).mean(axis=1)


def likelihood_regret(vae, images, steps=100, learning_rate=0.05, draws=8, seed=0):
    """Likelihood regret: how much the ELBO of an image rises when its own q is fitted to it.

    Mean and log σ² of q(z|x) start where the encoder puts them and are moved by Adam, for each
    image alone; the decoder stays. The same noise before and after, so that nothing but q counts.

    Args:
        vae: a `models.VAE` with one level of latents.
        images: `(N, H, W, C)`; each costs `steps` passes through the decoder.
        steps, learning_rate: of Adam.
        draws: samples for the ELBO before and after.
        seed: of the noise.

    Returns:
        `(N,)`, nats. Below 0 where the fit of a noisy objective ended worse than it began.

    Raises:
        ValueError: If the VAE has two levels of latents.

    References:
        Xiao, Yan and Amit (2020). https://arxiv.org/abs/2003.02977
    """
    check_one_level(vae)
    x = ops.convert_to_tensor(np.asarray(images, "float32"))
    start = [ops.convert_to_numpy(t) for t in vae.encode(x)]
    mean, log_variance = (keras.Variable(value) for value in start)
    adam = keras.optimizers.Adam(learning_rate)
    adam.build([mean, log_variance])
    rng = np.random.default_rng(seed)
    noises = rng.standard_normal((draws, *start[0].shape)).astype("float32")

    def negative_elbo_of(noise):  # NumPy's arrays and PyTorch's tensors do not mix
        z = mean + ops.exp(0.5 * log_variance) * ops.convert_to_tensor(noise)
        return vae.reconstruction_nll(x, z) + losses.gaussian_kl(
            ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)
        )

    def mean_over_noises():
        return np.mean([ops.convert_to_numpy(negative_elbo_of(noise)) for noise in noises], axis=0)

    before = mean_over_noises()
    for _ in range(steps):
        noise = rng.standard_normal(start[0].shape).astype("float32")
        _, gradients = backend.value_and_grad(
            lambda noise=noise: ops.sum(negative_elbo_of(noise)), [mean, log_variance]
        )
        adam.apply_gradients(zip(gradients, [mean, log_variance]))
    return before - mean_over_noises()
