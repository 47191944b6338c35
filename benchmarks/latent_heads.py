"""What does a head for segments get out of the latents of notebook 16?

    python benchmarks/latent_heads.py --record data/results/latent_heads.json

The pictures are those of notebook 16, one object each; the head knows a picture by its code alone:
the vector of the VAE with one level, u alone or u and v of the VAE with two, the code vectors of the
VQ-VAE, or the vector of an encoder with fresh weights. All are frozen, and each is divided by its
spread. Beside them stand the encoder that learns with the head, through a vector of the same 16
numbers, and the answer without a look. The claims were named before anything was measured. Each
trained model was trained once, so the intervals are over heads, masks and held-out pictures.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import partial

import keras
import numpy as np
from keras import layers, ops

from authoring.recipes import RECIPES
from helpers import checkpoint, data, metrics, models, pretrained, runs, segmentation
from helpers.experiments import few_masks, own_scores
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu
from helpers.runs.provenance import write_record

ONE, TWO, VQ = "vae-shapes32", "vae2-shapes32", "vqvae-shapes32"
BUDGETS, MASKS, HELD_OUT = (60, 1200), 1200, 1000
CODES = ("one level", "two levels, u", "two levels, u and v", "VQ-VAE", "fresh")
LEARNT = "learnt with the head"
CLAIMS = {
    "trained − fresh": ("one level", "fresh"),
    "codes − one level": ("VQ-VAE", "one level"),
    "two levels − one level": ("two levels, u and v", "one level"),
    "v beside u": ("two levels, u and v", "two levels, u"),
    "one level − learnt": ("one level", LEARNT),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="of each head, and twice that once")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    runs.set_up(0)
    settings = {"steps": arguments.steps, "seeds": arguments.seeds}
    store = checkpoint.ResultStore("latent-heads", dataset="shapes", **settings)
    lesson = Lesson()
    scores = {"without a look": lesson.layout()[None]}
    for budget in BUDGETS:
        for name in (*CODES, LEARNT):
            rows = []
            for seed in range(arguments.seeds):
                key = [name, budget, arguments.steps, seed]
                rows.append(store.result("head", partial(lesson.scores, *key), key=key))
            scores[f"{budget} masks, {name}"] = np.array(rows)  # (seeds, pictures)
    longer = {}
    for budget in BUDGETS:
        for name in (*CODES, LEARNT):
            key = [name, budget, 2 * arguments.steps, 0]
            row = store.result("head", partial(lesson.scores, *key), key=key)
            change = np.array(row) - scores[f"{budget} masks, {name}"][0]
            longer[f"{budget} masks, {name}"] = metrics.confidence_interval(change)
    gains = {}
    for budget in BUDGETS:
        for claim, (one, other) in CLAIMS.items():
            apart = scores[f"{budget} masks, {one}"] - scores[f"{budget} masks, {other}"]
            gains[f"{budget} masks, {claim}"] = apart
    contrasts = metrics.contrasts(gains)
    for name, by_seed in scores.items():
        print("{:<36} {:.3f} ± {:.3f}".format(name, *metrics.crossed_interval(by_seed)))
    for name, one in contrasts.items():
        print("{:<36} {gain:+.3f} ± {half:.3f}, p {p:.3f} {word}".format(name, **one))
    for name, (change, half) in longer.items():
        print(f"{name:<36} twice the steps: {change:+.3f} ± {half:.3f}")
    if arguments.record:
        result = {
            "scores": {name: metrics.crossed_interval(by_seed) for name, by_seed in scores.items()},
            "contrasts": contrasts,
            "twice_the_steps": longer,
        }
        what = "60 and 1,200 masks: heads for segments on the latents of notebook 16"
        print("written to", write_record(arguments.record, what, result, settings))


class Lesson:
    """Pictures, their codes, and heads."""

    def __init__(self):
        options = RECIPES[ONE]["pictures"]
        train = data.load("shapes", "train", limit=MASKS, **options)
        val = data.load("shapes", "val", limit=HELD_OUT, **options)
        self.train, self.val, self.masks, self.masks_val = train, val, train.masks, val.masks
        self.classes = len(train.class_names)
        self.x, self.x_val = data.to_float(train.images), data.to_float(val.images)
        self.one, self.two, self.vq = (pretrained.load(name)[0] for name in (ONE, TWO, VQ))

    def layout(self):
        maps, _ = own_scores.layout(self.train, self.val)
        return metrics.mean_iou_by_image(self.masks_val, np.array(maps), self.classes)

    def scores(self, name, budget, steps, seed):
        """A score of each held-out picture, of one head."""
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        if name == LEARNT:
            encoder = self._fresh().encoder
            model = keras.Model(encoder.input, self._head([encoder.outputs[0]]))
            x, x_val = self.x, self.x_val
        else:
            fresh = self._fresh() if name == "fresh" else None
            x, x_val = (self._codes(name, pictures, fresh) for pictures in (self.x, self.x_val))
            spreads = [max(float(code.std()), 1e-6) for code in x]
            x, x_val = ([c / s for c, s in zip(codes, spreads)] for codes in (x, x_val))
            inputs = [keras.Input(code.shape[1:]) for code in x]
            model = keras.Model(inputs, self._head(inputs))
        few_masks.train_head(model, x, self.masks, budget, seed, 0.005, steps)
        answer = segmentation.class_map(model.predict(x_val, batch_size=250, verbose=0))
        return list(metrics.mean_iou_by_image(self.masks_val, answer, self.classes))

    def _fresh(self):
        return models.conv_vae(**RECIPES[ONE]["arguments"])

    def _codes(self, name, pictures, fresh):
        """A list of arrays, coarsest first."""
        if name in ("one level", "fresh"):
            vae = fresh or self.one
            return [vae.encoder.predict(pictures, batch_size=250, verbose=0)[0]]
        if name == "VQ-VAE":
            vectors = self.vq.encoder.predict(pictures, batch_size=250, verbose=0)
            vectors = ops.convert_to_numpy(self.vq.quantizer(vectors))
            return [vectors.reshape(len(vectors), 4, 4, -1)]  # two codes at each place
        part = self.two.parts
        u, _, low = part["bottom_up"].predict(pictures, batch_size=250, verbose=0)
        if name == "two levels, u":
            return [u]
        top = part["top_down"].predict(u, batch_size=250, verbose=0)
        m, log_s2 = part["prior"].predict(top, batch_size=250, verbose=0)
        mean_w, _ = part["posterior"].predict([low, top], batch_size=250, verbose=0)
        return [u, m + np.exp(0.5 * log_s2) * mean_w]

    def _head(self, codes):
        """Logits `(B, 32, 32, classes)` from codes: a vector or a grid of 4×4, and a grid of 8×8."""
        first, *finer = codes
        if len(first.shape) == 2:
            first = layers.Reshape((4, 4, 64))(layers.Dense(4 * 4 * 64, activation="relu")(first))
        h = conv_bn_relu(first, 64)
        h = bn_relu(DepthToSpaceUp(48, 2, None)(h))  # 8×8
        for grid in finer:
            h = layers.Concatenate()([h, grid])
        h = conv_bn_relu(h, 48)
        h = conv_bn_relu(bn_relu(DepthToSpaceUp(32, 2, None)(h)), 32)  # 16×16
        return DepthToSpaceUp(self.classes, 2, None)(h)


if __name__ == "__main__":
    main()
