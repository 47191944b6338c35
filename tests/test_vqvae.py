"""One grid, two objectives, and heads that leave it alone."""

import numpy as np
import pytest

from helpers.generative import vqvae

OPTIONS = {"steps": 6, "batch_size": 4, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def grid():
    return vqvae.VQVAE((8, 8, 3), 6, 2, 0.1, num_classes=2, width=8, **OPTIONS)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).random((12, 8, 8, 3), "float32")


def test_encoded_and_decoded_is_what_the_model_gives(grid, x):
    grid.reset_weights(1)
    codes = grid.encode_indices(x)
    assert codes.shape == (12, 2, 2) and codes.min() >= 0 and codes.max() < 6
    expected = grid.vqvae.predict(x, verbose=0)
    np.testing.assert_allclose(grid.decode_indices(codes), expected, atol=1e-4)


def test_a_seed_repeats_and_both_objectives_start_alike(grid, x):
    found = []
    for objective in ("VQ-VAE", "VQ-VAE", "VAE"):
        grid.reset_weights(2)
        first = grid.encoder.get_weights()
        grid.train(objective, x, 2)
        found.append((first, grid.encoder.get_weights()))
    assert all(np.array_equal(a, b) for a, b in zip(found[0][0], found[2][0]))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(found[0][1], found[1][1]))
    assert any(not np.allclose(a, b, atol=1e-5) for a, b in zip(found[0][1], found[2][1]))


def test_a_head_learns_and_the_grid_stays(grid, x):
    grid.reset_weights(3)
    grid.train("VQ-VAE", x, 3)
    before = [w for net in grid.networks for w in net.get_weights()]
    masks = (x.mean(axis=-1) > 0.5).astype("uint8")
    for features in ("vectors", "codes"):
        predictions = grid.train_head(features, x, masks, x[:5], 3, **OPTIONS)
        assert predictions.shape == (5, 8, 8) and set(np.unique(predictions)) <= {0, 1}
        head = grid.heads[features]
        logits = head.predict(x[:5], verbose=0)
        assert logits.shape == (5, 8, 8, 2)
        np.testing.assert_array_equal(predictions, logits.argmax(axis=-1))
        frozen = [w for net in grid.frozen_networks for w in net.get_weights()]
        assert all(np.array_equal(a, b) for a, b in zip(before, frozen))
        trained = head.get_weights()
        grid.train_head(features, x, masks, x[:5], 3, **OPTIONS)
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(trained, head.get_weights()))
    after = [w for net in grid.networks for w in net.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after))


def test_a_head_on_codes_sees_codes_only(grid, x):
    """Pictures with the same codes get the same answer; on vectors they do not."""
    grid.reset_weights(4)
    codebook = np.array([[-9.0, 0.0], [9.0, 0.0]] + [[0.0, 900.0]] * 4, "float32")
    grid.quantizer.codebook.assign(codebook)
    masks = (x.mean(axis=-1) > 0.5).astype("uint8")
    y = np.clip(x + 0.01, 0, 1)
    same = (grid.encode_indices(x) == grid.encode_indices(y)).all(axis=(1, 2))
    assert same.any()
    for features, alike in (("codes", True), ("vectors", False)):
        grid.train_head(features, x, masks, x, 4, **OPTIONS)
        head = grid.heads[features]
        a, b = head.predict(x, verbose=0)[same], head.predict(y, verbose=0)[same]
        assert np.allclose(a, b, atol=1e-5) is alike


def test_the_bound_is_a_sum_of_two_costs_and_draws_repeat(grid, x):
    grid.reset_weights(5)
    grid.train_prior(x, 5, steps=6)
    codes = grid.encode_indices(x)
    redrawn = grid.vqvae.predict(x, verbose=0)
    pixels = -0.5 * (((x - redrawn) / 0.1) ** 2 + np.log(2 * np.pi * 0.01)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(grid.bound(x), pixels - grid.prior_nll(codes), rtol=1e-4)
    drawn = grid.sample(4, 1)
    assert drawn.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(drawn, grid.sample(4, 1))
    first = grid.prior.get_weights()
    grid.train_prior(x, 5, steps=6)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(first, grid.prior.get_weights()))


def test_bad_words_are_named(grid, x):
    with pytest.raises(ValueError, match="GAN"):
        grid.train("GAN", x, 0)
    with pytest.raises(ValueError, match="pixels"):
        grid.train_head("pixels", x, x, x, 0)
    bare = vqvae.VQVAE((8, 8, 3), 4, 2, 0.1, width=4, **OPTIONS)
    with pytest.raises(ValueError, match="features='codes'"):
        bare.train_head("codes", x, x, x, 0)
    with pytest.raises(ValueError, match="train_prior"):
        bare.sample(2, 0)
