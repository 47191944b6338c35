"""A look at a VAE's learned σ while it is trained."""

import math

import keras

from helpers.backend import unscaled
from helpers.metrics import density


class WatchSigma(keras.callbacks.Callback):
    """Notes a VAE's learned σ and its r.m.s. error at the start and after each epoch.

    Args:
        x: images on which the error is measured, `(B, H, W, C)`.

    Attributes:
        rows: one (steps, σ, error, least σ) an epoch. The last is how far Adam gets, about, from
            the first σ if each step moves log(σ − floor) down by the learning rate.

    Examples:
        >>> from helpers.generative.learned_sigma import WatchSigma
        >>> vae = models.dense_vae((4,), latent=1, hidden=3, likelihood="gaussian")
        >>> vae.compile(keras.optimizers.Adam(0.001), run_eagerly=True)
        >>> watch = WatchSigma(np.zeros((4, 4)))
        >>> history = vae.fit(np.zeros((4, 4)), verbose=0, callbacks=[watch])
        >>> [round(row[3], 4) for row in watch.rows]     # 0.01 + 0.1, 0.01 + 0.1 exp(−0.001)
        [0.11, 0.1099]
    """

    def __init__(self, x):
        super().__init__()
        self.x, self.rows = x, []

    def on_train_begin(self, logs=None):
        self.rows, self.moved = [], 0.0
        self.first = math.exp(float(self.model.log_sigma())) - self.model.sigma_floor
        self._note()

    def on_epoch_end(self, epoch, logs=None):
        before, now = self.rows[-1][0], int(self.model.steps)
        # The mean of the first and the last learning rate of the epoch, for all of its steps.
        self.moved += (now - before) * (self._learning_rate(before) + self._learning_rate(now)) / 2
        self._note()

    def _learning_rate(self, step):
        rate = unscaled(self.model.optimizer)._learning_rate
        return float(rate(step)) if callable(rate) else float(keras.ops.convert_to_numpy(rate))

    def _note(self):
        vae = self.model
        least = vae.sigma_floor + self.first * math.exp(-self.moved)
        sigma = math.exp(float(vae.log_sigma()))
        self.rows.append((int(vae.steps), sigma, density.rms_error(vae, self.x), least))
