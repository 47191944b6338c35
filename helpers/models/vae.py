"""The VAE of the series as an ordinary Keras model, and two ways to build its networks.

`VAE` takes any encoder that returns (mean, log σ²) and any decoder that returns logits (Bernoulli,
categorical) or Gaussian means; `compile`, `fit`, `evaluate`, `predict`, `save` and `load` are Keras's
own, behind a look at the pixels (`inputs`). `dense_vae` and `conv_vae` build its usual networks.
"""

import math
import numbers

import keras
from keras import ops

from helpers import losses, networks
from helpers.layers import PACKAGE, GaussianSampling
from helpers.models import half_precision, inputs, pair_checks
from helpers.models.saving import Portable

LIKELIHOODS = ("bernoulli", "gaussian", "categorical")


def next_kl_weight(model):
    """Counts a training step of a model and gives the weight of its KL there.

    `beta`, reached in a straight line over the first `warmup_steps` steps; `steps` is the count.

    Examples:
        >>> vae = models.dense_vae((4,), latent=1, hidden=3, beta=2.0, warmup_steps=4)
        >>> [float(models.next_kl_weight(vae)) for step in range(5)]
        [0.5, 1.0, 1.5, 2.0, 2.0]
    """
    model.steps.assign_add(1)
    if not model.warmup_steps:
        return model.beta
    done = ops.cast(model.steps, "float32") / float(model.warmup_steps)
    return model.beta * ops.minimum(1.0, done)


@keras.saving.register_keras_serializable(package=PACKAGE)
class VAE(inputs.CheckedPixels, half_precision.ScaledLoss, Portable, keras.Model):
    """A variational autoencoder whose loss is the negative ELBO in nats per image.

    Args:
        encoder: Keras model, `(B, H, W, C)` → `[mean, log_variance]`, two tensors of one
            shape, `(B, K)` or `(B, h, w, c)`. The second is **log σ²**.
        decoder: Keras model, latent → `(B, H, W, C)`: means for "gaussian", else logits, which
            come without an activation at the end.
        likelihood: "bernoulli" (binary data; grey values in [0, 1] are taken, but then the loss is
            a cross-entropy and no −log p), "categorical" (label maps, a channel of 0 and 1 for
            each class) or "gaussian" (anything else).
        sigma: standard deviation of Gaussian pixels, in units of the data. None learns one number
            for all pixels, from 0.1 on.
        sigma_floor: a learned σ stays above this; without a floor the likelihood of data
            that can be fitted exactly has no maximum.
        beta: weight of the KL in the training loss; 1 is the ELBO.
        free_bits: nats free of charge for each latent coordinate (see `losses.free_bits`).
        warmup_steps: the weight of the KL rises from 0 to `beta` over so many first steps.
        seed: of the sampling noise.
        value_range: (lowest, highest) Gaussian pixel, or None for all finite ones; else [0, 1].

    `fit`, `evaluate` and `predict` refuse other pixels, and targets that are images other than
    the input (labels are not used): arrays at once, each batch of a stream before its step.
    `fit` and `evaluate` log, per image: `loss` (the objective, nats), `reconstruction`
    (nats), `kl` (nats), `rate_bits` (the KL in bits) and `bits_per_dim` of the negative ELBO
    ("gaussian" adds the bits of 256 levels within `value_range`, 8 for [0, 1], none for None:
    exact for bytes after uniform dequantisation). `loss` has β, warm-up, free bits and what
    layers of the networks add; reconstruction + kl is the negative ELBO.
    `predict` reconstructs from the posterior mean.

    Raises:
        ValueError: if an argument is out of its range, or the networks are no such pair.

    Examples:
        >>> vae = models.VAE(*networks.dense_networks((8, 8, 1), latent=2), likelihood="gaussian")
        >>> vae.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
        >>> sorted(vae.fit(np.zeros((4, 8, 8, 1)), verbose=0).history)
        ['bits_per_dim', 'kl', 'loss', 'rate_bits', 'reconstruction']

    References:
        Kingma and Welling (2014). https://arxiv.org/abs/1312.6114
        Rezende, Mohamed and Wierstra (2014). https://arxiv.org/abs/1401.4082
    """

    gives = 1  # numbers of the decoder for each value of an image

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        sigma=None,
        sigma_floor=0.01,
        beta=1.0,
        free_bits=0.0,
        warmup_steps=0,
        seed=None,
        value_range=(0.0, 1.0),
        **kwargs,
    ):
        # The networks may compute in half precision; sums of nats over an image do not fit there.
        super().__init__(**{"dtype": "float32", **kwargs})
        if likelihood not in LIKELIHOODS:
            raise ValueError(
                f"`likelihood` must be one of {LIKELIHOODS}. Received: likelihood={likelihood!r}"
            )
        weights = {"sigma_floor": sigma_floor, "beta": beta, "free_bits": free_bits}
        for name, value in {**weights, "warmup_steps": warmup_steps}.items():
            if not (isinstance(value, numbers.Real) and math.isfinite(value) and value >= 0):
                raise ValueError(f"`{name}` must be finite and ≥ 0. Received: {name}={value!r}")
        if not (sigma is None or (isinstance(sigma, numbers.Real) and 0 < sigma < math.inf)):
            raise ValueError(f"`sigma` must be None or a number above 0. Received: sigma={sigma!r}")
        if sigma_floor == 0 and sigma is None and likelihood == "gaussian":
            raise ValueError("a learned σ needs `sigma_floor` above 0. Received: sigma_floor=0")
        free = likelihood == "gaussian"
        pair_checks.check_pair(encoder, decoder, self.gives, raw=not free or self.gives > 1)
        shape = self.row_shape = tuple(encoder.inputs[0].shape[1:])
        value_range = value_range if free else (0, 1)
        self.pixels = inputs.Pixels(shape, value_range, likelihood == "bernoulli")
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.beta = beta
        self.free_bits = free_bits
        self.warmup_steps = warmup_steps
        self.sampling = GaussianSampling(seed, dtype="float32")
        self.seed = self.sampling.seed
        if likelihood == "gaussian" and sigma is None:
            # Adam moves a weight by about its learning rate a step: from σ = 1 this scalar would
            # need thousands of steps to reach what images in [0, 1] ask for.
            start = keras.initializers.Constant(math.log(0.1))
            self.raw_log_sigma = self.add_weight(name="raw_log_sigma", shape=(), initializer=start)
        # Counted here and not by the optimizer, whose counter JAX hides inside a train step.
        self.steps = self.add_weight(
            name="steps", shape=(), initializer="zeros", dtype="int32", trainable=False
        )
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in ("reconstruction", "kl", "rate_bits", "bits_per_dim")
        }
        self.dimensions = math.prod(shape[:-1] if likelihood == "categorical" else shape)
        self.latent_shape = tuple(encoder.outputs[0].shape[1:])
        self.scoring = False
        self.built = True

    def encode(self, x, training=False):
        """Images `(B, H, W, C)` → (mean, log σ²) of q(z|x).

        Examples:
            >>> [tuple(t.shape) for t in models.dense_vae((4,), latent=2).encode(np.zeros((3, 4)))]
            [(3, 2), (3, 2)]
        """
        return tuple(ops.cast(t, "float32") for t in self.encoder(x, training=training))

    def decode(self, z, training=False):
        """Latent → mean of p(x|z), `(B, H, W, C)`: probabilities unless pixels are Gaussian.

        Examples:
            >>> vae = models.dense_vae((4,), latent=1, hidden=3)
            >>> vae.set_weights([0 * w for w in vae.get_weights()])     # logits of 0
            >>> print(keras.ops.convert_to_numpy(vae.decode(np.ones((1, 1)))))
            [[0.5 0.5 0.5 0.5]]
        """
        output = ops.cast(self.decoder(z, training=training), "float32")
        if self.likelihood == "categorical":
            return ops.softmax(output, axis=-1)
        return ops.sigmoid(output) if self.likelihood == "bernoulli" else output

    def sample(self, n, seed=None):
        """Draw z from the prior N(0, I) and decode: `(n, H, W, C)`, means of p(x|z).

        Examples:
            >>> tuple(models.dense_vae((8, 8, 1), latent=2).sample(5, seed=0).shape)
            (5, 8, 8, 1)
        """
        return self.decode(keras.random.normal((n, *self.latent_shape), seed=seed))

    def log_sigma(self):
        """log σ of the Gaussian pixels, a scalar; a learned σ = floor + exp(weight)."""
        if self.likelihood != "gaussian":
            raise ValueError(
                f"{self.likelihood.title()} pixels have no σ. Take likelihood='gaussian'."
            )
        if self.sigma is not None:
            return ops.convert_to_tensor(math.log(self.sigma))
        return ops.log(self.sigma_floor + ops.exp(self.raw_log_sigma))

    def reconstruction_nll(self, x, z, training=False):
        """−log p(x|z), shape `(B,)`, nats per image."""
        output = self.decoder(z, training=training)
        if self.likelihood == "gaussian":
            return losses.gaussian_nll(x, output, self.log_sigma())
        if self.likelihood == "categorical":
            return losses.categorical_nll(x, output)
        return losses.bernoulli_nll(x, output)

    def terms(self, x, noise=None, training=False):
        """One-sample reconstruction term and exact KL, each `(B,)`, nats per image."""
        reconstruction, kl = self._terms(x, noise, training)
        return reconstruction, losses.sum_per_image(kl)

    def elbo(self, x, noise=None):
        """One-sample estimate of the ELBO (β = 1), shape `(B,)`, nats per image.

        Args:
            x: images in [0, 1], `(B, H, W, C)`.
            noise: ε of the shape of the latent; None draws it. One ε gives one value everywhere.

        Examples:
            >>> vae = models.dense_vae((4,), latent=1, hidden=3)     # Bernoulli
            >>> vae.set_weights([0 * w for w in vae.get_weights()])     # q is the prior, each pixel ½
            >>> round(float(vae.elbo(np.ones((1, 4)))[0] / np.log(2)), 4)     # −4 ln 2: one bit a pixel
            -4.0
        """
        reconstruction, kl = self.terms(x, noise)
        return -(reconstruction + kl)

    def _terms(self, x, noise=None, training=False):
        mean, log_variance = self.encode(x, training=training)
        z = self.sampling(mean, log_variance, noise=noise)
        kl = losses.gaussian_kl_elementwise(mean, log_variance)
        return self.reconstruction_nll(x, z, training=training), kl

    def call(self, x, training=False):
        # For a loss the output is what it needs, so that no network runs twice.
        if training or self.scoring:
            return self._terms(x, training=training)
        mean, _ = self.encode(x)
        return self.decode(mean)

    def test_step(self, *state_and_data):  # JAX gives its state, too
        self.scoring = True
        try:
            return super().test_step(*state_and_data)
        finally:
            self.scoring = False

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if sample_weight is not None:
            raise ValueError("a VAE weighs all images alike: give `fit` no sample_weight")
        reconstruction, kl = y_pred if training or self.scoring else self._terms(x)
        weight = next_kl_weight(self) if training else self.beta
        kl_per_image = losses.sum_per_image(kl)
        density = self.likelihood == "gaussian"
        bins = losses.byte_levels(self.pixels.value_range) if density else None
        self.trackers["reconstruction"].update_state(reconstruction)
        self.trackers["kl"].update_state(kl_per_image)
        self.trackers["rate_bits"].update_state(kl_per_image / math.log(2.0))
        bits = losses.bits_per_dimension(reconstruction + kl_per_image, self.dimensions, bins)
        self.trackers["bits_per_dim"].update_state(bits)
        loss = losses.vae_loss(reconstruction, kl, weight, self.free_bits)
        return loss + sum(ops.sum(ops.cast(added, "float32")) for added in self.losses)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "likelihood": self.likelihood,
            "sigma": self.sigma,
            "sigma_floor": self.sigma_floor,
            "beta": self.beta,
            "free_bits": self.free_bits,
            "warmup_steps": self.warmup_steps,
            "seed": self.seed,
            "value_range": self.pixels.value_range,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("encoder", "decoder"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


def dense_vae(image_shape, latent=40, hidden=(400,), activation="relu", **options):
    """A VAE of dense layers; see `networks.dense_networks`. `options` are those of `VAE`.

    Examples:
        >>> models.dense_vae((28, 28, 1), latent=2, hidden=(50,)).latent_shape
        (2,)
    """
    return VAE(*networks.dense_networks(image_shape, latent, hidden, activation), **options)


def conv_vae(image_shape, latent=32, width=32, mix=True, activation="silu", **options):
    """A VAE of patch convolutions; see `networks.conv_networks`. `options` are those of `VAE`.

    Pixels are centred for a Gaussian likelihood, and left as they are for binary data.

    Examples:
        >>> models.conv_vae((32, 32, 3), latent=(8, 8, 4), likelihood="gaussian").latent_shape
        (8, 8, 4)
    """
    centre = options.get("likelihood") == "gaussian"
    pair = networks.conv_networks(image_shape, latent, width, mix, activation, centre)
    return VAE(*pair, **options)
