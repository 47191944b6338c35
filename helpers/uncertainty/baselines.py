"""What the conditional VAE of notebook 12 is compared with: three networks without a latent vector.

All have the U-Net of `probabilistic_unet` and a head on it. "one map" always gives the same answer.
"dropout" leaves channels out by chance, in use as in training. "pixel latent" has a Gaussian
log-odds for each pixel.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from helpers import metrics
from helpers.layers import PACKAGE, GaussianSampling
from helpers.uncertainty.probabilistic_unet import head, unet

DROPOUT = 0.2  # share of the head's channels that dropout leaves out
DRAWS = 10  # of each pixel's log-odds, in a step of training
METHODS = ("one map", "dropout", "pixel latent")


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
    log_p = y * ops.log_sigmoid(logits) + (1 - y) * ops.log_sigmoid(-logits)
    return math.log(logits.shape[-1]) - ops.logsumexp(log_p, axis=-1)


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
        between = (lambda: MCDropout(DROPOUT, seed=seed)) if name == "dropout" else None
        moments = head(places, per_pixel=1 + self._draws_pixels, between=between)
        self.features = keras.Model(image, features)
        self.answer = keras.Model(places, moments)
        outputs = self.answer(features)
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)
        if self._draws_pixels:
            mean, log_variance = outputs[..., :1], outputs[..., 1:]
            draws = [GaussianSampling(seed + t)(mean, log_variance) for t in range(DRAWS)]
            outputs, self.loss = layers.Concatenate()(draws), expected_nll
        self.network = keras.Model(image, outputs)

    @property
    def _draws_pixels(self):
        return self.name == "pixel latent"

    def draw(self, picture, count, seed=0):
        """Maps of probabilities of one picture, `(count, H, W)`; of "one map" always one.

        Args:
            picture: float32 `(H, W, C)`.
            count: how many answers.
            seed: of the noise of "pixel latent"; dropout goes on with its own.
        """
        from scipy.special import expit

        features = self.features(picture[None])
        if not self._draws_pixels:
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
        the mixture of its first 100 maps, whichever is smaller on average.

        Args:
            maps: for each picture what `draw` gave.
            annotations: for each picture `(A_i, H, W)` of 0 and 1.
        """
        pairs = list(zip(maps, annotations))
        nats = np.array([metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in pairs])
        if self.name != "dropout":
            return nats
        mixed = np.array([metrics.mixture_nll(m[:100], a).mean() for m, a in pairs])
        return min(nats, mixed, key=np.mean)
