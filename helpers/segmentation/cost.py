"""What a network costs: its multiplications for one image."""

import math

from keras import layers

from helpers.layers import DepthToSpaceUp


def multiply_adds(model):
    """Multiplications (each with an addition) of the convolutions for one image: an integer.

    Raises:
        ValueError: If the size of the image is not known.
    """
    if None in model.input_shape[1:]:
        raise ValueError(
            "the work depends on the size of the image: use `pyramids.at_size`. "
            f"Received: images of shape {model.input_shape[1:]}"
        )
    total = 0
    for layer in model.layers:
        conv = getattr(layer, "conv", layer)  # that of `DepthToSpaceUp`
        if isinstance(conv, layers.Conv2D):
            grown = layer.scale if isinstance(layer, DepthToSpaceUp) else 1
            outputs = math.prod(layer.output.shape[1:3]) // grown**2
            total += outputs * math.prod(conv.kernel.shape)
    return total
