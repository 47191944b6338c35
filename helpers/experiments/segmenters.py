"""The study of notebook 17: four segmenters, and single changes of them, each tuned in the same way.

The notebook has the functions that train. Here is which trainings belong to the study, and what is
said of them: means, and paired differences, with 95 % intervals over seeds and pictures.
"""

from functools import partial

import keras
import numpy as np

from helpers.metrics import crossed_interval, mean_iou_by_image
from helpers.segmentation import effective_receptive_field, receptive_field_mask, side_holding

RATES = (0.01, 0.03)  # learning rates to choose from, for every network and every change
SIZES = ("full", "half")  # of the weights that a network may have
LENGTHS = {"longer": 1, "shorter": 1 / 2}  # shares of all training steps
CHOOSING_RUN = 100  # none of the runs that are scored
MEASURES = ("iou", "inside", "near", "torn")


def measure(masks, answer, inside, near, num_classes, ignore_class=None):
    """The `MEASURES` of label maps, each with a number for each picture, float64 `(N,)`.

    The mean of the numbers is nearly the measure over all pictures (see
    `metrics.mean_iou_by_image`): "iou" the mean IoU; "inside" and "near" the share of wrong pixels
    in these parts; "torn" the share of neighbours in a row, both inside one object, that get
    different labels.

    Args:
        masks, answer: integer label maps `(N, H, W)`, N ≥ 2.
        inside, near: booleans `(N, H, W)`.
        num_classes: C.
        ignore_class: label in `masks` that is left out of the mean IoU, or None.
    """
    wrong = answer != masks
    pairs = inside[:, :, 1:] & inside[:, :, :-1] & (masks[:, :, 1:] == masks[:, :, :-1])
    return {
        "iou": mean_iou_by_image(masks, answer, num_classes, ignore_class),
        "inside": _share_by_image(wrong, inside),
        "near": _share_by_image(wrong, near),
        "torn": _share_by_image(answer[:, :, 1:] != answer[:, :, :-1], pairs),
    }


def _share_by_image(found, part):
    """Jackknife pseudo-values, `(N,)`, of the share of a part that is found."""
    hits, whole = (found & part).sum(axis=(1, 2)), part.sum(axis=(1, 2))
    without = (hits.sum() - hits) / np.maximum(whole.sum() - whole, 1)
    return len(hits) * hits.sum() / max(whole.sum(), 1) - (len(hits) - 1) * without


def used_fields(fresh, trained, images, position):
    """What an output can see, and how much it uses before and after the training.

    Args:
        fresh, trained: one network with two sets of weights.
        images: float32 `(N, H, W, C)`.
        position: (row, column) of the output.

    Returns:
        (maps, sides): three maps `(H, W)` from 0 to 1, the receptive field and square roots of the
        effective field of both networks, each divided by its maximum; and, of both, the side of
        the smallest square around the position that holds 90 % of the effective field.
    """
    used = [effective_receptive_field(model, images, position) for model in (fresh, trained)]
    maps = [receptive_field_mask(fresh, position).astype("float64")]
    maps += [np.sqrt(field / field.max()) for field in used]
    return maps, [side_holding(field, position, 0.9) for field in used]


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
            share of all steps: 1, or 1/2 to choose by, and for `networks` to compare with.
        choosing_score: function of a model → a number, more is better.
        scores: function of (model, name, run, size) → a dictionary with the `MEASURES`, each
            `(N,)` over the held-out pictures, and `sides` as of `used_fields`.
        store: a `checkpoint.ResultStore`.

    Returns:
        See `summary`; and `choices`, learning rate and size of each network, and `tried`.
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
            for name in [*networks, *changes] if length == "longer" else networks:
                key = [name, run, length, *choices[name]]
                value = store.result("score", partial(scored, *key), key=key)
                found.setdefault((name, length), []).append(value)
    told = {"choices": list(choices.values()), "tried": list(tried.values())}
    return summary(found, networks, changes) | told


def summary(found, networks, changes):
    """What is said of the scores of a study.

    Args:
        found: dictionary from (name, length) to a list of what `scores` gave, one a seed.
        networks, changes: see `study`.

    Returns:
        Dictionary; names are those of `networks`, then of `changes`. A pair is a mean and half the
        width of its 95 % interval.

        - a name of `MEASURES`: a pair for each name, from the longer trainings.
        - `twice`, `twice_inside`, `twice_near`: what twice the steps change, a pair for each of `networks`.
        - `pairs_<measure>`: for each two networks, first with second, first with third, …: the
          later minus the earlier one.
        - `changed_<measure>`: for each change, changed minus unchanged.
        - `sides_fresh`, `sides_trained`: `(names, seeds)`.
    """
    names = [*networks, *changes]

    def of(name, measure, length="longer"):
        return np.array([row[measure] for row in found[name, length]], "float64")  # (seeds, N)

    told = {"names": names}
    for measure in MEASURES:
        told[measure] = [crossed_interval(of(name, measure)) for name in names]
        told[f"pairs_{measure}"] = [
            crossed_interval(of(later, measure) - of(first, measure))
            for i, first in enumerate(networks)
            for later in networks[i + 1 :]
        ]
        told[f"changed_{measure}"] = [
            crossed_interval(of(name, measure) - of(parent, measure))
            for name, parent in changes.items()
        ]
    for key, measure in (("twice", "iou"), ("twice_inside", "inside"), ("twice_near", "near")):
        told[key] = [
            crossed_interval(of(name, measure) - of(name, measure, "shorter")) for name in networks
        ]
    sides = np.array([[row["sides"] for row in found[name, "longer"]] for name in names])
    return told | {"sides_fresh": sides[..., 0], "sides_trained": sides[..., 1]}
