"""Scores of a panel's arms, several runs of each, and the words that a rule allows for them."""

import math
from dataclasses import dataclass

import numpy as np

from helpers import metrics
from helpers.data import records, to_float
from helpers.metrics import confidence_interval, expected_calibration_error
from helpers.uncertainty import baselines
from helpers.uncertainty.methods import METHODS

THRESHOLDS = np.linspace(0.05, 0.9, 18)
# Which way is better. Nats, energy distance, matched IoU, Brier skill, calibration gap, area
# under risk over coverage, ODS of the best of k maps.
BETTER = {"nll": -1, "ged": -1, "matched": 1, "skill": 1, "gap": -1, "risk": -1, "best": 1}
BASELINES = ("one map", "dropout", "ensemble")


@dataclass(frozen=True)
class Task:
    """Pictures and what several people marked in them, for three uses.

    Attributes:
        name: of the task.
        images, taught: to train on: float32 `(N, H, W, C)`, and for each `(A_i, H, W)`.
        tune, tuned: to choose thresholds on.
        held, marks: to score on.
        wide: by how many pixels marks are widened before maps are compared (for lines).
        ods: `(pictures, k, thresholds, tolerance)` of the best of k edge maps, or None.
    """

    name: str
    images: np.ndarray
    taught: list
    tune: np.ndarray
    tuned: list
    held: np.ndarray
    marks: list
    wide: float = 0
    ods: tuple | None = None


def make_task(name, known, scored, labelled, tuning, marks=None, **options):
    """A `Task` from two data sets.

    Args:
        name: of the task.
        known: `data.Dataset` of which the first `labelled` are trained on, at least one and all
            but `tuning`, and the next `tuning` choose thresholds.
        scored: the one to score on.
        labelled, tuning: numbers of pictures.
        marks: function of a `Dataset` → what people marked in each picture, `(A_i, H, W)`; its
            `annotations` without it.
        **options: `wide` and `ods` of `Task`.

    Raises:
        ValueError: If there are too few pictures.
    """
    first = min(labelled, len(known) - tuning)
    if first < 1:
        raise ValueError(
            f"{name}: {len(known)} pictures leave none to learn from beside tuning={tuning}"
        )
    known = known.subset(slice(first + tuning))
    drawn, held = (marks(d) if marks else d.annotations for d in (known, scored))
    x = to_float(known.images)
    parts = x[:first], drawn[:first], x[first:], drawn[first:], to_float(scored.images), held
    return Task(name, *parts, **options)


def run_experiment(panel, task, arms, seeds, store, samples=20, draws=64):
    """Trains and scores every arm, run by run; what a `checkpoint.ResultStore` has kept is read.

    Args:
        panel: an `methods.UncertaintyMethods`.
        task: a `Task`.
        arms: some of `methods.METHODS`; the latent last, so that `panel.chooser()` stays as trained.
        seeds: of the runs. The first is always trained, because its maps are returned.
        store: a `checkpoint.ResultStore`, whose parameters name all that the scores depend on.
        samples: maps of each arm.
        draws: z's for the latent's bound.

    Returns:
        (table, maps): dictionary from an arm to a list of dictionaries as `score` gives them,
        one a run; and from an arm to the first run's maps, float16 `(N, samples, H, W)`.
    """
    table, shown = {arm: [] for arm in arms}, {}
    rate = float(np.mean([np.mean(a) for a in task.taught]))
    about = {"prior": math.log(rate / (1 - rate))}
    about["annotators"] = float(np.mean([len(a) for a in task.taught]))
    for run in reversed(seeds):
        for arm in arms:

            def measure(arm=arm, run=run):
                drawn, shared = baselines.training_rows(task.images, task.taught, run)
                ask = panel.train(arm, drawn, shared, run, **about)
                del drawn, shared
                threshold = best_threshold(ask(task.tune, samples), task.tuned, task.wide)
                maps = ask(task.held, samples)
                nats = panel.nats(arm, maps, task.held, task.marks, draws)
                found = evaluate_method(maps, nats, task.marks, threshold, task.wide)
                if task.ods:
                    found["best"], found["each"] = _best(arm, maps, task)
                shown[arm] = maps.astype("float16")
                return found

            first = run == seeds[0]
            found = measure() if first else store.result(f"{task.name}-{arm}", measure, run=run)
            table[arm].insert(0, found)
    return table, shown


def evaluate_method(maps, nats, annotations, threshold, wide=0):
    """All measures of one arm over a set of pictures, a dictionary of floats.

    `nll` (nats per annotation), `ged` and `matched` (of maps cut at `threshold`, marks widened by
    `wide` pixels), and over the pixels within 5 of any mark: `skill` (Brier), `gap` (expected
    calibration error of the mean map) and `risk` (area under risk over coverage, pixels ordered
    by the variance of a mark under the mean map).

    Args:
        maps: `(N, S, H, W)` probabilities.
        nats: `(N,)`, from `Panel.nats`.
        annotations: for each picture `(A_i, H, W)`.
        threshold: that makes binary maps.
        wide: see `metrics.dilate`.
    """
    ged, matched = set_distances(maps, annotations, threshold, wide)
    p, s, wrong = pooled_predictions(maps, annotations)
    risk = metrics.risk_coverage(p * (1 - p), wrong)[1].mean()
    found = {"nll": np.mean(nats), "ged": ged, "matched": matched}
    found |= {
        "skill": metrics.brier_skill(p, s),
        "gap": expected_calibration_error(p, s),
        "risk": risk,
    }
    return {key: float(value) for key, value in found.items()}


def pooled_predictions(maps, annotations, within=5):
    """Mean maps, shares of annotators, and the share who disagree with the map cut at ½.

    Only pixels within `within` of any mark of their picture, in one row: three `(P,)`.
    """
    mean_scores = [np.mean(m, axis=0, dtype="float64") for m in maps]
    shares = [np.mean(a, axis=0) for a in annotations]
    where = [metrics.boundary_band(a, within) for a in annotations]
    p, s = (np.concatenate([v[w] for v, w in zip(k, where)]) for k in (mean_scores, shares))
    return p, s, np.where(p >= 0.5, 1 - s, s)


def best_threshold(maps, annotations, wide=0, thresholds=THRESHOLDS):
    """The threshold with the lowest energy distance; every arm chooses on the same pictures."""
    people = [metrics.dilate(a, wide) for a in annotations]
    found = [
        np.mean(
            [
                metrics.generalised_energy_distance(metrics.dilate(m >= t, wide), a)
                for m, a in zip(maps, people)
            ]
        )
        for t in thresholds
    ]
    return float(thresholds[int(np.argmin(found))])


def set_distances(maps, annotations, threshold, wide=0):
    """Energy distance and matched IoU of maps cut at a threshold, means over the pictures."""
    ged, matched = [], []
    for m, a in zip(maps, annotations):
        cut, people = (metrics.dilate(v, wide) for v in (m >= threshold, a))
        ged.append(metrics.generalised_energy_distance(cut, people))
        matched.append(metrics.hungarian_matched_iou(cut, people))
    return float(np.mean(ged)), float(np.mean(matched))


def candidate_maps(arm, maps, k):
    """As many different edge maps of each picture as another arm has, `(N, k, H, W)`.

    One map gives k powers of itself, from ¼ to 4: for a common threshold that is a threshold of
    its own for every picture. An ensemble gives its members, their mean and the means without
    one of them; others the first k.
    """
    maps = np.asarray(maps, "float32")
    if arm == "one map":
        powers = np.geomspace(0.25, 4, k, dtype="float32")
        return maps[:, :1] ** powers[:, None, None]
    if arm == "ensemble":
        members = maps[:, :5]
        mean = members.mean(axis=1, keepdims=True)
        without = (5 * mean - members) / 4
        maps = np.concatenate([members, mean, without], axis=1)
    return maps[:, np.arange(k) % maps.shape[1]]


def compare_methods(table, claim="latent", twins=BASELINES):
    """What repeated runs allow to be said of one arm against its twins, measure by measure.

    The best twin is the one with the best mean. The word is "better" if the 95 % interval of the
    difference, run by run, lies on the better side of 0, "worse" if on the other, else "level";
    a single run is "level" with everything.

    Args:
        table: from `study`.
        claim: the arm in question.
        twins: those among its arms that it is compared with.

    Returns:
        Dictionary from a measure to `{"word", "twin", "gain", "half", "percent"}`: the gain over
        the best twin (positive is better) with half its interval, and the change against "one
        map" in percent of it (negative is lower).
    """
    found = {}
    for key, sign in BETTER.items():
        if key not in table[claim][0]:
            continue
        values = {arm: np.array([row[key] for row in rows]) for arm, rows in table.items()}
        twin = max((t for t in twins if t in values), key=lambda t: sign * values[t].mean())
        gain, half = confidence_interval(sign * (values[claim] - values[twin]))
        word = "level" if len(table[claim]) == 1 or abs(gain) <= half else "better"
        word = "worse" if word == "better" and gain < 0 else word
        one = values[twins[0]].mean()
        percent = 100 * (values[claim].mean() / one - 1) if one else 0.0
        found[key] = {"word": word, "twin": twin, "gain": gain, "half": half, "percent": percent}
    return found


def format_report(table, words):
    """What `lines` and `summary` found, line by line."""
    yield from format_scores(table)
    for key, found in words.items():
        yield "{:<8} {word:<7} than {twin:<9} {gain:+.3f} ± {half:.3f}".format(key, **found)


def mean_scores(table):
    """Mean and half width of the 95 % interval over the runs, `{arm: {measure: (mean, half)}}`.

    Args:
        table: from `study`.
    """
    return {
        arm: {key: confidence_interval([row[key] for row in rows]) for key in rows[0]}
        for arm, rows in table.items()
    }


def recorded_scores(name, task):
    """The same of a recorded run; empty where there is none.

    Args:
        name: of the record in `data/results`.
        task: the task whose scores it holds under `task_arm_measure`.
    """
    results, found = records.results_of(name), {}
    for arm in METHODS:
        cells = {key: results.get(f"{task}_{arm}_{key}".replace(" ", "_")) for key in BETTER}
        cells = {key: tuple(cell) for key, cell in cells.items() if cell is not None}
        found |= {arm: cells} if cells else {}
    return found


def format_record(name, task):
    """The table of a recorded run, line by line, or one line that says there is none; see `record_of`."""
    rows = recorded_scores(name, task)
    if not rows:
        yield f"{name}: no recorded run here"
        return
    keys = list(rows["latent"])
    yield from _blocks(name, rows, keys)
    results = records.results_of(name)
    words = [f"{key} {results[f'{task}_{key}'][0]}" for key in keys]
    yield "latent against its best twin: " + ", ".join(words)


def _cell(key, mean, half):
    places = 1 if key == "nll" else 3
    return f"{f'{mean:.{places}f} ± {half:.{places}f}':>16}"


def format_scores(table):
    """One line of text an arm: mean ± half width of every measure over the runs."""
    rows = mean_scores(table)
    keys = [key for key in BETTER if key in next(iter(rows.values()))]
    yield from _blocks("", rows, keys)


def _blocks(name, rows, keys, columns=4):
    """The table in blocks that fit the page, one below the other."""
    for start in range(0, len(keys), columns):
        some = keys[start : start + columns]
        yield f"{name:<13}" + "".join(f"{key:>16}" for key in some)
        for arm, cells in rows.items():
            yield f"{arm:<13}" + "".join(_cell(key, *cells[key]) for key in some)


def _best(arm, maps, task):
    from helpers import edges

    pictures, k, thresholds, tolerance = task.ods
    several = candidate_maps(arm, maps[:pictures], k)
    thin = [[edges.nms(m.astype("float64"), border=0) for m in one] for one in several]
    return metrics.best_of_k_ods(thin, task.marks[:pictures], thresholds, tolerance)
