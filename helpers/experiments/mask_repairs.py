"""What notebook 14 compares a search in a latent with: filters of label maps, and a small segmenter.

A damaged map has one channel for each class; a pixel that is not known has 0 in all of them, see
`data.mask_damage`. The matrix T of a kind of damage has the rows "what it is", the columns "what is
seen"; each row sums to 1.
"""

import math

import keras
import numpy as np

from helpers import backend, pyramids
from helpers.data.mask_damage import one_hot


def confusion(masks, damaged):
    """How often a pixel of each class is seen as each class.

    Args:
        masks: integer `(N, H, W)`, undamaged.
        damaged: `(N, H, W, C)`.

    Returns:
        T, `(C, C)`, rows that sum to 1. One pixel more of each kind is counted, so that nothing is
        impossible.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> masks = np.zeros((1, 8, 8), int)
        >>> seen = data.mask_damage.one_hot(masks)
        >>> [round(float(share), 2) for share in mask_repairs.confusion(masks, seen)[0]]
        [0.96, 0.01, 0.01, 0.01]
    """
    counts = np.einsum("nhwc,nhwk->ck", one_hot(masks), damaged) + 1
    return counts / counts.sum(axis=1, keepdims=True)


def evidence(damaged, matrix):
    """T of each class and what is seen at each pixel; 1 where nothing is known.

    Args:
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`.

    Returns:
        float32 `(N, H, W, C)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> damaged = np.zeros((1, 1, 2, 4), "float32")
        >>> damaged[0, 0, 0, 2] = 1  # class 2 is seen in the first pixel, nothing in the second
        >>> mask_repairs.evidence(damaged, np.eye(4)).tolist()
        [[[[0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]]]]
    """
    known = damaged.sum(axis=-1, keepdims=True)
    return (damaged @ matrix.T + (1 - known)).astype("float32")


def majority(damaged, matrix, side, times):
    """Each pixel gets the most frequent class of a window around it, several times over.

    Args:
        damaged: `(N, H, W, C)`.
        matrix: not used; all repairs are called alike.
        side: of the window, pixels.
        times: how often.

    Returns:
        Classes, integer `(N, H, W)`. A pixel that never has a neighbour to vote gets class 0.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> masks = np.ones((1, 9, 9), int)
        >>> masks[0, 4, 4] = 3
        >>> int(mask_repairs.majority(data.mask_damage.one_hot(masks), None, 3, 1)[0, 4, 4])
        1
    """
    from scipy import ndimage

    for _ in range(times):
        share = ndimage.uniform_filter(damaged, (0, side, side, 0), mode="nearest")
        voted = share.max(axis=-1) > 1e-4  # else nothing in the window is known
        damaged = one_hot(share.argmax(axis=-1)) * voted[..., None]
    return damaged.argmax(axis=-1)


def smoother(damaged, matrix, strength, width):
    """Mean field of a simple conditional random field (Krähenbühl and Koltun, 2011, without images).

    Ten times over, each pixel believes its own label by T and, so strongly, its neighbourhood.

    Args:
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`.
        strength: weight of the neighbourhood, nats.
        width: of its Gaussian, pixels.

    Returns:
        Classes, integer `(N, H, W)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> masks = np.ones((1, 9, 9), int)
        >>> masks[0, 4, 4] = 3
        >>> noisy = 0.7 * np.eye(4) + 0.1 * (1 - np.eye(4))
        >>> seen = data.mask_damage.one_hot(masks)
        >>> int(mask_repairs.smoother(seen, noisy, 8, 1)[0, 4, 4])
        1
    """
    from scipy import ndimage

    own = np.log(evidence(damaged, matrix))
    logits = own
    for _ in range(10):
        belief = np.exp(logits - logits.max(axis=-1, keepdims=True))
        belief /= belief.sum(axis=-1, keepdims=True)
        around = ndimage.gaussian_filter(belief, (0, width, width, 0), mode="nearest")
        logits = own + strength * around
    return logits.argmax(axis=-1)


def small_segmenter(images, masks, num_classes, steps, seed):
    """A small U-Net that learns from few pictures with masks, ten in a step.

    Args:
        images: float `(N, H, W, 3)` in [0, 1], sides multiples of 8.
        masks: integer `(N, H, W)`.
        num_classes: how many there are.
        steps: of Adam, at least; whole epochs are trained.
        seed: of the first weights and of the order.

    Returns:
        Trained network, `(N, H, W, 3)` → logits `(N, H, W, num_classes)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> images, masks = np.zeros((4, 16, 16, 3), "float32"), np.zeros((4, 16, 16), int)
        >>> network = mask_repairs.small_segmenter(images, masks, 4, steps=2, seed=0)
        >>> tuple(network(images).shape)
        (4, 16, 16, 4)
    """
    keras.utils.set_random_seed(seed)
    encoder, _ = pyramids.pyramid_networks(images.shape[1:], 1, (16, 32, 48), (1, 1, 1), (2, 2, 2))
    segmenter = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.005, steps))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    segmenter.compile(adam, loss, **backend.compile_options(planned=steps))
    epochs = math.ceil(steps / math.ceil(len(images) / 10))
    segmenter.fit(images, masks, batch_size=10, epochs=epochs, verbose=0)
    return segmenter
