"""The study of segmenters: four networks, and single changes of them, each tuned in the same way.

`benchmarks/segmenters.py` has the functions that train. Here is which trainings belong to the study,
and what is said of them: means, and paired differences, with 95 % intervals over seeds and pictures
and p-values after Holm's correction. Notebook 17 uses the measures.
"""

from functools import partial

import keras
import numpy as np

from helpers.metrics import contrasts, crossed_interval, mean_iou_by_image, outline_gap
from helpers.segmentation import effective_receptive_field, receptive_field_mask, side_holding

RATES = (0.001, 0.003, 0.01, 0.03)  # learning rates to choose from, for each network and change
SIZES = ("full", "half")  # of the weights that a network may have
LENGTHS = {"longer": 1, "shorter": 1 / 2}  # shares of all training steps
CHOOSING_RUN = 100  # none of the runs that are scored
MEASURES = ("iou", "class_error", "outline_error", "torn")
CALIBRATION_PASSES = 30  # of the pictures, after which 0.9³⁰ = 0.04 of the first statistics is left


def measure(masks, answer, background, num_classes, ignore_class=None):
    """The `MEASURES` of label maps, each with a number for each picture, float64 `(N,)`.

    The mean of the numbers is nearly the measure over all pictures (see
    `metrics.mean_iou_by_image`):

    - "iou": the mean IoU.
    - "class_error": pixels of objects that get the class of another object.
    - "outline_error": pixels of objects that are called background, and the reverse. Both errors are
      shares of all pixels of objects, so the second may exceed 1.
    - "torn": of neighbours in a row, of one object class and both more than 2 pixels from its
      outline, the share that get different labels.

    Args:
        masks, answer: integer label maps `(N, H, W)`, N ≥ 2.
        background: the class that is no object.
        num_classes: C.
        ignore_class: label in `masks` that does not count, or None.
    """
    known = np.ones(masks.shape, bool) if ignore_class is None else masks != ignore_class
    objects = known & (masks != background)
    found = answer != background
    inside = objects & (outline_gap(masks) > 2)
    pairs = inside[:, :, 1:] & inside[:, :, :-1] & (masks[:, :, 1:] == masks[:, :, :-1])
    torn = pairs & (answer[:, :, 1:] != answer[:, :, :-1])
    return {
        "iou": mean_iou_by_image(masks, answer, num_classes, ignore_class),
        "class_error": _share_by_image(objects & found & (answer != masks), objects),
        "outline_error": _share_by_image(known & (found != objects), objects),
        "torn": _share_by_image(torn, pairs),
    }


def _share_by_image(hits, whole):
    """Jackknife pseudo-values, `(N,)`, of the number of hits divided by that of the whole."""
    hits, whole = hits.sum(axis=(1, 2)), whole.sum(axis=(1, 2))
    without = (hits.sum() - hits) / np.maximum(whole.sum() - whole, 1)
    return len(hits) * hits.sum() / max(whole.sum(), 1) - (len(hits) - 1) * without


def used_fields(fresh, trained, images, position, calibration):
    """What an output can see, and how much it uses before and after the training.

    The batch normalisation of a fresh network has seen no picture. With its first statistics deep
    branches hardly count beside shallow ones. So the fresh network is shown pictures first, 30
    times, without a training step; its moving statistics change.

    Args:
        fresh, trained: one network with two sets of weights.
        images: float32 `(N, H, W, C)`, over which the gradients are averaged.
        position: (row, column) of the output.
        calibration: pictures `(M, H, W, C)` that the fresh network is shown.

    Returns:
        (maps, sides): three maps `(H, W)` from 0 to 1, the receptive field and square roots of the
        effective field of both networks, each divided by its maximum; and the side of the smallest
        square around the position, cut by the border, that holds 90 % of each, in pixels.
    """
    for _ in range(CALIBRATION_PASSES):
        fresh(calibration, training=True)
    allowed = receptive_field_mask(fresh, position).astype("float64")
    used = [effective_receptive_field(model, images, position) for model in (fresh, trained)]
    maps = [allowed, *(np.sqrt(field / field.max()) for field in used)]
    return maps, [side_holding(field, position, 0.9) for field in (allowed, *used)]


def choose(name, score, store, sizes=SIZES):
    """Learning rate and size with the best score where one may choose.

    The rates are tried at the first size, the other sizes at the best of these rates.

    Args:
        name: of a network.
        score: function of (name, learning rate, size) → a number, more is better.
        store: a `checkpoint.ResultStore`.
        sizes: to choose from.

    Returns:
        ([learning rate, size], tried): `tried` has a row `[learning rate, size, score]` a training.
    """

    def tried(rate, size):
        key = [name, rate, size]
        return [rate, size, store.result("choose", partial(score, *key), key=key)]

    rows = [tried(rate, sizes[0]) for rate in RATES]
    best_rate = max(rows, key=lambda row: row[2])[0]
    rows += [tried(best_rate, size) for size in sizes[1:]]
    return max(rows, key=lambda row: row[2])[:2], rows


def study(networks, changes, seeds, train, choosing_score, scores, store):
    """Run the study, or read what a store has of it, and sum it up.

    Args:
        networks: names, in order.
        changes: dictionary from the name of a changed network to that of the unchanged one. It
            has the size of that one, and chooses a learning rate of its own.
        seeds: trainings of each kind, with other first weights and another order of the pictures.
        train: function of (name, learning rate, run, size, length) → a model. The length is a
            share of all steps: 1, or 1/2 to choose by and to compare with.
        choosing_score: function of a model → a number, more is better.
        scores: function of (model, name, run, size) → a dictionary with the `MEASURES`, each
            `(N,)` over the held-out pictures, and `sides` as of `used_fields`.
        store: a `checkpoint.ResultStore`.

    Returns:
        See `summary`; and `choices`, learning rate and size of each network, `tried`, and
        `at_edge`, the names whose learning rate is the lowest or the highest that was tried.
    """

    def chosen(name, rate, size):
        keras.backend.clear_session()  # many models would fill the memory
        return float(choosing_score(train(name, rate, CHOOSING_RUN, size, 1 / 2)))

    def scored(name, run, length, rate, size):
        keras.backend.clear_session()
        return scores(train(name, rate, run, size, LENGTHS[length]), name, run, size)

    choices, tried = {}, {}
    for name in networks:
        choices[name], tried[name] = choose(name, chosen, store)
    for name, parent in changes.items():
        sizes = choices[parent][1:]
        choices[name], tried[name] = choose(name, chosen, store, sizes)
    found = {}
    for run in range(seeds):
        for length in LENGTHS:
            for name in choices:
                key = [name, run, length, *choices[name]]
                value = store.result("score", partial(scored, *key), key=key)
                found.setdefault((name, length), []).append(value)
    told = {"choices": list(choices.values()), "tried": list(tried.values())}
    edges = min(RATES), max(RATES)
    told["at_edge"] = [name for name, (rate, _) in choices.items() if rate in edges]
    return summary(found, networks, changes) | told


def summary(found, networks, changes):
    """What is said of the scores of a study.

    Args:
        found: dictionary from (name, length) to a list of what `scores` gave, one a seed.
        networks, changes: see `study`.

    Returns:
        Dictionary; names are those of `networks`, then of `changes`. An interval is a mean and
        half the width of its 95 % interval; a difference has a p-value as a third number, after
        Holm's correction over all differences of networks and changes in all measures.

        - a name of `MEASURES`: an interval for each name, from the longer trainings.
        - `twice_<measure>`: what twice the steps change, an interval for each name.
        - `pairs_<measure>`: for each two networks, first with second, first with third, …: the
          difference, the later minus the earlier one.
        - `changed_<measure>`: for each change, the difference, changed minus unchanged.
        - `sides`: `(names, seeds, 3)`, see `used_fields`.
    """
    names = [*networks, *changes]

    def of(name, measure, length="longer"):
        return np.array([row[measure] for row in found[name, length]], "float64")  # (seeds, N)

    told = {"names": names}
    apart = {}  # from (key, one name, other name) to differences (seeds, N)
    for measure in MEASURES:
        told[measure] = [crossed_interval(of(name, measure)) for name in names]
        told[f"twice_{measure}"] = [
            crossed_interval(of(name, measure) - of(name, measure, "shorter")) for name in names
        ]
        pairs = [(f"pairs_{measure}", *pair) for pair in _pairs(networks)]
        pairs += [(f"changed_{measure}", parent, name) for name, parent in changes.items()]
        apart |= {key: of(key[2], measure) - of(key[1], measure) for key in pairs}
    for (key, *_), row in contrasts(apart).items():
        told.setdefault(key, []).append([row["gain"], row["half"], row["p"]])
    sides = [[row["sides"] for row in found[name, "longer"]] for name in names]
    return told | {"sides": np.array(sides)}


def _pairs(names):
    return [(first, later) for i, first in enumerate(names) for later in names[i + 1 :]]
