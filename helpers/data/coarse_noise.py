"""Noise in blobs, for denoising autoencoders that shall learn what belongs into a picture.

Imported by its own name, since it needs Keras.
"""

import keras
import numpy as np


class CoarseNoise(keras.utils.PyDataset):
    """Pairs of a picture with coarse Gaussian noise, and the picture itself, for `fit`.

    One value for each square of `side` × `side` pixels and each channel. Against noise of single
    pixels, an autoencoder learns to smooth; against blobs, to tell what belongs into a picture.

    Args:
        pictures: batches `(x,)` of pictures in [0, 1], such as `stream.FreshShapes`.
        sigma: Standard deviation of the noise.
        side: Of the squares in pixels; it divides height and width.
        seed: Of the noise, from 0; in one epoch a batch has the same noise each time.

    Examples:
        >>> from helpers.data.stream import FreshShapes
        >>> pictures = FreshShapes(batch_size=4, steps_per_epoch=2)
        >>> noisy, clean = data.coarse_noise.CoarseNoise(pictures, sigma=0.2)[0]
        >>> noisy.shape == clean.shape, noisy.dtype.name
        (True, 'float32')

    References:
        Kascenas, Pugeault and O'Neil (2022). https://proceedings.mlr.press/v172/kascenas22a.html
    """

    def __init__(self, pictures, sigma=0.2, side=2, seed=0):
        super().__init__()
        self.pictures, self.sigma, self.side, self.seed = pictures, sigma, side, seed

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        (x,) = self.pictures[index]
        n, height, width, channels = x.shape
        if height % self.side or width % self.side:
            raise ValueError(
                f"`side` must divide height and width. Received: side={self.side}, {x.shape}"
            )
        rng = np.random.default_rng([self.seed, self.epoch, index])
        squares = (n, height // self.side, width // self.side, channels)
        noise = rng.normal(0, self.sigma, squares)
        noise = noise.repeat(self.side, axis=1).repeat(self.side, axis=2)
        return (x + noise).clip(0, 1).astype("float32"), x

    @property
    def epoch(self):
        """That of the pictures; 0 for batches that count none."""
        return getattr(self.pictures, "epoch", 0)

    @epoch.setter
    def epoch(self, value):
        self.pictures.epoch = value

    @property
    def first_epoch(self):
        return getattr(self.pictures, "first_epoch", 0)

    def on_epoch_end(self):
        self.pictures.on_epoch_end()
