"""What a network costs: its multiplications for one image."""

import math

import keras
from keras import layers

from helpers.layers import DepthToSpaceUp

# Less than a convolution by far.
NORMALISATIONS = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.Normalization,
)


def multiply_adds(model):
    """Multiplications (each with an addition) for one image: an integer.

    Those of convolutions, also depthwise and transposed ones, and of dense layers, in networks that
    serve as layers, too. Normalisations and layers without weights are left out. A layer that
    is called several times in one network counts once.

    Raises:
        ValueError: If the size of the image is not known, or a layer with weights is none of
            these.
    """
    shapes = [tuple(image.shape[1:]) for image in model.inputs]
    if any(None in shape for shape in shapes):
        raise ValueError(
            "the work depends on the size of the image: use `pyramids.at_size`. "
            f"Received: {model.name} for images of shape {', '.join(map(str, shapes))}"
        )
    return sum(_work(layer) for layer in model.layers)


def _work(layer):
    """The multiplications of one layer: how often its kernel is used, times its weights."""
    if isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
        return multiply_adds(layer)
    if not layer.weights or isinstance(layer, NORMALISATIONS):
        return 0
    if isinstance(layer, DepthToSpaceUp):
        places, kernel = layer.input.shape[1:3], layer.conv.kernel  # it grows afterwards
    elif isinstance(layer, layers.Conv2DTranspose):
        places, kernel = layer.input.shape[1:3], layer.kernel
    elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        places, kernel = layer.output.shape[1:3], layer.kernel
    elif isinstance(layer, layers.Dense):
        places, kernel = layer.output.shape[1:-1], layer.kernel
    else:
        raise ValueError(
            "the work of convolutions and dense layers is counted. "
            f"Received: `{layer.name}` ({type(layer).__name__})"
        )
    return math.prod(places) * math.prod(kernel.shape)
