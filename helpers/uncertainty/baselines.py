"""What the conditional VAE of notebook 12 is compared with: four networks without a latent vector.

All have the U-Net of `probabilistic_unet` and a head on it. "one map" always gives the same answer.
"dropout" leaves channels out by chance, in use as in training. "pixel latent" has a Gaussian
log-odds for each pixel. "three maps" is a mixture: three maps, and how likely each of them is.
"""

import itertools
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import losses, metrics
from helpers.layers import PACKAGE, GaussianSampling
from helpers.uncertainty.probabilistic_unet import head, unet

DROPOUT = 0.2  # share of the head's channels that dropout leaves out
DRAWS = 10  # of each pixel's log-odds, in a step of training
MAPS = 3  # of "three maps"
RELAXED = 0.03  # share of each mask that all of them learn from; chosen on the scores of 12
METHODS = ("one map", "dropout", "pixel latent", "three maps")


@keras.saving.register_keras_serializable(package=PACKAGE)
class MCDropout(layers.SpatialDropout2D):
    """Dropout of whole channels that stays on when the network is used, not only in training.

    References:
        Gal and Ghahramani (2016). https://arxiv.org/abs/1506.02142
    """

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def expected_nll(y, logits):
    """−log of the mean of p(y|u) over draws of the log-odds u, pixel by pixel.

    The loss of Kendall and Gal: nothing but the mean of p(y|u) counts.

    Args:
        y: `(B, H, W, 1)`, 0 or 1.
        logits: draws of u, `(B, H, W, S)`.

    Returns:
        `(B, H, W)`, nats.

    References:
        Kendall and Gal (2017), equation 12. https://arxiv.org/abs/1703.04977
    """
    y = ops.cast(y, logits.dtype)
    log_p = y * ops.log_sigmoid(logits) + (1 - y) * ops.log_sigmoid(-logits)
    return math.log(logits.shape[-1]) - ops.logsumexp(log_p, axis=-1)


def mixture_loss(y, answers):
    """A bound on −log Σ w_k p_k(y) of a mixture of maps, whole masks and not single pixels.

    The bound is Σ r_k (−log p_k(y) − log w_k + log r_k). With r_k = w_k p_k(y) / Σ w p(y), how
    far map k is responsible for the mask, it is exact. But then the map that is ahead after the
    first steps gets all masks, and the others learn nothing. So a share `RELAXED` of r is spread
    over all maps. No gradient goes through r.

    Args:
        y: `(B, H, W, 1)`, 0 or 1.
        answers: `(B, H, W, 2M)`: the logits of M maps, then, the same at each pixel, M numbers
            whose softmax gives the shares w.

    Returns:
        `(B,)`, nats.

    References:
        Jacobs et al. (1991), mixtures of local experts. https://doi.org/10.1162/neco.1991.3.1.79
        Rupprecht et al. (2017), multiple hypotheses. https://arxiv.org/abs/1612.00197
    """
    logits, scores = ops.split(answers, 2, axis=-1)
    count = logits.shape[-1]
    nats = [losses.bernoulli_nll(y, logits[..., k : k + 1]) for k in range(count)]
    joint = ops.stack(nats, axis=-1) - ops.log_softmax(scores[:, 0, 0], axis=-1)  # (B, M)
    mine = (1 - RELAXED) * ops.softmax(-joint, axis=-1) + RELAXED / count
    mine = ops.stop_gradient(mine)
    return ops.sum(mine * (joint + ops.log(mine)), axis=-1)


class Baseline:
    """A network to fit, and what is asked of it afterwards.

    Args:
        name: one of `METHODS`.
        image_shape: `(H, W, C)`; H and W are multiples of 8.
        seed: of dropout and of the draws.

    Attributes:
        network: keras.Model, picture → what `loss` takes. Compile it with `loss`, and fit it.
        loss: for the network.

    Raises:
        ValueError: If there is no such baseline.
    """

    def __init__(self, name, image_shape, seed=0):
        if name not in METHODS:
            raise ValueError(f"`name` must be one of {METHODS}. Received: name={name!r}")
        self.name, self.seed = name, seed
        image = keras.Input(image_shape)
        features, _ = unet(image)
        places = keras.Input(features.shape[1:])
        # Two layers with one seed would leave out the same channels; no two networks share one.
        own = itertools.count(2 * seed)
        between = (lambda: MCDropout(DROPOUT, seed=next(own))) if name == "dropout" else None
        per_pixel = {"pixel latent": 2, "three maps": MAPS}.get(name, 1)
        answer = head(places, per_pixel=per_pixel, between=between)
        if name == "three maps":
            scores = layers.Dense(MAPS, kernel_initializer="zeros")(
                layers.GlobalAveragePooling2D(keepdims=True)(places)
            )
            everywhere = layers.UpSampling2D(image_shape[:2])(scores)
            answer = layers.Concatenate()([answer, everywhere])
        self.features = keras.Model(image, features)
        self.answer = keras.Model(places, answer)
        outputs = self.answer(features)
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)
        if name == "three maps":
            self.loss = mixture_loss
        if self._draws_pixels:
            mean, log_variance = outputs[..., :1], outputs[..., 1:]
            draws = [GaussianSampling(seed + t)(mean, log_variance) for t in range(DRAWS)]
            outputs, self.loss = layers.Concatenate()(draws), expected_nll
        self.network = keras.Model(image, outputs)

    def count_params(self):
        """Number of weights, as of a Keras model."""
        return self.network.count_params()

    @property
    def _draws_pixels(self):
        return self.name == "pixel latent"

    def draw(self, picture, count, seed=0):
        """Maps of probabilities of one picture, `(count, H, W)`; of "one map" always one.

        Args:
            picture: float32 `(H, W, C)`.
            count: how many answers.
            seed: of the noise of "pixel latent" and of the choice among "three maps"; dropout
                goes on with its own.
        """
        from scipy.special import expit, softmax

        features = self.features(picture[None])
        if self.name == "three maps":
            logits, scores = np.split(ops.convert_to_numpy(self.answer(features))[0], 2, axis=-1)
            shares = softmax(scores[0, 0].astype("float64"))
            chosen = np.random.default_rng(seed).choice(MAPS, size=count, p=shares)
            logits = np.moveaxis(logits, -1, 0)[chosen]
        elif not self._draws_pixels:
            count = count if self.name == "dropout" else 1
            logits = ops.convert_to_numpy(self.answer(ops.repeat(features, count, axis=0)))[..., 0]
        else:
            mean, log_variance = np.moveaxis(ops.convert_to_numpy(self.answer(features))[0], -1, 0)
            noise = np.random.default_rng(seed).standard_normal((count, *mean.shape))
            logits = mean + np.exp(0.5 * log_variance) * noise
        return expit(logits).astype("float32")

    def nll(self, maps, annotations):
        """−log p of one annotation of each picture, `(N,)`, mean over its annotators, nats.

        Pixels count as independent, with the mean map's probabilities. For dropout it is that, or
        the mixture of its first 100 maps, whichever is smaller on average. For "three maps" it is
        the mixture of all: its draws repeat three maps, so nothing but their shares is estimated.

        Args:
            maps: for each picture what `draw` gave.
            annotations: for each picture `(A_i, H, W)` of 0 and 1.
        """
        pairs = list(zip(maps, annotations))
        if self.name == "three maps":
            return np.array([metrics.mixture_nll(m, a).mean() for m, a in pairs])
        nats = np.array([metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in pairs])
        if self.name != "dropout":
            return nats
        mixed = np.array([metrics.mixture_nll(m[:100], a).mean() for m, a in pairs])
        return min(nats, mixed, key=np.mean)
