"""Three trainings of each model of notebook 16, and of one more: the one-level VAE, trained on.

    python benchmarks/latents.py --train 1      # hours: the trainings of one seed
    python benchmarks/latents.py --record data/results/latents.json

The VAE with two levels begins with the weights of the VAE with one, so a comparison of the two
cannot tell a deeper latent from more steps. Here a control takes the same further steps with the
same batches and learning rate, and stays a VAE with one level. Trainings with seed 0 are the kept
ones where there are such. All models are scored on the same held-out pictures, by one ruler, with
intervals over trainings and sets of draws (or pictures). Trainings lie in the cache of the
helpers, and a training that was stopped goes on.
"""

import argparse
import math
import os
import shutil

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from authoring import weights
from authoring.recipes import RECIPES
from helpers import backend, data, losses, pretrained, runs, training
from helpers.data.stream import FreshShapes
from helpers.experiments import latents
from helpers.generative import beside_real, evaluator, mixture_prior, pixelcnn, quantised
from helpers.runs.provenance import write_record

ONE, ON, TWO, VQ = "vae-shapes32", "vae-shapes32-on", "vae2-shapes32", "vqvae-shapes32"
FURTHER = ("start_from", "steps", "batch_size", "learning_rate", "rising_steps", "beta_2")
ALL = {name: RECIPES[name] for name in (ONE, TWO, VQ)}
ALL[ON] = RECIPES[ONE] | {key: RECIPES[TWO][key] for key in FURTHER}
NUM_CODES = RECIPES[VQ]["arguments"]["num_codes"]
ORDER = (ONE, ON, TWO, VQ)  # the first one is where the others begin
MIXTURE_PICTURES, PARTS, SCORED, SETS, PRIOR_STEPS = 10_000, 60, 500, 4, (2400, 4800)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, help="only train the models of this seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of all steps, for a trial")
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    runs.set_up(0)
    if arguments.train is not None:
        trained(arguments.train, arguments.scale)
        return
    lesson = Lesson()
    scores, bounds = {}, {}
    for seed in range(arguments.seeds):
        rows, nats = lesson.measure(trained(seed, arguments.scale), seed, arguments.scale)
        for name, row in rows.items():
            scores.setdefault(name, []).append(row)
        for name, row in nats.items():
            bounds.setdefault(name, []).append(row)
    result = latents.summary(scores, bounds) | {"control": control(arguments.scale)}
    print(latents.table(result))
    if arguments.record:
        what = "one vector, codes, and two levels of latents: three trainings each, with a control"
        settings = {"seeds": arguments.seeds, "recipes": ALL, "prior_steps": PRIOR_STEPS}
        settings |= {"parts": PARTS, "scored": SCORED, "sets": SETS, "scale": arguments.scale}
        print("written to", write_record(arguments.record, what, result, settings))


def trained(seed, scale=1.0):
    """The four models of a seed, trained unless they are kept: {name: model}."""
    folder, found = _folder(seed, scale), {}
    for name in ORDER:
        kept = seed == 0 and scale == 1 and name in RECIPES
        if kept and pretrained.load(name)[0] is not None:
            _copy(name, folder)
        recipe = {**_scaled(ALL[name], scale), "seed": seed}
        found[name] = weights.train_once(name, recipe, folder, folder / "unfinished", _say)
    return found


class Lesson:
    """Held-out pictures, the ruler, and what is measured with them."""

    def __init__(self):
        self.options = RECIPES[ONE]["pictures"]
        train = data.load("shapes", "train", limit=MIXTURE_PICTURES, **self.options)
        val = data.load("shapes", "val", limit=(SETS + 1) * SCORED, **self.options)
        self.x_train, x_val = data.to_float(train.images), data.to_float(val.images)
        self.real = x_val[:SCORED]
        self.others = x_val[SCORED:].reshape(SETS, SCORED, *x_val.shape[1:])
        self.x_bound = beside_real.dequantised(val.images[:SCORED], 0)
        kinds = train.factors["class"] - 1
        self.ruler = evaluator.SampleEvaluator(self.x_train, kinds, self.real, 750, 32)

    def measure(self, models, seed, scale):
        """Scores of sets of draws and bounds of one training of each model, as `latents` takes them."""
        self.seed, self.rows, self.nats = seed, {}, {}
        rng = np.random.default_rng(seed)
        self.z = rng.standard_normal((SETS, SCORED, 16)).astype("float32")
        self.noise_u = rng.standard_normal((SCORED, 16)).astype("float32")
        self.noise_w = rng.standard_normal((SCORED, math.prod(models[TWO].grid))).astype("float32")
        self.draw_seeds = range(SETS * seed, SETS * (seed + 1))
        self.common = math.exp(float(models[ONE].log_sigma()))
        self._score("other real", self.others)
        self._vae("one level", models[ONE])
        self._vae("trained on", models[ON])
        self._vae("two levels", models[TWO])
        self._vqvae(models[VQ], scale)
        return self.rows, self.nats

    def _score(self, name, means, sigma=0.0):
        means = np.asarray(means)
        self.rows[name], _ = beside_real.score_sets(self.ruler, means, sigma, SCORED, self.seed)

    def _bound(self, name, log_likelihood, nats, sigma):
        dimensions = math.prod(self.real.shape[1:])
        same = beside_real.at_sigma(log_likelihood, dimensions, sigma, self.common)
        row = {"bound": log_likelihood - nats, "common": same - nats, "latents": nats}
        self.nats[name] = {key: np.asarray(values, "float64") for key, values in row.items()}

    def _vae(self, name, model):
        sigma = math.exp(float(model.log_sigma()))
        mixture = mixture_prior.fitted_mixture(model, self.x_train, PARTS, self.seed)
        drawn = [mixture_prior.draw(mixture, SCORED, seed) for seed in self.draw_seeds]
        noise, deeper = self.noise_u, hasattr(model, "grid")
        if deeper:
            noise = np.concatenate([noise, self.noise_w], axis=1)
        nll, kl = map(keras.ops.convert_to_numpy, model.terms(self.x_bound, noise))
        kl_u = keras.ops.convert_to_numpy(losses.gaussian_kl(*model.encode(self.x_bound)))
        kl_mixture = mixture_prior.kl_to_mixture(model, self.x_bound, mixture, self.noise_u)
        priors = {"N(0, I)": (self.z, kl), "mixture": (drawn, kl - kl_u + kl_mixture)}
        for prior, (latents_of, nats) in priors.items():
            means = []
            for u, seed in zip(latents_of, self.draw_seeds):
                drawn_means = model.sample(SCORED, seed, u) if deeper else model.decode(u)
                means.append(keras.ops.convert_to_numpy(drawn_means))
            self._score(f"{name}, {prior}", means, sigma)
            self._bound(f"{name}, {prior}", -nll, nats, sigma)

    def _vqvae(self, model, scale):
        known = self.x_train[:1000]
        sigma = float(np.sqrt(np.mean((known - model.predict(known, verbose=0)) ** 2)))
        redrawn = [model.predict(x, verbose=0) for x in self.others]
        self._score("VQ-VAE, reconstructions", redrawn, sigma)
        nll = model.reconstruction_nll(self.x_bound, model(self.x_bound), math.log(sigma))
        codes = model.encode_indices(self.x_bound)
        for steps in PRIOR_STEPS:
            prior = self._code_prior(model, max(1, round(steps * scale)))
            drawn = [pixelcnn.sample_codes(prior, SCORED, seed) for seed in self.draw_seeds]
            name = f"VQ-VAE, prior of {steps} steps"
            self._score(name, [model.decode_indices(c) for c in drawn], sigma)
            nats = pixelcnn.code_nll(prior, codes)
            self._bound(name, -keras.ops.convert_to_numpy(nll), nats, sigma)

    def _code_prior(self, model, steps):
        keras.utils.set_random_seed(self.seed)
        prior = pixelcnn.pixelcnn(model.grid, NUM_CODES, width=64, depth=4)
        rate = training.rise_and_fall(0.006, steps)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        adam = keras.optimizers.Adam(rate, beta_2=0.99)
        prior.compile(adam, loss, **backend.compile_options(planned=steps))
        stream = FreshShapes(32, steps, self.seed, **self.options)
        prior.fit(quantised.FreshCodes(model, stream), shuffle=False, verbose=0)
        return prior


def control(scale=1.0):
    """Whether the further steps were enough for the one level, by seed 0: steps and ELBO, twice."""
    folder = _folder(0, scale)
    whole = _scaled(ALL[ON], scale)
    half = {**whole, "steps": whole["steps"] // 2}
    weights.train_once(f"{ON}-half", half, folder, folder / "unfinished", _say)
    notes = [pretrained.load(name, folder)[1] for name in (f"{ON}-half", ON)]
    elbos = [note["learning_curve"][-1]["elbo_nats"] for note in notes]
    return {"steps": [note["steps"] for note in notes], "elbo_nats": elbos}


def _folder(seed, scale):
    return data.cache_folder() / "kept" / "latents" / f"seed-{seed}-scale-{scale:g}"


def _copy(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in (".npz", ".json"):
        shutil.copy(pretrained.FOLDER / f"{name}{suffix}", folder)


def _scaled(recipe, scale):
    part = 2 * weights.EPOCHS
    return {**recipe, "steps": max(part, round(recipe["steps"] * scale / part) * part)}


def _say(line):
    print(line, flush=True)


if __name__ == "__main__":
    main()
