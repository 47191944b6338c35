"""A Fréchet distance of two sets of pictures, and what it cannot see. NumPy in, NumPy out.

`frechet_ratio` compares features, `frechet_of_cells` pictures by the means of their cells, and
`gaussian_tiles` has the right mean and covariance of these, and no object.
"""

import numpy as np

from helpers.metrics.generative import block_mean, checked_features


def frechet_ratio(real, *fakes, resamples=20, seed=0):
    """Fréchet distance of two Gaussians with the means and covariances of two sets of features.

    In units of the spread of the real features, √tr C: 0 means the same mean and the same
    covariance (two finite sets never have it), 1 is reached by the mean of the real set again and
    again. Nothing else of the sets is seen. On features of the Inception network the squared
    distance is called FID; with others it must not be.

    The interval is that of the generated pictures: they are drawn again with replacement. It
    grows smaller with more pictures, and so does the distance: compare sets of equal sizes.

    Args:
        real: `(N, F)`, N ≥ 2.
        *fakes: `(M, F)` each, M ≥ 2: sets of one generator, such as one a seed.
        resamples: how often each set is drawn again, 2 or more; 0 gives an interval of 0.
        seed: of drawing again.

    Returns:
        (distance, half width of its 95 % interval): the mean over the sets. The interval is that
        of this mean, so more sets make it narrower; what training changes is not in it.

    Raises:
        ValueError: If there is no set of fakes, the sets do not fit each other, no real feature
            varies, or each set is to be drawn again only once.

    References:
        Dowson and Landau (1982). https://doi.org/10.1016/0047-259X(82)90077-X
        Heusel et al. (2017). https://arxiv.org/abs/1706.08500
    """
    if not fakes:
        raise ValueError("a distance needs a set of generated features. Received: none")
    if resamples < 0 or resamples == 1:
        raise ValueError(
            "`resamples` is 0, or 2 or more: a single draw has no spread. "
            f"Received: resamples={resamples}"
        )
    real = checked_features("real", real, least=2)
    fakes = [checked_features(f"fakes[{i}]", fake, real, least=2) for i, fake in enumerate(fakes)]
    mean, covariance = real.mean(axis=0), np.atleast_2d(np.cov(real.T))
    total = np.trace(covariance)
    if not total > 0:
        raise ValueError("no feature of `real` varies: its network tells nothing apart")
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(values.clip(0))) @ axes.T

    def distance(fake):
        other = np.atleast_2d(np.cov(fake.T))
        # tr (C₁C₂)^½ is the sum of the roots of the eigenvalues of C₁^½ C₂ C₁^½.
        shared = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
        squared = np.sum((fake.mean(axis=0) - mean) ** 2) + total + np.trace(other) - 2 * shared
        return np.sqrt(max(squared, 0) / total)

    rng, variances = np.random.default_rng(seed), []
    for fake in fakes:
        rows = [rng.integers(len(fake), size=len(fake)) for _ in range(resamples)]
        variances.append(np.var([distance(fake[row]) for row in rows], ddof=1) if rows else 0.0)
    half = 1.96 * float(np.sqrt(np.mean(variances) / len(fakes)))
    return float(np.mean([distance(fake) for fake in fakes])), half


def frechet_of_cells(real, fake, cells, **options):
    """`frechet_ratio` of block means (`block_mean`) of two sets of pictures, `(N, H, W, C)` each.

    Coarse on purpose: no outline is seen. `options` are those of `frechet_ratio`.
    """
    return frechet_ratio(block_mean(real, cells), block_mean(fake, cells), **options)


def gaussian_tiles(images, cells, count, seed=0):
    """Pictures of tiles, drawn from a Gaussian that is fitted to the cell means of `images`.

    A floor for `frechet_of_cells`: no network, no object, and the right mean and covariance.

    Args:
        images: `(N, H, W, C)`, floats.
        cells: how many along each side, see `block_mean`.
        count: how many pictures.
        seed: of the draws.

    Returns:
        float64 `(count, H, W, C)`; some values may lie outside of [0, 1].
    """
    means = block_mean(images, cells)
    rng = np.random.default_rng(seed)
    tiles = rng.multivariate_normal(means.mean(axis=0), np.cov(means.T), count)
    _, height, width, channels = np.shape(images)
    tiles = tiles.reshape(count, cells, cells, channels)
    return tiles.repeat(height // cells, axis=1).repeat(width // cells, axis=2)
