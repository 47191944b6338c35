"""Train the models that come with the project, long: `make weights`, or `python -m authoring weights`.

A recipe is trained twice on fresh pictures, half as long first, so that the note can say whether it
was trained enough: whether twice the steps change the ELBO on held-out pictures by less than 0.5 %.
A training that is stopped goes on from its last twentieth, to the same weights.
"""

import tempfile

import keras
import numpy as np

from helpers import backend, data, losses, pretrained, training
from helpers.checkpoint import long_training
from helpers.data.coarse_noise import CoarseNoise
from helpers.data.scenes import CLEAR
from helpers.data.stream import FreshShapes
from helpers.metrics.statistics import confidence_interval, paired_difference

RECIPES = {
    "vae-shapes32": {
        "pictures": {
            "size": 32,
            "objects": 1,
            "radius": [0.18, 0.25],
            "contrast": [0.25, 0.6],
            "texture": 0.1,
            "noise": 0.02,
            "annotators": 1,
        },
        "builder": "conv_vae",
        "arguments": {
            "image_shape": [32, 32, 3],
            "latent": 16,
            "width": 32,
            "likelihood": "gaussian",
        },
        "steps": 80000,  # and 40,000 for the control
        "batch_size": 64,
        "learning_rate": 4e-3,  # falls to 0 along half a cosine
        "seed": 0,
    },
}
FAST = {"learning_rate": 1e-2, "rising_steps": 100, "beta_2": 0.99}  # of the grid VAEs
# The pictures of notebook 08, with lists as JSON has them.
SCENES = {"size": 32} | {k: list(v) if isinstance(v, tuple) else v for k, v in CLEAR.items()}


def _grid_recipe(patches, channels):
    """A VAE of notebook 08: a grid of 32 / ∏ patches places a side, with so many channels."""
    return {
        "pictures": SCENES,
        "builder": "grid_vae",
        "arguments": {
            "image_shape": [32, 32, 3],
            "latent": channels,
            "widths": [24, 32, 48],
            "depths": [1, 1, 2],
            "patches": patches,
            "batch_norm": False,
            "likelihood": "gaussian",
            "sigma": 0.05,
        },
        "steps": 12000,  # and 6,000 for the control
        "batch_size": 16,
        **FAST,
        "learning_rate": 5e-3,  # at 1e-2 a latent of one channel diverges
        "seed": 0,
    }


RECIPES["grid-4x4x1"] = _grid_recipe([2, 2, 2], 1)
RECIPES["grid-4x4x8"] = _grid_recipe([2, 2, 2], 8)
RECIPES["grid-8x8x4"] = _grid_recipe([2, 2, 1], 4)
# The same networks without a draw and without a KL, for notebook 13. The first one has to take
# coarse noise off its input, the second one sees the picture itself.
RECIPES["denoising-4x4x8"] = RECIPES["grid-4x4x8"] | {"coarse_noise": {"sigma": 0.2, "side": 2}}
RECIPES["autoencoder-4x4x8"] = RECIPES["grid-4x4x8"] | {"coarse_noise": {"sigma": 0.0}}
EPOCHS = 20  # parts of a training: after each one it is scored, and can be stopped
HELD_OUT = 1000  # pictures of the val split
NOISE_SEED = 0  # of the ε that all scores share
LIMIT = 0.5  # % of the ELBO

EDGE_SIGMAS = {"edges48-low": 0.2, "edges48-middle": 0.1, "edges48-high": 0.05}  # name to σ
RECIPES |= {
    name: {
        "pictures": {"size": 48},  # of notebook 10: `shapes` as it is, in 48×48 pixels
        "builder": "grid_vae",
        "arguments": {
            "image_shape": [48, 48, 3],
            "latent": 8,
            "widths": [16, 32, 48],
            "depths": [1, 1, 2],
            "patches": [2, 2, 1],
            "batch_norm": False,
            "likelihood": "gaussian",
            "sigma": sigma,
        },
        "steps": 6000,  # and 3,000; of the high rate these are kept as well
        "keep_half": name == "edges48-high",
        "batch_size": 8,
        **FAST,
        "seed": 0,
    }
    for name, sigma in EDGE_SIGMAS.items()
}


def keep(name, recipe=None, folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe at both lengths and keep the long one, with its note.

    Args:
        name: of the files, and of a recipe in `RECIPES` unless one is given.
        recipe: a dictionary like those in `RECIPES`; `steps` must be a multiple of 40. With
            `keep_half`, the short one is kept as well, under the name and "-half".
        folder: where the weights go.
        work: where the state of an unfinished training lies; in the cache unless given.
        say: gets a line after every twentieth of a training.

    Returns:
        The note, a dictionary.
    """
    recipe = RECIPES[name] if recipe is None else recipe
    steps = recipe["steps"]
    if steps < 1 or steps % (2 * EPOCHS):
        raise ValueError(f"`steps` must be a multiple of {2 * EPOCHS}. Received: steps={steps!r}")
    work = data.cache_folder() / "kept" / "weights" if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    held_out = _held_out(recipe)
    runs = {}
    for length, planned in ((steps // 2, steps + steps // 2), (steps, steps)):
        runs[length] = _train(name, recipe, length, planned, held_out, work, say)
    scores = {
        length: _kept_score(run["model"], name, recipe, held_out) for length, run in runs.items()
    }
    half, whole = runs[steps // 2], runs[steps]
    nats = _nats(recipe)
    note = {
        "dataset": "shapes, fresh pictures",
        "licence": "MIT; the textures are CC0 (public domain)",
        "parameters": {**recipe, "optimizer": "Adam", "schedule": "cosine to 0"},
        "seed": recipe["seed"],
        "steps": steps,
        nats: float(scores[steps].mean()),
        nats.replace("nats", "interval"): confidence_interval(scores[steps])[1],
        "scored_on": {"split": "val", "pictures": HELD_OUT, "noise_seed": NOISE_SEED},
        "learning_curve": whole["curve"],
        "half": {
            "steps": steps // 2,
            nats: float(scores[steps // 2].mean()),
            "learning_curve": half["curve"],
            "minutes": half["seconds"] / 60,
        },
        "trained_enough": _verdict(scores[steps // 2], scores[steps]),
        "minutes": whole["seconds"] / 60,
        **long_training.made_with(),
    }
    network = {"builder": recipe["builder"], "arguments": _arguments(recipe)}
    pretrained.save(whole["model"], name, folder=folder, **network, **note)
    if recipe.get("keep_half"):
        about = {key: note[key] for key in ("dataset", "licence", "parameters", "seed")}
        about |= {"steps": steps // 2, nats: note["half"][nats]}
        about["scored_on"] = note["scored_on"]
        pretrained.save(half["model"], f"{name}-half", folder=folder, **network, **about)
    for run in runs.values():
        run["backup"].remove()
    return note


def _train(name, recipe, steps, planned, held_out, work, say):
    """One training: its model, learning curve, seconds, and the backup that it went on from."""
    keras.utils.set_random_seed(recipe["seed"])
    model = pretrained.build(recipe["builder"], _arguments(recipe))
    rising = recipe.get("rising_steps", 0)
    rate = training.rise_and_fall(recipe["learning_rate"], steps, rising)
    adam = keras.optimizers.Adam(rate, beta_2=recipe.get("beta_2", 0.999))
    each = steps // EPOCHS
    stream = FreshShapes(recipe["batch_size"], each, recipe["seed"], **recipe["pictures"])
    trained, loss, measure = model, None, "ELBO"
    if "coarse_noise" in recipe:
        trained = keras.Model(model.encoder.input, model.decoder(model.encoder.outputs[0]))
        loss, measure = _gaussian_loss(model), "log-likelihood"
        stream = CoarseNoise(stream, seed=recipe["seed"], **recipe["coarse_noise"])
    trained.compile(adam, loss, **backend.compile_options(planned=steps))

    def tell(row):
        left = row["seconds"] / row["steps"] * (planned - row["steps"]) / 60
        say(
            f"{name}: step {row['steps']:,} of {steps:,}, {measure} {row['score']:,.1f} nats on "
            f"{HELD_OUT:,} held-out pictures, about {left:.0f} min left"
        )

    rows, backup = long_training.fit(
        trained,
        stream,
        EPOCHS,
        work / f"{name}-{steps}",
        recipe,
        score=lambda _: float(_scores(model, recipe, held_out).mean()),
        tell=tell,
        resumed=lambda done: say(f"{name}: goes on after step {done:,} of {steps:,}"),
    )
    curve = [
        {key: row[key] for key in ("steps", "seconds")} | {_nats(recipe): row["score"]}
        for row in rows
    ]
    return {"model": model, "curve": curve, "seconds": backup.seconds, "backup": backup}


def _held_out(recipe):
    """Pictures of the val split, (N, H, W, C)."""
    return data.to_float(data.load("shapes", "val", limit=HELD_OUT, **recipe["pictures"]).images)


def _nats(recipe):
    return "log_likelihood_nats" if "coarse_noise" in recipe else "elbo_nats"


def _gaussian_loss(model):
    """−log p(x | z) in nats, as the VAE has it, for the means that an autoencoder gives."""

    def gaussian_loss(x, mean):
        return losses.gaussian_nll(x, mean, model.log_sigma())

    return gaussian_loss


def _scores(model, recipe, x):
    """The ELBO of every picture, (N,), or log p(x | x with noise) of an autoencoder."""
    if "coarse_noise" not in recipe:
        return _elbos(model, x)
    noise = CoarseNoise([(x,)], seed=NOISE_SEED, **recipe["coarse_noise"])
    mean, _ = model.encoder.predict(noise[0][0], verbose=0)
    return -keras.ops.convert_to_numpy(model.reconstruction_nll(x, mean))


def _elbos(model, x):
    """One-sample ELBO of every picture, (N,), with the same noise for every model."""
    rng = np.random.default_rng(NOISE_SEED)
    noise = rng.standard_normal((len(x), *model.latent_shape)).astype("float32")
    parts = [slice(i, i + 100) for i in range(0, len(x), 100)]
    return np.concatenate([keras.ops.convert_to_numpy(model.elbo(x[p], noise[p])) for p in parts])


def _kept_score(model, name, recipe, x):
    """The scores with the weights as they are kept, as 16-bit floats; the model has them afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        network = {"builder": recipe["builder"], "arguments": _arguments(recipe)}
        pretrained.save(model, name, folder=folder, **network)
        pretrained.load_weights(model, name, folder)
    return _scores(model, recipe, x)


def _verdict(half, whole):
    """Whether twice the steps changed the ELBO by less than the interval and by less than `LIMIT` %.

    Both from paired scores, (N,) each: the rule of notebook 07.
    """
    change = paired_difference(whole, half)
    percent = 100 * abs(change.mean) / abs(float(whole.mean()))
    return {
        "verdict": bool(abs(change.mean) < change.half and percent < LIMIT),
        "difference_nats": change.mean,
        "interval_nats": change.half,
        "percent": percent,
        "limit_percent": LIMIT,
    }


def _arguments(recipe):
    return {**recipe["arguments"], "seed": recipe["seed"]}
