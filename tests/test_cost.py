"""What a network costs: work counted by hand, and the time of one image."""

import keras
import pytest
from keras import layers
from small_segmenters import SEGMENTERS, SIZE, built

from helpers import layers as own
from helpers import photo_networks, pyramids, segmentation


def test_work_counted_by_hand():
    full, half, quarter = SIZE**2, SIZE**2 // 4, SIZE**2 // 16
    expected = {
        "CNN": full * (27 * 4 + 9 * 16 + 16),
        "FCN": half * (12 * 4 + 9 * 16) + quarter * (16 * 6 + 9 * 36 + 24),
        "DeepLab": half * (12 * 4 + 4 * 9 * 16 + 16),
        # A step up works on the small side: a 1×1 convolution to four times the channels.
        "U-Net": half * (12 * 4 + 9 * 16 + 9 * 8 * 4 + 4 * 16)
        + quarter * (16 * 6 + 9 * 36 + 6 * 16),
    }  # fmt: skip
    assert {n: segmentation.multiply_adds(built(f)[2]) for n, f in SEGMENTERS.items()} == expected


def test_work_needs_the_size_of_the_image():
    anything = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="at_size"):
        segmentation.multiply_adds(keras.Model(anything, layers.Conv2D(1, 3)(anything)))


def test_work_of_a_network_for_edges_by_hand():
    widths, side = (2, 3, 4, 5), 2
    network = photo_networks.edge_network(widths, (1, 2, 1, 1), side)
    places = [SIZE**2 // 4**level for level in range(4)]
    expected = places[0] * (27 * 2 + 2 + 4)  # the first convolution, a side and their sum
    for level, (width, depth) in enumerate(zip(widths, (1, 2, 1, 1))):
        work = depth * (9 * width + width**2)  # depthwise, then 1×1
        if level:
            around = 1 if level == 1 else 2
            work += (
                widths[level - 1] * width + width * side + 9 * side**2 * around + 9 * side + side
            )
        expected += places[level] * work
        # A transposed convolution works on the small side: 4×4 products a place.
        expected += sum(16 * places[coarse] for coarse in range(1, level + 1))
    assert segmentation.multiply_adds(pyramids.at_size(network, (SIZE, SIZE, 3))) == expected


def test_work_of_networks_used_as_layers_and_of_dense_layers_is_counted():
    image = keras.Input((4, 4, 3))
    inner = keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2D(5, 3, padding="same")])
    h = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(inner(image))  # 10 channels
    h = layers.Dense(7)(layers.LayerNormalization()(h))  # at each of 16 places
    h = layers.Conv2D(8, 1, groups=1)(layers.ReLU()(h))
    h = layers.Conv2D(8, 3, groups=4, padding="same")(h)
    h = layers.Dense(2)(layers.Dropout(0.5)(layers.Flatten()(own.DepthToSpaceUp(1, 2)(h))))
    convolutions = 16 * (27 * 5 + 9 * 5 * 2 + 10 * 7 + 7 * 8 + 9 * 2 * 8 + 8 * 4)
    assert segmentation.multiply_adds(keras.Model(image, h)) == convolutions + 64 * 2


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.SeparableConv2D(2, 3, name="both"), r"`both` \(SeparableConv2D\)"),
        (layers.PReLU(name="sloped"), r"`sloped` \(PReLU\)"),
    ],
)
def test_work_that_is_not_counted_is_refused(layer, message):
    image = keras.Input((4, 4, 3))
    with pytest.raises(ValueError, match=message):
        segmentation.multiply_adds(keras.Model(image, layer(image)))


def test_work_of_a_network_used_as_a_layer_needs_its_size():
    image, anything = keras.Input((4, 4, 3)), keras.Input((None, None, 3))
    inner = keras.Model(anything, layers.Conv2D(1, 3)(anything))
    with pytest.raises(ValueError, match="size of the image"):
        segmentation.multiply_adds(keras.Model(image, inner(image)))
