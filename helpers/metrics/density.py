"""Measures of a VAE as a density model, in nats per image: bounds, KL per coordinate, active units."""

import math

import keras
import numpy as np
from keras import ops
from scipy.special import logsumexp

from helpers import losses
from helpers.backend import compile_function
from helpers.models import TwoLevelVAE


def check_one_level(vae):
    """Refuses a model whose encoder and decoder alone are not all of q(z|x) and p(x|z).

    Raises:
        ValueError: If it is a `models.TwoLevelVAE`: its `encode` gives u only, and its
            `decode` puts v at the mean of its prior.

    Examples:
        >>> metrics.check_one_level(models.dense_vae((4,), latent=2))     # says nothing
    """
    if isinstance(vae, TwoLevelVAE):
        raise ValueError(
            "this measure needs a VAE with one level of latents; of a TwoLevelVAE take `elbo` or "
            f"`terms`. Received: {vae.name}"
        )


def iwae_bound(vae, x, k, batch_size=None, seed=0):
    """The importance-weighted bound L_k ≤ log p(x), per image, in nats.

    L_k = log (1/k) Σ p(x, z_i) / q(z_i|x) with z_i ~ q(z|x). L_1 has the expectation of
    the ELBO, L_k grows with k and reaches log p(x) in the limit.

    Args:
        vae: a `helpers.models.VAE`.
        x: images in [0, 1], `(B, H, W, C)`, NumPy.
        k: importance samples per image.
        batch_size: images times samples per decoder call at most; None takes about 20,000.
        seed: of the samples; the same seed gives the same bound.

    Returns:
        float64 array `(B,)`, nats per image.

    Raises:
        ValueError: if k is below 1, x holds a value that is not finite, or the VAE has two
            levels of latents.

    References:
        Burda, Grosse and Salakhutdinov (2016). https://arxiv.org/abs/1509.00519

    Examples:
        >>> vae = models.dense_vae((4,), latent=1, hidden=3)
        >>> vae.set_weights([0 * w for w in vae.get_weights()])     # q is the true posterior
        >>> print(np.round(metrics.iwae_bound(vae, np.ones((2, 4)), k=5) / np.log(2), 4))
        [-4. -4.]
    """
    if int(k) != k or k < 1:
        raise ValueError(f"`k` is a number of samples, at least 1. Received: k={k!r}")
    k, x = int(k), np.asarray(x, dtype="float32")
    if not np.isfinite(x).all():
        raise ValueError("`x` holds NaN or infinity; mend or drop those images first")
    check_one_level(vae)
    budget = batch_size or 20_000
    samples = min(k, budget)
    images = max(1, min(len(x), budget // samples))
    generator = keras.random.SeedGenerator(seed)
    log_weights = _compiled_log_weights(vae, samples, generator)

    bounds = []
    for start in range(0, len(x), images):
        batch = x[start : start + images]
        n = len(batch)
        if n < images:
            # One shape for every call: a second one would be compiled again.
            batch = np.concatenate([batch, np.repeat(batch[-1:], images - n, axis=0)])
        parts = []
        for _ in range(-(-k // samples)):
            parts.append(ops.convert_to_numpy(log_weights(batch))[:, :n])
        weights = np.concatenate(parts)[:k].astype("float64")
        bounds.append(log_mean_exp(weights))
    return np.concatenate(bounds)


def linear_gaussian_gap(x, W, sigma, mean, log_variance):
    """Exact log p(x) of a linear Gaussian model, and by how much a diagonal q misses it.

    The model is x = W z + σ·noise with z from N(0, I), q is N(mean, diag σ_k²). The ELBO is log p(x)
    less the gap, KL(q ‖ p(z|x)).

    Args:
        x: data of mean zero, `(N, D)`, NumPy.
        W: the decoder, `(D, K)`.
        sigma: standard deviation of the noise.
        mean: means of q, `(N, K)`.
        log_variance: log σ² of q, `(K,)`, the same for all x.

    Returns:
        Three numbers, means over x in nats: log p(x); the gap; and the smallest gap of any
        diagonal q, ½(Σ log P_kk − log det P) with the posterior precision P = I + WᵀW/σ².

    References:
        Tipping and Bishop (1999). https://doi.org/10.1111/1467-9868.00196

    Examples:
        >>> x, W = np.ones((1, 2)), np.eye(2)
        >>> log_p, gap, smallest = metrics.linear_gaussian_gap(x, W, 1.0, x / 2, np.log([0.5, 0.5]))
        >>> print(f"{log_p:.4f} {abs(gap):.4f} {abs(smallest):.4f}")     # q is the posterior
        -3.0310 0.0000 0.0000
    """
    x, W, mean = (np.asarray(a, dtype="float64") for a in (x, W, mean))
    log_variance = np.asarray(log_variance, dtype="float64")
    precision = np.eye(W.shape[1]) + W.T @ W / sigma**2
    log_det = np.linalg.slogdet(precision)[1]
    off = mean - x @ W @ np.linalg.inv(precision) / sigma**2
    moved = np.mean(np.sum(off @ precision * off, axis=1))
    spread = np.sum(np.diag(precision) * np.exp(log_variance) - 1 - log_variance)
    smallest = np.sum(np.log(np.diag(precision))) - log_det

    covariance = W @ W.T + sigma**2 * np.eye(len(W))
    squares = np.mean(np.sum(x @ np.linalg.inv(covariance) * x, axis=1))
    log_p = -0.5 * (len(W) * losses.LOG_2PI + np.linalg.slogdet(covariance)[1] + squares)
    return float(log_p), float(0.5 * (moved + spread - log_det)), float(0.5 * smallest)


def _compiled_log_weights(vae, samples, generator):
    """A function x `(B, …)` → log p(x, z) − log q(z|x) of fresh draws, `(samples, B)`."""

    def log_weights(x):
        mean, log_variance = vae.encode(x)
        shape = (samples, *ops.shape(mean))
        noise = keras.random.normal(shape, dtype=mean.dtype, seed=generator)
        z = mean + ops.exp(0.5 * log_variance) * noise
        # log p(z) − log q(z|x), coordinate by coordinate; the 2π cancel.
        ratio = 0.5 * (log_variance + ops.square(noise) - ops.square(z))
        flat = ops.reshape(z, (-1, *z.shape[2:]))
        nll = vae.reconstruction_nll(ops.tile(x, (samples,) + (1,) * (x.ndim - 1)), flat)
        ratio = ops.sum(ops.reshape(ratio, (samples, ops.shape(x)[0], -1)), axis=-1)
        return ratio - ops.reshape(nll, (samples, -1))

    return compile_function(log_weights)


def log_mean_exp(values):
    """log of the mean of exp over the first axis, without an overflow: `(S, …)` → `(…)`.

    Examples:
        >>> values = np.array([-1000.0, -1000.0])     # exp would be 0
        >>> float(metrics.log_mean_exp(values))
        -1000.0
    """
    return logsumexp(values, axis=0) - math.log(len(values))


def posterior(vae, x, batch_size=256):
    """Mean and log σ² of q(z|x) as NumPy arrays of the latent's shape, `(B, …)`.

    Raises:
        ValueError: If the VAE has two levels of latents.

    Examples:
        >>> mean, log_variance = metrics.posterior(models.dense_vae((4,), latent=2), np.ones((3, 4)))
        >>> mean.shape, log_variance.shape
        ((3, 2), (3, 2))
    """
    check_one_level(vae)
    parts = [
        [ops.convert_to_numpy(t) for t in vae.encode(np.asarray(x[i : i + batch_size], "float32"))]
        for i in range(0, len(x), batch_size)
    ]
    mean, log_variance = zip(*parts)
    return np.concatenate(mean), np.concatenate(log_variance)


def kl_per_dimension(vae, x, batch_size=256):
    """Mean KL of each latent coordinate over the images, in nats, the latent's shape.

    Raises:
        ValueError: If the VAE has two levels of latents.

    Examples:
        >>> vae = models.dense_vae((4,), latent=2, hidden=3)
        >>> vae.set_weights([0 * w for w in vae.get_weights()])     # a collapsed VAE: q is the prior
        >>> print(metrics.kl_per_dimension(vae, np.ones((3, 4))))
        [0. 0.]
    """
    mean, log_variance = posterior(vae, x, batch_size)
    return ops.convert_to_numpy(losses.gaussian_kl_elementwise(mean, log_variance)).mean(axis=0)


def active_units(vae, x, threshold=0.01, batch_size=256):
    """How many latent coordinates respond to the image: Var over x of E_q[z] > threshold.

    Returns:
        int, between 0 and K.

    Raises:
        ValueError: If the VAE has two levels of latents.

    References:
        Burda, Grosse and Salakhutdinov (2016), section 5. https://arxiv.org/abs/1509.00519

    Examples:
        >>> vae = models.dense_vae((4,), latent=2, hidden=3)
        >>> vae.set_weights([0 * w for w in vae.get_weights()])     # a collapsed VAE: q is the prior
        >>> metrics.active_units(vae, np.ones((3, 4)))
        0
    """
    mean, _ = posterior(vae, x, batch_size)
    return int((mean.var(axis=0) > threshold).sum())


def rms_error(vae, x):
    """Root mean square of image minus reconstruction, decoded from a draw of z; a float.

    The best σ of a Gaussian likelihood for these reconstructions.

    Raises:
        ValueError: If the VAE has two levels of latents.

    Examples:
        >>> vae = models.dense_vae((4,), latent=1, hidden=3)     # Bernoulli
        >>> vae.set_weights([0 * w for w in vae.get_weights()])     # each pixel has a mean of ½
        >>> metrics.rms_error(vae, np.ones((2, 4)))
        0.5
    """
    check_one_level(vae)
    mean, log_variance = vae.encode(x)
    reconstruction = vae.decode(vae.sampling(mean, log_variance))
    return float(ops.sqrt(ops.mean(ops.square(ops.subtract(x, reconstruction)))))


def rate_and_bits(vae, x):
    """Rate, and bits per dimension with the VAE's own σ and with a σ that is its r.m.s. error.

    Args:
        vae: a `helpers.models.VAE`.
        x: images after uniform dequantisation of bytes, `(B, H, W, C)`, in the VAE's range. A VAE
            without a range has the bits of a density, to which no width of a level is added.

    Returns:
        (rate in nats per image, bits, bits with the σ replaced), three floats. A Bernoulli is no
        density of such values and has no σ: its bits are those with the σ replaced.

    Raises:
        ValueError: If the VAE has two levels of latents.

    Examples:
        >>> vae = models.dense_vae((4,), latent=1, hidden=3, likelihood="gaussian", sigma=0.5)
        >>> vae.set_weights([0 * w for w in vae.get_weights()])     # each pixel has a mean of 0
        >>> rate, bits, replaced = metrics.rate_and_bits(vae, np.full((2, 4), 0.5))
        >>> rate, abs(bits - replaced) < 1e-4     # the error is 0.5, too
        (0.0, True)
    """
    nats, rate = (float(ops.mean(term)) for term in vae.terms(x))
    best = vae.dimensions * (math.log(rms_error(vae, x)) + 0.5 * (losses.LOG_2PI + 1))
    nats = nats if vae.likelihood == "gaussian" else best
    bins = losses.byte_levels(vae.pixels.value_range)
    bits = (losses.bits_per_dimension(n + rate, vae.dimensions, bins) for n in (nats, best))
    return rate, *bits
