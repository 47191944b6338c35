"""A Fréchet distance: cases by hand, its interval, and the tiles that it takes for pictures."""

import numpy as np
import pytest

from helpers import metrics


def normal(n, shift=0.0, seed=0, features=6):
    return shift + np.random.default_rng(seed).normal(size=(n, features))


def test_frechet_ratio_by_hand():
    real = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
    wide = 3 * real + 1  # means (1, 2) and (4, 7), variances 3 times as wide in each direction
    variances = real.var(axis=0, ddof=1)
    squared = 3**2 + 5**2 + np.sum((3 - 1) ** 2 * variances)
    distance, half = metrics.frechet_ratio(real, wide, resamples=0)
    assert distance == pytest.approx(np.sqrt(squared / variances.sum())) and half == 0
    assert metrics.frechet_ratio(real, real, resamples=0)[0] == pytest.approx(0, abs=1e-6)
    mean = np.tile(real.mean(axis=0), (5, 1))
    assert metrics.frechet_ratio(real, mean, resamples=0)[0] == pytest.approx(1)


def test_frechet_ratio_of_correlated_features_is_that_of_the_matrix_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    real, fake = (rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)) for _ in range(2))
    a, b = np.cov(real.T), np.cov(fake.T)
    squared = np.sum((real.mean(0) - fake.mean(0)) ** 2) + np.trace(a + b - 2 * sqrtm(a @ b).real)
    expected = np.sqrt(squared / np.trace(a))
    assert metrics.frechet_ratio(real, fake)[0] == pytest.approx(expected)


def test_frechet_ratio_is_the_mean_over_sets_and_its_interval_that_of_their_pictures():
    real, sets = normal(2000), [normal(100, shift=0.5, seed=i) for i in (1, 2, 3)]
    alone = [metrics.frechet_ratio(real, fake, resamples=0)[0] for fake in sets]
    distance, half = metrics.frechet_ratio(real, *sets, resamples=100)
    assert distance == pytest.approx(np.mean(alone))
    many = [
        metrics.frechet_ratio(real, normal(100, shift=0.5, seed=i), resamples=0)[0]
        for i in range(4, 204)
    ]
    assert half == pytest.approx(1.96 * np.std(many) / np.sqrt(3), rel=0.35)
    assert metrics.frechet_ratio(real, *sets, resamples=100) == (distance, half)


def test_frechet_ratio_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match=r"fakes\[0\]"):
        metrics.frechet_ratio(normal(5), normal(5, features=3))
    with pytest.raises(ValueError, match="no feature of `real` varies"):
        metrics.frechet_ratio(np.ones((5, 2)), normal(5, features=2))
    with pytest.raises(ValueError, match=r"a set of generated features\. Received: none"):
        metrics.frechet_ratio(normal(5))


@pytest.mark.parametrize("resamples", [1, -2])
def test_frechet_ratio_has_no_interval_of_a_single_draw(resamples):
    with pytest.raises(ValueError, match=f"0, or 2 or more.* resamples={resamples}"):
        metrics.frechet_ratio(normal(9), normal(9, seed=1), resamples=resamples)
    assert metrics.frechet_ratio(normal(9), normal(9, seed=1), resamples=2)[1] > 0


def test_gaussian_tiles_have_the_cell_means_of_the_pictures_and_nothing_finer():
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(200, 2, 2, 3)).repeat(4, axis=1).repeat(4, axis=2) + 0.5
    tiles = metrics.gaussian_tiles(pictures, cells=2, count=3000)
    assert tiles.shape == (3000, 8, 8, 3)
    assert np.ptp(tiles[:, :4, 4:], axis=(1, 2)).max() == 0  # one cell, one colour
    assert metrics.frechet_of_cells(pictures, tiles, 2)[0] < 0.15
    dark = metrics.frechet_of_cells(pictures, tiles - 3, 2, resamples=0)
    assert dark[0] > 2 and dark == metrics.frechet_ratio(
        metrics.block_mean(pictures, 2), metrics.block_mean(tiles - 3, 2), resamples=0
    )
