"""Pictures with what one of their annotators drew, a batch at a time.

Imported by its own name, since it needs Keras.
"""

import keras
import numpy as np


class Annotated(keras.utils.PyDataset):
    """Batches of pictures, each with the marks of one annotator drawn by lot, in one of four turns.

    A batch is a function of `seed` and its place, so any of them can be drawn again.

    Args:
        images: float32 `(N, H, H, C)`.
        annotations: `(M, A, H, H)` of 0 and 1, of the first N pictures; further ones are not used.
        batch_size: pictures in a batch.
        steps: batches.
        seed: int, or a list of ints.

    Raises:
        ValueError: If there are fewer annotations than images, or other sizes.

    Examples:
        >>> images, annotations = np.zeros((3, 8, 8, 3), "float32"), np.ones((3, 5, 8, 8))
        >>> x, y = data.annotated.Annotated(images, annotations, batch_size=4, steps=2)[0]
        >>> x.shape, y.shape
        ((4, 8, 8, 3), (4, 8, 8, 1))
    """

    def __init__(self, images, annotations, batch_size, steps, seed=0):
        super().__init__()
        if len(annotations) < len(images) or annotations.shape[2:] != images.shape[1:3]:
            raise ValueError(
                "images and annotations must be of the same pictures. "
                f"Received: {images.shape} and {annotations.shape}"
            )
        self.images, self.annotations = images, annotations
        self.batch_size, self.steps, self.seed = batch_size, steps, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}")
        rng = np.random.default_rng([*np.atleast_1d(self.seed), index])
        pictures = rng.integers(len(self.images), size=self.batch_size)
        people = rng.integers(self.annotations.shape[1], size=self.batch_size)
        y = self.annotations[pictures, people][..., None].astype("float32")
        turn = rng.integers(4)
        return tuple(np.rot90(a, turn, axes=(1, 2)).copy() for a in (self.images[pictures], y))
