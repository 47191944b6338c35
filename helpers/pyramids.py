"""A VAE whose encoder lends its features at every resolution, and heads that borrow them.

The encoder is a pyramid: each level shrinks the image and keeps its features under the name
`level_0`, `level_1`, … from the finest to the coarsest. It is convolutional all the way, so the
same weights read an image of any size: pretrain on crops, use on whole photographs.
`segmentation_head` puts a classifier of pixels on those features.
"""

import math
import numbers

import keras
import numpy as np
from keras import layers

from helpers.backend import compile_model
from helpers.data import to_float
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu, residual_conv, silu
from helpers.models import resizing
from helpers.networks import NEARLY_CERTAIN, known_shape


def pyramid_networks(
    image_shape,
    latent=16,
    widths=(16, 32, 64),
    depths=(1, 1, 2),
    patches=(2, 2, 2),
    batch_norm=True,
):
    """Encoder and decoder of a VAE for colour or grey values, with features at every level.

    Args:
        image_shape: `(H, W, C)`, pixels in [0, 1]. H and W are multiples of the product of
            `patches`; None stands for any such size (spatial latent only).
        latent: c for a spatial latent `(H/f, W/f, c)`, f the product of `patches`; or `(K,)`
            for a vector of K numbers.
        widths: channels of each level, finest first.
        depths: 3×3 convolutions of each level.
        patches: by how much each level shrinks the one before; 1 keeps the size.
        batch_norm: True for batch normalisation and ReLU after each convolution, which suits a
            classifier. False for SiLU and residual 3×3 convolutions, with which the VAEs of the
            series learn many times faster.

    Returns:
        (encoder, decoder): `(B, H, W, C)` → mean and **log σ²**, and back to means of pixels.

    Raises:
        ValueError: If the lists differ in length or a level is empty, the image is no multiple of
            the patches, or the latent does not fit them.

    Examples:
        >>> encoder, decoder = pyramids.pyramid_networks((32, 32, 3), latent=4)
        >>> encoder.output_shape, decoder.output_shape     # patches of 2, 2 and 2: an eighth
        ([(None, 4, 4, 4), (None, 4, 4, 4)], (None, 32, 32, 3))
    """
    if not (widths and len(widths) == len(depths) == len(patches)):
        raise ValueError(
            "`widths`, `depths` and `patches` need one entry a level. "
            f"Received: {widths}, {depths}, {patches}"
        )
    if any(patch == 1 and not depth for patch, depth in zip(patches, depths)):
        raise ValueError(
            "a level that neither shrinks nor convolves is none. "
            f"Received: patches={patches}, depths={depths}"
        )
    factor, image_shape = math.prod(patches), known_shape(image_shape, any_size=True)
    if any(side is not None and side % factor for side in image_shape[:2]):
        raise ValueError(
            f"height and width must be multiples of {factor}; pad or crop the images. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    spatial = isinstance(latent, numbers.Integral)
    if not spatial and (np.ndim(latent) != 1 or len(latent) != 1 or None in image_shape):
        raise ValueError(
            "`latent` is a number of channels, or `(K,)` for a vector, which needs the size of "
            f"the images. Received: latent={latent!r}, image_shape={tuple(image_shape)}"
        )
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    activate, convolve = (bn_relu, conv_bn_relu) if batch_norm else (silu, residual_conv)
    for level, (width, depth, patch) in enumerate(zip(widths, depths, patches)):
        h = activate(layers.Conv2D(width, patch, patch)(h)) if patch > 1 else h
        for _ in range(depth):
            h = convolve(h, width)
        h = layers.Identity(name=f"level_{level}")(h)
    bottom = h.shape[1:]
    if spatial:
        mean = layers.Conv2D(int(latent), 1, name="mean")
        log_variance = layers.Conv2D(int(latent), 1, name="log_variance", **NEARLY_CERTAIN)
    else:
        h = layers.Flatten()(h)
        mean = layers.Dense(int(latent[0]), name="mean")
        log_variance = layers.Dense(int(latent[0]), name="log_variance", **NEARLY_CERTAIN)
    heads = [mean(h), log_variance(h)]
    encoder = keras.Model(image, heads, name="encoder")

    z = keras.Input(heads[0].shape[1:])
    if spatial:
        h = activate(layers.Conv2D(widths[-1], 1)(z))
    else:
        h = layers.Reshape(bottom)(activate(layers.Dense(math.prod(bottom))(z)))
    for level in reversed(range(len(widths))):
        h = layers.Identity(name=f"level_{level}")(convolve(h, widths[level]))
        if level and patches[level] > 1:
            h = activate(DepthToSpaceUp(widths[level - 1], patches[level], activation=None)(h))
    h = _unfold(h, image_shape[-1], patches[0])
    h = layers.Rescaling(0.25, offset=0.5)(h)  # an output of the size of its input
    return encoder, keras.Model(z, h, name="decoder")


def levels(network):
    """The features of an encoder or decoder by `pyramid_networks`: symbolic tensors, finest first.

    Raises:
        ValueError: If the network has no layers of that name.

    Examples:
        >>> encoder, decoder = pyramids.pyramid_networks((32, 32, 3), latent=4)
        >>> [level.shape for level in pyramids.levels(encoder)]
        [(None, 16, 16, 16), (None, 8, 8, 32), (None, 4, 4, 64)]
        >>> [level.shape for level in pyramids.levels(decoder)]
        [(None, 16, 16, 16), (None, 8, 8, 32), (None, 4, 4, 64)]
    """
    named = {layer.name: layer.output for layer in network.layers}
    found = [named[f"level_{i}"] for i in range(len(named)) if f"level_{i}" in named]
    if not found:
        raise ValueError(
            "the network needs layers `level_0`, `level_1`, …: build it with `pyramid_networks`. "
            f"Received: {network.name} with layers {list(named)}"
        )
    return found


def segmentation_head(image, features, num_classes):
    """A classifier of pixels on features of one or several resolutions, coarse to fine.

    From the coarsest features on, each step doubles the resolution (`DepthToSpaceUp`), adds the
    features of that resolution and mixes them with a 3×3 convolution; a last step unfolds to the
    size of the image.

    Args:
        image: the symbolic input that the features are computed from, `encoder.input`.
        features: list of symbolic tensors `(B, h, w, c)`, finest first, such as `levels(encoder)`
            or a part of it. The head shares the layers that made them: set their
            `trainable = False` to keep them as they are.
        num_classes: number of classes, or 1 for edges.

    Returns:
        keras.Model, `(B, H, W, C)` → logits `(B, H, W, num_classes)`.

    Raises:
        ValueError: If a resolution is no power-of-two multiple of the next coarser one, or is
            not known.

    Examples:
        >>> encoder, decoder = pyramids.pyramid_networks((32, 32, 3), latent=4)
        >>> features = pyramids.levels(encoder)
        >>> pyramids.segmentation_head(encoder.input, features, num_classes=4).output_shape
        (None, 32, 32, 4)
    """
    features = list(features)
    if not features:
        raise ValueError("`features` needs at least one tensor. Received: none")
    h = features[-1]
    for skip in reversed(features[:-1]):
        h = _grow(h, _ratio(skip, h), skip.shape[-1])
        if h.shape[-1] != skip.shape[-1]:  # the same resolution, other channels
            h = bn_relu(layers.Conv2D(skip.shape[-1], 1)(h))
        h = conv_bn_relu(layers.Add()([h, skip]), skip.shape[-1])
    rest = _ratio(image, h)
    if rest > 4:  # one unfolding of that size would draw squares: go there by halves
        h = _grow(h, rest // 2, min(h.shape[-1], 32))
        rest = 2
    return keras.Model(image, _unfold(h, num_classes, rest), name="head")


def at_size(model, image_shape):
    """The same network with a copy of its weights, for images `(B, *image_shape)`.

    For convolutional models: train on crops, then `at_size(model, (None, None, 3))` reads whole
    images. Later training of one does not change the other.

    Raises:
        ValueError: If the model has a vector in its middle, or the size is no multiple of its
            patches.

    Examples:
        >>> encoder, _ = pyramids.pyramid_networks((32, 32, 3), latent=4)
        >>> head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes=4)
        >>> pyramids.at_size(head, (None, None, 3)).output_shape
        (None, None, None, 4)
    """
    copy = resizing.resized(model, tuple(image_shape))
    resizing.check_patches(copy, image_shape)
    copy.set_weights(model.get_weights())
    return copy


def predict_full_size(model, images, multiple=32):
    """Outputs of a convolutional model for images of any size, one at a time.

    Each image is padded by reflection to a multiple of what the model can halve, and the
    output is cut back to the size of the image.

    Args:
        model: `(B, H, W, C)` → `(B, H, W, outputs)`, at any size; see `at_size`.
        images: iterable of `(H, W, C)`, uint8 or floats in [0, 1].
        multiple: the product of the encoder's `patches`, or a multiple of it.

    Yields:
        float32 `(H, W, outputs)` for each image.

    Raises:
        FloatingPointError: If an output is NaN or infinite.
        ValueError: If an image is not `(H, W, C)`, or the model takes one size only.

    Examples:
        >>> model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 1)])
        >>> images = [np.zeros((20, 30, 3)), np.zeros((17, 16, 3))]
        >>> [logits.shape for logits in pyramids.predict_full_size(model, images, multiple=8)]
        [(20, 30, 4), (17, 16, 4)]
    """
    run = compile_model(model)
    for image in images:
        x = to_float(np.asarray(image))
        if x.ndim != 3:
            raise ValueError(f"each image must be (H, W, C). Received: shape {x.shape}")
        height, width = x.shape[:2]
        pad = [(0, -height % multiple), (0, -width % multiple), (0, 0)]
        x = np.pad(x, pad, mode="symmetric")[None]
        if any(
            known not in (None, side) for known, side in zip(model.input_shape[1:], x.shape[1:])
        ):
            raise ValueError(
                f"{model.name} takes images of shape {model.input_shape[1:]} only; "
                f"`at_size(model, (None, None, C))` takes all. Received: {height}×{width}, "
                f"padded to {x.shape[1:3]}"
            )
        output = run(x)
        yield finite(keras.ops.convert_to_numpy(output)[0, :height, :width])


def finite(values):
    """The outputs of a network, if they are numbers.

    What is computed from NaN looks like an answer: `argmax` calls all class 0, and a threshold finds
    no edge. A network that diverged would so get the score of somebody who sees nothing.

    Raises:
        FloatingPointError: If an output is NaN or infinite.

    Examples:
        >>> pyramids.finite(np.array([0.5, float("nan")]))
        Traceback (most recent call last):
        FloatingPointError: 1 of 2 outputs are NaN or infinite: the training of the network diverged; \
lower its learning rate, or clip its gradients
    """
    if bad := np.count_nonzero(~np.isfinite(values)):
        raise FloatingPointError(
            f"{bad:,} of {values.size:,} outputs are NaN or infinite: the training of the network "
            "diverged; lower its learning rate, or clip its gradients"
        )
    return values


def _ratio(fine, coarse):
    """How many times finer one symbolic tensor is than another."""
    if None in (*fine.shape[1:3], *coarse.shape[1:3]):
        raise ValueError(
            "a head needs to know the size of its features: build it on crops of one size, then "
            "`at_size(head, (None, None, 3))`. "
            f"Received: {tuple(fine.shape)} above {tuple(coarse.shape)}"
        )
    ratio = fine.shape[1] / coarse.shape[1]
    if ratio != fine.shape[2] / coarse.shape[2] or ratio < 1 or math.log2(ratio) % 1:
        raise ValueError(
            "each resolution must be the next coarser one times 1, 2, 4, …. "
            f"Received: {tuple(fine.shape)} above {tuple(coarse.shape)}"
        )
    return int(ratio)


def _grow(h, ratio, width):
    """Doubles the resolution until it has grown by `ratio`."""
    while ratio > 1:
        h, ratio = bn_relu(DepthToSpaceUp(width, 2, None)(h)), ratio // 2
    return h


def _unfold(h, num_classes, scale):
    """The last map, without normalisation or activation; its logits are never in half precision."""
    if scale > 1:
        return DepthToSpaceUp(num_classes, scale, None, dtype="float32")(h)
    return layers.Conv2D(num_classes, 1, dtype="float32")(h)
