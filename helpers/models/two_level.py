"""A VAE with two levels of latents: a vector, and a grid whose prior depends on the vector.

`TwoLevelVAE` is a `models.VAE` with more networks; `fit`, `evaluate` and `elbo` are the same.
"""

import keras
import numpy as np
from keras import layers, ops

from helpers import losses
from helpers.layers import PACKAGE, DepthToSpaceUp, positive_int, residual_conv
from helpers.models.vae import VAE
from helpers.networks import NEARLY_CERTAIN, known_shape

NETWORKS = ("bottom_up", "top_down", "prior", "posterior", "pixels")


@keras.saving.register_keras_serializable(package=PACKAGE)
class TwoLevelVAE(VAE):
    """A VAE whose decoder draws a vector first, and then a grid of details given the vector.

    With u the vector and v the grid: p(u) = N(0, I), p(v|u) is a Gaussian whose mean and standard
    deviation a network computes from u, and p(x|u, v) has Gaussian pixels. The encoder gives
    q(u|x) and q(v|x, u). The loss is the negative ELBO, with one sample of u and v and with the
    exact KL of both, given that u. v is computed as m(u) + s(u)·w: then w has the prior N(0, I),
    its KL is that of v, and one number of noise is asked for each number of u and w.

    With `channels` left out of all sums it is `models.conv_vae` of the same `latent` and `width`:
    the same layers, whose weights `start_from` takes.

    Args:
        image_shape: `(H, W, C)`, H and W multiples of 8.
        latent: numbers in u.
        width: channels of the networks at a quarter of the size; twice as many at an eighth.
        channels: numbers of v at each of H/4 · W/4 places.
        likelihood: must be "gaussian".
        **options: `sigma`, `beta`, `warmup_steps`, `seed` and others of `models.VAE`.

    Attributes:
        latent_shape: `(latent + H/4 · W/4 · channels,)`: the noise of u, then that of w.

    Raises:
        ValueError: If a size is no positive integer or does not fit, or pixels are not Gaussian.

    Examples:
        >>> vae = models.TwoLevelVAE((8, 8, 3), latent=2, width=4, channels=3)
        >>> vae.latent_shape, tuple(vae.elbo(np.zeros((5, 8, 8, 3)), np.zeros((5, 14))).shape)
        ((14,), (5,))

    References:
        Sønderby et al. (2016). https://arxiv.org/abs/1602.02282
        Vahdat and Kautz (2020). https://arxiv.org/abs/2007.03898
    """

    def __init__(
        self, image_shape, latent=16, width=32, channels=6, likelihood="gaussian", **options
    ):
        height, width_px, _ = image_shape = known_shape(image_shape)
        if likelihood != "gaussian":
            raise ValueError(f"pixels must be 'gaussian'. Received: likelihood={likelihood!r}")
        if height % 8 or width_px % 8:
            raise ValueError(
                f"height and width must be multiples of 8. Received: {height}×{width_px}"
            )
        self.sizes = {
            "latent": positive_int("latent", latent),
            "width": positive_int("width", width),
            "channels": positive_int("channels", channels),
        }
        parts = two_level_networks(image_shape, **self.sizes)
        encoder = keras.Model(parts["bottom_up"].input, parts["bottom_up"].outputs[:2])
        u = keras.Input((latent,))
        top = parts["top_down"](u)
        decoder = keras.Model(u, parts["pixels"]([top, parts["prior"](top)[0]]))
        super().__init__(encoder, decoder, likelihood, **options)
        self.parts = parts
        self.grid = (height // 4, width_px // 4, self.sizes["channels"])
        self.latent_shape = (latent + int(np.prod(self.grid)),)

    @property
    def networks(self):
        return [self.parts[name] for name in NETWORKS]

    def decode_levels(self, u, w, training=False):
        """Means of p(x|u, v), `(B, H, W, C)`, from u `(B, K)` and the whitened grid w.

        Args:
            u: `(B, latent)`.
            w: `(B, H/4, W/4, channels)`: v = m(u) + s(u)·w.
            training: as of every network.

        Examples:
            >>> vae = models.TwoLevelVAE((8, 8, 3), latent=2, width=4, channels=3)
            >>> tuple(vae.decode_levels(np.zeros((5, 2)), np.zeros((5, *vae.grid))).shape)
            (5, 8, 8, 3)
        """
        return self._pixels(self.parts["top_down"](u, training=training), w, training)

    def _pixels(self, top, w, training):
        mean, log_variance = self.parts["prior"](top, training=training)
        grid = mean + ops.exp(0.5 * log_variance) * ops.cast(w, mean.dtype)
        return ops.cast(self.parts["pixels"]([top, grid], training=training), "float32")

    def sample(self, n, seed=None, u=None):
        """Draw u (unless given) and v, and decode: `(n, H, W, C)`, means of p(x|u, v).

        Args:
            n: how many.
            seed: of the draws.
            u: `(n, latent)`, from another prior than N(0, I).

        Examples:
            >>> vae = models.TwoLevelVAE((8, 8, 3), latent=2, width=4, channels=3)
            >>> tuple(vae.sample(4, seed=0, u=np.zeros((4, 2))).shape)
            (4, 8, 8, 3)
        """
        generator = keras.random.SeedGenerator(seed)
        drawn = keras.random.normal((n, self.sizes["latent"]), seed=generator)
        u = drawn if u is None else ops.convert_to_tensor(u, "float32")
        return self.decode_levels(u, keras.random.normal((n, *self.grid), seed=generator))

    def start_from(self, vae):
        """Takes the weights of a `models.conv_vae` of the same `latent` and `width`, and its σ.

        Then u has the posterior of that VAE, and one u gives the pictures of that VAE as soon as
        the weights that add v are 0. What training changes from here on is the work of the second
        level and of the further steps together.

        Args:
            vae: of images of 32×32 pixels, where its layers are those of this one.

        Examples:
            >>> sizes = {"image_shape": (32, 32, 3), "latent": 2, "width": 4}
            >>> one = models.conv_vae(**sizes, likelihood="gaussian")
            >>> two = models.TwoLevelVAE(**sizes, channels=3)
            >>> two.start_from(one)
            >>> mean, same = (vae.encode(np.ones((1, 32, 32, 3)))[0] for vae in (one, two))
            >>> bool(np.all(keras.ops.convert_to_numpy(mean == same)))
            True
        """
        self.parts["bottom_up"].set_weights(vae.encoder.get_weights())
        given = vae.decoder.get_weights()
        count = len(self.parts["top_down"].weights)
        self.parts["top_down"].set_weights(given[:count])
        last = given[count:]  # the last layers of `pixels`
        pixels = self.parts["pixels"].get_weights()
        self.parts["pixels"].set_weights(pixels[: len(pixels) - len(last)] + last)
        if self.sigma is None and vae.sigma is None:
            # A copy: JAX would let both share an array, and take it away in the next training.
            self.raw_log_sigma.assign(ops.convert_to_numpy(vae.raw_log_sigma).copy())

    def _levels(self, x, noise, training):
        """KL of every number of u and w, `(B, …)`, and a sample of p(x|…)'s mean."""
        mean, log_variance, low = self.parts["bottom_up"](x, training=training)
        if noise is not None:
            noise = ops.convert_to_tensor(noise, "float32")
            split = self.sizes["latent"]
            noise_u, noise_w = noise[:, :split], ops.reshape(noise[:, split:], (-1, *self.grid))
        else:
            noise_u = noise_w = None
        u = self.sampling(mean, log_variance, noise=noise_u)
        top = self.parts["top_down"](u, training=training)
        mean_w, log_variance_w = self.parts["posterior"]([low, top], training=training)
        w = self.sampling(mean_w, log_variance_w, noise=noise_w)
        kl_u = losses.gaussian_kl_elementwise(mean, log_variance)
        kl_w = losses.gaussian_kl_elementwise(mean_w, log_variance_w)
        return kl_u, layers.Flatten()(kl_w), self._pixels(top, w, training)

    def _terms(self, x, noise=None, training=False):
        x = ops.convert_to_tensor(x, "float32")
        kl_u, kl_w, means = self._levels(x, noise, training)
        nll = losses.gaussian_nll(x, means, self.log_sigma())
        return nll, ops.concatenate([kl_u, kl_w], axis=1)

    def call(self, x, training=False):
        if training or self.scoring:
            return self._terms(x, training=training)
        return self._levels(x, ops.zeros((ops.shape(x)[0], *self.latent_shape)), False)[2]

    def get_config(self):
        config = super().get_config()
        for name in ("encoder", "decoder"):
            del config[name]
        return config | {"image_shape": self.row_shape, **self.sizes}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def two_level_networks(image_shape, latent, width, channels):
    """The five networks of `TwoLevelVAE`, a dictionary of keras.Model.

    Args:
        image_shape: `(H, W, C)`.
        latent, width, channels: see there.

    Returns:
        `bottom_up`: x → mean and log σ² of q(u|x), and features `(B, H/4, W/4, width)`;
        `top_down`: u → features of that size; `prior`: these → mean and log σ² of p(v|u);
        `posterior`: both kinds of features → mean and log σ² of q(w|x, u); `pixels`: features
        from u, and v → means of pixels.

    Examples:
        >>> from helpers.models import two_level
        >>> parts = two_level.two_level_networks((16, 16, 3), latent=2, width=4, channels=3)
        >>> parts["pixels"].output_shape
        (None, 16, 16, 3)
    """
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-1.6)(image)
    h = layers.Conv2D(width, 4, 4, activation="silu")(h)
    low = residual_conv(h, width)  # (B, H/4, W/4, width)
    h = layers.Conv2D(2 * width, 2, 2, activation="silu")(low)
    h = residual_conv(h, 2 * width)
    bottom = h.shape[1:]
    h = layers.Flatten()(h)
    mean = layers.Dense(latent, name="mean")(h)
    log_variance = layers.Dense(latent, name="log_variance", **NEARLY_CERTAIN)(h)
    bottom_up = keras.Model(image, [mean, log_variance, low], name="bottom_up")

    u = keras.Input((latent,))
    h = layers.Dense(int(np.prod(bottom)), activation="silu")(u)
    h = residual_conv(layers.Reshape(bottom)(h), 2 * width)
    top_down = keras.Model(u, DepthToSpaceUp(width, 2, "silu")(h), name="top_down")

    shape = low.shape[1:]
    top = keras.Input(shape)
    h = layers.Conv2D(width, 3, padding="same", activation="silu")(top)
    heads = [layers.Conv2D(channels, 1)(h), layers.Conv2D(channels, 1)(h)]
    prior = keras.Model(top, heads, name="prior")

    low, top = keras.Input(shape), keras.Input(shape)
    h = layers.Concatenate()([low, top])
    h = layers.Conv2D(2 * width, 3, padding="same", activation="silu")(h)
    heads = [layers.Conv2D(channels, 1)(h), layers.Conv2D(channels, 1, **NEARLY_CERTAIN)(h)]
    posterior = keras.Model([low, top], heads, name="posterior")

    top, grid = keras.Input(shape), keras.Input((*shape[:2], channels))
    h = layers.Add()([top, layers.Conv2D(width, 3, padding="same")(grid)])
    h = residual_conv(h, width)
    h = DepthToSpaceUp(image_shape[-1], 4, activation=None)(h)
    h = layers.Rescaling(0.25, offset=0.4)(h)
    pixels = keras.Model([top, grid], h, name="pixels")
    parts = (bottom_up, top_down, prior, posterior, pixels)
    return dict(zip(NETWORKS, parts, strict=True))
