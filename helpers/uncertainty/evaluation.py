"""Scores of the methods, several runs of each, and the words that a rule allows for them."""

import math
from dataclasses import dataclass

import numpy as np

from helpers import metrics
from helpers.data import records, to_float
from helpers.uncertainty import baselines
from helpers.uncertainty.methods import METHOD_LABELS, METHODS

THRESHOLDS = np.linspace(0.05, 0.9, 18)
# Which way is better, by the names in tables and records.
BETTER = {"nll": -1, "ged": -1, "matched": 1, "skill": 1, "gap": -1, "risk": -1, "best": 1}
# The names that a reader sees: negative log-likelihood, generalised energy distance, Hungarian-
# matched IoU, Brier skill score, expected calibration error, area under risk over coverage, ODS of
# the best of several maps.
METRIC_LABELS = {
    "nll": "NLL (nats)",
    "ged": "GED",
    "matched": "matched IoU",
    "skill": "Brier skill",
    "gap": "ECE",
    "risk": "AURC",
    "best": "best-of-k ODS",
}
BASELINES = ("one map", "dropout", "ensemble")


@dataclass(frozen=True)
class Task:
    """Pictures and what several people marked in them, for three uses.

    Attributes:
        name: of the task.
        train_images, train_annotations: to train on: float32 `(N, H, W, C)`, and for each
            `(A_i, H, W)`.
        tuning_images, tuning_annotations: to choose thresholds on.
        val_images, val_annotations: to score on.
        dilation: by how many pixels marks are widened before maps are compared (for lines).
        ods: `(pictures, k, thresholds, tolerance)` of the best of k edge maps, or None.
    """

    name: str
    train_images: np.ndarray
    train_annotations: list
    tuning_images: np.ndarray
    tuning_annotations: list
    val_images: np.ndarray
    val_annotations: list
    dilation: float = 0
    ods: tuple | None = None


def make_task(name, train, val, labelled, tuning, annotate=None, **options):
    """A `Task` from two data sets.

    Args:
        name: of the task.
        train: `data.Dataset` of which the first `labelled` are trained on, at least one and all
            but `tuning`, and the next `tuning` choose thresholds.
        val: the one to score on.
        labelled, tuning: numbers of pictures.
        annotate: function of a `Dataset` → what people marked in each picture, `(A_i, H, W)`; its
            `annotations` without it.
        **options: `dilation` and `ods` of `Task`.

    Raises:
        ValueError: If there are too few pictures.
    """
    first = min(labelled, len(train) - tuning)
    if first < 1:
        raise ValueError(
            f"{name}: {len(train)} pictures leave none to learn from beside tuning={tuning}"
        )
    train = train.subset(slice(first + tuning))
    marks, val_marks = (annotate(d) if annotate else d.annotations for d in (train, val))
    x = to_float(train.images)
    parts = x[:first], marks[:first], x[first:], marks[first:], to_float(val.images), val_marks
    return Task(name, *parts, **options)


def run_experiment(trainer, task, methods, seeds, store, samples=20, draws=64):
    """Trains and scores every method, run by run; what a `ResultStore` has kept is read.

    Args:
        trainer: a `methods.UncertaintyMethods`.
        task: a `Task`.
        methods: some of `METHODS`; "latent" last, so that `trainer.probabilistic_unet()` stays as
            trained.
        seeds: of the runs. The first is always trained, because its maps are returned.
        store: a `checkpoint.ResultStore`, whose parameters name all that the scores depend on.
        samples: maps of each method.
        draws: z's for the bound of the probabilistic U-Net.

    Returns:
        (table, maps): dictionary from a method to a list of dictionaries as `evaluate_method`
        gives them, one a run; and from a method to the first run's maps, float16
        `(N, samples, H, W)`.
    """
    table, first_maps = {method: [] for method in methods}, {}
    rate = float(np.mean([np.mean(a) for a in task.train_annotations]))
    about = {"prior": math.log(rate / (1 - rate))}
    about["annotators"] = float(np.mean([len(a) for a in task.train_annotations]))
    for run in reversed(seeds):
        for method in methods:

            def measure(method=method, run=run):
                rows = baselines.training_rows(task.train_images, task.train_annotations, run)
                predict_samples = trainer.train(method, *rows, run, **about)
                del rows
                tuning_maps = predict_samples(task.tuning_images, samples)
                threshold = best_threshold(tuning_maps, task.tuning_annotations, task.dilation)
                maps = predict_samples(task.val_images, samples)
                nll = trainer.nll(method, maps, task.val_images, task.val_annotations, draws)
                found = evaluate_method(maps, nll, task.val_annotations, threshold, task.dilation)
                if task.ods:
                    found["best"], found["each"] = _best(method, maps, task)
                first_maps[method] = maps.astype("float16")
                return found

            first = run == seeds[0]
            found = measure() if first else store.result(f"{task.name}-{method}", measure, run=run)
            table[method].insert(0, found)
    return table, first_maps


def evaluate_method(maps, nll, annotations, threshold, dilation=0):
    """All measures of one method over a set of pictures, a dictionary of floats.

    `nll` (nats per annotation), `ged` and `matched` (of maps cut at `threshold`, marks widened by
    `dilation` pixels), and over the pixels within 5 of any mark: `skill` (Brier), `gap` (expected
    calibration error of the mean map) and `risk` (area under risk over coverage, pixels ordered
    by the variance of a mark under the mean map).

    Args:
        maps: `(N, S, H, W)` probabilities.
        nll: `(N,)`, from `UncertaintyMethods.nll`.
        annotations: for each picture `(A_i, H, W)`.
        threshold: that makes binary maps.
        dilation: see `metrics.dilate`.
    """
    ged, matched = set_distances(maps, annotations, threshold, dilation)
    p, s, wrong = pooled_predictions(maps, annotations)
    found = {
        "nll": np.mean(nll),
        "ged": ged,
        "matched": matched,
        "skill": metrics.brier_skill(p, s),
        "gap": metrics.expected_calibration_error(p, s),
        "risk": metrics.risk_coverage(p * (1 - p), wrong)[1].mean(),
    }
    return {key: float(value) for key, value in found.items()}


def pooled_predictions(maps, annotations, within=5):
    """Mean maps, shares of annotators, and the share who disagree with the map cut at ½.

    Only pixels within `within` of any mark of their picture, in one row: three `(P,)`.
    """
    means = [np.mean(m, axis=0, dtype="float64") for m in maps]
    shares = [np.mean(a, axis=0) for a in annotations]
    where = [metrics.boundary_band(a, within) for a in annotations]
    p, s = (np.concatenate([v[w] for v, w in zip(k, where)]) for k in (means, shares))
    return p, s, np.where(p >= 0.5, 1 - s, s)


def best_threshold(maps, annotations, dilation=0, thresholds=THRESHOLDS):
    """The threshold with the lowest energy distance; every method chooses on the same pictures."""
    dilated = [metrics.dilate(a, dilation) for a in annotations]

    def distance(threshold):
        cut = (metrics.dilate(m >= threshold, dilation) for m in maps)
        return np.mean([metrics.generalised_energy_distance(m, a) for m, a in zip(cut, dilated)])

    return float(thresholds[int(np.argmin([distance(t) for t in thresholds]))])


def set_distances(maps, annotations, threshold, dilation=0):
    """Energy distance and matched IoU of maps cut at a threshold, means over the pictures."""
    ged, matched = [], []
    for m, a in zip(maps, annotations):
        cut, dilated = (metrics.dilate(v, dilation) for v in (m >= threshold, a))
        ged.append(metrics.generalised_energy_distance(cut, dilated))
        matched.append(metrics.hungarian_matched_iou(cut, dilated))
    return float(np.mean(ged)), float(np.mean(matched))


def candidate_maps(method, maps, k):
    """As many different edge maps of each picture as another method has, `(N, k, H, W)`.

    One map gives k powers of itself, from ¼ to 4: for a common threshold that is a threshold of
    its own for every picture. An ensemble gives its members, their mean and the means without
    one of them; others the first k.
    """
    maps = np.asarray(maps, "float32")
    if method == "one map":
        powers = np.geomspace(0.25, 4, k, dtype="float32")
        return maps[:, :1] ** powers[:, None, None]
    if method == "ensemble":
        members = maps[:, :5]
        mean = members.mean(axis=1, keepdims=True)
        without = (5 * mean - members) / 4
        maps = np.concatenate([members, mean, without], axis=1)
    return maps[:, np.arange(k) % maps.shape[1]]


def compare_methods(table, claim="latent", baselines=BASELINES):
    """What repeated runs allow to be said of one method against its baselines, measure by measure.

    The best baseline is the one with the best mean. The word is "better", "worse" or "level" as
    `metrics.paired_difference` says "ahead", "behind" or "level" of the runs.

    Args:
        table: from `run_experiment`.
        claim: the method in question.
        baselines: those among the methods that it is compared with.

    Returns:
        Dictionary from a measure to `{"word", "baseline", "gain", "half", "percent"}`: the gain
        over the best baseline (positive is better) with half its interval, and the change against
        the first baseline in percent of it (negative is lower).
    """
    found = {}
    for key, sign in BETTER.items():
        if key not in table[claim][0]:
            continue
        values = {name: np.array([row[key] for row in rows]) for name, rows in table.items()}
        best = max((b for b in baselines if b in values), key=lambda b: sign * values[b].mean())
        gain = metrics.paired_difference(sign * values[claim], sign * values[best])
        word = {"ahead": "better", "behind": "worse", "level": "level"}[gain.word]
        first = values[baselines[0]].mean()
        percent = 100 * (values[claim].mean() / first - 1) if first else 0.0
        found[key] = {"word": word, "baseline": best, "gain": gain.mean, "half": gain.half}
        found[key]["percent"] = percent
    return found


def mean_scores(table):
    """Mean and half width of the 95 % interval over the runs, `{method: {measure: (mean, half)}}`.

    Args:
        table: from `run_experiment`.
    """
    return {
        method: {key: metrics.confidence_interval([row[key] for row in rows]) for key in rows[0]}
        for method, rows in table.items()
    }


def recorded_scores(name, task):
    """`mean_scores` of a recorded run at a task; empty where there is none."""
    return records.scores_by_method(name, task, METHODS, BETTER)


def format_scores(rows, title=""):
    """A table as text, from `mean_scores` or `recorded_scores`: a line a method, by its label."""
    keys = [key for key in BETTER if key in next(iter(rows.values()))]

    def cell(key, mean, half):
        return "{:.{d}f} ± {:.{d}f}".format(mean, half, d=1 if key == "nll" else 3)

    rows = {METHOD_LABELS[m]: [cell(k, *cells[k]) for k in keys] for m, cells in rows.items()}
    columns = [METRIC_LABELS[key] for key in keys]
    return metrics.format_table(columns, rows, width=15, corner=title, block=4)


def format_report(table, comparison):
    """What `run_experiment` and `compare_methods` found, as text."""
    lines = [format_scores(mean_scores(table))]
    for key, found in comparison.items():
        labels = METRIC_LABELS[key], METHOD_LABELS[found["baseline"]]
        line = "{:<13} {word:<6} than {:<13} {gain:+.3f} ± {half:.3f}"
        lines.append(line.format(*labels, **found))
    return "\n".join(lines)


def format_record(name, task):
    """The table of a recorded run and its words, as text, or one line that says there is none."""
    rows = recorded_scores(name, task)
    if not rows:
        return f"{name}: no recorded run here"
    words = records.results_of(name, f"{task}_")
    said = ", ".join(f"{METRIC_LABELS[key]} {words[key][0]}" for key in rows["latent"])
    claim = f"{METHOD_LABELS['latent']} against the best baseline:"
    return "\n".join([format_scores(rows, name), claim, said])


def _best(method, maps, task):
    from helpers import edges

    pictures, k, thresholds, tolerance = task.ods
    several = candidate_maps(method, maps[:pictures], k)
    thin = [[edges.nms(m.astype("float64"), border=0) for m in one] for one in several]
    return metrics.best_of_k_ods(thin, task.val_annotations[:pictures], thresholds, tolerance)
