"""The study of notebook 08: VAEs of several rates on two grids, and classifiers of what they give.

The notebook has the two functions that train. Here is which trainings belong to the study, in which
order, and what is said of them: paired differences with 95 % intervals over pictures, and over
seeds where there are several.
"""

import math
from itertools import pairwise

import numpy as np

from helpers.metrics import confidence_interval, crossed_interval

RUNS = 3  # seeds of the VAEs in `main` and of the classifiers of pictures
LENGTHS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4)  # of the VAE whose curve is drawn, times `steps`


def points(channels, main, steps):
    """The trainings of the study, those first that tell most: `(places, channels, steps, run)`.

    Args:
        channels: dictionary from the places a side of a grid to a list of channels; the first
            grid is the one whose VAE is trained for all `LENGTHS`.
        main: dictionary from the places to the channels that are trained with several seeds.
        steps: of the shorter length; the longer one is twice that.
    """
    found = [(g, main[g], factor * steps, 0) for factor in (1, 2) for g in channels]
    first = next(iter(channels))
    curve = [(first, main[first], int(length * steps), 0) for length in LENGTHS]
    for factor in (2, 1):
        found += [(g, c, factor * steps, 0) for g in channels for c in channels[g]]
    found += [(g, main[g], 2 * steps, run) for run in range(1, RUNS) for g in channels]
    return list(dict.fromkeys(found[:2] + curve[:-1] + found + curve[-1:]))


def study(recipe, picture, store, channels, main, steps, classifier_steps):
    """Run the study, or read what a store has of it, and sum it up.

    Args:
        recipe: function of `(places, channels, steps, run)` that trains a VAE and a classifier;
            gives `rate` and `elbo` in nats and the scores `draw`, and of `main` also `mean`, each
            `(N,)` over the held-out pictures.
        picture: function of (training steps, run) that trains a classifier of the pictures; gives
            scores `(N,)`.
        store: a `checkpoint.ResultStore`.
        channels, main, steps: see `points`.
        classifier_steps: of each classifier; those of pictures are also trained for twice as many.

    Returns:
        See `summary`.
    """
    tops = {}
    for run in range(RUNS):
        for factor in (1, 2):
            key = [factor * classifier_steps, run]
            tops[factor, run] = store.result("picture", lambda key=key: picture(*key), key=key)
    found = {}
    for key in points(channels, main, steps):
        found[key] = store.result("recipe", lambda key=key: recipe(*key), key=key)
        if not np.isfinite(found[key]["elbo"]).all():
            raise ValueError(
                f"the VAE of (places, channels, steps, run) = {key} did not train: its ELBO is no "
                "number. A lower learning rate helps"
            )
    return summary(found, tops, channels, main, steps)


def summary(found, tops, channels, main, steps):
    """What the study says, as lists of numbers.

    Args:
        found: dictionary from the points to what `recipe` gave.
        tops: dictionary from (factor, run) to the scores of a classifier of pictures.
        channels, main, steps: see `points`.

    Returns:
        Dictionary of lists. "Half" is half the width of a 95 % interval.

        - `picture`, `picture_twice`: mean IoU on pictures and its half; what twice the steps of
          the classifier add.
        - `rates`: a row `[places, channels, bits, mean IoU, half]` a VAE of the longer length.
        - `longer`: `[places, channels, gain, half, more bits, ELBO gained in %]` against half the
          steps.
        - `finer`: a row `[channels, bits, difference, half]` a VAE of the second grid: its mean
          IoU minus that of the first grid at the same rate (see `at_rate`).
        - `length_curve`: `[steps, mean IoU, half, bits]`; `length_gain`: `[gain, half]` from each
          length to the next.
        - `main`, `behind`, `of_mean`: for each grid the mean IoU of `main` over all seeds; the same
          minus that of the picture; and what the mean of q(z|x) changes against a draw.
        - `main_difference`: second grid minus the first. `main_bits`: the rates of the seeds.
    """
    found = {k: {n: np.array(v) for n, v in p.items()} for k, p in found.items()}
    once, twice = (np.array([tops[f, run] for run in range(RUNS)]) for f in (1, 2))  # (runs, N)
    told = {"picture": crossed_interval(once), "picture_twice": crossed_interval(twice - once)}
    told |= {"rates": [], "longer": [], "finer": []}
    curves = {g: [] for g in channels}
    for g, c in [(places, c) for places, cs in channels.items() for c in cs]:
        less, more = found[g, c, steps, 0], found[g, c, 2 * steps, 0]
        curves[g].append((more["rate"].mean(), more["draw"]))
        told["rates"].append([g, c, _bits(more["rate"]), *confidence_interval(more["draw"])])
        gain = confidence_interval(more["draw"] - less["draw"])
        percent = 100 * (more["elbo"] - less["elbo"]).mean() / abs(less["elbo"].mean())
        told["longer"].append([g, c, *gain, _bits(more["rate"] - less["rate"]), percent])
    first, second = channels
    for c, (rate, scores) in zip(channels[second], curves[second]):
        ahead = confidence_interval(scores - at_rate(rate, curves[first]))
        told["finer"].append([c, rate / math.log(2), *ahead])

    lengths = [int(length * steps) for length in LENGTHS]
    line = [found[first, main[first], length, 0] for length in lengths]
    told["length_curve"] = [
        [n, *confidence_interval(p["draw"]), _bits(p["rate"])] for n, p in zip(lengths, line)
    ]
    told["length_gain"] = [
        confidence_interval(more["draw"] - less["draw"]) for less, more in pairwise(line)
    ]
    draws = {}
    told |= {"main": [], "behind": [], "of_mean": [], "main_bits": []}
    for g in channels:
        runs = [found[g, main[g], 2 * steps, run] for run in range(RUNS)]
        draws[g] = np.array([run["draw"] for run in runs])  # (runs, N)
        means = np.array([run["mean"] for run in runs])
        told["main"].append(crossed_interval(draws[g]))
        told["behind"].append(crossed_interval(draws[g] - once))
        told["of_mean"].append(crossed_interval(means - draws[g]))
        told["main_bits"].append([_bits(run["rate"]) for run in runs])
    told["main_difference"] = crossed_interval(draws[second] - draws[first])
    return told


def at_rate(nats, curve):
    """Scores `(N,)` of a curve at a rate, on the straight line over the logarithm of the rate.

    Args:
        nats: the rate; outside of the curve's rates, the nearest end counts.
        curve: pairs of a rate and scores `(N,)`, two or more, in any order.
    """
    rates, scores = zip(*sorted(curve, key=lambda point: point[0]))
    place = np.interp(math.log(nats), np.log(rates), np.arange(len(rates)))
    low = min(int(place), len(rates) - 2)
    return (low + 1 - place) * scores[low] + (place - low) * scores[low + 1]


def _bits(nats):
    return float(np.mean(nats)) / math.log(2)
