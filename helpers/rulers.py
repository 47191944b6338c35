"""A ruler for generated pictures: the features of a small classifier, trained where it is used.

No network is downloaded. The numbers compare models that one ruler has measured, and nothing else.
"""

from itertools import combinations, cycle

import keras
import numpy as np
from keras import layers

from helpers import probes, records, samples, twins

MEASURES = ("distance", "precision", "recall", "variety", "sharpness")


def classifier(image_shape, classes):
    """`(B, H, W, C)` → logits `(B, classes)` and features `(B, 64)`, the means of the last layer."""
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    for filters, stride in ((24, 1), (32, 2), (48, 2), (64, 2)):
        h = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(h)
        h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
    features = layers.GlobalAveragePooling2D(name="features")(h)
    return keras.Model(image, [layers.Dense(int(classes))(features), features], name="ruler")


class Ruler:
    """Compares pictures with real ones in the features of a classifier of the real ones' kinds.

    Args:
        images: float32 `(N, H, W, C)` in [0, 1] to train the classifier on. The first thousand set
            the unit of each feature, too.
        kinds: integers `(N,)` from 0 on.
        real: `(M, H, W, C)`: what all pictures are compared with; none of `images`.
        steps, batch, rate, seed: of the training; see `twins.learn`.
    """

    def __init__(self, images, kinds, real, steps=375, batch=32, rate=0.005, seed=0):
        keras.utils.set_random_seed(seed)
        kinds = np.asarray(kinds)
        self.classes = int(kinds.max()) + 1
        self.network = classifier(images.shape[1:], self.classes)
        named = keras.Model(self.network.input, self.network.outputs[0])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        twins.learn(named, images, kinds, loss, steps=steps, batch=batch, rate=rate, seed=seed)
        self.unit, self.real = self._look(images[:1000])[1], self._look(real)[1]
        self.coarse = samples.coarse(real)
        self.energy = samples.gradient_energy(real).mean()

    def accuracy(self, images, kinds):
        """Share of pictures whose kind the classifier names rightly."""
        return float((self._look(images)[0].argmax(axis=1) == kinds).mean())

    def judge(self, pictures):
        """Scores of pictures `(N, H, W, C)`; values outside [0, 1] are cut, NaN is black.

        Returns:
            Dictionary: `distance`, `precision` and `recall` (see `samples`) of the features in
            units of the training pictures'; `variety` of the pictures as a grid of 4×4 means and
            `sharpness`, the gradient energy, as shares of the real pictures'; `kinds`, the shares
            of the classes by the classifier's word.
        """
        pictures = np.clip(np.nan_to_num(np.asarray(pictures, dtype="float32")), 0, 1)
        logits, features = self._look(pictures)
        _, real, drawn = samples.standardise(self.unit, self.real, features)
        precision, recall = samples.precision_recall(real, drawn)
        return {
            "distance": samples.kernel_distance(real, drawn),
            "precision": precision,
            "recall": recall,
            "variety": samples.variety(self.coarse, samples.coarse(pictures)),
            "sharpness": float(samples.gradient_energy(pictures).mean() / self.energy),
            "kinds": np.bincount(logits.argmax(axis=1), minlength=self.classes) / len(logits),
        }

    def _look(self, images):
        return self.network.predict(np.asarray(images), batch_size=250, verbose=0)


def precision_recall_map(found, known, record=None):
    """Precision over recall, one mark a training; a recorded run beside the reader's.

    Args:
        found: dictionary from a model to its rows with `precision` and `recall`, one a training.
        known: dictionary from a name to such a row: marked as crosses with their names.
        record: name of a file in `data/results` whose results have `MODEL_precision` and
            `MODEL_recall` for each model (a hyphen as an underscore); left out where it is not
            there, or lacks them.

    Returns:
        The figure, for `plots.show`.
    """
    import matplotlib.pyplot as plt

    sides = ("recall", "precision")
    panels = {"your run": {m: [[r[s] for r in rows] for s in sides] for m, rows in found.items()}}
    old = records.results_of(record)
    if old:
        keys = {m: [f"{m.replace('-', '_')}_{s}" for s in sides] for m in found}
        if all(k in old for pair in keys.values() for k in pair):
            panels["recorded run"] = {m: [old[k] for k in pair] for m, pair in keys.items()}
    fig, axes = plt.subplots(1, len(panels), figsize=(4.3 * len(panels), 4.2), squeeze=False)
    for axis, (title, points) in zip(axes[0], panels.items()):
        if title == "your run":
            _name_faults(axis, known)
        for (name, (across, up)), mark in zip(points.items(), cycle("osD^vP")):
            axis.plot(across, up, mark, label=name, alpha=0.8)
        axis.set(xlabel="recall", title=title, xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))
        axis.set(ylabel="precision", aspect="equal")
    axes[0, -1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def _name_faults(axis, known):
    """A cross and its name for each row; names keep inside the axes and off each other."""
    places = {}
    for name, row in known.items():
        place = round(row["recall"], 2), round(row["precision"], 2)
        places.setdefault(place, []).append(name)
    for x, y in places:
        axis.plot(x, y, "x", color="0.5")
        crowded = any(abs(x - a) < 0.15 and 0 < b - y < 0.08 for a, b in places)
        side = "right" if x > 0.7 else "left"
        look = {"xytext": (4 if side == "left" else -4, -11 if crowded else 4), "ha": side}
        text = ", ".join(places[x, y])
        axis.annotate(text, (x, y), textcoords="offset points", fontsize=7, color="0.35", **look)


def who_leads(found, measure, one, other):
    """Which of two models is ahead on a measure: a name, or "no lead".

    A lead is a 95 % interval of the difference, seed by seed, that does not hold 0. A single
    training has no interval, so nobody leads.

    Args:
        found: dictionary from a model to its rows of scores, one a seed, the same seeds in all.
        measure: a name in them. Of "distance" less is better, of all others more.
        one, other: names of models.
    """
    gaps = [a[measure] - b[measure] for a, b in zip(found[one], found[other], strict=True)]
    mean, half = probes.interval(gaps)
    if len(gaps) < 2 or abs(mean) <= half:
        return "no lead"
    return one if (mean > 0) is not (measure == "distance") else other


def leads(found, measures):
    """Who is ahead, pair by pair: a dictionary from "A or B" to a word of `who_leads` a measure."""
    pairs = combinations(found, 2)
    return {" or ".join(two): [who_leads(found, m, *two) for m in measures] for two in pairs}


def score_table(found, measures=MEASURES, digits=2):
    """Scores of models as text: mean and interval, or the score alone of a single training.

    Args:
        found: dictionary from a model to its rows of scores, one a training.
        measures: names in them, the columns.
        digits: after the point.
    """

    def cell(values):
        return with_interval(values, digits) if len(values) > 1 else f"{values[0]:.{digits}f}"

    rows = {name: [cell([r[m] for r in rows]) for m in measures] for name, rows in found.items()}
    return text_table(measures, rows, 13 if any(len(r) > 1 for r in found.values()) else 11)


def with_interval(values, digits):
    """Mean and half width of the 95 % interval of numbers, one a seed, as text."""
    return "{:.{d}f} ± {:.{d}f}".format(*probes.interval(values), d=digits)


def text_table(columns, rows, width):
    """A table as text: names of columns, and a dictionary from a row's name to its cells.

    Raises:
        ValueError: If a row has not as many cells as there are columns.
    """
    wrong = [name for name, cells in rows.items() if len(cells) != len(columns)]
    if wrong:
        raise ValueError(f"each row needs {len(columns)} cells. Received another number: {wrong}")
    first = max(map(len, rows))
    lines = {"": columns, **rows}
    lines = [
        name.ljust(first) + "".join(f" {c:>{width - 1}}" for c in cells)
        for name, cells in lines.items()
    ]
    return "\n".join(line.rstrip() for line in lines)
