"""How good are generated pictures? Measures that need no downloaded network. NumPy in, NumPy out.

A generator without a density can be judged by its samples only. Most measures here compare two
sets of features, `(N, F)` of real pictures and `(M, F)` of generated ones, by whatever network
computes them: they see what that network sees, and numbers by two networks do not compare.

Of features: `polynomial_mmd`, `precision_recall`, `variance_ratio`, and `standardise` before them.
Of latents: `distance_to_regions`.
Of pictures: `power_spectrum`, `block_mean`, `gradient_energy`.
"""

import numpy as np


def power_spectrum(images):
    """Mean power by spatial frequency, from 1 cycle a picture to half the side.

    Channels are averaged, each picture's mean is taken off, and powers are averaged over rings of
    equal frequency (rounded). Only a wave along an axis reaches half the side undamped.

    Args:
        images: `(N, H, H, C)`, floats.

    Returns:
        float64 `(H // 2,)`, squares of the images' unit. White noise of variance v in each channel is flat at v / C.

    Raises:
        ValueError: If the images are not square.
    """
    images = np.asarray(images, dtype="float64")
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(f"`images` must be (N, H, H, C). Received: shape {images.shape}")
    flat = images.mean(axis=-1)
    flat -= flat.mean(axis=(1, 2), keepdims=True)
    side = flat.shape[1]
    power = (np.abs(np.fft.fft2(flat)) ** 2).mean(axis=0) / side**2
    frequency = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(frequency[:, None], frequency)).astype(int).ravel()
    means = np.bincount(ring, power.ravel()) / np.bincount(ring)
    return means[1 : side // 2 + 1]


def standardise(reference, *others):
    """Features in units of the reference: each with mean 0 and standard deviation 1 there.

    As `sklearn.preprocessing.StandardScaler`, which keeps what is constant in the reference.

    Args:
        reference: `(N, F)`; a feature that is constant in it is left out everywhere.
        *others: `(M, F)` each.

    Returns:
        A list of float64 arrays, the reference first.

    Raises:
        ValueError: If a set is not `(M, F)`, or no feature varies.
    """
    sets = [checked_features("reference", reference)]
    sets += [checked_features(f"others[{i}]", other, sets[0]) for i, other in enumerate(others)]
    mean, std = sets[0].mean(axis=0), sets[0].std(axis=0)
    varies = std > 1e-6 * max(std.max(), 1e-30)
    if not varies.any() or std.max() == 0:
        raise ValueError("no feature of the reference varies: its network tells nothing apart")
    return [(each[:, varies] - mean[varies]) / std[varies] for each in sets]


def polynomial_mmd(real, fake, degree=3):
    """The squared maximum mean discrepancy with a polynomial kernel, estimated without bias.

    k(a, b) = (a·b / F + 1)³. The estimate is the mean kernel inside each set, pairs of a picture
    with itself left out, minus twice the mean kernel between the sets. It is 0 on average for two
    sets from one source, whatever their sizes, so it can be negative; larger is worse. With
    features of the Inception network it is called KID; with others it must not be.

    Args:
        real: `(N, F)`, N ≥ 2.
        fake: `(M, F)`, M ≥ 2.
        degree: of the polynomial.

    Returns:
        float, without a unit.

    Raises:
        ValueError: If the sets do not fit each other or hold values that are not finite.

    References:
        Binkowski et al. (2018). https://arxiv.org/abs/1801.01401
        Gretton et al. (2012), lemma 6. https://jmlr.org/papers/v13/gretton12a.html
    """
    from sklearn.metrics.pairwise import polynomial_kernel

    real = checked_features("real", real, least=2)
    fake = checked_features("fake", fake, real, least=2)

    def inside(a):
        k = polynomial_kernel(a, degree=degree)
        return (k.sum() - np.trace(k)) / (len(a) * (len(a) - 1))

    return float(inside(real) + inside(fake) - 2 * polynomial_kernel(real, fake, degree).mean())


def precision_recall(real, fake, k=3):
    """Share of generated pictures that look real, and of real ones that are generated.

    Each picture of a set gets a ball that reaches to its k-th nearest neighbour in that set; the
    balls together stand for all that the set might have held. Precision is the share of `fake`
    inside a ball of `real`, recall the share of `real` inside a ball of `fake`. A generator that
    knows one mode well has high precision and low recall; one that blurs all modes has neither.

    Both depend on the sizes of the sets and on k, so compare numbers of equal sizes only. The
    package prdc has both; these few lines spare a dependency.

    Args:
        real: `(N, F)`.
        fake: `(M, F)`.
        k: which neighbour; each set needs more than k members.

    Returns:
        (precision, recall), each between 0 and 1.

    Raises:
        ValueError: If the sets do not fit each other, or k is not below their sizes.

    References:
        Kynkäänniemi et al. (2019). https://arxiv.org/abs/1904.06991
    """
    if int(k) != k or k < 1:
        raise ValueError(f"`k` must be an integer of 1 or more. Received: k={k!r}")
    real = checked_features("real", real, least=k + 1)
    fake = checked_features("fake", fake, real, least=k + 1)
    between = _squared_distances(real, fake)  # (N, M)

    def reach(a):
        # Column 0 of the sorted distances is the picture itself.
        return np.partition(_squared_distances(a, a), k, axis=1)[:, k]

    precision = (between <= reach(real)[:, None]).any(axis=0).mean()
    recall = (between <= reach(fake)[None]).any(axis=1).mean()
    return float(precision), float(recall)


def block_mean(images, cells=4):
    """Means over a grid of cells in each channel.

    What is left when all that is fine is gone: blur and noise change it little.

    Args:
        images: `(N, H, W, C)`, floats.
        cells: how many along each side.

    Returns:
        float64 `(N, cells² · C)`.

    Raises:
        ValueError: If height or width is no multiple of `cells`.
    """
    from skimage.transform import downscale_local_mean

    images = np.asarray(images, dtype="float64")
    if images.ndim != 4 or images.shape[1] % cells or images.shape[2] % cells:
        raise ValueError(
            f"`images` must be (N, H, W, C), H and W multiples of {cells}. "
            f"Received: shape {images.shape}"
        )
    n, height, width, _ = images.shape
    means = downscale_local_mean(images, (1, height // cells, width // cells, 1))
    return means.reshape(n, -1)


def variance_ratio(real, fake):
    """Variance of generated features as a share of that of real ones, summed over F.

    1 where they vary as much; 0 where the generator draws one picture again and again. Given
    features of `block_mean`, it asks whether pictures differ at all, and takes no notice of blur.

    Args:
        real: `(N, F)`, N ≥ 2.
        fake: `(M, F)`, M ≥ 2.

    Returns:
        float, 0 or more, without a unit.

    Raises:
        ValueError: If the sets do not fit each other or hold values that are not finite.
    """
    real = checked_features("real", real, least=2)
    fake = checked_features("fake", fake, real, least=2)
    return float(fake.var(axis=0).sum() / real.var(axis=0).sum())


def distance_to_regions(points, means, sigmas):
    """Distance of each latent to the nearest of many Gaussians, in its standard deviations.

    Args:
        points: `(M, K)`.
        means, sigmas: `(N, K)` each, of q(z|x) for N pictures.

    Returns:
        `(M,)`: the least Mahalanobis distance. A draw from one of the Gaussians has about √K.
    """
    points, means, sigmas = (np.asarray(a, dtype="float64") for a in (points, means, sigmas))
    squares = [(((point - means) / sigmas) ** 2).sum(axis=1).min() for point in points]
    return np.sqrt(squares)


def gradient_energy(images):
    """Mean squared difference of neighbouring pixels, per picture.

    Over both directions and all channels. Blur lowers it; noise raises it, so a high value alone
    is no praise.

    Args:
        images: `(N, H, W, C)` in [0, 1]; what lies outside is cut.

    Returns:
        float64 `(N,)`, between 0 and 1.

    Raises:
        ValueError: If the images have another number of axes.
    """
    images = np.clip(np.asarray(images, dtype="float64"), 0, 1)
    if images.ndim != 4:
        raise ValueError(f"`images` must be (N, H, W, C). Received: shape {images.shape}")
    down, across = (np.square(np.diff(images, axis=axis)) for axis in (1, 2))
    return (down.mean(axis=(1, 2, 3)) + across.mean(axis=(1, 2, 3))) / 2


def _squared_distances(a, b):
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    squares = np.maximum(squares, 0)
    if a is b:
        np.fill_diagonal(squares, 0)
    return squares


def checked_features(name, values, like=None, least=1):
    """Features as float64 `(N, F)`; a ValueError names what has another shape."""
    values = np.asarray(values, dtype="float64")
    if (
        values.ndim != 2
        or len(values) < least
        or (like is not None and values.shape[1:] != like.shape[1:])
    ):
        wanted = "F" if like is None else like.shape[1]
        raise ValueError(
            f"`{name}` must be (N, {wanted}) with N ≥ {least}. Received: shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` holds values that are not finite: has the training diverged?")
    return values
