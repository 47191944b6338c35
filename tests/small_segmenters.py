"""Four small networks for tests: convolutions alone, down and enlarged, with skips, dilated."""

import keras
from keras import layers

from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu

SIZE, CLASSES = 16, 4


def cnn(image, dilations=(1, 1)):
    h = image
    for dilation in dilations:
        h = conv_bn_relu(h, 4, dilation_rate=dilation)
    return h, layers.Conv2D(CLASSES, 1)(h)


def fcn(image, widths=(4, 6)):
    h = image
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
    scores = layers.Conv2D(CLASSES, 1)(h)
    return h, layers.UpSampling2D(2 ** len(widths), interpolation="bilinear")(scores)


def unet(image):
    fine = conv_bn_relu(halved(image, 4), 4)
    coarse = conv_bn_relu(halved(fine, 6), 6)
    h = layers.Concatenate()([bn_relu(DepthToSpaceUp(4, 2, None)(coarse)), fine])
    return coarse, DepthToSpaceUp(CLASSES, 2, None)(conv_bn_relu(h, 4))


def dilated(image):
    h = halved(image, 4)
    for dilation in (1, 2):
        h = conv_bn_relu(h, 4, dilation_rate=dilation)
    sides = [conv_bn_relu(h, 4, dilation_rate=dilation) for dilation in (1, 3)]
    scores = layers.Conv2D(CLASSES, 1)(layers.Add()(sides))
    return h, layers.UpSampling2D(2, interpolation="bilinear")(scores)


SEGMENTERS = {"CNN": cnn, "FCN": fcn, "U-Net": unet, "DeepLab": dilated}


def halved(h, width):
    return bn_relu(layers.Conv2D(width, 2, 2)(h))


def built(build, size=SIZE):
    """The symbolic image and features of a network, and the network, from one seed."""
    keras.utils.set_random_seed(0)
    image = keras.Input((size, size, 3))
    features, logits = build(image)
    return image, features, keras.Model(image, logits)
