"""Vector quantisation: a code of whole numbers inside a network, and what it costs in bits.

`VectorQuantizer` is the layer with the codebook; `codebook_usage` counts codes and bits.
"""

import keras
import numpy as np
from keras import layers, ops

from helpers.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class VectorQuantizer(layers.Layer):
    """Replaces each vector by the nearest of K code vectors; gradients pass as if it did not.

    The output is x + stop_gradient(q − x): the value of the code vector q, the slope of x (the
    *straight-through* estimator, which is no true slope: that of a step is 0). In training the
    layer adds `commitment` · ‖x − stop_gradient(q)‖² to the loss, summed over positions and
    channels, mean over the batch, which keeps the encoder near its codes.

    The codes follow the vectors that chose them, by a moving average (`decay`), or, with
    `decay=None`, by the gradient of ‖stop_gradient(x) − q‖², which is added too.

    Keras has no such layer; the one in its example "Vector-Quantized Variational Autoencoders"
    learns by the gradient alone.

    Args:
        num_codes: K, how many code vectors, at least 2.
        commitment: weight of the encoder's term, ≥ 0.
        decay: share of the past in the moving averages, in [0, 1); None learns by gradient.
        restart_threshold: a code that is chosen less often than this in a batch (by its moving
            average) is put at a vector drawn from the batch; 0 never does. With a threshold all
            codes start unused, so the first batch fills the codebook. Needs `decay`.
        seed: of these draws and of the first codes.

    Call arguments:
        x: `(B, …, d)`, floats.
        training: whether the codes learn. With `trainable = False` they never do.

    Returns:
        A tensor of the shape of `x`, float32.

    Raises:
        ValueError: If an argument is out of its range.

    References:
        van den Oord, Vinyals and Kavukcuoglu (2017). https://arxiv.org/abs/1711.00937
        Dhariwal et al. (2020), restarts of unused codes. https://arxiv.org/abs/2005.00341
    """

    def __init__(
        self, num_codes, commitment=0.25, decay=0.99, restart_threshold=0.0, seed=None, **kwargs
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if int(num_codes) != num_codes or num_codes < 2:
            raise ValueError(
                f"`num_codes` must be an integer of 2 or more. Received: num_codes={num_codes!r}"
            )
        if commitment < 0:
            raise ValueError(f"`commitment` must be ≥ 0. Received: commitment={commitment!r}")
        if decay is not None and not 0 <= decay < 1:
            raise ValueError(f"`decay` must be None or in [0, 1). Received: decay={decay!r}")
        if restart_threshold < 0 or (restart_threshold and decay is None):
            raise ValueError(
                "`restart_threshold` must be ≥ 0 and needs `decay`. "
                f"Received: restart_threshold={restart_threshold!r}"
            )
        self.num_codes, self.commitment, self.decay = int(num_codes), float(commitment), decay
        self.restart_threshold, self.seed = float(restart_threshold), seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        size = int(input_shape[-1])
        by_gradient = self.decay is None
        self.codebook = self.add_weight(
            name="codebook",
            shape=(self.num_codes, size),
            initializer=keras.initializers.RandomUniform(-1.0, 1.0, seed=self.seed),
            trainable=by_gradient,
        )
        if not by_gradient:
            # How often each code is chosen in a batch, on average.
            self.counts = self.add_weight(
                name="counts",
                shape=(self.num_codes, 1),
                initializer="zeros" if self.restart_threshold else "ones",
                trainable=False,
            )
        self.built = True

    def encode_indices(self, x):
        """The nearest code of each vector: `(B, …, d)` → int32 `(B, …)`."""
        x = ops.cast(x, "float32")
        codebook = ops.convert_to_tensor(self.codebook)
        flat = ops.reshape(x, (-1, codebook.shape[-1]))
        # |x|² is the same for all codes, so it decides nothing.
        distances = ops.sum(codebook**2, axis=1) - 2 * ops.matmul(flat, ops.transpose(codebook))
        indices = ops.cast(ops.argmin(distances, axis=1), "int32")
        return ops.reshape(indices, ops.shape(x)[:-1])

    def lookup(self, indices):
        """The vectors of codes: integers `(B, …)` → `(B, …, d)`."""
        return ops.take(ops.convert_to_tensor(self.codebook), indices, axis=0)

    def call(self, x, training=False):
        x = ops.cast(x, "float32")
        indices = self.encode_indices(x)
        quantized = self.lookup(indices)
        axes = tuple(range(1, len(x.shape)))
        if training and self.trainable:
            error = ops.sum(ops.square(x - ops.stop_gradient(quantized)), axis=axes)
            self.add_loss(self.commitment * ops.mean(error))
            if self.decay is None:
                error = ops.sum(ops.square(ops.stop_gradient(x) - quantized), axis=axes)
                self.add_loss(ops.mean(error))
            else:
                self._update_codebook(ops.stop_gradient(x), indices)
        return x + ops.stop_gradient(quantized - x)

    def _update_codebook(self, x, indices):
        """Moves each code towards the mean of the vectors that chose it, and restarts unused ones."""
        codebook = ops.convert_to_tensor(self.codebook)
        past_counts = ops.convert_to_tensor(self.counts)
        flat = ops.reshape(x, (-1, codebook.shape[-1]))
        one_hot = ops.one_hot(
            ops.reshape(indices, (-1,)), self.num_codes, dtype="float32"
        )  # (N, K)
        batch_counts = ops.sum(one_hot, axis=0)[:, None]
        batch_sums = ops.matmul(ops.transpose(one_hot), flat)
        counts = self.decay * past_counts + (1 - self.decay) * batch_counts
        sums = self.decay * past_counts * codebook + (1 - self.decay) * batch_sums
        moved = ops.where(counts > 1e-8, sums / ops.maximum(counts, 1e-8), codebook)
        if self.restart_threshold:
            rows = keras.random.randint(
                (self.num_codes,), 0, ops.shape(flat)[0], seed=self.seed_generator
            )
            unused = counts < self.restart_threshold
            moved = ops.where(unused, ops.take(flat, rows, axis=0), moved)
            # Some credit, or a restarted code would be drawn again in the next batch.
            counts = ops.where(unused, 2 * self.restart_threshold, counts)
        self.codebook.assign(moved)
        self.counts.assign(counts)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        names = ("num_codes", "commitment", "decay", "restart_threshold", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config):
        # Files of the first edition have other names for two of the arguments.
        first_edition = {"codes": "num_codes", "revive": "restart_threshold"}
        return cls(**{first_edition.get(name, name): value for name, value in config.items()})


def codebook_usage(indices, num_codes):
    """How a codebook is used, from the codes of many pictures.

    Args:
        indices: integers in [0, num_codes), `(N, …)`, one picture an entry.
        num_codes: K.

    Returns:
        Dictionary: `plain_bits` (positions · log₂ K, what a picture costs as sent plain),
        `entropy_bits` (positions · H, what it costs with an ideal code that knows how often each
        code occurs; estimated on these pictures, so slightly low for few), `perplexity` (2^H,
        between 1 and K: as if so many codes were used equally) and `dead` (how many codes are unused:
        never chosen).

    Raises:
        ValueError: If the codes are not integers in their range.
    """
    indices = np.asarray(indices)
    if not np.issubdtype(indices.dtype, np.integer) or indices.ndim < 1 or not indices.size:
        raise ValueError(
            f"`indices` must be integers (N, …). Received: {indices.dtype}, shape {indices.shape}"
        )
    if indices.min() < 0 or indices.max() >= num_codes:
        raise ValueError(
            f"codes lie in 0 to {num_codes - 1}. Received: {indices.min()} to {indices.max()}"
        )
    counts = np.bincount(indices.ravel(), minlength=num_codes)
    share = counts[counts > 0] / counts.sum()
    entropy = float(-(share * np.log2(share)).sum()) + 0.0
    positions = indices[0].size
    return {
        "plain_bits": float(positions * np.log2(num_codes)),
        "entropy_bits": positions * entropy,
        "perplexity": 2**entropy,
        "dead": int((counts == 0).sum()),
    }
