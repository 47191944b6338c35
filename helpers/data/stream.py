"""Fresh pictures of `shapes` without end, for trainings that need no labels.

A set of 4,000 pictures is learned by heart in a long training. Where a program draws the pictures,
each step can have new ones. Imported by its own name, since it needs Keras.
"""

from functools import partial

import keras
import numpy as np

from helpers.data import mask_damage, scenes, shapes
from helpers.data.dataset import is_whole, to_float

OPTIONS = sorted(set(shapes.PICTURE) - {"size"})
STREAM = 1000  # in the place where a split of `shapes.generate` has 0, 1 or 2


class FreshShapes(keras.utils.PyDataset):
    """Batches of new `shapes` pictures for `fit`, float32 in [0, 1].

    A batch is a function of (`seed`, epoch, its place in the epoch) and the options, so any of
    them can be drawn again, and a training that goes on after a stop sees what it would have seen.
    Keras moves on to the next epoch after each pass. Its `fit` draws an order of the batches from
    Python's generator; `fit(..., shuffle=False)` takes them as they come, where bits matter.

    No picture is one of the splits of `shapes.generate`: seeds have the mark `STREAM` in the fifth
    place, where those of a split have 0, 1 or 2.

    Args:
        batch_size: Pictures in a batch.
        steps_per_epoch: Batches in an epoch.
        seed: From 0 to 2³² − 1.
        size: Side of the pictures in pixels.
        first_epoch: Which epoch to start from, for a training that goes on after a stop.
        **options: `objects`, `radius`, `contrast`, `texture`, `textures`, `noise` of
            `shapes.generate`; its `annotators` are taken and not used.

    Raises:
        ValueError: If an argument is out of its range or not known; the message names it.

    Examples:
        >>> stream = data.stream.FreshShapes(batch_size=4, steps_per_epoch=10, objects=1)
        >>> (x,) = stream[0]
        >>> x.shape, x.dtype.name, len(stream)
        ((4, 32, 32, 3), 'float32', 10)
    """

    def __init__(
        self, batch_size=64, steps_per_epoch=1000, seed=0, size=32, first_epoch=0, **options
    ):
        super().__init__()
        lowest = {"batch_size": 1, "steps_per_epoch": 1, "seed": 0, "first_epoch": 0}
        given = (batch_size, steps_per_epoch, seed, first_epoch)
        for (name, low), value in zip(lowest.items(), given):
            if not is_whole(value) or not low <= value < 2**32:
                raise ValueError(
                    f"`{name}` must be an integer from {low} to 2³² − 1. Received: {name}={value!r}"
                )
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(
                f"Unknown option of FreshShapes; known are {', '.join(OPTIONS)}. "
                f"Received: {unknown[0]}={options[unknown[0]]!r}"
            )
        shapes.pictures(np.random.SeedSequence(0), 1, size=size, **options)  # checks them
        self.batch_size, self.steps_per_epoch = int(batch_size), int(steps_per_epoch)
        self.seed, self.size, self.options = int(seed), int(size), options
        self.epoch = self.first_epoch = int(first_epoch)

    def __len__(self):
        return self.steps_per_epoch

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}")
        seeds = np.random.SeedSequence(self.seed, spawn_key=(STREAM, self.epoch, int(index)))
        return (to_float(shapes.pictures(seeds, self.batch_size, size=self.size, **self.options)),)

    def on_epoch_end(self):
        self.epoch += 1


class Unlabelled(keras.utils.PyDataset):
    """Batches of pictures for one pass of `fit`, fresh `shapes` or some of one's own.

    Args:
        x: Pictures of one's own, float32 `(N, H, W, C)` in [0, 1], drawn with repetition; None
            for fresh pictures of `FreshShapes`.
        steps: Batches.
        batch_size: Pictures in a batch.
        seed: From 0 to 2³² − 1.
        noise: Standard deviation of the Gaussian noise on the input; then the target is the
            picture without it, for a denoising autoencoder. At 0 there is no target.
        **options: Of `FreshShapes`.

    Examples:
        >>> noisy, clean = data.stream.Unlabelled(None, steps=1, batch_size=4, noise=0.1)[0]
        >>> noisy.shape == clean.shape
        True
    """

    def __init__(self, x, steps, batch_size=8, seed=0, noise=0.0, **options):
        super().__init__()
        self.x, self.seed, self.noise = x, int(seed), float(noise)
        self.fresh = FreshShapes(batch_size, steps, seed, **options)

    def __len__(self):
        return len(self.fresh)

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, STREAM, int(index)])
        if self.x is None:
            (clean,) = self.fresh[index]
        else:
            clean = self.x[rng.integers(len(self.x), size=self.fresh.batch_size)]
        if not self.noise:
            return (clean,)
        noisy = (clean + rng.normal(0, self.noise, clean.shape)).clip(0, 1)
        return noisy.astype("float32"), clean


class FreshMasks(keras.utils.PyDataset):
    """Batches of new label maps of `scenes` for `fit`, without pictures: one channel a class.

    A batch is a function of (`seed`, epoch, its place in the epoch), as in `FreshShapes`.

    Args:
        batch_size: Label maps in a batch.
        steps_per_epoch: Batches in an epoch.
        seed: From 0 to 2³² − 1.
        size: Side of the maps in pixels.
        objects, radius: Of `scenes.sample`.
        damage: Function of (maps uint8 `(N, size, size)`, NumPy generator) → what a network gets,
            `(N, size, size, C)`; the target is then the undamaged map. None gives no target.
        draw: Function of (how many, seed) → maps `(N, size, size)`, in place of those of `scenes`.
        num_classes: C, how many classes the maps have.

    Examples:
        >>> (x,) = data.stream.FreshMasks(batch_size=3, steps_per_epoch=10)[0]
        >>> x.shape, x.dtype.name, bool((x.sum(axis=-1) == 1).all())
        ((3, 32, 32, 4), 'float32', True)
    """

    def __init__(
        self,
        batch_size=64,
        steps_per_epoch=1000,
        seed=0,
        size=32,
        objects=scenes.CLEAR["objects"],
        radius=scenes.CLEAR["radius"],
        damage=None,
        draw=None,
        num_classes=mask_damage.CLASSES,
    ):
        super().__init__()
        self.batch_size, self.steps_per_epoch = int(batch_size), int(steps_per_epoch)
        self.seed, self.size, self.epoch, self.first_epoch = int(seed), int(size), 0, 0
        kind = {"size": self.size, "objects": tuple(objects), "radius": tuple(radius)}
        self.draw = draw or partial(scenes.sample_maps, **kind)
        self.num_classes, self.damage = int(num_classes), damage

    def __len__(self):
        return self.steps_per_epoch

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}")
        seeds = np.random.SeedSequence(self.seed, spawn_key=(STREAM, self.epoch, int(index)))
        maps = self.draw(self.batch_size, int(seeds.generate_state(1, "uint64")[0]))
        x = mask_damage.one_hot(maps, self.num_classes)
        if self.damage is None:
            return (x,)
        return self.damage(maps, np.random.default_rng(seeds)), x

    def on_epoch_end(self):
        self.epoch += 1
