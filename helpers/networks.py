"""Encoders and decoders as Keras models: dense ones, and ones of patch convolutions.

Each function returns an encoder that ends in two heads of one shape, mean and **log σ²**, and
a decoder that takes a tensor of that shape. Neither ends in an activation.
"""

import math
import numbers

import keras
import numpy as np
from keras import layers

from helpers.layers import DepthToSpaceUp, positive_int, residual_conv


def dense_networks(
    image_shape, latent=40, hidden=(400,), activation="relu", centre=False, quiet_start=None
):
    """Encoder and decoder of dense layers: the classic pair for MNIST.

    Args:
        image_shape: `(H, W, C)`, or `(D,)` for vectors.
        latent: K, the number of latent coordinates.
        hidden: widths of the encoder's hidden layers, or one width; the decoder has them reversed.
        activation: of the hidden layers.
        centre: for grey and colour values in [0, 1]; see `conv_networks`. `"input"` centres what
            goes in and leaves the output as it is: for logits.
        quiet_start: whether q(z|x) starts nearly certain; None does so where `centre` is set.

    Returns:
        (encoder, decoder): `(B, H, W, C)` → two `(B, K)`, and `(B, K)` → `(B, H, W, C)`.

    Raises:
        ValueError: if a size is no positive integer.

    Examples:
        >>> encoder, decoder = networks.dense_networks((28, 28, 1), latent=2, hidden=(400, 100))
        >>> encoder.output_shape, decoder.output_shape
        ([(None, 2), (None, 2)], (None, 28, 28, 1))
    """
    image_shape, latent = known_shape(image_shape, None), positive_int("latent", latent)
    hidden = (hidden,) if isinstance(hidden, numbers.Number) else hidden
    hidden = [positive_int("hidden", units) for units in hidden]
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-1.6)(image) if centre else image
    h = layers.Flatten()(h)
    for units in hidden:
        h = layers.Dense(units, activation=activation)(h)
    quiet_start = centre if quiet_start is None else quiet_start
    certain = NEARLY_CERTAIN if quiet_start else {}
    mean = layers.Dense(latent, name="mean")(h)
    heads = [mean, layers.Dense(latent, name="log_variance", **certain)(h)]

    z = keras.Input((latent,))
    h = z
    for units in reversed(hidden):
        h = layers.Dense(units, activation=activation)(h)
    h = layers.Reshape(image_shape)(layers.Dense(math.prod(image_shape))(h))
    h = layers.Rescaling(0.25, offset=0.4)(h) if centre is True else h
    return keras.Model(image, heads, name="encoder"), keras.Model(z, h, name="decoder")


def conv_networks(
    image_shape,
    latent=32,
    width=32,
    mix=True,
    activation="silu",
    centre=False,
    quiet_start=None,
):
    """Encoder and decoder of patch convolutions, with a vector or a spatial latent.

    The way down halves the image several times by patches, with `width` channels at the
    first resolution and twice as many at each further one, up to 4·width. From 32 pixels on,
    the first patch is 4×4 and stands for two halvings, because the full resolution is where
    the time goes. The way up undoes it (`DepthToSpaceUp`). Patches do not overlap; a residual
    3×3 convolution at each resolution mixes neighbours.

    Args:
        image_shape: `(H, W, C)`, pixels in [0, 1].
        latent: K for a vector latent, or `(h, w, c)` for a spatial one, where H/h and W/w
            must be one power of 2.
        width: channels after the first patch.
        mix: False leaves the 3×3 convolutions out: faster, with visible patch borders.
        activation: of the hidden layers.
        centre: for photographs and other grey or colour values. Pixels are spread around zero
            before the first layer and moved back after the last one. A short training then
            finds colour and form where it else finds brightness.
        quiet_start: whether q(z|x) starts nearly certain (log σ² = −3), so that noise does not
            hide the image from the decoder; None does so where `centre` is set.

    Returns:
        (encoder, decoder): `(B, H, W, C)` → two `(B, K)` or `(B, h, w, c)`, and back.

    Raises:
        ValueError: if the latent does not fit the image, or a size is no positive integer.

    Examples:
        >>> encoder, decoder = networks.conv_networks((32, 32, 3), latent=(4, 4, 8), width=16)
        >>> encoder.output_shape     # mean and log σ², three halvings of the image
        [(None, 4, 4, 8), (None, 4, 4, 8)]
        >>> decoder.output_shape
        (None, 32, 32, 3)
    """
    height, width_px, channels = image_shape = known_shape(image_shape)
    width, spatial = positive_int("width", width), isinstance(latent, (tuple, list))
    latent = _spatial(latent) if spatial else positive_int("latent", latent)
    halvings = _halvings(height, width_px, latent)
    patches = [2] * halvings if halvings < 3 else [4] + [2] * (halvings - 2)
    filters = [min(width * 2**i, 4 * width) for i in range(len(patches))]

    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-1.6)(image) if centre else image
    for n, patch in zip(filters, patches):
        h = layers.Conv2D(n, patch, patch, activation=activation)(h)
        h = residual_conv(h, h.shape[-1], activation) if mix else h
    bottom = h.shape[1:]
    quiet_start = centre if quiet_start is None else quiet_start
    certain = NEARLY_CERTAIN if quiet_start else {}
    if spatial:
        mean = layers.Conv2D(latent[2], 1, name="mean")
        log_variance = layers.Conv2D(latent[2], 1, name="log_variance", **certain)
    else:
        h = layers.Flatten()(h)
        mean = layers.Dense(latent, name="mean")
        log_variance = layers.Dense(latent, name="log_variance", **certain)
    heads = [mean(h), log_variance(h)]
    encoder = keras.Model(image, heads, name="encoder")

    z = keras.Input(heads[0].shape[1:])
    if spatial:
        h = layers.Conv2D(bottom[2], 1, activation=activation)(z)
    else:
        h = layers.Dense(math.prod(bottom), activation=activation)(z)
        h = layers.Reshape(bottom)(h)
    for n, patch in zip(reversed(filters[:-1]), reversed(patches[1:])):
        h = residual_conv(h, h.shape[-1], activation) if mix else h
        h = DepthToSpaceUp(n, patch, activation)(h)
    h = residual_conv(h, h.shape[-1], activation) if mix else h
    h = DepthToSpaceUp(channels, patches[0], activation=None)(h)
    # An output of the size of its input, then the inverse of the encoder's first line.
    h = layers.Rescaling(0.25, offset=0.4)(h) if centre else h
    return encoder, keras.Model(z, h, name="decoder")


# The head of log σ² at a quiet start: e^−3, a standard deviation of 0.22 for every image.
NEARLY_CERTAIN = {
    "kernel_initializer": "zeros",
    "bias_initializer": keras.initializers.Constant(-3.0),
}


def _spatial(latent):
    if len(latent) != 3:
        raise ValueError(f"a spatial latent is (h, w, c). Received: latent={latent!r}")
    return tuple(positive_int("latent", side) for side in latent)


def _halvings(height, width, latent):
    """How often the image is halved: to the latent's size, or to a side of 4 to 7."""
    if not isinstance(latent, numbers.Integral):
        factor = height / latent[0]
        steps = math.log2(factor) if factor >= 1 else -1.0
        if steps < 1 or steps != int(steps) or width != latent[1] * factor:
            raise ValueError(
                f"H/h and W/w must be one power of 2, at least 2. Received: "
                f"image {height}×{width}, latent {tuple(latent)}"
            )
        return int(steps)
    steps = 0
    while min(height, width) >= 8 and height % 2 == 0 and width % 2 == 0:
        height, width, steps = height // 2, width // 2, steps + 1
    if steps == 0:
        raise ValueError(
            f"height and width must be even and at least 8. Received: {height}×{width}"
        )
    return steps


def known_shape(image_shape, axes=3, any_size=False):
    """`image_shape` as a tuple of Python integers.

    Args:
        image_shape: `(H, W, C)`, or whatever has `axes` entries.
        axes: how many entries there must be; None takes any number of them.
        any_size: whether None may stand for a height or width that is not known.

    Raises:
        ValueError: if an entry is missing, or is no positive integer.

    Examples:
        >>> networks.known_shape(np.array([28, 28, 1]))
        (28, 28, 1)
        >>> networks.known_shape((28, 28))
        Traceback (most recent call last):
            ...
        ValueError: `image_shape` must be (H, W, C), positive integers; grey images have one channel...
    """
    sides = tuple(image_shape) if np.ndim(image_shape) == 1 else ()
    known = [side for side in sides if not (any_size and side is None)]
    right = all(isinstance(side, numbers.Integral) and side > 0 for side in known)
    if not right or not sides or len(sides) != (axes or len(sides)):
        hint = ""
        if None in sides:
            hint = "; build on crops of one size, a network for other sizes is made from it later"
        elif len(sides) == 2:
            hint = "; grey images have one channel, (H, W, 1)"
        raise ValueError(
            f"`image_shape` must be (H, W, C), positive integers{hint}. "
            f"Received: image_shape={image_shape!r}"
        )
    return tuple(side if side is None else int(side) for side in sides)
