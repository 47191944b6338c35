"""Real pictures with known faults, on which a measure is tried before a generator is."""

import numpy as np

from helpers.data import to_float


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
