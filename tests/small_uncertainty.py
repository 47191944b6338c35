"""Small encoders, pictures with two readings, and a task of noise for tests of uncertainty."""

import keras
import numpy as np

from helpers import pyramids
from helpers.uncertainty import evaluation, methods

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


def noise_task():
    """Noise, and what three people marked in it without looking."""
    rng = np.random.default_rng(0)
    images = rng.random((12, SIZE, SIZE, 3), "float32")
    people = (rng.random((12, 3, SIZE, SIZE)) < 0.2).astype("uint8")
    ods = (2, 3, 3, 0.1)
    return evaluation.Task(
        "noise", images[:6], people[:6], images[6:8], people[6:8], images[8:], people[8:], 1, ods
    )


def small_methods(task):
    return methods.UncertaintyMethods(
        task.train_images, latent=2, vae_steps=2, steps=2, batch_size=4
    )
