"""Fields of view: counted by hand, at the border, in branches, with holes; gradients by hand."""

import math

import keras
import numpy as np
import pytest
from keras import layers
from small_segmenters import SEGMENTERS, built, cnn

from helpers import pyramids, segmentation
from helpers.layers import DepthToSpaceUp


def model(*stack, size=(24, 24), channels=1):
    return keras.Sequential([keras.Input((*size, channels)), *stack])


def conv(kernel=3, **options):
    return layers.Conv2D(1, kernel, **{"padding": "same", **options})


def patches(side, filters=1):
    return layers.Conv2D(filters, side, side, activation="relu")


BY_HAND = {
    "three 3×3": ((conv(), conv(), conv()), 7),
    "dilations 1, 2, 4": ((conv(), conv(dilation_rate=2), conv(dilation_rate=4)), 15),
    "stride 2 before": ((conv(strides=2), conv()), 3 + 2 * 2),
    "patch before": ((patches(2), conv(), conv()), 2 + 4 * 2),
    "pool before": ((layers.MaxPooling2D(2), conv()), 2 + 2 * 2),
    "5×5 valid": ((conv(5, padding="valid"), conv(1)), 5),
    # Both neighbours of a 3×3 window after ×2 lie in one other cell of 2 pixels.
    "down and up": ((patches(2), DepthToSpaceUp(1, 2), conv()), 4),
    "nearest": ((patches(4), layers.UpSampling2D(4)), 4),
    "bilinear": ((patches(4), layers.UpSampling2D(4, interpolation="bilinear")), 8),
    "bilinear of an odd factor": (
        (patches(3), layers.UpSampling2D(3, interpolation="bilinear")),
        6,
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_fields_counted_by_hand(name):
    stack, side = BY_HAND[name]
    net = model(*stack)
    assert segmentation.receptive_field(net) == (side, side)
    # The widest support inside the image is the same.
    heights = []
    for row in range(9, 13):
        mask = segmentation.receptive_field_mask(
            net, (row * net.output_shape[1] // 24, net.output_shape[2] // 2)
        )
        rows = np.flatnonzero(mask.any(axis=1))
        heights.append(rows[-1] - rows[0] + 1)
    assert max(heights) == side


def test_fields_of_whole_networks_counted_by_hand():
    expected = {
        "CNN": 5,  # two 3×3
        # Down: 2, + 2·2, patch: + 2, 3×3: + 2·4 = 16; bilinear: one more cell of 4.
        "FCN": 20,
        # Down as the FCN: 16. Up: an output lies in a cell of 2, which with its neighbours is 3, and
        # these lie in 2 cells of 4: one more.
        "U-Net": 20,
        # 2, + 2·2, + 2·2·2, + 2·2·3 = 26; bilinear: one more cell of 2.
        "DeepLab": 28,
    }
    found = {n: segmentation.receptive_field(built(f)[2]) for n, f in SEGMENTERS.items()}
    assert found == {n: (side, side) for n, side in expected.items()}


def test_dilation_widens_the_view_of_the_same_weights():
    narrow, wide = (
        built(lambda image, d=d: cnn(image, d))[2] for d in ((1, 1, 1, 1), (1, 2, 4, 8))
    )
    assert narrow.count_params() == wide.count_params()
    assert [segmentation.receptive_field(m) for m in (narrow, wide)] == [(9, 9), (31, 31)]


def test_height_and_width_are_two_fields():
    assert segmentation.receptive_field(model(conv((3, 5)), conv((1, 3)))) == (3, 7)


def test_dilations_leave_holes():
    twice = model(conv(dilation_rate=2), conv(dilation_rate=2))
    mask = segmentation.receptive_field_mask(twice, (12, 12))
    assert np.array_equal(np.flatnonzero(mask.any(axis=1)), [8, 10, 12, 14, 16])
    assert mask.sum() == 25
    mixed = segmentation.receptive_field_mask(model(conv(), conv(dilation_rate=2)), (12, 12))
    assert mixed.sum() == 49  # 7×7 without a hole


def test_borders_cut():
    mask = segmentation.receptive_field_mask(model(conv(), conv()), (0, 23))
    assert mask.sum() == 9 and mask[:3, 21:].all()


def test_branches_join():
    image = keras.Input((24, 24, 1))
    wide, slim = conv(dilation_rate=5)(image), conv()(image)
    net = keras.Model(image, layers.Add()([wide, slim]))
    assert segmentation.receptive_field(net) == (11, 11)
    assert segmentation.receptive_field_mask(net, (12, 12)).sum() == 9 + 8  # the centre is in both


def test_a_global_pooling_sees_everything():
    image = keras.Input((24, 24, 1))
    everywhere = layers.GlobalAveragePooling2D(keepdims=True)(image)
    net = keras.Model(image, layers.Add()([conv()(image), everywhere]))
    assert segmentation.receptive_field(net) == (math.inf, math.inf)
    assert segmentation.receptive_field_mask(net, (3, 3)).all()


def network():
    image = keras.Input((16, 24, 3))
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    h = fine = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same")(h)))
    h = layers.Conv2D(4, 3, 2, padding="same")(patches(2, 4)(h))
    h = layers.Conv2D(4, 3, padding="same", dilation_rate=2, activation="relu")(h)
    h = layers.UpSampling2D(2, interpolation="bilinear")(DepthToSpaceUp(3, 2)(h))
    h = layers.Concatenate()([h, fine])
    return keras.Model(image, layers.Conv2D(2, 3, padding="same")(h))


# Along one axis of `network()`, the rows that are read, from the output back to the image.
def within(rows, side):
    return {row for row in rows if 0 <= row < side}


def rows_by_hand(row, side):
    last = within((row - 1, row, row + 1), side)  # the last 3×3
    centres = [(r + 0.5) / 2 - 0.5 for r in last]  # enlarged by 2, between neighbours
    halves = {min(max(f(c), 0), side // 2 - 1) for c in centres for f in (math.floor, math.ceil)}
    cells = {half // 2 for half in halves}  # unfolded by 2
    cells = within({cell + tap for cell in cells for tap in (-2, 0, 2)}, side // 4)  # dilated
    # 3×3 with stride 2, on an even side: what is padded lies behind.
    halves = within({2 * cell + tap for cell in cells for tap in (0, 1, 2)}, side // 2)
    fine = last | {2 * half + tap for half in halves for tap in (0, 1)}  # skip, and patches
    return sorted(within({r + tap for r in fine for tap in (-1, 0, 1)}, side))  # the first 3×3


@pytest.mark.parametrize("position", [(0, 0), (7, 11), (8, 12), (15, 23), (5, 0)])
def test_a_mask_counted_by_hand_through_all_kinds_of_layers(position):
    mask = segmentation.receptive_field_mask(network(), position)
    assert np.flatnonzero(mask.any(axis=1)).tolist() == rows_by_hand(position[0], 16)
    assert np.flatnonzero(mask.any(axis=0)).tolist() == rows_by_hand(position[1], 24)


def test_the_field_does_not_depend_on_the_size_that_a_model_was_built_for():
    for size in ((8, 8), (24, 40), (None, None)):
        assert segmentation.receptive_field(model(patches(4), conv(), conv(), size=size)) == (
            20,
            20,
        )
    wide = model(*(conv(dilation_rate=16) for _ in range(4)))
    assert segmentation.receptive_field(wide) == (129, 129)  # more than the first size holds


def test_a_field_is_the_widest_of_one_period():
    """Two outputs in three see three cells of 3 pixels, the third four."""
    net = model(patches(3), conv(), layers.UpSampling2D(3), conv(2))
    assert segmentation.receptive_field(net) == (12, 12)


def test_a_field_with_positive_weights_passes_maxima_and_shut_units():
    net = model(conv(), layers.ReLU(), layers.MaxPooling2D(2), conv())
    for weight in net.weights:
        weight.assign(-np.ones(weight.shape))
    assert segmentation.receptive_field(net) == (3 + 1 + 2 * 2, 3 + 1 + 2 * 2)
    mask = segmentation.receptive_field_mask(net, (5, 5))
    assert mask.sum() == 64 and mask[7:15, 7:15].all()


def test_the_gradient_of_one_convolution_is_its_kernel():
    net = model(conv(use_bias=False), size=(5, 5))
    kernel = np.arange(-4.0, 5.0).reshape(3, 3)
    net.layers[0].set_weights([kernel[..., None, None]])
    images = np.random.default_rng(0).random((4, 5, 5, 1))
    slopes = segmentation.effective_receptive_field(net, images, (2, 2))
    np.testing.assert_allclose(slopes[1:4, 1:4], np.abs(kernel), rtol=1e-6)
    assert slopes.sum() == pytest.approx(np.abs(kernel).sum())


def test_the_gradient_is_of_the_largest_output():
    net = model(layers.Conv2D(2, 1, use_bias=False), size=(3, 3))
    net.layers[0].set_weights([np.array([2.0, -5.0]).reshape(1, 1, 1, 2)])
    for sign, slope in ((1, 2.0), (-1, 5.0)):
        assert (
            segmentation.effective_receptive_field(net, np.full((1, 3, 3, 1), sign), (1, 1))[1, 1]
            == slope
        )


def test_positive_weights_leave_the_model_as_it_is():
    net = network()
    before = [np.array(w) for w in net.get_weights()]
    segmentation.with_positive_weights(net)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights()))


def test_side_holding():
    weights = np.zeros((9, 9))
    weights[4, 4], weights[4, 6], weights[0, 0] = 5, 4, 1
    sides = [segmentation.side_holding(weights, (4, 4), share) for share in (0.4, 0.6, 0.9, 0.95)]
    assert sides == [1, 5, 5, 9]
    with pytest.raises(ValueError, match=r"share=1.5"):
        segmentation.side_holding(weights, (4, 4), 1.5)
    with pytest.raises(ValueError, match="sum 0"):
        segmentation.side_holding(0 * weights, (4, 4))


def test_what_is_not_known_is_named():
    with pytest.raises(ValueError, match="a vector in its middle"):
        segmentation.receptive_field(
            model(conv(), layers.Flatten(), layers.Dense(2), layers.Reshape((1, 1, 2)))
        )
    with pytest.raises(ValueError, match="at_size"):
        segmentation.receptive_field_mask(model(conv(), size=(None, None)), (0, 0))
    with pytest.raises(ValueError, match=r"must lie in \(24, 24\).*\(24, 0\)"):
        segmentation.receptive_field_mask(model(conv()), (24, 0))
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 2, (4,), (1,), (2,))
    with pytest.raises(ValueError, match="one input and one output"):
        segmentation.receptive_field(encoder)


def test_centred_pixels_and_probabilities_have_the_field_of_what_is_between():
    centred = model(layers.Rescaling(1 / 127.5, offset=-1), conv(activation="relu"), conv())
    assert segmentation.receptive_field(centred) == (5, 5)
    normal = layers.Normalization(mean=127.5, variance=1.0)
    assert segmentation.receptive_field(model(normal, conv(activation="relu"), conv())) == (5, 5)
    for ending in (
        [layers.Conv2D(3, 1, activation="softmax")],
        [layers.Conv2D(3, 1), layers.Softmax()],
        [layers.Conv2D(3, 1), layers.Activation("softmax")],
    ):
        assert segmentation.receptive_field(model(conv(), *ending)) == (3, 3)


def test_an_output_that_no_pixel_can_change_is_named():
    shut = model(conv(), layers.Rescaling(-1.0), layers.ReLU(max_value=0.0))
    for ask in (
        segmentation.receptive_field,
        lambda net: segmentation.receptive_field_mask(net, (4, 4)),
    ):
        with pytest.raises(ValueError, match="no pixel has a gradient for an output of"):
            ask(shut)


def test_maxima_in_a_network_that_serves_as_a_layer_become_means():
    inner = keras.Sequential([keras.Input((24, 24, 1)), conv(1), layers.MaxPooling2D(8)])
    assert segmentation.receptive_field_mask(model(inner), (1, 1)).sum() == 64
    with pytest.raises(ValueError, match="has a network as a layer"):
        segmentation.receptive_field(model(inner))


def test_many_depthwise_layers_and_half_precision_lose_no_corner():
    kinds = [layers.DepthwiseConv2D(3, padding="same") for _ in range(18)]
    deep = model(layers.Conv2D(64, 1), *kinds, size=(48, 48))
    assert segmentation.receptive_field(deep) == (37, 37)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = model(*[conv() for _ in range(8)], size=(48, 48))
    finally:
        keras.config.set_dtype_policy("float32")
    mask = segmentation.receptive_field_mask(half, (24, 24))
    assert mask.sum() == 17**2
