"""helpers.experiments.photo_views: several views of a photograph, one answer."""

import keras
import numpy as np
import pytest

from helpers.experiments import photo_views

RNG = np.random.default_rng(0)


def network(classes):
    """One 3×3 convolution, which does not treat left and right alike."""
    keras.utils.set_random_seed(3)
    layer = keras.layers.Conv2D(classes, 3, padding="same")
    return keras.Sequential([keras.Input((None, None, 3)), layer])


@pytest.mark.parametrize("classes", [1, 4])
def test_one_view_is_the_network_itself(classes):
    image = RNG.integers(0, 256, (16, 24, 3), "uint8")
    model = network(classes)
    logits = keras.ops.convert_to_numpy(model(image[None].astype("float32") / 255))[0]
    wanted = keras.activations.softmax(logits) if classes > 1 else 1 / (1 + np.exp(-logits))
    (found,) = photo_views.probabilities(model, [image], 8)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(wanted), atol=1e-5)


def test_the_mirror_image_is_turned_back():
    image = RNG.integers(0, 256, (16, 24, 3), "uint8")
    model = network(4)
    pair = [image, image[:, ::-1]]
    one, other = photo_views.probabilities(model, pair, 8, mirror=True)
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-5)
    (alone,) = photo_views.probabilities(model, [image], 8)
    assert np.abs(one - alone).max() > 1e-3


def test_other_sizes_come_back_to_the_size_of_the_image_and_stay_probabilities():
    image = np.full((16, 24, 3), 90, "uint8")
    for scales in ([0.5], [0.5, 1.0, 1.5]):
        (found,) = photo_views.probabilities(network(4), [image], 8, scales, mirror=True)
        assert found.shape == (16, 24, 4)
        np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)
