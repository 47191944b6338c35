"""What a network costs: work counted by hand, and the time of one image."""

import keras
import pytest
from keras import layers
from small_segmenters import SEGMENTERS, SIZE, built

from helpers import segmentation


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
