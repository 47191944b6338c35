"""From counts to scores: precision, recall, ODS, OIS and AP as the official code has them."""

from dataclasses import dataclass

import numpy as np

# Columns of the counts.
MATCHED_RECALL, TOTAL_RECALL, MATCHED_PRECISION, TOTAL_PRECISION = range(4)

# The official code tries this many blends of two neighbouring thresholds.
BLENDS = np.linspace(0.0, 1.0, 100)


@dataclass(frozen=True)
class BenchmarkResult:
    """Scores of the Berkeley benchmark over a set of images.

    F is the harmonic mean of precision and recall.

    Attributes:
        thresholds: (T,), increasing.
        per_image: int (N, T, 4): annotated pixels that found a partner, annotated
            pixels (both summed over the annotators), predicted pixels that found a
            partner with at least one annotator, predicted pixels after thinning.
        precision, recall, f: (T,), from the counts summed over the images.
        ods: F at the best threshold for the whole set ("optimal dataset scale"),
            blended linearly between neighbouring thresholds as the official code does.
        ods_threshold, ods_precision, ods_recall: where that is.
        ois: F when every image has its own best threshold ("optimal image scale"):
            the counts at these thresholds, summed over the images.
        ois_precision, ois_recall: of the same counts.
        ap: average precision: the precision–recall curve read at recall 0, 0.01, …, 1,
            0 outside the recalls that were reached. It is an area *under the part that
            was measured*: a map of zeros and ones has a single point and gets 0.
    """

    thresholds: np.ndarray
    per_image: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f: np.ndarray
    ods: float
    ods_threshold: float
    ods_precision: float
    ods_recall: float
    ois: float
    ois_precision: float
    ois_recall: float
    ap: float

    def image_scores(self):
        """Each image at its own best threshold: (N, 4), threshold, recall, precision, F."""
        recall, precision = recall_precision(self.per_image)
        return np.array(
            [best_blend(self.thresholds, r, p) for r, p in zip(recall, precision)]
        ).reshape(-1, 4)

    def __str__(self):
        return (
            f"ODS {self.ods:.4f} (threshold {self.ods_threshold:.3f}, precision "
            f"{self.ods_precision:.4f}, recall {self.ods_recall:.4f}), OIS {self.ois:.4f}, "
            f"AP {self.ap:.4f}, {len(self.per_image)} images"
        )


def score(thresholds, per_image):
    """Makes a `BenchmarkResult` of counts (N, T, 4)."""
    total = per_image.sum(axis=0)
    recall, precision = recall_precision(total)
    ods_threshold, ods_recall, ods_precision, ods = best_blend(thresholds, recall, precision)

    best = f_measure(*recall_precision(per_image)).argmax(axis=1)  # (N,)
    chosen = per_image[np.arange(len(per_image)), best].sum(axis=0)
    ois_recall, ois_precision = recall_precision(chosen)
    return BenchmarkResult(
        thresholds=thresholds,
        per_image=per_image,
        precision=precision,
        recall=recall,
        f=f_measure(recall, precision),
        ods=ods,
        ods_threshold=ods_threshold,
        ods_precision=ods_precision,
        ods_recall=ods_recall,
        ois=float(f_measure(ois_recall, ois_precision)),
        ois_precision=float(ois_precision),
        ois_recall=float(ois_recall),
        ap=average_precision(recall, precision),
    )


def recall_precision(counts):
    """Recall and precision of counts (…, 4); nothing out of nothing is 0."""
    counts = np.asarray(counts, float)
    recall = counts[..., MATCHED_RECALL] / np.maximum(counts[..., TOTAL_RECALL], 1)
    precision = counts[..., MATCHED_PRECISION] / np.maximum(counts[..., TOTAL_PRECISION], 1)
    return recall, precision


def f_measure(recall, precision):
    """Harmonic mean of recall and precision, 0 when both are 0."""
    total = np.add(recall, precision)
    return 2 * np.multiply(recall, precision) / np.where(total == 0, 1, total)


def best_blend(thresholds, recall, precision):
    """Largest F on the straight lines between neighbouring thresholds' points.

    Returns:
        `(threshold, recall, precision, f)`, floats.
    """
    points = np.stack([thresholds, recall, precision])  # (3, T)
    if points.shape[1] > 1:
        left, right = points[:, :-1, None], points[:, 1:, None]
        points = (left * (1 - BLENDS) + right * BLENDS).reshape(3, -1)
    f = f_measure(points[1], points[2])
    best = f.argmax()
    return tuple(float(value) for value in (*points[:, best], f[best]))


def average_precision(recall, precision):
    """Mean of the precision at recall 0, 0.01, …, 1 (official: the sum over 100)."""
    recall, first = np.unique(recall, return_index=True)
    if len(recall) < 2:
        return 0.0
    grid = np.linspace(0.0, 1.0, 101)
    return float(np.interp(grid, recall, precision[first], left=0.0, right=0.0).sum() / 100)
