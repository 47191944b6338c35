"""Small networks for whole photographs, trained from scratch: `segmenter` and `edge_network`.

Both are convolutional all the way and read images of any size whose sides are multiples of 8.
"""

from functools import partial

import keras
from keras import layers

from helpers.layers import conv_bn_relu

MULTIPLE = 8  # of height and width
MOMENTUM = 0.99  # of batch normalisation: the trainings are long, and their batches small


def segmenter(
    num_classes,
    widths=(24, 48, 96),
    dilations=(1, 2, 4, 1, 2, 4, 8),
    auxiliary=False,
    momentum=MOMENTUM,
):
    """Classes of pixels: a trunk at an eighth of the resolution, with growing dilations.

    The features at a half and a quarter of the resolution join the trunk on its way up, so that
    thin things are not lost. A global branch tells every place what is in the whole image.

    Args:
        num_classes: number of classes.
        widths: channels at a half, a quarter and an eighth of the resolution.
        dilations: of the trunk's 3×3 convolutions, one residual block each.
        auxiliary: whether a second output classifies the trunk alone, for a loss in training.
        momentum: of batch normalisation. A training of less than some 500 steps needs a smaller
            one, such as 0.9: its means of the training would still be those of the first steps.

    Returns:
        keras.Model, `(B, H, W, 3)` → logits `(B, H, W, num_classes)`; with `auxiliary` a list of
        two such.

    Raises:
        ValueError: If there are not three widths.

    Examples:
        >>> network = photo_networks.segmenter(num_classes=11)
        >>> network.output_shape, 0.7e6 < network.count_params() < 1e6
        ((None, None, None, 11), True)

    References:
        Yu and Koltun (2016), dilated convolutions. https://arxiv.org/abs/1511.07122
        Chen et al. (2017), the global branch. https://arxiv.org/abs/1706.05587
        Zhao et al. (2017), the auxiliary loss. https://arxiv.org/abs/1612.01105
    """
    if len(widths) != 3:
        raise ValueError(f"`widths` needs three numbers. Received: {widths}")
    fine, middle, coarse = widths
    conv = partial(_conv, momentum=momentum)
    image = keras.Input((None, None, 3))
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    half = conv(conv(h, fine, strides=2), fine)
    quarter = conv(conv(half, middle, strides=2), middle)
    h = conv(quarter, coarse, strides=2)
    for dilation in dilations:
        h = _residual(h, dilation, momentum)
    whole = layers.GlobalAveragePooling2D(keepdims=True)(h)  # (B, 1, 1, C)
    h = layers.Add()([h, layers.Conv2D(coarse, 1, activation="relu")(whole)])
    trunk = h
    for skip, width in ((quarter, middle), (half, fine)):
        h = layers.UpSampling2D(2)(conv(h, width, 1))
        h = conv(layers.Concatenate()([h, skip]), width)
    outputs = [layers.Conv2DTranspose(num_classes, 4, strides=2, padding="same")(h)]
    if auxiliary:
        outputs.append(layers.UpSampling2D(8)(layers.Conv2D(num_classes, 1)(trunk)))
    return keras.Model(image, outputs if auxiliary else outputs[0], name="segmenter")


def edge_network(
    widths=(16, 40, 64, 96),
    depths=(1, 3, 4, 4),
    side_width=8,
    sides=False,
):
    """Edges: depthwise-separable residual blocks at four resolutions, the first the image's own.

    Each resolution has a side output; the answer is a weighted sum of the four. In training each
    side output has a loss of its own (deep supervision). What is done at the image's own
    resolution takes most of the time, so it is little.

    Args:
        widths: channels at the image's resolution, a half, a quarter and an eighth.
        depths: blocks at each of them.
        side_width: channels of the side outputs, below the image's own resolution.
        sides: whether the side outputs are outputs, too.

    Returns:
        keras.Model, `(B, H, W, 3)` → logits `(B, H, W, 1)`; with `sides` a list of five such, the
        answer first.

    Raises:
        ValueError: If there are not four widths and four depths.

    Examples:
        >>> network = photo_networks.edge_network()
        >>> network.output_shape, network.count_params() < 100_000
        ((None, None, None, 1), True)

    References:
        Su et al. (2021), PiDiNet, whose plan this follows without its pixel differences.
        https://arxiv.org/abs/2108.07009
        Xie and Tu (2015), side outputs and their fusion. https://arxiv.org/abs/1504.06375
    """
    if not len(widths) == len(depths) == 4:
        raise ValueError(
            f"`widths` and `depths` need four numbers each. Received: {widths}, {depths}"
        )
    image = keras.Input((None, None, 3))
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    h = layers.Conv2D(widths[0], 3, padding="same")(h)
    found = []
    for level, (width, depth) in enumerate(zip(widths, depths)):
        if level:
            h = layers.Conv2D(width, 1)(layers.MaxPooling2D(2)(h))
        for _ in range(depth):
            change = layers.DepthwiseConv2D(3, padding="same", activation="relu")(h)
            h = layers.Add()([h, layers.Conv2D(width, 1)(change)])
        side = _side(h, side_width, level)
        for _ in range(level):
            side = _doubled(side)
        found.append(side)
    together = layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(0.25))
    answer = together(layers.Concatenate()(found))
    return keras.Model(image, [answer, *found] if sides else answer, name="edge_network")


def _conv(h, width, kernel_size=3, strides=1, momentum=MOMENTUM):
    return conv_bn_relu(h, width, kernel_size, strides, momentum=momentum)


def _residual(h, dilation, momentum):
    """What a 3×3 convolution changes is added, before the ReLU: it may be negative."""
    conv = layers.Conv2D(h.shape[-1], 3, padding="same", dilation_rate=dilation, use_bias=False)
    change = layers.BatchNormalization(momentum=momentum)(conv(h))
    return layers.ReLU()(layers.Add()([h, change]))


def _side(h, width, level):
    """Logits of edges at one resolution: what lies around each place, and where it counts."""
    h = layers.ReLU()(h)
    if not level:
        return layers.Conv2D(1, 1)(h)
    h = layers.Conv2D(width, 1)(h)
    around = [layers.Conv2D(width, 3, padding="same")(h)]
    if level > 1:
        around.append(layers.Conv2D(width, 3, padding="same", dilation_rate=3)(h))
    h = layers.ReLU()(layers.Add()([h, *around]))
    attention = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h)
    return layers.Conv2D(1, 1)(layers.Multiply()([h, attention]))


def _doubled(h):
    """One channel at twice the height and width; at first each value is a mean of four.

    Keras's bilinear `UpSampling2D` stops in a TensorFlow graph whose sizes are free, and so at the
    second size of a photograph and in an export.
    """
    start = keras.initializers.Constant(0.25)
    return layers.Conv2DTranspose(1, 4, 2, padding="same", kernel_initializer=start)(h)
