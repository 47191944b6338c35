"""Measures: of a VAE as a density model, and of label maps. NumPy in, NumPy out.

Nothing here trains. The bounds are in nats per image; the scores of label maps are
shares between 0 and 1.
"""

import keras
import numpy as np
from keras import ops

from helpers import losses


def iwae_bound(vae, x, k, batch_size=None, seed=0):
    """The importance-weighted bound L_k ≤ log p(x), per image, in nats.

    L_k = log (1/k) Σ p(x, z_i) / q(z_i|x) with z_i ~ q(z|x). L_1 has the expectation of
    the ELBO, L_k grows with k and reaches log p(x) in the limit.

    Args:
        vae: a `helpers.models.VAE`.
        x: images in [0, 1], `(B, H, W, C)`, NumPy.
        k: importance samples per image.
        batch_size: images times samples per decoder call; None takes about 20,000.
        seed: of the samples; the same seed gives the same bound.

    Returns:
        float64 array `(B,)`, nats per image.

    Raises:
        ValueError: if k is below 1 or x holds a value that is not finite.

    References:
        Burda, Grosse and Salakhutdinov (2016). https://arxiv.org/abs/1509.00519
    """
    if int(k) != k or k < 1:
        raise ValueError(f"`k` is a number of samples, at least 1. Received: k={k!r}")
    k, x = int(k), np.asarray(x, dtype="float32")
    if not np.isfinite(x).all():
        raise ValueError("`x` holds NaN or infinity; mend or drop those images first")
    budget = batch_size or 20_000
    samples = min(k, budget)
    images = max(1, budget // samples)
    generator = keras.random.SeedGenerator(seed)
    log_weights = _compiled_log_weights(vae, samples, generator)

    bounds = []
    for start in range(0, len(x), images):
        batch = x[start : start + images]
        n = len(batch)
        if n < images:
            # One shape for every call: a second one would be compiled again.
            batch = np.concatenate([batch, np.repeat(batch[-1:], images - n, axis=0)])
        parts = []
        for _ in range(-(-k // samples)):
            parts.append(ops.convert_to_numpy(log_weights(batch))[:, :n])
        weights = np.concatenate(parts)[:k].astype("float64")
        bounds.append(log_mean_exp(weights))
    return np.concatenate(bounds)


def _compiled_log_weights(vae, samples, generator):
    """A function x `(B, …)` → log p(x, z) − log q(z|x) of fresh draws, `(samples, B)`."""

    def log_weights(x):
        mean, log_variance = vae.encode(x)
        shape = (samples, *ops.shape(mean))
        noise = keras.random.normal(shape, dtype=mean.dtype, seed=generator)
        z = mean + ops.exp(0.5 * log_variance) * noise
        # log p(z) − log q(z|x), coordinate by coordinate; the 2π cancel.
        ratio = 0.5 * (log_variance + ops.square(noise) - ops.square(z))
        flat = ops.reshape(z, (-1, *z.shape[2:]))
        nll = vae.reconstruction_nll(ops.tile(x, (samples,) + (1,) * (x.ndim - 1)), flat)
        ratio = ops.sum(ops.reshape(ratio, (samples, ops.shape(x)[0], -1)), axis=-1)
        return ratio - ops.reshape(nll, (samples, -1))

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(log_weights)
    return log_weights


def log_mean_exp(values):
    """log of the mean of exp over the first axis, without an overflow: `(S, …)` → `(…)`."""
    top = values.max(axis=0)
    return top + np.log(np.mean(np.exp(values - top), axis=0))


def posterior(vae, x, batch_size=256):
    """Mean and log σ² of q(z|x) as NumPy arrays of the latent's shape, `(B, …)`."""
    parts = [
        [ops.convert_to_numpy(t) for t in vae.encode(np.asarray(x[i : i + batch_size], "float32"))]
        for i in range(0, len(x), batch_size)
    ]
    mean, log_variance = zip(*parts)
    return np.concatenate(mean), np.concatenate(log_variance)


def kl_per_dimension(vae, x, batch_size=256):
    """Mean KL of each latent coordinate over the images, in nats, the latent's shape."""
    mean, log_variance = posterior(vae, x, batch_size)
    return ops.convert_to_numpy(losses.gaussian_kl_elementwise(mean, log_variance)).mean(axis=0)


def active_units(vae, x, threshold=0.01, batch_size=256):
    """How many latent coordinates respond to the image: Var over x of E_q[z] > threshold.

    Returns:
        int, between 0 and K.

    References:
        Burda, Grosse and Salakhutdinov (2016), section 5. https://arxiv.org/abs/1509.00519
    """
    mean, _ = posterior(vae, x, batch_size)
    return int((mean.var(axis=0) > threshold).sum())


def confusion_matrix(truth, prediction, num_classes, void=None):
    """Counts of pixels, rows the truth, columns the prediction: int64 `(C, C)`.

    Args:
        truth: integer label maps, any shape.
        prediction: the same shape, labels in [0, C).
        num_classes: C.
        void: label in `truth` that is left out of every score, or None.

    Raises:
        ValueError: on another shape, or a label outside [0, C) that is not void.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(
            f"`truth` and `prediction` must have the same shape. Received: {truth.shape} "
            f"and {prediction.shape} (has the argmax over the class axis been taken?)"
        )
    for name, labels in (("truth", truth), ("prediction", prediction)):
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"`{name}` must hold integer labels. Received: dtype={labels.dtype}")
    counted = np.ones(truth.shape, bool) if void is None else truth != void
    truth, prediction = truth[counted].astype("int64"), prediction[counted].astype("int64")
    for name, labels in (("truth", truth), ("prediction", prediction)):
        if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
            raise ValueError(
                f"`{name}` holds labels {labels.min()} to {labels.max()}, outside 0 to "
                f"{num_classes - 1}. Is the void label named? Received: void={void!r}"
            )
    counts = np.bincount(truth * num_classes + prediction, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def iou_per_class(truth, prediction, num_classes, void=None):
    """Intersection over union of each class over all pixels: float64 `(C,)`.

    NaN for a class that occurs neither in the truth nor in the prediction.
    """
    return iou_of_counts(confusion_matrix(truth, prediction, num_classes, void))


def iou_of_counts(counts):
    """Intersection over union of each class from a `confusion_matrix`: float64 `(C,)`.

    Matrices of single images may be added first. NaN for a class that occurs nowhere.
    """
    counts = np.asarray(counts, "float64")
    hit = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hit
    return np.divide(hit, union, out=np.full(len(counts), np.nan), where=union > 0)


def mean_iou(truth, prediction, num_classes, void=None):
    """Mean over classes of the intersection over union, counted over all pixels at once.

    Classes that occur nowhere are left out of the mean. `keras.metrics.MeanIoU` does the
    counting; a test holds it to `iou_per_class`.
    """
    counts = confusion_matrix(truth, prediction, num_classes, void)
    metric = keras.metrics.MeanIoU(num_classes)
    # One weighted entry a pair of classes: Keras need not see millions of pixels again.
    rows, columns = np.indices(counts.shape)
    metric.update_state(rows.ravel(), columns.ravel(), sample_weight=counts.ravel())
    return float(metric.result())


def pixel_accuracy(truth, prediction, void=None):
    """Share of pixels (void left out) whose label is right."""
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    classes = int(max(truth.max(), prediction.max())) + 1
    counts = confusion_matrix(truth, prediction, classes, void)
    return float(np.trace(counts) / counts.sum())


def dice(truth, prediction, label):
    """Dice overlap of one class in each image: float64 `(B,)`; 1 where both are empty.

    2·|T ∩ P| / (|T| + |P|), per image, not over the batch as one.
    """
    truth, prediction = np.asarray(truth) == label, np.asarray(prediction) == label
    if truth.shape != prediction.shape:
        raise ValueError(
            "`truth` and `prediction` must have the same shape. "
            f"Received: {truth.shape} and {prediction.shape}"
        )
    axes = tuple(range(1, truth.ndim))
    both = 2.0 * (truth & prediction).sum(axis=axes)
    sizes = truth.sum(axis=axes) + prediction.sum(axis=axes)
    return np.divide(both, sizes, out=np.ones(len(sizes)), where=sizes > 0)


def boundary_iou(truth, prediction, num_classes, void=None, width=0.02):
    """Boundary IoU of each class: the IoU of the bands along the inner side of the outlines.

    Where IoU forgives a ragged outline around a large object, this does not. Counted over all
    images at once, like `iou_per_class`.

    Args:
        truth: integer label maps `(B, H, W)`, or a list of `(H, W)`.
        prediction: the same.
        num_classes: C.
        void: label in `truth` that is left out; its border is no outline.
        width: of the band, as a share of the image's diagonal; at least one pixel.

    Returns:
        float64 `(C,)`; NaN for a class without any pixel in a band.

    Raises:
        ValueError: on another shape or number of images, or a label outside [0, C) that is not
            void.

    References:
        Cheng et al. (2021). https://arxiv.org/abs/2103.16562
    """
    from scipy import ndimage

    if len(truth) != len(prediction):
        raise ValueError(
            "`truth` and `prediction` must have as many images. "
            f"Received: {len(truth)} and {len(prediction)}"
        )
    if not 0 < width < 1:
        raise ValueError(
            f"`width` is a share of the diagonal, between 0 and 1. Received: width={width!r}"
        )
    both, either = np.zeros(num_classes), np.zeros(num_classes)
    for t, p in zip(truth, prediction):
        t, p = np.asarray(t), np.asarray(p)
        if t.shape != p.shape or t.ndim != 2:
            raise ValueError(
                "`truth` and `prediction` must be label maps of the same shape (H, W). "
                f"Received: {t.shape} and {p.shape}"
            )
        confusion_matrix(t, p, num_classes, void)  # refuses what are no labels
        steps = max(1, round(width * np.hypot(*t.shape)))
        counted = np.ones(t.shape, bool) if void is None else t != void
        for c in range(num_classes):
            bands = []
            for labels in (t, p):
                # The image's border is an outline too; that of void is none, it is not known.
                inside = np.pad((labels == c) | ~counted, 1)
                kept = ndimage.binary_erosion(inside, np.ones((3, 3), bool), steps)
                bands.append((inside & ~kept)[1:-1, 1:-1] & counted)
            both[c] += (bands[0] & bands[1]).sum()
            either[c] += (bands[0] | bands[1]).sum()
    return np.divide(both, either, out=np.full(num_classes, np.nan), where=either > 0)
