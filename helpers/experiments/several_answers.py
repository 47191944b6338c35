"""The comparison of notebook 12: answers of a latent and of its controls, beside perfect ones.

The notebook has the networks and trains them. Here is how a trained one is scored, where each scale
ends, what may be said of differences, and how all of it is printed, drawn and recorded. All scores
are those of `uncertainty.evaluation`, for each picture.
"""

from functools import partial
from itertools import product

import numpy as np

from helpers import metrics
from helpers.data import records
from helpers.data.shapes import ANNOTATORS, DIRECTIONS
from helpers.uncertainty import evaluation

LABELS, BETTER = evaluation.METRIC_LABELS, evaluation.BETTER
ARROWS = {-1: "← better", 1: "better →"}  # under the axis of a measure
WIDEN = {"masks": 0, "edges": 1}  # pixels by which marks are widened before maps are compared
CONTROLS = ("one map", "dropout")  # the latent minus these: contrasts named beforehand
METHODS = (*CONTROLS, "pixel latent", "three maps", "latent")
TUNING_DRAWS = 50  # of each picture on which the threshold is chosen
BESIDE = ("best single map", "three maps")  # and these, not named beforehand
SAME = 0.7  # IoU from which on a sample counts as a reading


def score(draw, nll, tuning, held_out, samples, task):
    """Scores of a trained model by picture, `{measure: (N,)}`.

    Its maps are cut at the threshold that has the least energy distance on the pictures of
    `tuning`.

    Args:
        draw: function of (picture `(H, W, C)`, count) → probabilities `(count, H, W)`, or
            `(1, H, W)` for a model that has one answer.
        nll: function of (maps, annotations) → −log p of each held-out picture, `(N,)` nats.
        tuning: pictures `(M, H, W, C)` and annotations, for each picture `(A_i, H, W)`.
        held_out: the same, of the pictures that are reported on.
        samples: answers that are drawn for each held-out picture.
        task: "masks" or "edges", of `WIDEN`.
    """
    widen = WIDEN[task]
    (x_tuning, marks_tuning), (x, marks) = tuning, held_out
    drawn = [draw(picture, min(samples, TUNING_DRAWS)) for picture in x_tuning]
    threshold = evaluation.best_threshold(drawn, marks_tuning, widen)
    maps = [draw(picture, samples) for picture in x]
    return evaluation.score_samples(maps, nll(maps, marks), marks, threshold, widen)


def score_all(score, store, task, methods, length, seeds):
    """Scores of all methods after trainings of one length, `{method: {measure: (seeds, N)}}`.

    Args:
        score: function of (task, method, length, run) that trains a model and returns
            `{measure: (N,)}`.
        store: `checkpoint.ResultStore` that keeps each training's scores, or computes them only.
        task: as in `score` of this module.
        methods: names.
        length: of the trainings, in steps.
        seeds: how many trainings of each method, numbered from 0.
    """
    found = {}
    for method in methods:
        runs = []
        for run in range(seeds):
            key = [task, method, length, run]
            runs.append(store.result("scores", partial(score, *key), key=key))
        found[method] = {m: np.array([one[m] for one in runs]) for m in evaluation.BETTER}
    return found


def perfect_scores(marks, samples, task, seed=0):
    """Scores of answers that no network gave: where the scales end.

    Args:
        marks: for each picture `(A_i, H, W)` of 0 and 1.
        samples: draws of the perfect latent for each picture.
        task: as in `score`.
        seed: of the draws.

    Returns:
        `{"perfect latent": {measure: (1, N)}, "best single map": …}`. The second has the shares of
        the annotators for NLL and Brier score. For energy distance and matched IoU it takes, for
        each picture, the best of the annotations themselves and of their shares cut at nine
        thresholds.
    """
    widen = WIDEN[task]
    drawn = evaluation.perfect_latent(marks, samples, seed)
    latent = evaluation.score_samples(*drawn, marks, dilation=widen)
    single = evaluation.score_samples(*evaluation.perfect_map(marks), marks)
    pairs = [_best_single(one, widen) for one in marks]
    single["ged"], single["matched"] = np.transpose(pairs)
    found = {"perfect latent": latent, "best single map": single}
    return {name: {m: v[None] for m, v in row.items()} for name, row in found.items()}


def _best_single(marks, widen):
    """The least energy distance and the highest matched IoU that a binary map can be given."""
    share = marks.mean(axis=0)
    cuts = [share >= t for t in evaluation.THRESHOLDS]
    candidates = [metrics.dilate(c[None], widen) for c in [*np.unique(marks, axis=0), *cuts]]
    wide = metrics.dilate(marks, widen)
    distances = [metrics.generalised_energy_distance(c, wide) for c in candidates]
    return min(distances), max(metrics.hungarian_matched_iou(c, wide) for c in candidates)


def reading_shares(draw, pictures, readings, samples):
    """How often each reading is among the samples, and how often none is: `(R + 1,)`, of sum 1.

    A sample, cut at one half, counts for the reading with which it has the highest IoU, if that
    is at least `SAME`.

    Args:
        draw: as in `score`.
        pictures: `(N, H, W, C)`.
        readings: for each picture `(R, H, W)` of 0 and 1.
        samples: answers that are drawn for each picture.
    """
    rows = []
    for picture, marks in zip(pictures, readings):
        maps = draw(picture, samples) >= 0.5
        overlap = metrics.pairwise_iou(maps, marks)  # (S, R)
        nearest = np.where(overlap.max(axis=1) < SAME, len(marks), overlap.argmax(axis=1))
        rows.append(np.bincount(nearest, minlength=len(marks) + 1) / len(maps))
    return np.mean(rows, axis=0)


def nats_without_direction(edges):
    """−log p of perfect answers that do not know where the unsteady annotator moves the lines.

    That direction is drawn by lot and cannot be seen in the picture. All else is known.

    Args:
        edges: for each picture what the `ANNOTATORS` of `shapes` drew, `(5, H, W)` of 0 and 1.

    Returns:
        `{"perfect latent": (N,), "best single map": (N,)}`, nats, mean over the annotators.
    """
    careful, unsteady = (list(ANNOTATORS).index(name) for name in ("careful", "unsteady"))
    latent, single = [], []
    for marks in edges:
        height, width = marks.shape[1:]
        padded = np.pad(marks[careful], 1)
        moved = [padded[1 - i : 1 - i + height, 1 - j : 1 - j + width] for i, j in DIRECTIONS]
        others = np.delete(marks, unsteady, axis=0)
        law = np.concatenate([np.repeat(others, len(moved), axis=0), moved])  # (40, H, W)
        same = (marks[:, None] == law).all(axis=(2, 3))  # (5, 40)
        latent.append(-np.log(same.mean(axis=1)).mean())
        single.append(metrics.pixelwise_nll(law.mean(axis=0), marks).mean())
    return {"perfect latent": np.array(latent), "best single map": np.array(single)}


def means(scores):
    """`{name: {measure: (mean, half)}}` of `{name: {measure: (seeds, N)}}`: 95 % intervals.

    They cover pictures, and seeds where there are several.
    """
    return {
        name: {m: metrics.crossed_interval(values) for m, values in found.items()}
        for name, found in scores.items()
    }


def table(scores):
    """The `means` as text, a method on each line."""
    rows = means(scores)
    lines = [" " * 16 + "".join(f"{label:>18}" for label in LABELS.values())]
    for name, found in rows.items():
        cells = ("{:.3f} ± {:.3f}".format(*found[measure]) for measure in LABELS)
        lines.append(f"{name:<16}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def figure_data(task, scores):
    """What `plots.scores_by_method` takes: the recorded study, where there is one, and this run.

    Args:
        task: "masks" or "edges".
        scores: `{name: {measure: (seeds, N)}}`, those of `perfect_scores` among them, which
            become lines: the perfect latent's first.

    Returns:
        Dictionary of the arguments.
    """
    found = means(scores)
    mine = {name: row for name, row in found.items() if name in METHODS}
    recorded = records.scores_by_method("12-answers", task, METHODS, LABELS)
    return {
        "tables": {"recorded study": recorded, "this run": mine},
        "measures": {
            measure: f"{LABELS[measure]}\n{ARROWS[way]}" for measure, way in BETTER.items()
        },
        "methods": METHODS,
        "ends": [
            {measure: mean for measure, (mean, _) in found[name].items()}
            for name in ("perfect latent", "best single map")
        ],
    }


def gains(scores, others=CONTROLS):
    """The latent minus each of the others, in all tasks: `evaluation.compare` of all of them.

    Args:
        scores: `{task: {name: {measure: (seeds, N)}}}`.
        others: names in `scores`; where one is missing, it is left out.

    Returns:
        `{"task, latent − control": {measure: {"gain", "half", "p", "word"}}}`; the p-values are
        corrected together, after Holm.
    """
    pairs = {}
    for task, other in product(scores, others):
        if other in scores[task]:
            pairs[f"{task}, latent − {other}"] = scores[task]["latent"], scores[task][other]
    return evaluation.compare(pairs)


def gain_over_blind_map(scores, blind):
    """The latent's gain in nats, for edges, over a single map that knows all but the direction.

    Args:
        scores: as in `gains`, with the task "edges".
        blind: what `nats_without_direction` gave for the same pictures.

    Returns:
        As of `gains`, for this one comparison: nothing to correct for.
    """
    single = {"nll": blind["best single map"][None]}
    latent = {"nll": scores["edges"]["latent"]["nll"]}
    return evaluation.compare({"edges, latent − blind map": (latent, single)})


def gains_table(found):
    """What `gains` gave, as text."""
    lines = []
    for name, rows in found.items():
        lines.append(name)
        for measure, row in rows.items():
            p = "p < 0.001" if row["p"] < 0.001 else f"p = {row['p']:.3f}"
            line = "  {:<16} {word:<7} gain {gain:+8.3f} ± {half:.3f}, "
            lines.append(line.format(LABELS[measure], **row) + p)
    return "\n".join(lines)


def results(scores, shorter=None, blind=None):
    """All numbers of a run, for its record.

    Args:
        scores: `{task: {name: {measure: (seeds, N)}}}` of the longest training.
        shorter: the same of the shorter one, if there was one.
        blind: what `nats_without_direction` gave, if the direction is not known.

    Returns:
        Dictionary: `TASK_NAME_MEASURE` is a mean and half its interval,
        `TASK_gain_NAME_MEASURE` a gain of the latent, half its interval and p (those over the
        `CONTROLS` corrected together, those over `BESIDE`, and that over the blind map),
        `TASK_word_NAME_MEASURE` its word, `TASK_longer_NAME_MEASURE` what the longer training adds,
        positive where it is better, and `edges_blind_NAME` a mean of `blind`. Spaces become
        underscores.
    """
    told = {}
    for task, found in scores.items():
        for name, row in means(found).items():
            told |= {f"{task}_{name}_{measure}": pair for measure, pair in row.items()}
        for name, before in (shorter or {}).get(task, {}).items():
            change = evaluation.compare({name: (found[name], before)})[name]
            for measure, row in change.items():
                told[f"{task}_longer_{name}_{measure}"] = [row["gain"], row["half"]]
    compared = gains(scores) | gains(scores, BESIDE)
    if blind is not None:
        told |= {f"edges_blind_{name}": nats.mean() for name, nats in blind.items()}
        compared |= gain_over_blind_map(scores, blind)
    for name, rows in compared.items():
        for measure, row in rows.items():
            key = f"{name}_{measure}".replace(", latent − ", "_gain_")
            told[key] = [row["gain"], row["half"], row["p"]]
            told[key.replace("_gain_", "_word_")] = row["word"]
    return {key.replace(" ", "_"): value for key, value in told.items()}


def rows_of_maps(pictures, maps):
    """Rows for `plots.image_grid`: each picture, and then its maps with marked pixels black.

    Args:
        pictures: `(N, H, W, C)`.
        maps: for each picture probabilities, or 0 and 1, `(S, H, W)`; further ones are left out.
    """
    return [[x, *(1 - np.asarray(m, "float32"))] for x, m in zip(pictures, maps)]
