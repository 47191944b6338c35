"""Several trainings of models with different latents: their scores, and three claims with p-values.

`summary` makes intervals over trainings and sets of draws (or pictures) out of scores and bounds,
and judges the claims, which were named before anything was measured; `table` is its text. The
models are those of notebook 16: a VAE with one level, the same VAE trained on, a VAE with two levels
that took the same further steps, and a VQ-VAE. `benchmarks/latents.py` trains them.
"""

import numpy as np

from helpers import metrics

MEASURES = ("precision", "recall", "distance", "whole", "sharpness")
NATS = (
    "bound",
    "common",
    "latents",
)  # with its own σ, with that of the first model, for the latents

# A claim: one row, another row, and the measures in which the first may be better.
CLAIMS = {
    "learned prior": ("one level, mixture", "one level, N(0, I)", ("whole",)),
    "second level": (
        "two levels, mixture",
        "trained on, mixture",
        ("precision", "recall", "distance", "whole", "common"),
    ),
    "further steps": ("trained on, mixture", "one level, mixture", ("common",)),
}


def summary(scores, bounds):
    """Intervals of all rows, and the claims after Holm's correction.

    Args:
        scores: {row: trainings, each a list of dictionaries, one a set of draws}, as
            `beside_real.score_sets` gives them.
        bounds: {row: trainings, each {"bound", "common", "latents": nats, (N,)}}.

    Returns:
        Dictionary: `score`, {row: {measure: (mean, half width)}}; `each`, {row: {measure: mean of
        each training}}; `claims`, {"second level, recall": {"gain", "half", "p", "word"}, ...}, by
        `metrics.contrasts`. A gain is positive where the first row of the claim is better; of the
        kernel distance that is where it is smaller.
    """
    by_row = {row: _arrays(trainings, MEASURES) for row, trainings in scores.items()}
    for row, trainings in bounds.items():
        by_row.setdefault(row, {}).update(_nats(trainings))
    gains = {}
    for claim, (one, other, measures) in CLAIMS.items():
        for measure in measures:
            gain = by_row[one][measure] - by_row[other][measure]
            gains[f"{claim}, {measure}"] = -gain if measure == "distance" else gain
    return {
        "score": _apply(metrics.crossed_interval, by_row),
        "each": _apply(lambda values: values.mean(axis=1).tolist(), by_row),
        "claims": metrics.contrasts(gains),
    }


def table(result):
    """Text of what `summary` gives: one line a row, one a claim."""
    lines = []
    for row, measures in result["score"].items():
        cells = []
        for measure, (mean, half) in measures.items():
            digits = 0 if measure in NATS else 2
            cells.append(f"{measure} {mean:.{digits}f} ± {half:.{digits}f}")
        lines.append(f"{row:<24} " + "  ".join(cells))
    for claim, found in result["claims"].items():
        lines.append("{:<32} {gain:+.3f} ± {half:.3f}  p {p:.3f}  {word}".format(claim, **found))
    return "\n".join(lines)


def _arrays(trainings, measures):
    """{measure: (trainings, sets)}."""
    return {m: np.array([[one[m] for one in sets] for sets in trainings]) for m in measures}


def _nats(trainings):
    """{bound: (trainings, pictures)}."""
    return {m: np.stack([one[m] for one in trainings]) for m in NATS}


def _apply(function, by_row):
    return {row: {m: function(v) for m, v in found.items()} for row, found in by_row.items()}
