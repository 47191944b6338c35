"""How far an output sees: from the layers of a model, and from its gradients.

The *field* of an output is the part of the image that can change it. The layers alone tell it
(`field`, `support`); whether the weights use it, gradients tell (`gradient`, `centred_side`).
NumPy out.
"""

import functools
import math

import keras
import numpy as np
from keras import layers, ops

from helpers.backend import value_and_grad
from helpers.layers import DepthToSpaceUp

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)
GLOBAL = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
POINTWISE = (
    layers.InputLayer, layers.BatchNormalization, layers.ReLU, layers.LeakyReLU, layers.Activation,
    layers.Rescaling, layers.Identity, layers.Dropout, layers.Softmax,
    layers.Add, layers.Average, layers.Multiply, layers.Concatenate,
)  # fmt: skip


def receptive_field(model):
    """Side of the field of view, in pixels, as if the image had no end.

    Where the resolution changes, outputs differ by a pixel or a few; this is the widest.

    Args:
        model: functional Keras model, `(B, H, W, C)` → `(B, h, w, outputs)`, of convolutions,
            poolings, enlargements and layers that work pixel by pixel.

    Returns:
        (height, width): integers, or `math.inf` behind a global pooling.

    Raises:
        ValueError: If the model has several inputs or outputs, or a layer that is not known.

    References:
        Araujo, Norris and Sim (2019), the recurrences. https://doi.org/10.23915/distill.00021
    """
    sides = []
    for axis in (0, 1):
        at = np.arange(256.0)  # one period of every change of resolution that occurs
        low, high = _backwards(model, (at, at), functools.partial(_ends, axis=axis), _widest)
        side = np.max(high - low) + 1
        sides.append(side if math.isinf(side) else int(side))
    return tuple(sides)


def receptive_field_mask(model, position):
    """Which pixels can change the output at one position: a mask with its holes.

    Args:
        model: as for `field`, for images of one size.
        position: (row, column) in the output.

    Returns:
        Booleans `(H, W)` of the image. Dilations leave holes, borders cut.

    Raises:
        ValueError: As for `field`, or if the size is not known or the position lies outside.
    """
    if None in model.input_shape[1:3]:
        raise ValueError(
            "`support` needs to know the size of the image: use `pyramids.at_size`. "
            f"Received: {model.name} for images of shape {model.input_shape[1:]}"
        )
    start = np.zeros(model.output_shape[1:3], bool)
    if not all(0 <= p < n for p, n in zip(position, start.shape)):
        raise ValueError(f"`position` must lie in {start.shape}. Received: {tuple(position)}")
    start[tuple(position)] = True
    return _backwards(model, start, _mask, np.logical_or)


def effective_receptive_field(model, images, position):
    """Mean size of the gradient of one output with respect to each pixel: float64 `(H, W)`.

    Of the outputs at the position, each image's largest is taken, such as the logit of the class
    that is predicted. Absolute values, summed over the channels of the image.

    Args:
        model: as for `field`, not in training: batch normalisation uses its moving statistics.
        images: float32 `(N, H, W, C)`.
        position: (row, column) in the output.

    References:
        Luo et al. (2016), the effective receptive field. https://arxiv.org/abs/1701.04128
    """
    row, column = position
    images = keras.Variable(np.asarray(images, "float32"), name="images")

    def outputs():
        seen = model(ops.convert_to_tensor(images), training=False)[:, row, column]
        return ops.sum(ops.max(seen, axis=-1))

    slopes = ops.convert_to_numpy(value_and_grad(outputs, [images])[1][0])
    return np.abs(slopes).sum(axis=-1).mean(axis=0, dtype="float64")


def with_positive_weights(model, seed=0):
    """A copy of the model for which `gradient` is above 0 on the whole field, and 0 elsewhere.

    Its kernels are positive and its biases 0, so for an image of ones no ReLU shuts, no two
    paths cancel, and batch normalisation passes everything. (A maximum passes one pixel only.)
    """
    copy = keras.models.clone_model(model)
    rng = np.random.default_rng(seed)
    for weight in copy.weights:
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(np.ones(weight.shape, "float32"))
        elif len(weight.shape) > 1:
            mean = 1 / math.prod(weight.shape[:-1])  # keeps the values near 1
            weight.assign(rng.uniform(0.5 * mean, 1.5 * mean, weight.shape).astype("float32"))
        elif weight.name in ("bias", "beta", "moving_mean"):
            weight.assign(np.zeros(weight.shape, "float32"))
    return copy


def side_holding(weights, position, share=0.9):
    """Side of the smallest square around a position that holds a share of all weight.

    Args:
        weights: `(H, W)`, not negative, such as `gradient` gives.
        position: (row, column), the centre; the square may reach over the border.
        share: between 0 and 1.

    Returns:
        An odd integer: a square of side 1 is the pixel itself.

    Raises:
        ValueError: If `share` is not between 0 and 1 or the weights sum to nothing.
    """
    weights = np.asarray(weights, "float64")
    if not 0 < share < 1 or not weights.sum() > 0:
        raise ValueError(
            "`share` lies between 0 and 1 and the weights have a sum above 0. "
            f"Received: share={share!r}, sum {weights.sum():g}"
        )
    rows, columns = np.indices(weights.shape)
    away = np.maximum(abs(rows - position[0]), abs(columns - position[1]))
    held = np.cumsum(np.bincount(away.ravel(), weights.ravel())) / weights.sum()
    return 2 * int(np.searchsorted(held, share)) + 1


def _backwards(model, start, pull, merge):
    """Walks from the output to the image; `pull` takes what is reached through one layer."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{model.name} must have one input and one output")
    reached = {id(model.outputs[0]): start}
    for layer in reversed(model.layers):  # sorted: what a layer needs stands before it
        if id(layer.output) not in reached or layer.output is model.inputs[0]:
            continue
        here = reached.pop(id(layer.output))
        inputs = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
        for tensor in inputs:
            found = pull(here, layer, tensor)
            old = reached.get(id(tensor))
            reached[id(tensor)] = found if old is None else merge(old, found)
    return reached[id(model.inputs[0])]


def _ends(reached, layer, tensor, axis):
    """The first and the last index that the layer reads, of the interval that is asked for."""
    low, high = reached
    if isinstance(layer, GLOBAL):
        return np.full_like(low, -np.inf), np.full_like(high, np.inf)
    return np.min(_taps(layer, low, axis), axis=0), np.max(_taps(layer, high, axis), axis=0)


def _widest(one, other):
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])


def _mask(reached, layer, tensor):
    """The mask of a layer's input from that of its output, tap by tap."""
    found = np.zeros(tensor.shape[1:3], bool)
    if isinstance(layer, GLOBAL):
        return found | reached.any()
    if reached.shape != found.shape and isinstance(layer, POINTWISE):  # broadcast over a map
        reached = reached.any(axis=tuple(i for i in (0, 1) if found.shape[i] == 1), keepdims=True)
    taps = [_taps(layer, np.arange(n), i, found.shape[i]) for i, n in enumerate(reached.shape)]
    for rows in taps[0]:
        for columns in taps[1]:
            inside = [(t >= 0) & (t < n) for t, n in zip((rows, columns), found.shape)]
            where = np.ix_(rows[inside[0]].astype(int), columns[inside[1]].astype(int))
            np.logical_or.at(found, where, reached[np.ix_(*inside)])
    return found


def _taps(layer, at, axis, size=None):
    """For each tap of a layer, the input index that the outputs `at` read; padding lies outside."""
    if isinstance(layer, POINTWISE):
        return [at]
    if isinstance(layer, DepthToSpaceUp):
        return [np.floor(at / layer.scale)]
    if isinstance(layer, layers.UpSampling2D) and layer.interpolation in ("nearest", "bilinear"):
        factor = layer.size[axis]
        if layer.interpolation == "nearest":
            return [np.floor(at / factor)]
        centre = (at + 0.5) / factor - 0.5  # where the output's centre lies among the inputs
        both = [np.floor(centre), np.ceil(centre)]
        return both if size is None else [np.clip(t, 0, size - 1) for t in both]
    if isinstance(layer, CONVOLUTIONS):
        kernel, stride = layer.kernel_size[axis], layer.strides[axis]
        dilation, padding = layer.dilation_rate[axis], layer.padding
    elif isinstance(layer, POOLS):
        kernel, stride = layer.pool_size[axis], layer.strides[axis]
        dilation, padding = 1, layer.padding
    else:
        raise ValueError(
            "the field of view is known through convolutions, poolings, enlargements and layers "
            f"that work pixel by pixel. Received: {layer.name}, a {type(layer).__name__}"
        )
    reach = (kernel - 1) * dilation + 1
    overlap = (
        reach - stride if size is None else (math.ceil(size / stride) - 1) * stride + reach - size
    )
    first = max(overlap, 0) // 2 if padding == "same" else 0
    return [at * stride + tap * dilation - first for tap in range(kernel)]
