"""The study of notebook 17: four segmenters, and single changes of them, each tuned in the same way.

The notebook has the functions that train. Here is which trainings belong to the study, and what is
said of them: means, and paired differences, with 95 % intervals over seeds and pictures.
"""

from functools import partial

import numpy as np

from helpers.metrics import crossed_interval

RATES = (0.01, 0.03)  # learning rates to choose from, for every network and every change
SIZES = ("full", "half")  # of the weights that a network may have
MEASURES = ("iou", "inside", "near", "torn")


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


def study(networks, changes, seeds, choosing_score, scores, store):
    """Run the study, or read what a store has of it, and sum it up.

    Args:
        networks: names, in order.
        changes: dictionary from the name of a changed network to that of the unchanged one. It
            has the size of that one, and chooses a learning rate of its own.
        seeds: trainings of each kind, with other first weights and another order of the pictures.
        choosing_score: see `choose`.
        scores: function of (name, run, length, learning rate, size) → a dictionary with the
            `MEASURES`, each `(N,)` over the held-out pictures; of the length "longer" it also has
            `sides`, the sides of the effective field before and after the training, and `by_gap`,
            the shares of wrong pixels by their distance to the outline. The length is "longer" or,
            for `networks` only, "shorter": half the steps.
        store: a `checkpoint.ResultStore`.

    Returns:
        See `summary`; and `choices`, learning rate and size of each network, and `tried`.
    """
    choices, tried = {}, {}
    for name in networks:
        choices[name], tried[name] = choose(name, choosing_score, store)
    for name, parent in changes.items():
        sizes = choices[parent][1:]
        choices[name], tried[name] = choose(name, choosing_score, store, sizes)
    found = {}
    for run in range(seeds):
        for length in ("longer", "shorter"):
            for name in [*networks, *changes] if length == "longer" else networks:
                key = [name, run, length, *choices[name]]
                value = store.result("score", partial(scores, *key), key=key)
                found.setdefault((name, length), []).append(value)
    told = {"choices": [choices[name] for name in choices], "tried": list(tried.values())}
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
        - `by_gap`: `(names, distances)`, means over the seeds.
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
    told |= {"sides_fresh": sides[..., 0], "sides_trained": sides[..., 1]}
    told["by_gap"] = [of(name, "by_gap").mean(axis=0) for name in names]
    return told
