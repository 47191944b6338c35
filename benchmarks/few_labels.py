"""With few masks, which reading of a trained VAE is best, and does it beat fresh weights?

    python benchmarks/few_labels.py --budgets 8        # the trainings of one budget
    python benchmarks/few_labels.py --record data/results/few_labels.json

The task is that of notebook 09, with 8, 20 and 60 masks (60 are 5 % of 1,200). A head may read all
levels of the encoder, of the decoder, or of both, the latent, or one level of the decoder, frozen
or tuned; frozen features are divided by their spread, so that fresh and trained ones have the same
scale. Fresh weights have the same choice. For each budget the best reading of the trained VAE and
of fresh weights, then the learning rate of each, are chosen on 300 pictures for choosing. The two
are compared once, with other heads and masks, on 1,000 held-out pictures; beside them, frozen, all
levels of both networks, which is the question what the features alone are worth. Three VAEs of
12,000 steps; the search sees the first alone. Stopped, it goes on where it was.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import partial

import keras
import numpy as np

from authoring import weights
from authoring.recipes import RECIPES
from helpers import checkpoint, data, metrics, pretrained, pyramids, runs, segmentation
from helpers.data.scenes import CLEAR
from helpers.experiments import few_masks
from helpers.runs.provenance import write_record

MASKS, CHOOSING, SCALING, PRETRAININGS = 1200, 300, 300, 3
TWICE = 3  # heads that are also trained for twice the steps
BUDGETS = (8, 20, 60)
READINGS = ("encoder", "decoder", "both", "latent", "decoder 1")
RATES = (0.005, 0.01, 0.02, 0.04)  # the search takes the second one
NAME = "grid-4x4x8"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head-steps", type=int, default=300)
    parser.add_argument("--runs", type=int, default=2, help="heads of the search")
    parser.add_argument("--seeds", type=int, default=9, help="heads of the comparison")
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    if arguments.record and tuple(arguments.budgets) != BUDGETS:
        parser.error("a record is of all budgets")
    runs.set_up(0)
    settings = {key: getattr(arguments, key) for key in ("head_steps", "runs", "seeds")}
    store = checkpoint.ResultStore("few-labels", dataset="shapes", **settings)
    study = Study(store, Task(arguments.head_steps), **settings)
    chosen, scores = {}, {}
    for budget in arguments.budgets:
        chosen[budget] = {kind: study.choose(kind, budget) for kind in ("VAE", "fresh")}
        scores[budget] = study.compare(chosen[budget], budget)
        for name, by_seed in scores[budget].items():
            mean, half = metrics.crossed_interval(by_seed)
            print(f"{budget} masks, {name:<14} {mean:.3f} ± {half:.3f}")
    twice = {b: study.twice(chosen[b], b, scores[b]) for b in arguments.budgets}
    for budget, changes in twice.items():
        for kind, change in changes.items():
            print("{} masks, {}, twice the steps: {:+.3f} ± {:.3f}".format(budget, kind, *change))
    gains = {}
    for budget, found in scores.items():
        gains[f"{budget} masks"] = found["VAE"] - found["fresh"]
        gains[f"{budget} masks, frozen"] = found["VAE, frozen"] - found["fresh, frozen"]
    contrasts = metrics.contrasts(gains)
    for name, one in contrasts.items():
        print(f"{name:<18} {one['gain']:+.3f} ± {one['half']:.3f}, p {one['p']:.3f} {one['word']}")
    if arguments.record:
        result = {
            "chosen": chosen,
            "search": study.searched,
            "scores": {
                budget: {name: metrics.crossed_interval(value) for name, value in found.items()}
                for budget, found in scores.items()
            },
            "contrasts": contrasts,
            "twice_the_steps": twice,
            "visible": {
                name: metrics.crossed_interval(gain, 1 - 0.05 / len(gains))[1]
                for name, gain in gains.items()
            },
        }
        what = "readings of a trained VAE with 8, 20 and 60 masks: a search, and one comparison"
        print("written to", write_record(arguments.record, what, result, settings))


class Study:
    """Which trainings are asked for; each is in the store, or is made."""

    def __init__(self, store, task, head_steps, runs, seeds):
        self.store, self.task, self.runs, self.seeds = store, task, runs, seeds
        self.searched = []  # [kind, budget, reading, how, learning rate, mean IoU]

    def choose(self, kind, budget):
        """Reading, how and learning rate with the best score on the pictures for choosing."""
        found = {}
        for reading in READINGS:
            for how in ("frozen", "tuned"):
                found[reading, how, RATES[1]] = self._score(kind, budget, reading, how, RATES[1])
        reading, how, _ = max(found, key=found.get)
        for rate in RATES:
            if (reading, how, rate) not in found:
                found[reading, how, rate] = self._score(kind, budget, reading, how, rate)
        best = max(found, key=found.get)
        print(f"{budget} masks, {kind}: {best}, {found[best]:.3f}", flush=True)
        return list(best)

    def _score(self, kind, budget, *setting):
        values = []
        for run in range(self.runs):
            key = [kind, budget, *setting, run]
            ask = partial(self.task.choosing_score, *key)
            values.append(self.store.result("search", ask, key=key))
        mean = float(np.mean(values))
        self.searched.append([kind, budget, *setting, mean])
        return mean

    def compare(self, chosen, budget):
        """Scores of held-out pictures, `(seeds, N)`, by arm."""
        arms = {kind: (kind, setting) for kind, setting in chosen.items()}
        for kind in ("VAE", "fresh"):
            arms[f"{kind}, frozen"] = kind, ["both", "frozen", RATES[1]]
        found = {}
        for name, (kind, setting) in arms.items():
            for seed in range(self.seeds):
                key = [kind, budget, *setting, seed]
                ask = partial(self.task.scores, *key)
                found.setdefault(name, []).append(self.store.result("compare", ask, key=key))
        return {name: np.array(values) for name, values in found.items()}

    def twice(self, chosen, budget, scores):
        """Change and half width by twice the steps, of the first heads of `scores`."""
        changes = {}
        for kind, setting in chosen.items():
            once, more = scores[kind][:TWICE], []
            for seed in range(len(once)):
                key = [kind, budget, *setting, seed]
                ask = partial(self.task.scores, *key, times=2)
                more.append(self.store.result("twice", ask, key=key))
            changes[kind] = metrics.crossed_interval(np.array(more) - once)
        return changes


class Task:
    """Pictures, networks and heads."""

    def __init__(self, head_steps):
        self.head_steps, self.trained = head_steps, {}
        options = {"size": 32, "seed": 0, **CLEAR}
        self.known = data.load("shapes", "train", limit=MASKS + CHOOSING, **options)
        self.held_out = data.load("shapes", "val", limit=1000, **options)
        self.classes = len(self.known.class_names)

    def choosing_score(self, kind, budget, reading, how, rate, run):
        x, masks = self.known.images[MASKS:], self.known.masks[MASKS:]
        x = data.to_float(x)
        answer = self._labels(kind, budget, reading, how, rate, run, 0, x, self.head_steps)
        return float(metrics.mean_iou(masks, answer, self.classes))

    def scores(self, kind, budget, reading, how, rate, seed, times=1):
        """With a head and masks that the search did not use."""
        x, pretraining = data.to_float(self.held_out.images), seed % PRETRAININGS
        run, steps = 1000 + seed, times * self.head_steps
        answer = self._labels(kind, budget, reading, how, rate, run, pretraining, x, steps)
        return list(metrics.mean_iou_by_image(self.held_out.masks, answer, self.classes))

    def _labels(self, kind, budget, reading, how, rate, run, pretraining, x, steps):
        keras.backend.clear_session()
        encoder, decoder = self._networks(kind, run, pretraining)
        encoder.trainable = decoder.trainable = how == "tuned"
        scale_on = None if how == "tuned" else data.to_float(self.known.images[:SCALING])
        read = few_masks.features(encoder, decoder, reading, scale_on)
        keras.utils.set_random_seed(run)
        head = pyramids.segmentation_head(encoder.input, read, self.classes)
        pictures, masks = data.to_float(self.known.images[:MASKS]), self.known.masks[:MASKS]
        few_masks.train_head(head, pictures, masks, budget, run, rate, steps)
        return segmentation.class_map(head.predict(x, batch_size=250, verbose=0))

    def _networks(self, kind, run, pretraining):
        """Encoder and decoder: trained ones, or with first weights of their own for each run."""
        keras.utils.set_random_seed(10_000 + run)
        arguments = dict(RECIPES[NAME]["arguments"])
        shape = arguments.pop("image_shape")
        for name in ("likelihood", "sigma"):
            del arguments[name]
        pair = pyramids.pyramid_networks(shape, **arguments)
        if kind == "VAE":
            for network, values in zip(pair, self._pretrained(pretraining)):
                network.set_weights(values)
        return pair

    def _pretrained(self, seed):
        if seed not in self.trained:
            folder = data.cache_folder() / "kept" / "few_labels" / f"seed-{seed}"
            if seed == 0:
                vae = pretrained.load(NAME)[0]
            else:
                recipe = {**RECIPES[NAME], "seed": seed}
                vae = weights.train_once(NAME, recipe, folder, folder / "unfinished", print)
            self.trained[seed] = vae.encoder.get_weights(), vae.decoder.get_weights()
        return self.trained[seed]


if __name__ == "__main__":
    main()
