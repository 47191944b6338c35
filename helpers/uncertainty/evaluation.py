"""How well drawn answers match several annotators, picture by picture, and what may be said of it.

All scores are for each picture, so that intervals can cover pictures as well as trainings. The
same functions score a perfect latent (`perfect_latent`) and a perfect single map (`perfect_map`):
what these get with the same number of draws is where a table begins and ends.
"""

import numpy as np

from helpers import metrics

# Which way is better, by the names in tables and records.
BETTER = {"nll": -1, "ged": -1, "matched": 1, "brier": -1}
# The names that a reader sees: negative log-likelihood of one annotation, generalised energy
# distance, Hungarian-matched IoU, Brier score of the mean map near marks.
METRIC_LABELS = {
    "nll": "NLL (nats)",
    "ged": "energy distance",
    "matched": "matched IoU",
    "brier": "Brier score",
}
THRESHOLDS = np.linspace(0.1, 0.9, 9)
NEAR = 5  # pixels: the Brier score counts pixels that are so near to a mark of anybody
PAIRS = 100  # draws of a picture that are compared and matched; all count for the mean


def score_samples(maps, nll, annotations, threshold=0.5, dilation=0):
    """The four scores of each picture, `{measure: (N,)}`.

    `ged` and `matched` are of the first `PAIRS` maps, cut at `threshold`, with marks widened by
    `dilation` pixels; see `metrics.generalised_energy_distance`, which has no bias from few draws.
    The matched IoU has one, so compare it with a perfect latent's. `brier` is that
    of the mean map over pixels at most `NEAR` from a mark, over all where nobody made one. The mean of S draws is off by chance,
    which adds var/S to the Brier score; that is taken off, so more draws do not change what is
    expected.

    Args:
        maps: for each picture probabilities `(S, H, W)`; a single map has S = 1.
        nll: `(N,)`, −log p of one annotation, mean over the annotators, in nats.
        annotations: for each picture `(A_i, H, W)` of 0 and 1.
        threshold: that makes binary maps.
        dilation: see `metrics.dilate`.

    Raises:
        ValueError: If there are not as many pictures in all three.
    """
    if not len(maps) == len(nll) == len(annotations):
        raise ValueError(
            "maps, nll and annotations must be of the same pictures. "
            f"Received: {len(maps)}, {len(nll)} and {len(annotations)}"
        )
    rows = {key: [] for key in BETTER}
    for one, nats, marks in zip(maps, nll, annotations):
        one, marks = np.asarray(one), np.asarray(marks)
        cut = metrics.dilate(one[:PAIRS] >= threshold, dilation)
        wide = metrics.dilate(marks, dilation)
        rows["nll"].append(nats)
        rows["ged"].append(metrics.generalised_energy_distance(cut, wide))
        rows["matched"].append(metrics.hungarian_matched_iou(cut, wide))
        rows["brier"].append(_brier(one, marks))
    return {key: np.array(values, "float64") for key, values in rows.items()}


def _brier(maps, marks):
    near = metrics.boundary_band(marks, NEAR)
    near = near if near.any() else np.ones_like(near)  # nobody marked anything: all pixels
    p = np.asarray(maps, "float64")[:, near]  # (S, P)
    share = marks.mean(axis=0)[near]
    chance = p.var(axis=0, ddof=1).mean() / len(p) if len(p) > 1 else 0.0
    return metrics.brier(p.mean(axis=0), share) - chance


def perfect_latent(annotations, count, seed=0):
    """What a latent that knows the annotators' law would give: `(maps, nll)`.

    Each draw is the annotation of one annotator, taken at random; −log p is the entropy of the
    different annotations of a picture, the least that is possible.

    Args:
        annotations: for each picture `(A_i, H, W)` of 0 and 1.
        count: draws for each picture.
        seed: of the draws.

    Returns:
        maps, a list of float32 `(count, H, W)`, and nll `(N,)` in nats.
    """
    rng = np.random.default_rng(seed)
    maps, nll = [], []
    for marks in annotations:
        marks = np.asarray(marks)
        maps.append(marks[rng.integers(len(marks), size=count)].astype("float32"))
        _, times = metrics.unique_annotations(marks)
        p = times / times.sum()
        nll.append(-np.sum(p * np.log(p)))
    return maps, np.array(nll)


def perfect_map(annotations):
    """The best single map of probabilities, the share of annotators at each pixel: `(maps, nll)`.

    No single map has a smaller −log p or Brier score, on average over the annotators.

    Args:
        annotations: for each picture `(A_i, H, W)` of 0 and 1.

    Returns:
        maps, a list of `(1, H, W)`, and nll `(N,)` in nats.
    """
    maps = [np.mean(marks, axis=0, dtype="float64")[None] for marks in annotations]
    nll = [metrics.pixelwise_nll(m[0], a).mean() for m, a in zip(maps, annotations)]
    return maps, np.array(nll)


def best_threshold(maps, annotations, dilation=0, thresholds=THRESHOLDS):
    """The threshold with the lowest energy distance; every method chooses on the same pictures.

    Args:
        maps, annotations, dilation: as in `score_samples`.
        thresholds: to choose from.
    """
    wide = [metrics.dilate(a, dilation) for a in annotations]

    def distance(threshold):
        cut = (metrics.dilate(np.asarray(m)[:PAIRS] >= threshold, dilation) for m in maps)
        return np.mean([metrics.generalised_energy_distance(m, a) for m, a in zip(cut, wide)])

    return float(thresholds[int(np.argmin([distance(t) for t in thresholds]))])


def compare(pairs):
    """Gains of one method over another in all measures, see `metrics.contrasts`.

    A single training says nothing about first weights.

    Args:
        pairs: `{name: (first, second)}`, each `{measure: (seeds, N)}` of the same pictures.

    Returns:
        `{name: {measure: {"gain", "half", "p", "word"}}}`.
    """
    gains = {}
    for name, (first, second) in pairs.items():
        for measure in first:
            apart = np.asarray(first[measure]) - np.asarray(second[measure])
            gains[name, measure] = BETTER[measure] * apart
    found = {name: {} for name in pairs}
    for (name, measure), row in metrics.contrasts(gains).items():
        found[name][measure] = row
    return found
