"""A prior over grids of codes: each code given those before it, row by row.

A quantised autoencoder has no density until something says how probable a grid of codes is. Here
convolutions do whose kernels see only what lies above, and to the left in the same row (PixelCNN).

`MaskedConv2D` is such a convolution, `pixelcnn` a network of them, `code_nll` what it says of given
grids and `sample_codes` new ones.
"""

import keras
import numpy as np
from keras import layers, ops
from scipy import special

from helpers.backend import compile_model
from helpers.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskedConv2D(layers.Layer):
    """A convolution that sees only positions before its own, in reading order.

    Stacked, plain masks leave a blind spot to the upper right of the receptive field, however many
    there are. Two stacks of kernels, one for the rows above and one for the row itself, have none
    (van den Oord, Kalchbrenner, Vinyals et al.); here they are left out. Keras has no such layer.

    Args:
        filters: output channels.
        kernel_size: side of the kernel, odd.
        mask_type: "A" hides the position itself, too, as a first layer must, whose input holds
            the answer there; "B" shows it, as later layers may.

    Call arguments:
        x: `(B, H, W, C)`.

    Returns:
        `(B, H, W, filters)`.

    Raises:
        ValueError: If `kernel_size` is not odd, or there is no such mask.

    References:
        van den Oord, Kalchbrenner and Kavukcuoglu (2016). https://arxiv.org/abs/1601.06759
        van den Oord, Kalchbrenner, Vinyals et al. (2016). https://arxiv.org/abs/1606.05328
    """

    def __init__(self, filters, kernel_size=3, mask_type="B", **kwargs):
        super().__init__(**kwargs)
        if kernel_size % 2 != 1 or kernel_size < 1:
            raise ValueError(f"`kernel_size` must be odd. Received: kernel_size={kernel_size!r}")
        if mask_type not in ("A", "B"):
            raise ValueError(f"`mask_type` must be 'A' or 'B'. Received: mask_type={mask_type!r}")
        self.filters, self.kernel_size = int(filters), int(kernel_size)
        self.mask_type = mask_type

    def build(self, input_shape):
        size = self.kernel_size
        shape = (size, size, int(input_shape[-1]), self.filters)
        # Half of the kernel is masked, so twice the usual variance keeps the scale.
        initializer = keras.initializers.VarianceScaling(4.0 if size > 1 else 2.0)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=initializer)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        middle = size // 2
        mask = np.ones(shape, "float32")
        mask[middle, middle + (self.mask_type == "B") :] = 0
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
            "kernel_size": self.kernel_size,
            "mask_type": self.mask_type,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if "own" in config:  # a file of the first edition
            config["mask_type"] = "B" if config.pop("own") else "A"
            config["kernel_size"] = config.pop("kernel")
        return cls(**config)


def pixelcnn(grid, num_codes, width=48, depth=3):
    """A model of codes given the codes before them.

    Args:
        grid: `(h, w)`, positions.
        num_codes: K, how many codes there are.
        width: channels of every layer.
        depth: residual 3×3 layers after the first.

    Returns:
        keras.Model, int32 `(B, h, w)` → logits `(B, h, w, K)`: the first position's depend on
        nothing. Train it with the cross-entropy against its own input.
    """
    indices = keras.Input((int(grid[0]), int(grid[1])), dtype="int32")
    h = layers.Embedding(num_codes, width)(indices)
    h = MaskedConv2D(width, 5, mask_type="A")(h)
    for _ in range(depth):
        h = layers.Add()([h, MaskedConv2D(width, 3)(layers.ReLU()(h))])
    logits = layers.Conv2D(num_codes, 1, dtype="float32")(layers.ReLU()(h))
    return keras.Model(indices, logits, name="pixelcnn")


def code_nll(prior, indices, batch_size=256):
    """−log p of grids of codes, in nats.

    Args:
        prior: a model by `pixelcnn`.
        indices: integers in [0, num_codes), `(N, h, w)`.
        batch_size: grids in one pass.

    Returns:
        float64 `(N,)`, nats per grid.
    """
    predict, nll = compile_model(prior), []
    indices = np.asarray(indices, "int32")
    for start in range(0, len(indices), batch_size):
        batch = indices[start : start + batch_size]
        logits = ops.convert_to_numpy(predict(ops.convert_to_tensor(batch))).astype("float64")
        log_p = np.take_along_axis(special.log_softmax(logits, axis=-1), batch[..., None], axis=-1)
        nll.append(-log_p.sum(axis=(1, 2, 3)))
    return np.concatenate(nll)


def sample_codes(prior, n, seed=0):
    """Draws grids of codes, one position after the other.

    As many passes through the model as the grid has positions.

    Args:
        prior: a model by `pixelcnn`.
        n: how many.
        seed: of the draws.

    Returns:
        int32 `(n, h, w)`.
    """
    rng, predict = np.random.default_rng(seed), compile_model(prior)
    grids = np.zeros((n, *prior.input_shape[1:]), "int32")
    for i, j in np.ndindex(*grids.shape[1:]):
        logits = ops.convert_to_numpy(predict(ops.convert_to_tensor(grids))[:, i, j])
        # The largest of logits plus Gumbel noise is a draw from their softmax.
        grids[:, i, j] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
    return grids
