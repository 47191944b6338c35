"""What notebook 14 compares a search in a latent with: filters, drawn maps, and a small segmenter.

A damaged map has one channel for each class; a pixel that is not known has 0 in all of them, see
`data.mask_damage`. The matrix T of a kind of damage has the rows "what it is", the columns "what is
seen"; each row sums to 1. A repair gives probabilities of the classes, and `answer_of` the map.
"""

import math

import keras
import numpy as np

from helpers import backend, pyramids
from helpers.data.mask_damage import one_hot

SURE = 0.99  # probability of the class of a pixel, where a repair gives classes alone
PART = 1000  # maps whose likelihoods are computed at once, 16 MB at 32×32 pixels


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
    counts = np.einsum("nhwc,nhwk->ck", one_hot(masks, damaged.shape[-1]), damaged) + 1
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


def answer_of(probabilities, damaged, matrix, once_more):
    """The most probable class of each pixel.

    Args:
        probabilities: of the classes, `(N, H, W, C)`.
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`.
        once_more: whether what is seen at a pixel counts once more for this pixel: by Bayes' rule
            the probability of class c is then proportional to p(c)·T[c, seen].

    Returns:
        Classes, integer `(N, H, W)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> guess = np.array([[[[0.6, 0.4, 0.0, 0.0]]]])
        >>> damaged = data.mask_damage.one_hot(np.array([[[1]]]))
        >>> for once_more in (False, True):
        ...     print(mask_repairs.answer_of(guess, damaged, np.eye(4), once_more).item())
        0
        1
    """
    if once_more:
        probabilities = probabilities * evidence(damaged, matrix)
    return np.asarray(probabilities).argmax(axis=-1)


def nearly_sure(masks, num_classes):
    """Probabilities for a repair that gives classes alone: `SURE` for each, the rest in equal parts.

    Args:
        masks: classes, integer `(N, H, W)`.
        num_classes: C, two or more.

    Returns:
        float32 `(N, H, W, C)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> print(mask_repairs.nearly_sure(np.array([[[1]]]), 4)[0, 0, 0].round(4))
        [0.0033 0.99   0.0033 0.0033]
    """
    chosen = one_hot(masks, num_classes)
    return SURE * chosen + (1 - SURE) / (num_classes - 1) * (1 - chosen)


def majority(damaged, matrix, side, times):
    """Each pixel gets the most frequent class of a window around it, several times over.

    Args:
        damaged: `(N, H, W, C)`.
        matrix: not used; all repairs are called alike.
        side: of the window, pixels.
        times: how often.

    Returns:
        Probabilities, `nearly_sure`, `(N, H, W, C)`. A pixel that never has a neighbour to vote
        gets class 0.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> masks = np.ones((1, 9, 9), int)
        >>> masks[0, 4, 4] = 3
        >>> voted = mask_repairs.majority(data.mask_damage.one_hot(masks), None, 3, 1)
        >>> int(voted[0, 4, 4].argmax())
        1
    """
    from scipy import ndimage

    classes = damaged.shape[-1]
    for _ in range(times):
        share = ndimage.uniform_filter(damaged, (0, side, side, 0), mode="nearest")
        voted = share.max(axis=-1) > 1e-4  # else nothing in the window is known
        damaged = one_hot(share.argmax(axis=-1), classes) * voted[..., None]
    return nearly_sure(damaged.argmax(axis=-1), classes)


def smoother(damaged, matrix, strength, width):
    """Mean field of a simple conditional random field (Krähenbühl and Koltun, 2011, without images).

    Ten times over, each pixel believes its own label by T and, so strongly, its neighbourhood.

    Args:
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`.
        strength: weight of the neighbourhood, nats.
        width: of its Gaussian, pixels.

    Returns:
        Beliefs, which sum to 1 at each pixel, `(N, H, W, C)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> masks = np.ones((1, 9, 9), int)
        >>> masks[0, 4, 4] = 3
        >>> noisy = 0.7 * np.eye(4) + 0.1 * (1 - np.eye(4))
        >>> seen = data.mask_damage.one_hot(masks)
        >>> int(mask_repairs.smoother(seen, noisy, 8, 1)[0, 4, 4].argmax())
        1
    """
    from scipy import ndimage, special

    own = np.log(evidence(damaged, matrix))
    belief = special.softmax(own, axis=-1)
    for _ in range(10):
        around = ndimage.gaussian_filter(belief, (0, width, width, 0), mode="nearest")
        belief = special.softmax(own + strength * around, axis=-1)
    return belief


def most_likely(candidates, damaged, matrix):
    """The map among many that makes what is seen most likely: log p = Σ log T[its class, seen].

    No network: the sum runs over the known pixels and is one product of two matrices. Candidates
    that are drawn from a prior stand for the prior: what it never draws cannot be the answer.

    Args:
        candidates: integer `(M, H, W)`.
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`, without a 0.

    Returns:
        Probabilities, `nearly_sure`, `(N, H, W, C)`.

    Examples:
        >>> from helpers.experiments import mask_repairs
        >>> candidates = np.array([[[1, 1]], [[2, 2]]])
        >>> damaged = np.zeros((1, 1, 2, 4), "float32")
        >>> damaged[0, 0, 0, 2] = 1  # class 2 is seen in the first pixel, nothing in the second
        >>> matrix = 0.7 * np.eye(4) + 0.1 * (1 - np.eye(4))
        >>> mask_repairs.most_likely(candidates, damaged, matrix).argmax(axis=-1).tolist()
        [[[2, 2]]]
    """
    log_evidence = np.log(evidence(damaged, matrix)).reshape(len(damaged), -1)
    parts = []
    for start in range(0, len(candidates), PART):
        maps = one_hot(candidates[start : start + PART], len(matrix))
        parts.append(maps.reshape(len(maps), -1) @ log_evidence.T)
    log_likelihood = np.concatenate(parts)  # (M, N)
    best = log_likelihood.argmax(axis=0)
    return nearly_sure(candidates[best], len(matrix))


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
