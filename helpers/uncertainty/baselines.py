"""What the Probabilistic U-Net is compared with, and the rows that all of them learn from.

All heads sit on the features of a VAE's encoder (`pyramids`) and answer for one annotator of a
picture. `deterministic_head` has one map, and with `dropout` a different one at every call;
`GaussianLogits` has one Gaussian log-odds a pixel.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from helpers import losses, pyramids
from helpers.layers import PACKAGE, GaussianSampling
from helpers.models.inputs import CheckedPixels, Pixels
from helpers.models.saving import Portable

DROPOUT = 0.2  # share of the channels that MC dropout leaves out
MEMBERS = 5  # networks of a deep ensemble


def full_size_features(encoder, width, dropout=0.0, seed=None):
    """Features at full resolution, a symbolic tensor `(B, H, W, width)`, from all levels."""
    levels = pyramids.levels(encoder)
    if dropout:
        levels = [MCDropout(dropout, seed=seed)(h) for h in levels]
    return pyramids.segmentation_head(encoder.input, levels, width).output


@keras.saving.register_keras_serializable(package=PACKAGE)
class MCDropout(layers.SpatialDropout2D):
    """Dropout of whole channels that stays on when the network is used, not only in training.

    References:
        Gal and Ghahramani (2016). https://arxiv.org/abs/1506.02142
    """

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def deterministic_head(encoder, width=16, dropout=0.0, seed=None):
    """Image → one logit a pixel, on all levels of an encoder.

    Args:
        encoder: from `pyramids.pyramid_networks`; its layers are shared.
        width: channels of the features at full resolution.
        dropout: share of the channels of each level that are left out, in use as in training.
        seed: of the dropout.

    Returns:
        keras.Model, `(B, H, W, C)` → logits `(B, H, W, 1)`.
    """
    h = full_size_features(encoder, width, dropout, seed)
    h = layers.ReLU()(h)
    h = layers.Dense(width, activation="relu")(h)
    return keras.Model(encoder.input, layers.Dense(1)(h), name="deterministic_head")


@keras.saving.register_keras_serializable(package=PACKAGE)
class GaussianLogits(CheckedPixels, Portable, keras.Model):
    """One Gaussian log-odds u for each pixel: q(u|x) = N(m(x), s²(x)), prior N(prior, 2²).

    The light version of a latent: no second network, one more output channel. The annotators of a
    picture share u and mark independently given it, so the bound of one annotator is
    E_q log p(y|u) − KL(q ‖ p)/A, with A annotators. Since pixels are independent given x *and*
    stay so when u is integrated out, its law of one annotation is that of a single map.

    The prior and its KL are ours. They pull every pixel towards `prior`, and that costs nats: of a
    pixel that nobody marks, the best answer is not 0. Kendall and Gal have neither; their loss is
    −log of the mean of p(y|u) over draws, as notebook 12 has it.

    Give `fit` one array `(B, H, W, C + 1)`: the picture and the share of annotators.

    Args:
        head: keras.Model, picture `(B, H, W, C)` → `[mean, log σ²]` of u, two `(B, H, W, 1)`;
            `gaussian_logits_head` makes it.
        annotators: A, over which the KL is shared out.
        prior: mean of the prior, log-odds of the base rate of a mark.
        seed: of the noise.

    References:
        Kendall and Gal (2017), Gaussian logits, another loss. https://arxiv.org/abs/1703.04977
    """

    def __init__(self, head, annotators=5, prior=-3.0, seed=None, **kwargs):
        # TensorFlow sums in an order that depends on names: another one moves every last digit.
        super().__init__(**{"name": "pixel_logits", "dtype": "float32", **kwargs})
        if not annotators > 0:
            raise ValueError(f"`annotators` must be above 0. Received: annotators={annotators!r}")
        self.head, self.annotators, self.prior, self.seed = head, annotators, prior, seed
        *size, channels = head.inputs[0].shape[1:]
        self.row_shape = (*size, channels + 1)
        self.pixels = Pixels(self.row_shape)
        self.sampling = GaussianSampling(seed, dtype="float32")
        self.built = True

    def call(self, x, training=False):
        image, share = x[..., :-1], x[..., -1:]
        mean, log_variance = self.head(image, training=training)
        u = self.sampling(mean, log_variance)
        kl = losses.gaussian_kl(mean, log_variance, self.prior, 2 * math.log(2.0))
        return losses.bernoulli_nll(share, u), kl / self.annotators

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(y_pred[0] + y_pred[1])

    def predict_samples(self, images, count, seed=0, batch_size=8):
        """Probability maps sigmoid(u) of `count` draws, `(N, count, H, W)`, float32."""
        rng, maps = np.random.default_rng(seed), []
        for start in range(0, len(images), batch_size):
            outputs = self.head(images[start : start + batch_size])
            mean, log_variance = (ops.convert_to_numpy(t)[:, None, ..., 0] for t in outputs)
            shape = (len(mean), count, *mean.shape[2:])
            u = mean + np.exp(0.5 * log_variance) * rng.standard_normal(shape)
            maps.append((1 / (1 + np.exp(-u))).astype("float32"))
        return np.concatenate(maps)

    def get_config(self):
        own = {key: getattr(self, key) for key in ("annotators", "prior", "seed")}
        head = keras.saving.serialize_keras_object(self.head)
        return {**super().get_config(), **own, "head": head}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "head": keras.saving.deserialize_keras_object(config["head"])})


def gaussian_logits_head(encoder, width=16, **options):
    """A `GaussianLogits` on all levels of an encoder; `options` are those of `GaussianLogits`."""
    h = layers.Dense(width, activation="relu")(layers.ReLU()(full_size_features(encoder, width)))
    heads = [layers.Dense(1)(h), layers.Dense(1)(h)]
    return GaussianLogits(keras.Model(encoder.input, heads, name="gaussian_logits"), **options)


def training_rows(images, annotations, seed=0, turns=4):
    """Training rows: each picture in four turns, each turn with one annotator drawn by lot.

    Args:
        images: float32 `(N, H, H, C)`.
        annotations: for each picture `(A_i, H, H)` of 0 and 1.
        seed: of the lots.
        turns: quarter turns, 1 to 4.

    Returns:
        (annotation_rows, share_rows): float32 `(turns·N, H, H, C + 1)`, the picture and, as last
        channel, one annotator's marks; and the same with the share of annotators.
    """
    rng, annotation_rows, share_rows = np.random.default_rng(seed), [], []
    for turn in range(turns):
        for image, marks in zip(images, annotations):
            marks = np.asarray(marks)
            one = marks[rng.integers(len(marks))]
            for rows, last in ((annotation_rows, one), (share_rows, marks.mean(axis=0))):
                row = np.concatenate([image, last[..., None]], axis=-1, dtype="float32")
                rows.append(np.rot90(row, turn))
    return np.stack(annotation_rows), np.stack(share_rows)
