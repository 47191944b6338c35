"""A VQ-VAE with a loss in nats, and batches of its codes."""

import keras
import numpy as np
import pytest

from helpers import losses, models, pretrained
from helpers.checkpoint.training_backup import rewind
from helpers.data.stream import FreshShapes
from helpers.generative import quantised

SIZES = {"num_codes": 6, "channels": 2, "per_place": 2, "width": 4}


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return quantised.VQVAE((16, 16, 3), **SIZES, seed=0)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).random((6, 16, 16, 3), "float32")


def test_encoded_and_decoded_is_what_the_model_gives(model, x):
    codes = model.encode_indices(x)
    assert codes.shape == (6, 2, 4) == (6, *model.grid)
    assert codes.min() >= 0 and codes.max() < 6
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(model.decode_indices(codes), expected, atol=1e-4)


def test_its_score_is_the_likelihood_of_gaussian_pixels(model, x):
    redrawn = model.decode_indices(model.encode_indices(x))
    for sigma in (0.04, 0.1):
        nll = model.reconstruction_nll(x, redrawn, np.log(sigma))
        expected = losses.gaussian_nll(x, redrawn, np.log(sigma))
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (nll, expected)), rtol=1e-5)
    log_p = keras.ops.convert_to_numpy(model.elbo(x))
    expected = -keras.ops.convert_to_numpy(losses.gaussian_nll(x, redrawn, np.log(0.04)))
    np.testing.assert_allclose(log_p, expected, rtol=1e-3)


def test_training_lowers_the_error_and_moves_the_codes(model):
    stream = FreshShapes(8, 40, 0, size=16, objects=1)
    held_out = stream[0][0]
    before = float(np.mean(keras.ops.convert_to_numpy(model.elbo(held_out))))
    codebook = keras.ops.convert_to_numpy(model.quantizer.codebook.value)
    model.compile(keras.optimizers.Adam(3e-3))
    history = model.fit(stream, verbose=0).history
    assert set(history) == {"loss", "reconstruction"}
    assert history["loss"][0] > history["reconstruction"][0]  # the commitment is in the loss
    assert float(np.mean(keras.ops.convert_to_numpy(model.elbo(held_out)))) > before
    assert not np.allclose(codebook, keras.ops.convert_to_numpy(model.quantizer.codebook.value))


def test_it_starts_from_the_convolutions_of_a_vae():
    model = quantised.VQVAE((32, 32, 3), **SIZES, seed=0)
    one = models.conv_vae((32, 32, 3), 3, 4, likelihood="gaussian", seed=0)
    model.start_from(one)
    ours, theirs = model.encoder.get_weights(), one.encoder.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(ours[:-2], theirs[:-4], strict=True))
    ours, theirs = model.decoder.get_weights(), one.decoder.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(ours[2:], theirs[2:], strict=True))


def test_fresh_codes_are_those_of_the_stream(model):
    stream = FreshShapes(3, 2, 0, size=16, objects=1)
    codes = quantised.FreshCodes(model, stream)
    (pictures,) = stream[1]
    np.testing.assert_array_equal(codes[1][0], model.encode_indices(pictures))
    first = codes[0][0]
    codes.on_epoch_end()
    assert len(codes) == 2 and stream.epoch == 1 and not np.array_equal(first, codes[0][0])


def test_codes_of_a_training_that_goes_on_are_of_its_epoch(model):
    stream = FreshShapes(3, 2, 0, size=16, objects=1)
    codes = quantised.FreshCodes(model, stream)
    rewind(codes, 3)
    assert (codes.epoch, stream.epoch, codes.first_epoch) == (3, 3, stream.first_epoch)


def test_it_is_kept_and_built_again(model, x, tmp_path):
    arguments = {"image_shape": [16, 16, 3], **SIZES}
    pretrained.save(model, "codes", builder="vqvae", arguments=arguments, folder=tmp_path)
    again, _ = pretrained.load("codes", tmp_path)
    rounded, ours = again.predict(x, verbose=0), model.predict(x, verbose=0)
    assert np.mean(np.abs(rounded - ours) < 0.02) > 0.9  # a rounded vector may choose another code


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"multiples of 8\. Received: 16×20"):
        quantised.VQVAE((16, 20, 3), **SIZES)
    with pytest.raises(ValueError, match="sigma"):
        quantised.VQVAE((16, 16, 3), **SIZES, sigma=0)
    with pytest.raises(ValueError, match="num_codes"):
        quantised.VQVAE((16, 16, 3), **{**SIZES, "num_codes": 1})
