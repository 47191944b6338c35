"""The parts of a Probabilistic U-Net, a conditional VAE of masks, and its −log p of a mask.

Notebook 12 puts the parts together and trains them. A U-Net computes features of a picture; its
coarsest ones give the prior of z. A second encoder reads picture and mask and gives the posterior.
The head reads features and z. Two things differ from Kohl et al.: the prior shares the encoder of
the U-Net, and the head works at half the size. There is no batch normalisation, with which VAEs of
this series hardly learn.

References:
    Kohl et al. (2018), Probabilistic U-Net. https://arxiv.org/abs/1806.05034
    Sohn, Lee and Yan (2015), conditional VAE.
    https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html
"""

import math

import numpy as np
from keras import layers, ops

from helpers import backend, losses, metrics
from helpers.layers import DepthToSpaceUp, residual_conv

WIDTHS = (24, 32, 48)  # channels of the U-Net at 1/2, 1/4 and 1/8 of the size
BOUND = 8.0  # of log σ²: σ lies between e⁻⁴ and e⁴
SMALLER = (16, 24, 32)  # those of the encoder that reads the mask, too


def encode(x, widths=SMALLER):
    """Features of an encoder at three resolutions, from fine to coarse.

    Args:
        x: symbolic, `(B, H, W, C)` with values in [0, 1]; H and W are multiples of 8.
        widths: channels at 1/2, 1/4 and 1/8 of the size.

    Returns:
        List of three symbolic tensors, `(B, H/2, W/2, widths[0])` and so on.
    """
    h, found = layers.Rescaling(4.0, offset=-2.0)(x), []
    for width in widths:
        h = residual_conv(layers.Conv2D(width, 2, 2, activation="silu")(h), width)
        found.append(h)
    return found


def unet(x):
    """A U-Net without its head: from fine to coarse features and back.

    Args:
        x: symbolic pictures, as for `encode`.

    Returns:
        (features, coarsest): symbolic, `(B, H/2, W/2, 24)` and `(B, H/8, W/8, 48)`.

    References:
        Ronneberger, Fischer and Brox (2015). https://arxiv.org/abs/1505.04597
    """
    *skips, coarsest = encode(x, WIDTHS)
    h = coarsest
    for skip in reversed(skips):
        h = DepthToSpaceUp(skip.shape[-1], 2, "silu")(h)
        h = residual_conv(layers.Add()([h, skip]), skip.shape[-1])
    return h, coarsest


def gaussian(coarsest, latent):
    """Mean and **log σ²** of z from coarse features: two symbolic tensors `(B, latent)`.

    A smooth bound keeps log σ² between −`BOUND` and `BOUND`: the KL holds exp(−log σ²) of the
    prior, and without a bound single trainings end in values that are no numbers.
    """
    h = layers.Dense(64, activation="silu")(layers.Flatten()(coarsest))
    log_variance = layers.Dense(latent, kernel_initializer="zeros")(h)
    return [layers.Dense(latent)(h), BOUND * ops.tanh(log_variance / BOUND)]


def head(features, z=None, per_pixel=1, between=None):
    """Logits from features and, at every place, the same z: three 1×1 convolutions.

    Args:
        features: symbolic, `(B, h, w, F)`.
        z: symbolic, `(B, K)`, or None for a head without a latent.
        per_pixel: numbers for each pixel.
        between: function that makes a layer to put after each of the first two convolutions, such
            as dropout; None puts nothing there.

    Returns:
        Symbolic, `(B, 2h, 2w, per_pixel)`: the last convolution turns each place into 2×2 pixels.
    """
    h = features
    if z is not None:
        everywhere = layers.Reshape((1, 1, z.shape[-1]))(z)
        everywhere = layers.UpSampling2D(features.shape[1:3])(everywhere)
        h = layers.Concatenate()([features, everywhere])
    for _ in range(2):
        h = layers.Conv2D(WIDTHS[0], 1, activation="silu")(h)
        h = between()(h) if between else h
    return DepthToSpaceUp(per_pixel, 2, activation=None)(h)


def nll(model, images, annotations, draws=100, seed=0):
    """−log p(y|x) of a conditional VAE by importance sampling, for each picture.

    z is drawn from the posterior of each annotation and weighed by prior / posterior:
    −log 1/S Σ p(y|x, z) p(z|x) / q(z|x, y). One estimate may be too low or too high; on average it
    is too high, and less so with more draws.

    Args:
        model: has three networks: `look` (pictures `(B, H, W, C)` → features, mean and log σ² of
            the prior), `posterior` (pictures with the annotation as last channel → mean and log σ²,
            `(B, K)` each) and `decode` ([features, z] → logits `(B, H, W, 1)`).
        images: float32 `(N, H, W, C)`.
        annotations: for each picture `(A_i, H, W)` of 0 and 1.
        draws: S, for each different annotation.
        seed: of the draws.

    Returns:
        `(N,)`, mean over the annotators of each picture, in nats.

    References:
        Burda, Grosse and Salakhutdinov (2016). https://arxiv.org/abs/1509.00519
    """
    rng, found = np.random.default_rng(seed), []
    decode = backend.compile_model(model.decode)
    for picture, marks in zip(images, annotations):
        different, people = metrics.unique_annotations(marks)
        y = np.asarray(different, "float32")[..., None]  # (D, H, W, 1)
        features, *prior = model.look(picture[None])
        features = ops.repeat(features, draws, axis=0)
        both = np.concatenate([np.repeat(picture[None], len(y), axis=0), y], axis=-1)
        posteriors = [ops.convert_to_numpy(t) for t in model.posterior(both)]
        prior = [ops.convert_to_numpy(t) for t in prior]
        nats = []
        for one, mean, log_variance in zip(y, *posteriors):
            noise = rng.standard_normal((draws, len(mean))).astype("float32")
            z = mean + np.exp(0.5 * log_variance) * noise  # (S, K)
            logits = decode([features, ops.convert_to_tensor(z)])
            log_p = -ops.convert_to_numpy(losses.bernoulli_nll(np.stack([one] * draws), logits))
            weights = _log_density(z, *prior) - _log_density(z, mean, log_variance)
            nats.append(-metrics.log_mean_exp((log_p + weights).astype("float64")))
        found.append(np.dot(nats, people) / people.sum())
    return np.array(found)


def bound_terms(model, images, readings, shares, draws=20, seed=0):
    """Both terms of the bound for each reading of a picture, and what the mean KL is made of.

    Let q(z|x) be the average of the posteriors of all readings, weighted by `shares`. The mean KL
    is the information about the reading that is in z, the mean of KL(q(z|x, y) ‖ q(z|x)), plus the
    misfit of the prior, KL(q(z|x) ‖ p(z|x)). The information is at most the entropy of `shares`.

    Args:
        model: as in `nll`.
        images: float32 `(N, H, W, C)`.
        readings: `(N, R, H, W)` of 0 and 1.
        shares: of the annotators, `(R,)`, of sum 1.
        draws: of z from each posterior.
        seed: of the draws.

    Returns:
        Dictionary of nats, means over the pictures: "reconstruction" and "kl", `(R,)` each, and
        "information" and "misfit", floats. The information is estimated from the draws; the misfit
        is the mean KL minus it.

    Raises:
        ValueError: If there are not as many shares as readings.

    References:
        Hoffman and Johnson (2016), ELBO surgery.
        http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf
    """
    readings, shares = np.asarray(readings, "float32"), np.asarray(shares, "float64")
    if shares.shape != readings.shape[1:2]:
        raise ValueError(
            f"shares must be one for each of {readings.shape[1]} readings. Received: {shares}"
        )
    features, *prior = model.look(images)
    posteriors, reconstruction, kl = [], [], []
    for y in np.moveaxis(readings, 1, 0)[..., None]:  # (N, H, W, 1)
        posterior = model.posterior(np.concatenate([images, y], axis=-1))
        kl.append(float(ops.mean(losses.gaussian_kl(*posterior, *prior))))
        posteriors.append([ops.convert_to_numpy(t) for t in posterior])
    rng, information = np.random.default_rng(seed), 0.0
    for k, (mean, log_variance) in enumerate(posteriors):
        y, nats = readings[:, k, ..., None], []
        for _ in range(draws):
            noise = rng.standard_normal(mean.shape).astype("float32")
            z = mean + np.exp(0.5 * log_variance) * noise  # (N, K)
            logits = model.decode([features, ops.convert_to_tensor(z)])
            nats.append(float(ops.mean(losses.bernoulli_nll(y, logits))))
            each = np.stack([_log_density(z, *other) for other in posteriors])  # (R, N)
            average = np.logaddexp.reduce(each + np.log(shares)[:, None], axis=0)
            information += shares[k] * np.mean(each[k] - average) / draws
        reconstruction.append(np.mean(nats))
    return {
        "reconstruction": np.array(reconstruction),
        "kl": np.array(kl),
        "information": float(information),
        "misfit": float(shares @ kl - information),
    }


def _log_density(z, mean, log_variance):
    """log N(z; mean, σ²), summed over the last axis, nats."""
    square = (z - mean) ** 2 * np.exp(-log_variance)
    return -0.5 * np.sum(math.log(2 * math.pi) + log_variance + square, axis=-1)
