"""The few layers that Keras does not ship: sampling, a cheap way up, and one block of three layers.

Transposed and overlapping strided convolutions are the slow part of the usual convolutional VAE
on a CPU. Here the resolution changes by patches instead: down by a convolution whose stride is its
kernel, which is Keras's `Conv2D(filters, 2, 2)`, and up by a 1×1 convolution and depth-to-space.
"""

import math
import numbers

import keras
from keras import layers, ops

PACKAGE = "helpers"


@keras.saving.register_keras_serializable(package=PACKAGE)
class GaussianSampling(layers.Layer):
    """z = μ + σ·ε: a draw from N(μ, diag σ²) that gradients pass through.

    The randomness enters as ε, which does not depend on any weight; μ and σ are
    reached by ordinary differentiation (the reparameterisation trick).

    Args:
        seed: int or None. Each layer owns its generator: two layers with one seed draw
            the same stream. A loaded model starts its stream anew.

    Call arguments:
        mean: `(B, …)`.
        log_variance: **log σ²**, the same shape. σ = exp(½ log σ²).
        noise: ε, the same shape, or None to draw it.

    Returns:
        A tensor of the shape of `mean`.

    Examples:
        >>> mean, log_variance = np.full((1, 2), 3.0), np.full((1, 2), np.log(4.0))     # σ = 2
        >>> z = layers.GaussianSampling()(mean, log_variance, noise=np.array([[1.0, -1.0]]))
        >>> print(np.round(np.asarray(z), 3))
        [[5. 1.]]
        >>> tuple(layers.GaussianSampling(seed=0)(mean, log_variance).shape)
        (1, 2)

    References:
        Kingma and Welling (2014), section 2.4. https://arxiv.org/abs/1312.6114
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed = int(seed) if isinstance(seed, numbers.Integral) else seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, mean_shape, log_variance_shape=None, noise_shape=None):
        # Nothing to build. Without this, Keras records one `input_shape` and later asks
        # `compute_output_shape` by that name, which it does not have.
        self.built = True

    def call(self, mean, log_variance, noise=None):
        if noise is None:
            # An int seed here would give the same noise at every step, without a warning.
            noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, mean_shape, log_variance_shape=None, noise_shape=None):
        return mean_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package=PACKAGE)
class DepthToSpaceUp(layers.Layer):
    """Grow by unfolding channels: a 1×1 convolution, then depth-to-space.

    The same map as a transposed convolution with stride = kernel, as one matrix
    product per pixel of the *small* image.

    Args:
        filters: output channels.
        scale: factor by which height and width grow.
        activation: name or function, applied after the convolution.

    Call arguments:
        x: `(B, H, W, C)`.

    Returns:
        `(B, H · scale, W · scale, filters)`.

    Examples:
        >>> up = layers.DepthToSpaceUp(filters=8, scale=4)
        >>> tuple(up(np.zeros((1, 5, 5, 3))).shape)
        (1, 20, 20, 8)
        >>> up.count_params() == (3 + 1) * 8 * 4**2     # a weight for each input channel, and a bias
        True

    References:
        Shi et al. (2016), sub-pixel convolution. https://arxiv.org/abs/1609.05158
    """

    def __init__(self, filters, scale=2, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters = positive_int("filters", filters)
        self.scale = positive_int("scale", scale)
        self.activation = keras.activations.get(activation)
        channels = self.filters * self.scale**2
        self.conv = layers.Conv2D(channels, 1, activation=activation, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.built = True

    def call(self, x):
        return ops.depth_to_space(self.conv(x), self.scale, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        grow = [None if side is None else side * self.scale for side in (height, width)]
        return (batch, *grow, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "scale": self.scale,
            "activation": keras.activations.serialize(self.activation),
        }


def bn_relu(x, momentum=0.9):
    """Batch normalisation, then ReLU: symbolic `(B, …, C)` → the same shape.

    Keras's momentum of 0.99 needs hundreds of steps to forget the first ones; short trainings here
    have as many, so it is 0.9 unless a long training asks for more.

    Examples:
        >>> layers.bn_relu(keras.Input((8, 8, 3))).shape
        (None, 8, 8, 3)
    """
    return layers.ReLU()(layers.BatchNormalization(momentum=momentum)(x))


def conv_bn_relu(x, filters, kernel_size=3, strides=1, dilation_rate=1, momentum=0.9):
    """Convolution without bias, batch normalisation and ReLU.

    Args:
        x: symbolic, `(B, H, W, C)`.
        filters: output channels.
        kernel_size: side of the kernel.
        strides: by how much it shrinks; 1 keeps the resolution.
        dilation_rate: step between its taps.
        momentum: of the batch normalisation, see `bn_relu`.

    Returns:
        Symbolic, `(B, H / strides, W / strides, filters)`.

    Examples:
        >>> layers.conv_bn_relu(keras.Input((8, 8, 3)), filters=16, dilation_rate=2).shape
        (None, 8, 8, 16)
    """
    conv = layers.Conv2D(
        filters, kernel_size, strides, "same", dilation_rate=dilation_rate, use_bias=False
    )
    return bn_relu(conv(x), momentum)


def silu(x):
    """SiLU, x · sigmoid(x), as a layer of its own: symbolic, the same shape.

    Examples:
        >>> layers.silu(keras.Input((8, 8, 3))).shape
        (None, 8, 8, 3)
    """
    return layers.Activation("silu")(x)


def residual_conv(x, filters, activation="silu"):
    """A 3×3 convolution with its activation, added to what came in, at the same resolution.

    What comes in passes as it is, or through a 1×1 convolution where the numbers of channels differ.

    Args:
        x: symbolic, `(B, H, W, C)`.
        filters: output channels.
        activation: name or function.

    Returns:
        Symbolic, `(B, H, W, filters)`.

    Examples:
        >>> layers.residual_conv(keras.Input((8, 8, 3)), filters=16).shape
        (None, 8, 8, 16)

    References:
        He et al. (2016). https://arxiv.org/abs/1512.03385
    """
    passed = x if x.shape[-1] == filters else layers.Conv2D(filters, 1)(x)
    change = layers.Conv2D(filters, 3, padding="same", activation=activation)(x)
    return layers.Add()([passed, change])


def positive_int(name, value):
    """`value` as an int of Python; Keras refuses NumPy's integers in some layers.

    Raises:
        ValueError: If it is no whole number of 1 or more.

    Examples:
        >>> layers.positive_int("width", np.int64(8))
        8
        >>> layers.positive_int("width", 0.5)
        Traceback (most recent call last):
            ...
        ValueError: `width` must be a positive integer. Received: width=0.5
    """
    whole = isinstance(value, numbers.Real) and math.isfinite(value) and int(value) == value
    if not whole or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return int(value)
