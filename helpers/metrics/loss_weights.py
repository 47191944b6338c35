"""The effective β of a VAE's loss, measured by calling it: the weight of its KL on a true scale.

Notebook 05 tells how it works, tests it on known faults, and measures published losses.
"""

from typing import NamedTuple

import numpy as np
from keras import ops

from helpers import losses

TOLERANCE = 0.01  # relative, of ratios that must be the same
REPEATS = 8  # reconstructions that a weight of the KL is measured at


class EffectiveBeta(NamedTuple):
    """What `effective_beta` finds.

    `beta` is None where the loss is of no form that it knows, and `problem` says why. `kl_ratios`
    are the changes of the loss for each nat of the true KL, by the name of the move.

    Examples:
        >>> def loss(x, r, mean, log_variance):     # an absolute error
        ...     kl = losses.gaussian_kl(mean, log_variance)
        ...     return keras.ops.mean(keras.ops.sum(abs(x - r), (1, 2, 3)) + kl)
        >>> metrics.effective_beta(loss, (8, 8, 1), latent=2).beta is None
        True
    """

    beta: float | None
    likelihood: str | None
    kl_ratios: dict
    problem: str | None


def effective_beta(loss, shape, latent):
    """Effective β = w_k / w_r of a loss w_r·R + w_k·KL, found by calling it.

    R is −log p(x|z), summed over pixels and channels, of Bernoulli pixels or of Gaussian ones with
    σ = 1. For a Gaussian the effective β is also the σ² of the decoder of which the loss is a
    negative ELBO. w_k is measured in four moves of the encoder's answer, w_r in two moves of the
    reconstruction; each must give the same number, to 1 %. A weight below 0 is a problem, too: such
    a loss has no minimum.

    Not seen: how z is drawn, whether the loss gets probabilities or logits, a β that changes during
    training or with the size of the batch (one term summed over it, the other not), and a wrong
    term that agrees with the right one at the places where it is measured.

    Args:
        loss: `loss(x, reconstruction, mean, log_variance)` → a scalar. It gets tensors: x is
            binary, `(B, H, W, C)`; the reconstruction holds probabilities or means;
            `log_variance` is log σ², `(B, K)`.
        shape: of an image, `(H, W, C)`.
        latent: K.

    Returns:
        An `EffectiveBeta`.

    Examples:
        >>> def loss(x, r, mean, log_variance):
        ...     kl = losses.gaussian_kl(mean, log_variance)
        ...     return keras.ops.mean(losses.gaussian_nll(x, r, 0.0) + 4 * kl)
        >>> found = metrics.effective_beta(loss, (8, 8, 1), latent=2)
        >>> round(found.beta, 2), found.likelihood
        (4.0, 'Gaussian')
    """
    rng = np.random.default_rng(0)
    x = np.float32(rng.random((8, *shape)) < 0.3)
    haze = rng.uniform(-0.02, 0.02, x.shape)
    blank, vague, near = (np.float32(0.5 + a * (x - 0.5) + haze) for a in (0, 0.5, 0.9))
    zeros = np.zeros((len(x), latent), "float32")  # mean 0, or log σ² 0
    random = np.float32(rng.normal(size=zeros.shape))

    # A loss of 20,000 nats in float32 is a multiple of 0.002, and the KL of a move may be below 1. The
    # mean over reconstructions that differ a little is not rounded in this way.
    nears = [near + np.float32(rng.uniform(-0.01, 0.01, x.shape)) for _ in range(REPEATS)]

    def value(*arguments):
        return float(loss(*(ops.convert_to_tensor(array) for array in arguments)))

    def mean_value(*latent):
        return float(np.mean([value(x, reconstruction, *latent) for reconstruction in nears]))

    moves = {
        "mean": (random, zeros),
        "narrow": (zeros, zeros - 3),
        "wide": (zeros, zeros + 1),
        "both": (random, random),
    }
    start = mean_value(zeros, zeros)
    ratios = {}
    for name, move in moves.items():
        nats = float(ops.mean(losses.gaussian_kl(*move)))
        ratios[name] = (mean_value(*move) - start) / nats
    if not _agree([*ratios.values()]):
        return EffectiveBeta(None, None, ratios, "not a KL")

    values = [value(x, r, zeros, zeros) for r in (blank, vague, near)]
    for likelihood, nll in (("Bernoulli", _bernoulli), ("Gaussian", _gaussian)):
        weights = np.diff(values) / np.diff([nll(x, r) for r in (blank, vague, near)])
        if _agree(weights):
            of_kl, of_r = np.mean([*ratios.values()]), np.mean(weights)
            if of_r <= 0 or of_kl < 0:  # no lower bound: the training ends nowhere
                signed = "reconstruction" if of_r <= 0 else "KL"
                return EffectiveBeta(None, likelihood, ratios, f"wrong sign on the {signed}")
            return EffectiveBeta(float(of_kl / of_r), likelihood, ratios, None)
    return EffectiveBeta(None, None, ratios, "neither Bernoulli nor Gaussian")


def _agree(ratios):
    return np.ptp(ratios) <= TOLERANCE * abs(np.mean(ratios))


def _bernoulli(x, r):
    return -np.log(np.where(x > 0, r, 1 - r), dtype="float64").sum() / len(x)


def _gaussian(x, r):
    return 0.5 * np.square(x - r, dtype="float64").sum() / len(x)
