"""The Probabilistic U-Net: a conditional VAE of annotations.

Several people mark different things in one picture. `ProbabilisticUNet` has a vector z that decides
*which* annotation is drawn. It sits on the features of a VAE's encoder (`pyramids`). The heads that
it is compared with are in `baselines`.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from helpers import losses, models, pyramids
from helpers.layers import PACKAGE, GaussianSampling
from helpers.metrics import log_mean_exp
from helpers.models.inputs import CheckedPixels, Pixels
from helpers.models.saving import Portable
from helpers.uncertainty.baselines import full_size_features


@keras.saving.register_keras_serializable(package=PACKAGE)
class ProbabilisticUNet(CheckedPixels, Portable, keras.Model):
    """A conditional VAE of annotations: z chooses one of the answers that a picture allows.

    p(y|x) = ∫ p(y|x, z) p(z|x) dz with a prior that looks at the picture x and pixels of y that
    are independent *once z is known*. z scales and shifts the features of every pixel, where Kohl
    et al. append it to them; notebook 12 builds it their way. Training maximises, for pairs of a
    picture and what one annotator drew, the bound E_q log p(y|x, z) − KL(q(z|x, y) ‖ p(z|x)); all
    four are diagonal Gaussians or Bernoullis.

    Give `fit` one array `(B, H, W, C + 1)`: the picture and, as its last channel, the annotation
    (0 or 1). `loss`, `reconstruction` and `kl` are nats per annotation.

    Args:
        features: keras.Model, picture `(B, H, W, C)` → `[(B, H, W, F), (B, h, w, c)]`, features
            at full resolution and those of the coarsest level.
        prior: keras.Model, coarsest features → `[mean, log σ²]` of p(z|x), two `(B, K)`.
        posterior: keras.Model, `[features at full resolution, annotation (B, H, W, 1)]` → the
            same of q(z|x, y). `probabilistic_unet_head` makes all three.
        beta: weight of the KL in the training loss; 1 is the bound.
        warmup_steps: over so many first training steps the weight of the KL rises from 0 to
            `beta` in a straight line, so that z is used before it has to be paid for.
        seed: of the noise.

    References:
        Sohn, Lee and Yan (2015), conditional VAE.
        https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html
        Kohl et al. (2018), Probabilistic U-Net. https://arxiv.org/abs/1806.05034
    """

    def __init__(self, features, prior, posterior, beta=1.0, warmup_steps=0, seed=None, **kwargs):
        # TensorFlow sums in an order that depends on names: another one moves every last digit.
        super().__init__(**{"name": "conditional_vae", "dtype": "float32", **kwargs})
        shapes = {tuple(t.shape) for t in (*prior.outputs, *posterior.outputs)}
        if len(shapes) != 1:
            raise ValueError(
                f"prior and posterior must give means and log σ² of one shape. Received: {shapes}"
            )
        if not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"`beta` must be finite and ≥ 0. Received: beta={beta!r}")
        self.features, self.prior, self.posterior = features, prior, posterior
        self.beta, self.warmup_steps, self.seed = beta, warmup_steps, seed
        *size, channels = features.inputs[0].shape[1:]
        self.row_shape = (*size, channels + 1)
        self.pixels = Pixels(self.row_shape)
        width, self.latent = features.outputs[0].shape[-1], prior.outputs[0].shape[-1]
        self.from_features = layers.Dense(width)
        self.from_z = layers.Dense(2 * width)
        self.mix = layers.Dense(width, activation="relu")
        self.out = layers.Dense(1)
        self.sampling = GaussianSampling(seed, dtype="float32")
        self.trackers = [keras.metrics.Mean(name=n) for n in ("reconstruction", "kl")]
        for layer in (self.from_features, self.mix, self.out):
            layer.build((None, width))
        self.from_z.build((None, self.latent))
        # Counted here and not by the optimizer, whose counter JAX hides inside a train step.
        self.steps = self.add_weight(
            name="steps", shape=(), initializer="zeros", dtype="int32", trainable=False
        )
        self.built = True

    # The pieces, each usable alone.

    def compute_features(self, image, training=False):
        """Picture → features `(B, H, W, F)` and those of the coarsest level."""
        return self.features(image, training=training)

    def decode(self, features, z):
        """Logits of the annotation that z chooses.

        Args:
            features: `(B, H, W, F)`.
            z: `(B, K)`, or `(B, S, K)` for S answers.

        Returns:
            `(B, H, W, 1)` or `(B, S, H, W, 1)`.
        """
        h = self.from_features(features)
        if len(z.shape) == 3:
            h = h[:, None]
        scale, shift = ops.split(self.from_z(z)[..., None, None, :], 2, axis=-1)
        h = ops.relu(h * (1.0 + scale) + shift)
        return self.out(self.mix(h))

    def terms(self, image, annotation, noise=None, training=False):
        """One-sample reconstruction `(B,)` and KL of each coordinate `(B, K)`, nats.

        Args:
            image: `(B, H, W, C)`.
            annotation: what one annotator marked, `(B, H, W, 1)`, 0 or 1.
            noise: ε, `(B, K)`; None draws it.
        """
        annotation = ops.convert_to_tensor(annotation)
        features, coarsest = self.compute_features(image, training)
        prior = self.prior(coarsest, training=training)
        mean, log_variance = self.posterior([features, annotation], training=training)
        z = self.sampling(mean, log_variance, noise=noise)
        kl = losses.gaussian_kl_elementwise(mean, log_variance, *prior)
        return losses.bernoulli_nll(annotation, self.decode(features, z)), kl

    def call(self, x, training=False):
        return self.terms(x[..., :-1], x[..., -1:], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction, kl = y_pred
        for tracker, value in zip(self.trackers, (reconstruction, losses.sum_per_image(kl))):
            tracker.update_state(value)
        weight = models.next_kl_weight(self) if training else self.beta
        return losses.vae_loss(reconstruction, kl, weight)

    # What one does with it.

    def predict_samples(self, images, count, seed=0, batch_size=8):
        """Probability maps of `count` draws of z from the prior, `(N, count, H, W)`, float32."""
        rng = np.random.default_rng(seed)
        maps = []
        for start in range(0, len(images), batch_size):
            features, coarsest = self.compute_features(images[start : start + batch_size])
            mean, log_variance = map(ops.convert_to_numpy, self.prior(coarsest))
            noise = rng.standard_normal((len(mean), count, self.latent))
            z = mean[:, None] + np.exp(0.5 * log_variance)[:, None] * noise
            logits = self.decode(features, ops.convert_to_tensor(z.astype("float32")))
            maps.append(ops.convert_to_numpy(ops.sigmoid(logits))[..., 0])
        return np.concatenate(maps)

    def nll(self, image, annotations, draws=64, seed=0, features=None):
        """Importance-sampled −log p(annotation|picture), `(A,)` nats: an upper bound on average.

        z is drawn from the posterior of each annotation and weighted by prior/posterior, so the
        draws are where that annotation is likely; the bound is tighter the more there are.

        Args:
            image: one picture `(H, W, C)`.
            annotations: `(A, H, W)` of 0 and 1.
            draws: z's for each annotation.
            seed: of the draws.
            features: what `compute_features` gave for this picture, if that is known: a batch of
                pictures takes less time than one after another.

        References:
            Burda, Grosse and Salakhutdinov (2016). https://arxiv.org/abs/1509.00519
        """
        y = np.asarray(annotations, "float32")[..., None]  # (A, H, W, 1)
        fine, coarsest = features or self.compute_features(np.asarray(image, "float32")[None])
        prior = [ops.convert_to_numpy(t) for t in self.prior(coarsest)]  # (1, K)
        repeated = ops.repeat(fine, len(y), axis=0)
        posterior = [
            ops.convert_to_numpy(t) for t in self.posterior([repeated, ops.convert_to_tensor(y)])
        ]  # (A, K)
        rng, found = np.random.default_rng(seed), []
        for one, mean, log_variance in zip(y, *posterior):
            noise = rng.standard_normal((draws, self.latent))
            z = mean + np.exp(0.5 * log_variance) * noise
            ratio = _log_density(z, *(t[0] for t in prior)) - _log_density(z, mean, log_variance)
            logits = self.decode(fine, ops.convert_to_tensor(z[None].astype("float32")))[0]
            nll = losses.bernoulli_nll(np.repeat(one[None], draws, axis=0), logits)
            log_weights = ratio - ops.convert_to_numpy(nll)
            found.append(-log_mean_exp(log_weights.astype("float64")))
        return np.array(found)

    def get_config(self):
        nets = {name: getattr(self, name) for name in ("features", "prior", "posterior")}
        nets = {name: keras.saving.serialize_keras_object(net) for name, net in nets.items()}
        own = {name: getattr(self, name) for name in ("beta", "warmup_steps", "seed")}
        return {**super().get_config(), **nets, **own}

    @classmethod
    def from_config(cls, config):
        read = keras.saving.deserialize_keras_object
        nets = {name: read(config[name]) for name in ("features", "prior", "posterior")}
        return cls(**{**config, **nets})


def probabilistic_unet_head(encoder, latent=4, width=16, **options):
    """A `ProbabilisticUNet` on all levels of an encoder.

    The prior averages the coarsest features over the places. The posterior averages features at
    full resolution over the marked pixels, and over the others: what was marked, and what was not.

    Args:
        encoder: from `pyramids.pyramid_networks`; its layers are shared.
        latent: K, the length of z.
        width: F, channels at full resolution.
        **options: `beta`, `warmup_steps` and `seed` of `ProbabilisticUNet`.

    Raises:
        ValueError: If `latent` is below 1.
    """
    if latent < 1:
        raise ValueError(f"`latent` must be at least 1. Received: latent={latent!r}")
    image, deepest = encoder.input, pyramids.levels(encoder)[-1]
    features = keras.Model(image, [full_size_features(encoder, width), deepest], name="features")
    coarsest = keras.Input(deepest.shape[1:])
    prior = keras.Model(coarsest, _gaussian(layers.GlobalAveragePooling2D()(coarsest), latent))
    fine, annotation = (keras.Input((*image.shape[1:3], channels)) for channels in (width, 1))
    h = layers.Dense(2 * width, activation="relu")(layers.ReLU()(fine))
    means = [
        ops.mean(h * share, axis=(1, 2)) / (ops.mean(share, axis=(1, 2)) + 0.01)
        for share in (annotation, 1.0 - annotation)
    ]
    h = layers.Concatenate()([*means, ops.mean(annotation, axis=(1, 2))])
    posterior = keras.Model([fine, annotation], _gaussian(h, latent))
    return ProbabilisticUNet(features, prior, posterior, **options)


def _gaussian(h, latent):
    """Mean and log σ² of z from a vector `(B, c)`."""
    h = layers.Dense(48, activation="relu")(h)
    return [layers.Dense(latent)(h) for _ in range(2)]


def _log_density(z, mean, log_variance):
    square = (z - mean) ** 2 * np.exp(-log_variance)
    return -0.5 * np.sum(losses.LOG_2PI + log_variance + square, axis=-1)
