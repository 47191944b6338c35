"""Generated pictures: on the way between two codes, as bytes, and real ones with known faults.

`slerp`, `as_bytes` and `corruptions`. NumPy in, NumPy out.
"""

import numpy as np

from helpers.data import to_float


def slerp(a, b, n):
    """Points from a to b that are as probable as both if both are draws from N(0, I).

    a·cos t + b·sin t for t from 0 to π/2. On the straight line the length drops by √2 half-way.
    `scipy.spatial.geometric_slerp` needs unit vectors.

    Args:
        a, b: `(K,)`.
        n: how many points, both ends included.

    Returns:
        float32 `(n, K)`.
    """
    t = np.linspace(0, np.pi / 2, n, dtype="float32")[:, None]
    return np.cos(t) * np.asarray(a, "float32") + np.sin(t) * np.asarray(b, "float32")


def as_bytes(images):
    """Floats as the bytes of pictures: values outside [0, 1] are cut, NaN is black.

    `skimage.util.img_as_ubyte` refuses values beyond −1 and 1, which a network may draw.

    Args:
        images: floats of any shape, 1 is white.

    Returns:
        uint8 of the same shape.
    """
    images = np.nan_to_num(np.asarray(images, dtype="float32"), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(255 * np.clip(images, 0, 1)).astype("uint8")


def corruptions(images, labels, seed=0):
    """Real pictures with known faults, on which a measure can be tried before a generator is.

    Args:
        images: uint8 or floats in [0, 1], `(N, H, W, C)`.
        labels: class of each, `(N,)`.
        seed: of the noise.

    Returns:
        Dictionary from a name to float32 pictures, as many as given: "blurred" (a Gaussian of 1.5
        pixels), "noisy" (noise of 0.1), "one class" (those of the first class, again and again),
        "ten pictures" (the first ten), "mean picture" and "pure noise" (uniform).

    Raises:
        ValueError: If there is not one label a picture.
    """
    from scipy import ndimage

    x, labels = to_float(images), np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"one label a picture: ({len(x)},). Received: shape {labels.shape}")
    rng, n = np.random.default_rng(seed), len(x)
    noise = rng.standard_normal(x.shape, "float32")
    first = x[labels == labels.min()]
    made = {
        "blurred": ndimage.gaussian_filter(x, (0, 1.5, 1.5, 0)),
        "noisy": x + np.float32(0.1) * noise,
        "one class": first[np.arange(n) % len(first)],
        "ten pictures": x[np.arange(n) % 10],
        "mean picture": np.repeat(x.mean(axis=0, keepdims=True), n, axis=0),
        "pure noise": rng.random(x.shape, "float32"),
    }
    return {name: np.clip(pictures, 0, 1) for name, pictures in made.items()}
