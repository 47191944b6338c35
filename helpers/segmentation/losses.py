"""Losses of classifiers of pixels, from logits: classes, some not counted, and rare edges.

Keras losses: give them to `compile`, or call them on truth and logits. `call` returns `(B,)`, one
number an image, and their mean is what training minimises. Cross-entropies are in nats a pixel.
"""

import keras
import numpy as np
from keras import ops

from helpers.layers import PACKAGE
from helpers.models import first_edition


def class_weights(masks, num_classes, ignore_class=None, power=0.5):
    """A weight for each class: its share of the pixels that count, to the power of −`power`.

    A class below a thousandth of the pixels weighs as one of a thousandth.

    Args:
        masks: integer label maps, in a list or one array.
        num_classes: C.
        ignore_class: label that does not count, or None.
        power: 0 weighs all classes alike, 1 gives each the same sum of weights.

    Returns:
        float64 `(C,)`.

    Raises:
        ValueError: If no pixel counts, or a label is neither a class nor void.
    """
    counts = np.zeros(num_classes, "int64")
    for mask in masks:
        labels = np.ravel(mask)
        labels = labels if ignore_class is None else labels[labels != ignore_class]
        if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
            raise ValueError(
                f"the masks hold labels {labels.min()} to {labels.max()}, outside 0 to "
                f"{num_classes - 1}. Is the void label named? Received: ignore_class={ignore_class!r}"
            )
        counts += np.bincount(labels, minlength=num_classes)
    if not counts.sum():
        raise ValueError(f"all pixels of the masks to learn from are void ({ignore_class}).")
    return np.maximum(counts / counts.sum(), 1e-3) ** -power


@keras.saving.register_keras_serializable(package=PACKAGE)
class PixelCrossEntropy(keras.losses.Loss):
    """Cross-entropy of classes, pixels of `ignore_class` left out, classes weighted.

    The mean over the images is Σ w·(−log p) / Σ w over all counted pixels of the batch, so a
    pixel counts the same whether much of its image counts or little.
    `keras.losses.SparseCategoricalCrossentropy` has an `ignore_class` too, but no weights of classes.

    Args:
        num_classes: C.
        ignore_class: class index that does not count, or None.
        class_weights: `(C,)`, weight w of a pixel by its true class; None weighs all alike.

    Call arguments:
        truth: integers `(B, H, W)`; a label that is neither a class nor `ignore_class` makes the
            loss NaN.
        logits: `(B, H, W, C)`.

    Raises:
        ValueError: If there is not one positive, finite weight a class.
    """

    def __init__(
        self, num_classes, ignore_class=None, class_weights=None, name="cross_entropy", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        weights = np.ones(num_classes) if class_weights is None else np.asarray(class_weights)
        good = weights.shape == (num_classes,) and np.isfinite(weights).all() and weights.min() > 0
        if not good:
            raise ValueError(
                f"`class_weights` needs {num_classes} positive numbers. Received: {class_weights}"
            )
        self.num_classes, self.ignore_class = int(num_classes), _index(ignore_class)
        self.class_weights = [float(w) for w in weights]

    def call(self, truth, logits):
        log_p = ops.log_softmax(logits, axis=-1)
        hot, counted = _one_hot(truth, logits, self.num_classes, self.ignore_class)
        weight = ops.sum(hot * ops.convert_to_tensor(self.class_weights, hot.dtype), axis=-1)
        nats = -ops.sum(hot * log_p, axis=-1) * weight
        total = ops.maximum(ops.sum(weight * counted), 1e-6)
        return ops.sum(nats, axis=(1, 2)) * ops.cast(ops.shape(nats)[0], nats.dtype) / total

    def get_config(self):
        names = ("num_classes", "ignore_class", "class_weights")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config):
        return cls(**first_edition.current_config(config))


@keras.saving.register_keras_serializable(package=PACKAGE)
class SoftDice(keras.losses.Loss):
    """1 − Dice overlap of probabilities and truth, mean over classes of each image.

    Dice is taken over the pixels of one image and one class, never over the batch as one: else
    the large objects of a batch decide about the small. `keras.losses.Dice` has no `ignore_class`,
    and a class that is neither there nor predicted costs 1 in it.

    Args:
        num_classes: C.
        ignore_class: class index that does not count, or None.
        smooth: pixels added to both sides of the fraction, so that a class which is neither
            there nor predicted scores 1.
        present: whether only the classes that are in an image's truth count. With all of them, an
            image scores high for what is absent and not claimed.

    Call arguments:
        truth: integers `(B, H, W)`; a label that is neither a class nor `ignore_class` makes the
            loss NaN.
        logits: `(B, H, W, C)`.

    Raises:
        ValueError: If `smooth` is not above 0: a class that is nowhere would be 0/0.

    References:
        Milletari, Navab and Ahmadi (2016), V-Net. https://arxiv.org/abs/1606.04797
    """

    def __init__(
        self,
        num_classes,
        ignore_class=None,
        smooth=1.0,
        present=False,
        name="soft_dice",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if not smooth > 0:
            raise ValueError(f"`smooth` must be above 0. Received: smooth={smooth!r}")
        self.num_classes, self.ignore_class = int(num_classes), _index(ignore_class)
        self.smooth, self.present = float(smooth), bool(present)

    def call(self, truth, logits):
        hot, counted = _one_hot(truth, logits, self.num_classes, self.ignore_class)
        p = ops.softmax(logits, axis=-1) * counted[..., None]
        both = ops.sum(p * hot, axis=(1, 2))
        sizes = ops.sum(p, axis=(1, 2)) + ops.sum(hot, axis=(1, 2))
        overlap = (2.0 * both + self.smooth) / (sizes + self.smooth)  # (B, C)
        if not self.present:
            return 1.0 - ops.mean(overlap, axis=-1)
        # Labels that are no class are NaN here, and must stay it.
        there = ops.where(ops.sum(hot, axis=(1, 2)) == 0, 0.0, 1.0)
        missed = ops.sum((1.0 - overlap) * there, axis=-1)  # 0 where all pixels are ignored
        return missed / ops.maximum(ops.sum(there, axis=-1), 1.0)

    def get_config(self):
        names = ("num_classes", "ignore_class", "smooth", "present")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config):
        return cls(**first_edition.current_config(config))


@keras.saving.register_keras_serializable(package=PACKAGE)
class EdgeCrossEntropy(keras.losses.Loss):
    """Cross-entropy of edges: plain on the share of annotators, or class-balanced.

    Plain, the target is the share of annotators who drew the pixel, and the best answer is the
    probability that one of them, taken at random, did: a proper score. Balanced, a pixel is an
    edge if at least the share `positive` drew it, no edge if nobody did, and is left out in
    between. In each image edges then weigh |no edge| / (|edge| + |no edge|), the others
    `negative_weight` · |edge| / the same: both sides count alike, and the best answer is no
    probability of an edge any more.

    Args:
        balanced: which of the two.
        positive: smallest share that counts as an edge (balanced only).
        negative_weight: factor on the weight of no edge (balanced only).

    Call arguments:
        share: `(B, H, W, 1)`, in [0, 1]; another number makes the loss NaN.
        logits: `(B, H, W, 1)`.

    Raises:
        ValueError: If a number is out of its range, or the shapes differ.

    References:
        Xie and Tu (2015), HED. https://arxiv.org/abs/1504.06375
        Liu et al. (2017), RCF: the pixels left out. https://arxiv.org/abs/1612.02103
    """

    def __init__(
        self, balanced=False, positive=0.5, negative_weight=1.1, name="edge_cross_entropy", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        if not 0 < positive <= 1 or not negative_weight > 0:
            raise ValueError(
                "`positive` must lie in (0, 1] and `negative_weight` be above 0. "
                f"Received: positive={positive!r}, negative_weight={negative_weight!r}"
            )
        self.balanced, self.positive = bool(balanced), float(positive)
        self.negative_weight = float(negative_weight)

    def call(self, share, logits):
        if not _fit(share.shape, logits.shape):
            raise ValueError(
                "shares and logits must both be (B, H, W, 1). "
                f"Received: {tuple(share.shape)} and {tuple(logits.shape)}"
            )
        share = ops.cast(share, logits.dtype)
        share = ops.where((share >= 0) & (share <= 1), share, float("nan"))
        if not self.balanced:
            return ops.mean(_from_logits(share, logits), axis=(1, 2, 3))
        edge = ops.cast(share >= self.positive, logits.dtype) + 0 * share  # NaN stays NaN
        rest = ops.cast(share <= 0, logits.dtype)
        edges, rests = (ops.sum(m, axis=(1, 2, 3), keepdims=True) for m in (edge, rest))
        weight = edge * rests + self.negative_weight * rest * edges
        weight = weight / ops.maximum(edges + rests, 1.0)
        return ops.mean(weight * _from_logits(edge, logits), axis=(1, 2, 3))

    def get_config(self):
        own = {name: getattr(self, name) for name in ("balanced", "positive", "negative_weight")}
        return {**super().get_config(), **own}


def _index(ignore_class):
    # NumPy's integers cannot be saved with a model.
    return None if ignore_class is None else int(ignore_class)


def _from_logits(target, logits):
    # −t log p − (1 − t) log(1 − p), without an overflow at either end.
    return ops.softplus(logits) - target * logits


def _fit(shape, other):
    # Sizes that are not known before the images come count as equal.
    return len(shape) == len(other) and all(a == b or None in (a, b) for a, b in zip(shape, other))


def _one_hot(truth, logits, num_classes, ignore_class):
    """One-hot truth `(B, H, W, C)`, ignored pixels all 0, and which pixels count `(B, H, W)`."""
    if len(truth.shape) == len(logits.shape) and truth.shape[-1] == 1:
        truth = ops.squeeze(truth, axis=-1)
    if not _fit(truth.shape, logits.shape[:-1]) or logits.shape[-1] != num_classes:
        raise ValueError(
            f"truth must be integers (B, H, W), and logits (B, H, W, {num_classes}). "
            f"Received: {tuple(truth.shape)} and {tuple(logits.shape)}"
        )
    truth = ops.cast(truth, "int32")
    counted = (
        ops.ones_like(truth) if ignore_class is None else ops.cast(truth != ignore_class, "int32")
    )
    known = truth * counted
    # A label that is no class stops PyTorch, and elsewhere would count as nothing, in silence.
    # NaN is heard everywhere.
    hot = ops.one_hot(ops.clip(known, 0, num_classes - 1), num_classes, dtype=logits.dtype)
    good = (known >= 0) & (known < num_classes)
    counted = ops.where(good, ops.cast(counted, logits.dtype), float("nan"))
    return hot * counted[..., None], counted
