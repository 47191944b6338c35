"""Small encoders, and pictures with two readings, for tests of uncertainty."""

import keras
import numpy as np

from helpers import pyramids

SIZE = 16


def encoder(seed=0):
    keras.utils.set_random_seed(seed)
    return pyramids.pyramid_networks((SIZE, SIZE, 3), 2, (8, 8), (1, 1), (2, 2))[0]


def coin(n, seed=0):
    """Red on the left, blue on the right; half of the people mark the red, half the blue."""
    rng = np.random.default_rng(seed)
    images = rng.random((n, SIZE, SIZE, 3), "float32") * 0.1 + 0.3
    images[:, :, : SIZE // 2, 0] += 0.4
    images[:, :, SIZE // 2 :, 2] += 0.4
    people = np.zeros((2, SIZE, SIZE), "uint8")
    people[0, :, : SIZE // 2], people[1, :, SIZE // 2 :] = 1, 1
    return images, [people] * n
