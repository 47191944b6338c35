"""A prior over grids of codes: each code given those before it, row by row.

A quantised autoencoder has no density until something says how probable a grid of codes is. Here
convolutions do whose kernels see only what lies above, and to the left in the same row (PixelCNN).
"""

import keras
import numpy as np
from keras import layers, ops

from helpers.backend import compile_model
from helpers.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskedConv2D(layers.Layer):
    """A convolution that sees only positions before its own, in reading order.

    Stacked, plain masks leave a blind spot to the upper right of the receptive field; rows further
    up reach there by other ways only in part.

    Args:
        filters: output channels.
        kernel: side of the kernel, odd.
        own: whether the position itself is seen. False in a first layer, whose input holds the
            answer there; True in later ones.

    Call arguments:
        x: `(B, H, W, C)`.

    Returns:
        `(B, H, W, filters)`.

    References:
        van den Oord, Kalchbrenner and Kavukcuoglu (2016). https://arxiv.org/abs/1601.06759
    """

    def __init__(self, filters, kernel=3, own=True, **kwargs):
        super().__init__(**kwargs)
        if kernel % 2 != 1 or kernel < 1:
            raise ValueError(f"`kernel` must be odd. Received: kernel={kernel!r}")
        self.filters, self.size, self.own = int(filters), int(kernel), bool(own)

    def build(self, input_shape):
        shape = (self.size, self.size, int(input_shape[-1]), self.filters)
        # Half of the kernel is masked, so twice the usual variance keeps the scale.
        start = keras.initializers.VarianceScaling(4.0 if self.size > 1 else 2.0)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=start)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        middle = self.size // 2
        mask = np.ones(shape, "float32")
        mask[middle, middle + self.own :] = 0
        mask[middle + 1 :] = 0
        self.mask = mask
        self.built = True

    def call(self, x):
        kernel = self.kernel * ops.convert_to_tensor(self.mask, self.kernel.dtype)
        return ops.conv(x, kernel, padding="same", data_format="channels_last") + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel": self.size,
            "own": self.own,
        }


def pixelcnn(grid, num_codes, width=48, depth=3):
    """A model of codes given the codes before them.

    Args:
        grid: `(h, w)`.
        num_codes: K.
        width: channels.
        depth: residual 3×3 layers after the first.

    Returns:
        keras.Model, int32 `(B, h, w)` → logits `(B, h, w, K)`: the first position's depend on
        nothing. Train it with the cross-entropy against its own input.
    """
    indices = keras.Input((int(grid[0]), int(grid[1])), dtype="int32")
    h = layers.Embedding(num_codes, width)(indices)
    h = MaskedConv2D(width, 5, own=False)(h)
    for _ in range(depth):
        h = layers.Add()([h, MaskedConv2D(width, 3)(layers.ReLU()(h))])
    logits = layers.Conv2D(num_codes, 1, dtype="float32")(layers.ReLU()(h))
    return keras.Model(indices, logits, name="code_prior")


def code_nll(prior, indices, batch_size=256):
    """−log p of each grid of codes, in nats: int `(N, h, w)` → float64 `(N,)`."""
    run, found = compile_model(prior), []
    indices = np.asarray(indices, "int32")
    for start in range(0, len(indices), batch_size):
        part = indices[start : start + batch_size]
        logits = ops.convert_to_numpy(run(ops.convert_to_tensor(part))).astype("float64")
        chosen = np.take_along_axis(logits, part[..., None], axis=-1)[..., 0]
        top = logits.max(axis=-1)
        total = top + np.log(np.exp(logits - top[..., None]).sum(axis=-1))
        found.append((total - chosen).sum(axis=(1, 2)))
    return np.concatenate(found)


def sample_codes(prior, n, seed=0):
    """Draws grids of codes, one position after the other: int32 `(n, h, w)`.

    As many passes through the model as the grid has positions.

    Args:
        prior: by `code_prior`.
        n: how many.
        seed: of the draws.
    """
    rng, run = np.random.default_rng(seed), compile_model(prior)
    grids = np.zeros((n, *prior.input_shape[1:]), "int32")
    for i, j in np.ndindex(*grids.shape[1:]):
        logits = ops.convert_to_numpy(run(ops.convert_to_tensor(grids))[:, i, j])
        # The largest of logits plus Gumbel noise is a draw from their softmax.
        grids[:, i, j] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
    return grids
