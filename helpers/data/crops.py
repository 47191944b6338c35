"""Random crops of whole images, for training on sets whose images are large or of two shapes."""

import keras
import numpy as np

from helpers.data.dataset import to_float
from helpers.data.images import as_size, resize_image, resize_indices


class Crops(keras.utils.PyDataset):
    """Augmented crops of random images, in epochs of a given number of batches.

    A batch is a function of (`seed`, epoch, index): two runs with one seed see the same crops.
    `fit` ends an epoch before its first one, so it shows epochs 1, 2, ….
    Without targets the batch is `(x,)`, for a VAE, else `(x, y)`; x is float32 in [0, 1].

    Args:
        images: `(H, W, C)` uint8 arrays in a list or one array; sizes may differ.
        crop: `(height, width)` of the crops.
        targets: one `(H, W)` array an image, or None.
        steps: batches an epoch.
        batch_size: crops a batch.
        seed: of all draws.
        flip: whether to mirror left to right with probability one half.
        turn: whether to turn by a random multiple of 90° as well; needs square crops.
        scale: largest factor by which a crop is shown larger or smaller, log-uniform; 1 is never.
            Both sides share the factor: an image is shown no smaller than it fills the crop.
            Numbers are read between pixels, classes from the nearest one. A factor within 2 % of
            1 is 1: to resample an image for so little would only blur it.
        light: standard deviation of the logarithm of a random gamma, the exponent of all values;
            each channel has half of that again for itself.
        colour: standard deviation of the logarithms of two random factors, of contrast (distance
            to the crop's mean) and of saturation (distance to each pixel's grey).
        share: whether targets are shares in 0..255 that become float32 in [0, 1] with a last
            axis of 1, `(B, h, w, 1)`. Else they are classes and stay as they are, `(B, h, w)`.
        copies: how many outputs of the model have this target; with several, y is a tuple.
        first_epoch: which epoch to start from, for a training that goes on after a stop.
        **options: `workers`, … of `keras.utils.PyDataset`.

    Raises:
        ValueError: If images and targets do not fit each other or the crop.
    """

    def __init__(
        self,
        images,
        crop,
        targets=None,
        steps=100,
        batch_size=8,
        seed=0,
        flip=True,
        turn=False,
        scale=1.0,
        light=0.0,
        colour=0.0,
        share=False,
        copies=1,
        first_epoch=0,
        **options,
    ):
        super().__init__(**options)
        crop = as_size(crop, "crop")
        if turn and crop[0] != crop[1]:
            raise ValueError(f"`turn` needs square crops. Received: crop={crop}")
        if scale < 1 or light < 0 or colour < 0:
            raise ValueError(
                "`scale` must be at least 1, `light` and `colour` at least 0. "
                f"Received: scale={scale!r}, light={light!r}, colour={colour!r}"
            )
        if not len(images):
            raise ValueError("`images` needs at least one image. Received: none")
        if targets is not None and len(targets) != len(images):
            raise ValueError(
                f"`targets` needs one array an image. Received: {len(targets)} and {len(images)}"
            )
        for i, image in enumerate(images):
            if image.shape[0] < crop[0] or image.shape[1] < crop[1]:
                raise ValueError(
                    f"image {i} is smaller than the crop. Received: {image.shape[:2]}, crop={crop}"
                )
            if targets is not None and targets[i].shape != image.shape[:2]:
                raise ValueError(
                    f"target {i} must have its image's size {image.shape[:2]}. "
                    f"Received: shape={targets[i].shape}"
                )
            for name, arrays in (("images", images), ("targets", targets)):
                # Pillow resizes bytes; a share is read as 0..255.
                bytes_only = scale > 1 or (share and name == "targets")
                if arrays is not None and bytes_only and arrays[i].dtype != np.uint8:
                    raise ValueError(
                        f"`{name}` must be uint8 to be scaled or read as shares. "
                        f"Received: dtype {arrays[i].dtype}"
                    )
        self.images, self.targets, self.crop = images, targets, crop
        self.steps, self.batch_size, self.seed = int(steps), int(batch_size), seed
        self.flip, self.turn, self.scale, self.light = flip, turn, float(scale), float(light)
        self.colour, self.share, self.copies = float(colour), share, int(copies)
        self.first_epoch = int(first_epoch)
        self.epoch = self.first_epoch

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, self.epoch, index])
        pairs = [self._draw(rng) for _ in range(self.batch_size)]
        x = np.stack([x for x, _ in pairs])
        if self.targets is None:
            return (x,)
        y = np.stack([y for _, y in pairs])
        y = to_float(y)[..., None] if self.share else y
        return x, y if self.copies == 1 else (y,) * self.copies

    def on_epoch_end(self):
        self.epoch += 1

    def _draw(self, rng):
        i = rng.integers(len(self.images))
        size = np.array(self.images[i].shape[:2])
        factor = max(self.scale ** rng.uniform(-1, 1), *(np.array(self.crop) / size))
        if abs(factor - 1) < 0.02:
            factor = 1.0
        region = np.clip(np.rint(np.array(self.crop) / factor).astype(int), 1, size)
        top, left = rng.integers(size - region + 1)
        quarter = rng.integers(4) if self.turn else 0
        mirror = self.flip and rng.random() < 0.5

        def cut(array, resize):
            array = array[top : top + region[0], left : left + region[1]]
            if tuple(region) != self.crop:
                array = resize(array, self.crop)
            array = np.rot90(array, quarter)
            return array[:, ::-1] if mirror else array

        x = np.ascontiguousarray(cut(self.images[i], resize_image))
        if self.light:
            gamma = np.exp(rng.normal(0, self.light) + rng.normal(0, self.light / 2, x.shape[-1]))
            x = _relit(x, gamma.astype("float32"))
        x = to_float(x)
        if self.colour:
            contrast, saturation = np.exp(rng.normal(0, self.colour, 2)).astype("float32")
            grey = x.mean(axis=-1, keepdims=True)
            x = grey + saturation * (x - grey)
            x = (x.mean() + contrast * (x - x.mean())).clip(0, 1)
        if self.targets is None:
            return x, None
        return x, cut(self.targets[i], resize_image if self.share else resize_indices)


def _relit(x, gamma):
    """Every value to the power of its channel's gamma."""
    if x.dtype != np.uint8:
        return x**gamma
    values = np.linspace(0, 1, 256, dtype="float32")[:, None] ** gamma  # of each byte, a channel
    return np.stack([values[x[..., c], c] for c in range(x.shape[-1])], axis=-1)
