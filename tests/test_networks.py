"""Shapes, centring and bad input of the networks; `test_models.py` trains them."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers import networks

KINDS = {
    "dense": lambda shape: networks.dense_networks(shape, 5, (8,), centre=True),
    "conv": lambda shape: networks.conv_networks(shape, 5, width=4, centre=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_fits_and_starts_centred_and_nearly_certain(kind):
    keras.utils.set_random_seed(0)
    encoder, decoder = KINDS[kind]((16, 12, 3))
    x = np.random.default_rng(0).random((2, 16, 12, 3), "float32")
    mean, log_variance = encoder(x)
    assert tuple(mean.shape) == tuple(log_variance.shape) == (2, 5)
    assert ops.convert_to_numpy(log_variance) == pytest.approx(-3.0)
    # No code, no biases yet: nothing but the offset of the last layer is left.
    blank = ops.convert_to_numpy(decoder(np.zeros((2, 5), "float32")))
    assert blank.shape == x.shape
    assert blank == pytest.approx(0.4, abs=1e-6)


def test_centring_makes_grey_look_like_zero():
    encoder, _ = networks.dense_networks((4, 4, 1), 3, (8,), centre=True)
    mean, _ = encoder(np.full((1, 4, 4, 1), 0.4, "float32"))
    assert ops.convert_to_numpy(mean) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("build", [networks.dense_networks, networks.conv_networks])
@pytest.mark.parametrize("centre", [False, True])
def test_centring_and_a_quiet_start_are_two_choices(build, centre):
    x = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
    for quiet in (False, True):
        encoder, decoder = build((8, 8, 3), 5, centre=centre, quiet_start=quiet)
        log_variance = ops.convert_to_numpy(encoder(x)[1])
        assert np.allclose(log_variance, -3.0) == quiet
        blank = ops.convert_to_numpy(decoder(np.zeros((2, 5), "float32")))
        assert blank == pytest.approx(0.4 if centre else 0.0, abs=1e-6)


def test_centring_the_input_alone_leaves_logits_alone():
    _, decoder = networks.dense_networks((4, 4, 1), 3, (8,), centre="input")
    blank = ops.convert_to_numpy(decoder(np.zeros((2, 3), "float32")))
    assert blank == pytest.approx(0.0, abs=1e-6)
