"""How far an output sees, by gradients: the field that is allowed, and the part that is used.

The receptive field of an output is the part of the image that can change it. With positive weights
no two paths from a pixel to the output cancel, so there the gradient is above 0 and elsewhere it is
0 (`receptive_field_mask`, `receptive_field`). The gradient of the model as it is tells how much each
pixel is used (`effective_receptive_field`, `side_holding`). NumPy out.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from helpers import pyramids
from helpers.backend import value_and_grad

SIDES = (96, 192, 384)  # of the images on which a whole field is looked for, in pixels
MOST_POSITIONS = 64
AVERAGES = {
    layers.MaxPooling2D: layers.AveragePooling2D,
    layers.GlobalMaxPooling2D: layers.GlobalAveragePooling2D,
}


def receptive_field(model):
    """Side of the receptive field, in pixels, as if the image had no end.

    Where the resolution changes, outputs differ by a pixel or a few; this is the widest of those
    in one period. It is measured in the middle of images that are large enough, whatever size
    the model was built for.

    Args:
        model: functional Keras model, `(B, H, W, C)` → `(B, h, w, outputs)`, of layers that take
            any size: convolutions, poolings, enlargements, layers that work pixel by pixel.

    Returns:
        (height, width): integers, or `math.inf` for a side that an image of 384 pixels, or more
        if the model was built for more, cannot hold, as behind a global pooling.

    Raises:
        ValueError: If the model has several inputs or outputs, a vector in its middle or a network
            as a layer, or if no pixel has a gradient for an output.

    References:
        Araujo, Norris and Sim (2019), recurrences that give the same from the layers alone.
        https://doi.org/10.23915/distill.00021
    """
    _check_single(model)
    if any(hasattr(layer, "layers") for layer in model.layers):
        raise ValueError(
            f"{model.name} has a network as a layer, whose sizes are not known here. Build it from "
            "that network's layers, or ask `receptive_field_mask`"
        )
    for side in SIDES:
        # A model for one size may need multiples of what it halves, and its own size is one.
        shape = [side if n is None else n * math.ceil(side / n) for n in model.input_shape[1:3]]
        net = with_positive_weights(pyramids.at_size(model, (*shape, model.input_shape[-1])))
        reached = _reached(net, _one_period(net))
        seen = [reached.any(axis=2), reached.any(axis=1)]  # rows and columns, (positions, side)
        if not any(axis[:, [0, -1]].any() for axis in seen):
            break
    return tuple(_widest(axis) for axis in seen)


def receptive_field_mask(model, position):
    """Which pixels can change the output at one position: a mask with its holes.

    Args:
        model: as for `receptive_field`, for images of one size.
        position: (row, column) in the output.

    Returns:
        Booleans `(H, W)` of the image. Dilations leave holes, borders cut. (Interpolation by some
        odd factors, such as 7, adds a neighbour whose weight is nothing but rounding.)

    Raises:
        ValueError: If the model has several inputs or outputs, the size is not known, the
            position lies outside, or no pixel has a gradient for the output.
    """
    _check_single(model)
    if None in model.input_shape[1:]:
        raise ValueError(
            "`receptive_field_mask` needs to know the size of the image: use `pyramids.at_size`. "
            f"Received: {model.name} for images of shape {model.input_shape[1:]}"
        )
    shape = model.output_shape[1:3]
    if not all(0 <= p < n for p, n in zip(position, shape)):
        raise ValueError(f"`position` must lie in {shape}. Received: {tuple(position)}")
    return _reached(with_positive_weights(model), [position])[0]


def effective_receptive_field(model, images, position):
    """Mean size of the gradient of one output with respect to each pixel: float64 `(H, W)`.

    Of the outputs at the position, each image's largest is taken, such as the logit of the class
    that is predicted. Absolute values, summed over the channels of the image.

    Args:
        model: as for `receptive_field`, not in training: batch normalisation uses its moving
            statistics.
        images: float32 `(N, H, W, C)`.
        position: (row, column) in the output.

    References:
        Luo et al. (2016), the effective receptive field. https://arxiv.org/abs/1701.04128
    """
    row, column = position

    def largest(outputs):
        return ops.sum(ops.max(outputs[:, row, column], axis=-1))

    slopes = _slopes(model, images, largest)
    return np.abs(slopes).sum(axis=-1).mean(axis=0, dtype="float64")


def with_positive_weights(model, seed=0):
    """A copy of the model whose gradients are above 0 on the whole field, and 0 elsewhere.

    Its kernels are positive and its biases 0, so for an image of ones no ReLU shuts, no two
    paths cancel, and batch normalisation passes everything. Maxima, which pass one pixel only,
    become means. A rescaling or normalisation by constants, which may make pixels negative, and a
    softmax, whose outputs always sum to 1, pass what they get. It computes in single precision:
    half would lose small gradients.
    """

    def clone(layer):
        if isinstance(layer, (layers.Rescaling, layers.Normalization, layers.Softmax)):
            return _Pass(name=layer.name, dtype="float32")
        kind = AVERAGES.get(type(layer), type(layer))
        config = {**layer.get_config(), "dtype": "float32"}
        if config.get("activation") == "softmax":
            config["activation"] = "linear"
        return kind.from_config(config)

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    rng = np.random.default_rng(seed)
    for layer in _all_layers(copy):
        for weight in layer.weights:
            _make_positive(weight, rng, isinstance(layer, layers.DepthwiseConv2D))
    return copy


class _Pass(layers.Layer):
    """Gives what it gets; called as `layers.Softmax` is."""

    def call(self, x, mask=None):
        return x


def _all_layers(network):
    """The layers of a network and of the networks that serve as its layers."""
    for layer in network.layers:
        yield from _all_layers(layer) if hasattr(layer, "layers") else [layer]


def _make_positive(weight, rng, depthwise):
    if weight.name in ("gamma", "moving_variance"):
        weight.assign(np.ones(weight.shape, "float32"))
    elif len(weight.shape) > 1:
        # A mean that keeps the values near 1: over what an output adds up.
        depthwise = depthwise or weight.name == "depthwise_kernel"
        mean = 1 / math.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
        weight.assign(rng.uniform(0.5 * mean, 1.5 * mean, weight.shape).astype("float32"))
    elif weight.name in ("bias", "beta", "moving_mean"):
        weight.assign(np.zeros(weight.shape, "float32"))


def side_holding(weights, position, share=0.9):
    """Side of the smallest square around a position that holds a share of all weight.

    Args:
        weights: `(H, W)`, not negative, such as `effective_receptive_field` gives.
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
    within = np.cumsum(np.bincount(away.ravel(), weights.ravel())) / weights.sum()
    return 2 * int(np.searchsorted(within, share)) + 1


def _check_single(model):
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{model.name} must have one input and one output")


def _slopes(model, images, scalar):
    """Gradient of `scalar(outputs)` with respect to images: `(N, H, W, C)`."""
    images = keras.Variable(np.asarray(images, "float32"), name="images")

    def value():
        return scalar(model(ops.convert_to_tensor(images), training=False))

    return ops.convert_to_numpy(value_and_grad(value, [images])[1][0])


def _reached(net, positions):
    """Which pixels have a gradient for the outputs at each position: booleans `(N, H, W)`."""
    found = []
    for start in range(0, len(positions), 8):  # an image for each position
        some = positions[start : start + 8]
        asked = np.zeros((len(some), *net.output_shape[1:3], 1), "float32")
        for one, (row, column) in zip(asked, some):
            one[row, column] = 1
        images = np.ones((len(some), *net.input_shape[1:]), "float32")

        def chosen(outputs, asked=asked):
            return ops.sum(ops.cast(outputs, "float32") * ops.convert_to_tensor(asked))

        found.append(_slopes(net, images, chosen))
    found = np.concatenate(found).any(axis=-1)
    if not found.any(axis=(1, 2)).all():
        raise ValueError(
            f"no pixel has a gradient for an output of {net.name}: an activation is shut or flat "
            "for every image. Take the outputs before it"
        )
    return found


def _one_period(net):
    """Positions in the output, from its middle on, until what they see repeats."""
    steps = [1]
    for axis in (1, 2):
        whole = net.input_shape[axis]
        maps = keras.tree.flatten([layer.output for layer in net.layers])
        ratios = [round(whole / one.shape[axis]) for one in maps if len(one.shape) == 4]
        period = math.lcm(*(r for r in ratios if 0 < r <= MOST_POSITIONS))  # in pixels
        steps.append(min(period, MOST_POSITIONS) // max(1, round(whole / net.output_shape[axis])))
    sides = net.output_shape[1:3]
    return [tuple(min(side // 2 + i, side - 1) for side in sides) for i in range(max(steps))]


def _widest(reached):
    """The widest extent of the fields `(positions, side)`; infinite if a border cuts one."""
    if reached[:, [0, -1]].any():
        return math.inf
    ends = [np.flatnonzero(row)[[0, -1]] for row in reached]
    return max(int(last - first) + 1 for first, last in ends)
