"""One grid, two trainings, and heads that leave it alone."""

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


def test_sent_and_received_is_what_the_model_gives(grid, x):
    grid.start(1)
    codes = grid.send(x)
    assert codes.shape == (12, 2, 2) and codes.min() >= 0 and codes.max() < 6
    expected = grid.vqvae.predict(x, verbose=0)
    np.testing.assert_allclose(grid.receive(codes), expected, atol=1e-4)


def test_a_run_repeats_and_both_kinds_start_alike(grid, x):
    found = []
    for kind in ("VQ-VAE", "VQ-VAE", "VAE"):
        grid.start(2)
        first = grid.encoder.get_weights()
        grid.learn(kind, x, 2)
        found.append((first, grid.encoder.get_weights()))
    assert all(np.array_equal(a, b) for a, b in zip(found[0][0], found[2][0]))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(found[0][1], found[1][1]))
    assert any(not np.allclose(a, b, atol=1e-5) for a, b in zip(found[0][1], found[2][1]))


def test_a_head_learns_and_the_grid_stays(grid, x):
    grid.start(3)
    grid.learn("VQ-VAE", x, 3)
    before = [w for net in grid.nets for w in net.get_weights()]
    masks = (x.mean(axis=-1) > 0.5).astype("uint8")
    for what in ("vectors", "codes"):
        head = grid.read(what, x, masks, 3, **OPTIONS)
        assert head.predict(x, verbose=0).shape == (12, 8, 8, 2)
        lent = [w for net in grid.lent for w in net.get_weights()]
        assert all(np.array_equal(a, b) for a, b in zip(before, lent))
        again = grid.read(what, x, masks, 3, **OPTIONS).get_weights()
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(head.get_weights(), again))
    after = [w for net in grid.nets for w in net.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after))


def test_a_head_on_codes_sees_codes_only(grid, x):
    """Pictures with the same codes get the same answer; on vectors they do not."""
    grid.start(4)
    book = np.array([[-9.0, 0.0], [9.0, 0.0]] + [[0.0, 900.0]] * 4, "float32")
    grid.book.codebook.assign(book)
    masks = (x.mean(axis=-1) > 0.5).astype("uint8")
    y = np.clip(x + 0.01, 0, 1)
    same = (grid.send(x) == grid.send(y)).all(axis=(1, 2))
    assert same.any()
    for what, alike in (("codes", True), ("vectors", False)):
        head = grid.read(what, x, masks, 4, **OPTIONS)
        a, b = head.predict(x, verbose=0)[same], head.predict(y, verbose=0)[same]
        assert np.allclose(a, b, atol=1e-5) is alike


def test_the_bound_is_a_sum_of_two_costs_and_draws_repeat(grid, x):
    grid.start(5)
    grid.learn_prior(x, 5, steps=6)
    codes = grid.send(x)
    redrawn = grid.vqvae.predict(x, verbose=0)
    pixels = -0.5 * (((x - redrawn) / 0.1) ** 2 + np.log(2 * np.pi * 0.01)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(grid.bound(x), pixels - grid.code_nats(codes), rtol=1e-4)
    drawn = grid.draw(4, 1)
    assert drawn.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(drawn, grid.draw(4, 1))
    first = grid.prior[0].get_weights()
    grid.learn_prior(x, 5, steps=6)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(first, grid.prior[0].get_weights()))


def test_bad_words_are_named(grid, x):
    with pytest.raises(ValueError, match="GAN"):
        grid.learn("GAN", x, 0)
    with pytest.raises(ValueError, match="pixels"):
        grid.read("pixels", x, x, 0)
    bare = vqvae.VQVAE((8, 8, 3), 4, 2, 0.1, width=4, **OPTIONS)
    with pytest.raises(ValueError, match="what='codes'"):
        bare.read("codes", x, x, 0)
    with pytest.raises(ValueError, match="learn_prior"):
        bare.draw(2, 0)
