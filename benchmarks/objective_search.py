"""Is there a setting in which the VAE's objective beats denoising and plain autoencoding?

    python benchmarks/objective_search.py --record data/results/objective_search.json

The task is that of notebook 09: `shapes` of 32×32 pixels, pictures without masks in every step of a
pretraining, then a head on all levels of the encoder, with few masks. First a search on training
data: VAEs of several σ and latents against denoising autoencoders of several noises and a plain
autoencoder, frozen and tuned, at two budgets; each is scored on 300 pictures for choosing. The
setting where the best VAE is furthest ahead of the best of the others is then asked once more, with
fresh pretrainings, heads and masks, on 1,000 held-out pictures. Stopped, it goes on where it was.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import partial

import keras
import numpy as np
from keras import layers

from helpers import (
    backend,
    checkpoint,
    data,
    metrics,
    models,
    pyramids,
    runs,
    segmentation,
    training,
)
from helpers.data.scenes import CLEAR
from helpers.data.stream import FreshShapes
from helpers.experiments import few_masks
from helpers.runs.provenance import write_record

SIZE, MASKS, CHOOSING = 32, 1200, 300
CANDIDATES = {  # kind, channels of the latent, and σ or the noise
    "VAE, σ 0.05": ("VAE", 8, 0.05),
    "VAE, σ 0.1": ("VAE", 8, 0.1),
    "VAE, σ 0.2": ("VAE", 8, 0.2),
    "VAE, σ 0.05, 2 channels": ("VAE", 2, 0.05),
    "denoising, 0.05": ("denoising", 8, 0.05),
    "denoising, 0.1": ("denoising", 8, 0.1),
    "denoising, 0.2": ("denoising", 8, 0.2),
    "denoising, 0.4": ("denoising", 8, 0.4),
    "autoencoder": ("denoising", 8, 0.0),
}
BUDGETS = (20, 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000, help="of each pretraining")
    parser.add_argument("--head-steps", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3, help="heads of the search")
    parser.add_argument("--seeds", type=int, default=10, help="heads of the confirmation")
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    runs.set_up(0)
    settings = {key: value for key, value in vars(arguments).items() if key != "record"}
    store = checkpoint.ResultStore("objective-search", dataset="shapes", **settings)
    task = Task(arguments.steps, arguments.head_steps)

    found = {}  # (candidate, reading, budget) → mean IoU where one may choose
    for name in CANDIDATES:
        for run in range(arguments.runs):
            for key in ((r, b) for r in ("frozen", "tuned") for b in BUDGETS):
                ask = partial(task.choosing_score, name, *key, run)
                score = store.result("search", ask, key=[name, *key, run])
                found.setdefault((name, *key), []).append(score)
    means = {key: float(np.mean(scores)) for key, scores in found.items()}
    rows = {}
    for reading in ("frozen", "tuned"):
        for budget in BUDGETS:
            here = {name: means[name, reading, budget] for name in CANDIDATES}
            vaes = [name for name in CANDIDATES if name.startswith("VAE")]
            others = [name for name in CANDIDATES if name not in vaes]
            best = [max(names, key=here.get) for names in (vaes, others)]
            rows[reading, budget] = [*best, here[best[0]] - here[best[1]]]
            print(
                f"{reading}, {budget} masks: {best[0]} {here[best[0]]:.3f}, {best[1]} {here[best[1]]:.3f}"
            )
    reading, budget = max(rows, key=lambda key: rows[key][-1])
    vae, other, lead = rows[reading, budget]
    print(f"largest lead: {reading}, {budget} masks, {vae} − {other}: {lead:+.3f}")

    scores = {}
    for name in (vae, other):
        for seed in sorted(range(arguments.seeds), key=pretraining_of):  # one pretraining is kept
            ask = partial(task.scores, name, reading, budget, seed)
            value = store.result("confirm", ask, key=[name, reading, budget, seed])
            scores.setdefault(name, []).append(value)
    apart = np.array(scores[vae]) - np.array(scores[other])  # (seeds, N)
    mean, half = metrics.crossed_interval(apart)
    p = float(metrics.crossed_p_value(apart))
    print(f"confirmed on held-out pictures: {mean:+.3f} ± {half:.3f}, p {p:.3f}")
    result = {
        "search": [[*key, value] for key, value in means.items()],
        "chosen": [reading, budget, vae, other, lead],
        "confirmed": [mean, half, p],
        "scores": {name: metrics.crossed_interval(np.array(v)) for name, v in scores.items()},
    }
    if arguments.record:
        what = "where the VAE's objective might beat denoising: a search, and one confirmation"
        print("written to", write_record(arguments.record, what, result, settings))


def pretraining_of(seed):
    """The seed of the pretraining that a head of the confirmation reads; 0 is the search's."""
    return 1 + seed % 3


class Task:
    """Pretrainings and heads; an encoder is kept in memory for the heads that follow."""

    def __init__(self, steps, head_steps):
        self.steps, self.head_steps, self.made = steps, head_steps, {}
        options = {"size": SIZE, "seed": 0, **CLEAR}
        self.known = data.load("shapes", "train", limit=MASKS + CHOOSING, **options)
        self.held_out = data.load("shapes", "val", limit=1000, **options)
        self.classes = len(self.known.class_names)

    def choosing_score(self, name, reading, budget, run):
        x, masks = (a[MASKS:] for a in (self.known.images, self.known.masks))
        answer = self._labels(name, reading, budget, 0, run, data.to_float(x))
        return float(metrics.mean_iou(masks, answer, self.classes))

    def scores(self, name, reading, budget, seed):
        """With pretraining, head and masks of a seed that the search did not use."""
        x = data.to_float(self.held_out.images)
        answer = self._labels(name, reading, budget, pretraining_of(seed), 1000 + seed, x)
        return list(metrics.mean_iou_by_image(self.held_out.masks, answer, self.classes))

    def _labels(self, name, reading, budget, pretraining, run, x):
        encoder = self._encoder(name, pretraining)
        encoder.trainable = reading == "tuned"
        keras.utils.set_random_seed(run)
        head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), self.classes)
        pictures, masks = data.to_float(self.known.images[:MASKS]), self.known.masks[:MASKS]
        few_masks.train_head(head, pictures, masks, budget, run, steps=self.head_steps)
        return segmentation.class_map(head.predict(x, batch_size=250, verbose=0))

    def _encoder(self, name, seed):
        """A fresh copy of an encoder after its pretraining."""
        if (name, seed) not in self.made:
            keras.backend.clear_session()
            self.made = {(name, seed): self._pretrained(*CANDIDATES[name], seed)}
        keras.utils.set_random_seed(seed)
        encoder, _ = self._pair(CANDIDATES[name][1])
        encoder.set_weights(self.made[name, seed])
        return encoder

    def _pretrained(self, kind, channels, spread, seed):
        keras.utils.set_random_seed(seed)
        encoder, decoder = self._pair(channels)
        drawing = {"size": SIZE, **CLEAR}
        adam = keras.optimizers.Adam(training.rise_and_fall(0.01, self.steps), beta_2=0.99)
        options = backend.compile_options(planned=self.steps)
        if kind == "VAE":
            model = models.VAE(encoder, decoder, "gaussian", spread, seed=seed)
        else:
            mean = keras.Model(encoder.input, encoder.outputs[0])
            noisy = layers.GaussianNoise(spread, seed=seed)(encoder.input)
            model = Restoring(encoder.input, decoder(mean(noisy)))
        model.compile(adam, **options)
        model.fit(FreshShapes(16, self.steps, seed, **drawing), shuffle=False, verbose=0)
        return encoder.get_weights()

    def _pair(self, channels):
        return pyramids.pyramid_networks(
            (SIZE, SIZE, 3), channels, (24, 32, 48), (1, 1, 2), (2, 2, 2), batch_norm=False
        )


class Restoring(keras.Model):
    """A model whose target is its own input."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean((y_pred - x) ** 2)


if __name__ == "__main__":
    main()
