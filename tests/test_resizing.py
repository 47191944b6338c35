"""A copy of a convolutional network for images of another size."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.models import resizing


def network():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, layers.Conv2D(4, 2, 2)(image))


def test_a_copy_takes_any_size_and_has_weights_of_its_own():
    model = network()
    copy = resizing.resized(model, (None, None, 3))
    assert copy.output_shape == (None, None, None, 4)
    assert copy(np.zeros((1, 12, 10, 3))).shape == (1, 6, 5, 4)
    before = model.get_weights()
    copy.set_weights([np.ones_like(w) for w in before])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_vector_in_the_middle_is_refused():
    image = keras.Input((8, 8, 3))
    flat = keras.Model(image, layers.Dense(2)(layers.Flatten()(image)))
    with pytest.raises(ValueError, match="vector in its middle"):
        resizing.resized(flat, (16, 16, 3))


def test_patches_must_cut_the_image_evenly():
    resizing.check_patches(network(), (8, 8, 3))
    odd = resizing.resized(network(), (9, 8, 3))
    with pytest.raises(ValueError, match="multiples of what all patches"):
        resizing.check_patches(odd, (9, 8, 3))
