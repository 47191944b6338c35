"""The comparison of notebook 12: answers of a latent and of its controls, beside perfect ones.

The notebook has the networks and trains them. Here is how a trained one is scored, where each scale
ends, what may be said of differences, and how all of it is printed, drawn and recorded. All scores
are those of `uncertainty.evaluation`, for each picture.
"""

from itertools import product

import numpy as np

from helpers import metrics
from helpers.data import records
from helpers.uncertainty import evaluation

LABELS = evaluation.METRIC_LABELS
WIDEN = {"masks": 0, "edges": 1}  # pixels by which marks are widened before maps are compared
CONTROLS = ("one map", "dropout")  # the latent minus these: contrasts named beforehand
METHODS = (*CONTROLS, "pixel latent", "latent")
TUNING_DRAWS = 50  # of each picture on which the threshold is chosen


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
        "measures": LABELS,
        "methods": METHODS,
        "ends": [
            {measure: mean for measure, (mean, _) in found[name].items()}
            for name in ("perfect latent", "best single map")
        ],
    }


def gains(scores):
    """The latent minus each of the `CONTROLS`, in all tasks: `evaluation.compare` of all of them.

    Args:
        scores: `{task: {name: {measure: (seeds, N)}}}`.

    Returns:
        `{"task, latent − control": {measure: {"gain", "half", "p", "word"}}}`; the p-values are
        corrected together, after Holm.
    """
    pairs = {}
    for task, control in product(scores, CONTROLS):
        if control in scores[task]:
            pairs[f"{task}, latent − {control}"] = scores[task]["latent"], scores[task][control]
    return evaluation.compare(pairs)


def gains_table(found):
    """What `gains` gave, as text."""
    lines = []
    for name, rows in found.items():
        lines.append(name)
        for measure, row in rows.items():
            line = "  {:<16} {word:<7} gain {gain:+8.3f} ± {half:.3f}, p {p:.3f}"
            lines.append(line.format(LABELS[measure], **row))
    return "\n".join(lines)


def results(scores, shorter=None):
    """All numbers of a run, for its record.

    Args:
        scores: `{task: {name: {measure: (seeds, N)}}}` of the longest training.
        shorter: the same of the shorter one, if there was one.

    Returns:
        Dictionary: `TASK_NAME_MEASURE` is a mean and half its interval,
        `TASK_gain_CONTROL_MEASURE` a gain of the latent, half its interval and p,
        `TASK_word_CONTROL_MEASURE` its word, and `TASK_longer_NAME_MEASURE` what the longer
        training adds, positive where it is better. Spaces become underscores.
    """
    told = {}
    for task, found in scores.items():
        for name, row in means(found).items():
            told |= {f"{task}_{name}_{measure}": pair for measure, pair in row.items()}
        for name, before in (shorter or {}).get(task, {}).items():
            change = evaluation.compare({name: (found[name], before)})[name]
            for measure, row in change.items():
                told[f"{task}_longer_{name}_{measure}"] = [row["gain"], row["half"]]
    for name, rows in gains(scores).items():
        for measure, row in rows.items():
            key = f"{name}_{measure}".replace(", latent − ", "_gain_")
            told[key] = [row["gain"], row["half"], row["p"]]
            told[key.replace("_gain_", "_word_")] = row["word"]
    return {key.replace(" ", "_"): value for key, value in told.items()}


def walk(model, picture, deviations, marks):
    """Maps along the coordinate of z in which the prior is widest beside the posterior's noise.

    Args:
        model: as for `probabilistic_unet.nll`.
        picture: float32 `(H, W, C)`.
        deviations: steps from the prior's mean, in its standard deviations, `(S,)`; the other
            coordinates stay at the mean.
        marks: annotations of the picture, `(A, H, W)`.

    Returns:
        Probabilities `(S, H, W)`.
    """
    from keras import ops

    y = np.asarray(marks, "float32")[..., None]
    both = np.concatenate([np.repeat(picture[None], len(y), axis=0), y], axis=-1)
    noise = ops.convert_to_numpy(model.posterior(both)[1]).mean(axis=0)  # log σ², (K,)
    features, mean, log_variance = model.look(picture[None])
    mean, log_variance = (ops.convert_to_numpy(t)[0] for t in (mean, log_variance))
    k = int(np.argmax(log_variance - noise))
    z = np.repeat(mean[None], len(deviations), axis=0)
    z[:, k] += np.exp(0.5 * log_variance[k]) * np.asarray(deviations)
    features = ops.repeat(features, len(z), axis=0)
    logits = model.decode([features, ops.convert_to_tensor(z.astype("float32"))])
    return ops.convert_to_numpy(ops.sigmoid(logits))[..., 0]
