"""What a network costs: multiplications, and milliseconds for one image."""

import math
import time

from keras import layers, ops

from helpers.backend import compile_model
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


def milliseconds(model, images, repeats=5):
    """Time of inference for one image, the best of some calls with all of them in one batch."""
    call, times = compile_model(model), []
    for _ in range(repeats + 1):  # the first one compiles
        start = time.perf_counter()
        ops.convert_to_numpy(call(images))
        times.append(time.perf_counter() - start)
    return 1000 * min(times[1:]) / len(images)
