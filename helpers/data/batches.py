"""Batches for Keras: bytes stay bytes until the batch that holds them is asked for."""

import keras
import numpy as np

from helpers.data.dataset import is_whole, to_float


class Batches(keras.utils.PyDataset):
    """Images in batches, uint8 made float32 a batch at a time, so the set stays small in memory.

    Every epoch has its own order, drawn from (`seed`, epoch): two runs with one seed see the
    same batches. Keras moves on to the next epoch after each pass of `fit`, `evaluate` or
    `predict` (and once more before the first `fit` of a model); use
    `shuffle=False` for anything that is only measured.

    Args:
        images: uint8 or floats in [0, 1], (N, H, W, C), one array.
        batch_size: Images a batch. The last batch of an epoch holds what is left.
        targets: `None` (a batch is the images alone); `"images"` (the images again, for a
            plain autoencoder); an array of length N; or a tuple or dict of such arrays.
        shuffle: Whether each epoch has a new order.
        seed: Integer that fixes order and flips.
        flip: Whether to mirror each image left to right with probability one half. Targets and
            weights of shape (N, H, W, ...) are mirrored with their image.
        scale_targets: Whether uint8 targets become float32 in [0, 1] too (edge shares do, class
            indices must not).
        sample_weight: `None` or an array of length N, passed on as Keras's third entry; with
            shape (N, H, W) it can leave void pixels out of a loss.
        **options: `workers`, `use_multiprocessing`, `max_queue_size` of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        images,
        batch_size=64,
        targets=None,
        shuffle=True,
        seed=0,
        flip=False,
        scale_targets=False,
        sample_weight=None,
        **options,
    ):
        super().__init__(**options)
        if not isinstance(images, np.ndarray):
            raise ValueError(
                "`images` must be one array (N, H, W, C): load the set with `size=` or `crop=`. "
                f"Received: {type(images).__name__}"
            )
        if not is_whole(batch_size) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: {batch_size!r}")
        if sample_weight is not None and targets is None:
            raise ValueError("`sample_weight` needs `targets`. Received: targets=None")
        if targets is not None and not isinstance(targets, str):
            _map(lambda t: _check_length(t, len(images), "targets"), targets)
        elif isinstance(targets, str) and targets != "images":
            raise ValueError(f"`targets` as a word can only be 'images'. Received: {targets!r}")
        if sample_weight is not None:
            _check_length(sample_weight, len(images), "sample_weight")
        self.images, self.targets, self.sample_weight = images, targets, sample_weight
        self.batch_size, self.seed, self.epoch = int(batch_size), seed, 0
        self.shuffle, self.flip, self.scale_targets = shuffle, flip, scale_targets
        self._order = self._new_order()

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}")
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        mirrored = None
        if self.flip:
            mirrored = np.random.default_rng([self.seed, self.epoch, index]).random(len(rows)) < 0.5

        def batch(array, floats):
            array = _mirror(array[rows], mirrored, self.images.shape[1:3])
            return to_float(array) if floats and array.dtype == np.uint8 else array

        x = to_float(_mirror(self.images[rows], mirrored, self.images.shape[1:3]))
        if self.targets is None:
            return (x,)
        if isinstance(self.targets, str):
            y = x
        else:
            y = _map(lambda t: batch(t, self.scale_targets), self.targets)
        if self.sample_weight is None:
            return x, y
        return x, y, batch(self.sample_weight, False)

    def on_epoch_end(self):
        self.epoch += 1
        self._order = self._new_order()

    def _new_order(self):
        n = len(self.images)
        if not self.shuffle:
            return np.arange(n)
        return np.random.default_rng([self.seed, self.epoch]).permutation(n)


def _map(function, targets):
    if isinstance(targets, dict):
        return {key: function(value) for key, value in targets.items()}
    if isinstance(targets, tuple):
        return tuple(function(value) for value in targets)
    return function(targets)


def _check_length(array, n, name):
    if not isinstance(array, np.ndarray) or len(array) != n:
        size = len(array) if hasattr(array, "__len__") else "no"
        raise ValueError(
            f"`{name}` must be arrays with one entry an image ({n}). "
            f"Received: {type(array).__name__} of {size} entries"
        )


def _mirror(array, mirrored, size):
    """Mirror the rows that `mirrored` marks; arrays without (H, W) axes pass unchanged."""
    if mirrored is None or array.shape[1:3] != size:
        return array
    array = array.copy()
    array[mirrored] = array[mirrored, :, ::-1]
    return array
