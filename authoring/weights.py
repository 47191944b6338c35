"""Train the models that come with the project, long: `make weights`, or `python -m authoring weights`.

A recipe is trained twice on fresh pictures, half as long first, so that the note can say whether it
was trained enough: whether twice the steps change the ELBO on held-out pictures by less than 0.5 %.
A training that is stopped goes on from its last twentieth, to the same weights.
"""

import json
import tempfile

import keras
import numpy as np

from authoring.recipes import RECIPES
from helpers import backend, data, losses, pretrained, training
from helpers.checkpoint import long_training
from helpers.data import mask_damage, scenes
from helpers.data.coarse_noise import CoarseNoise
from helpers.data.stream import FreshMasks, FreshShapes
from helpers.metrics.statistics import confidence_interval, paired_difference

EPOCHS = 20  # parts of a training: after each one it is scored, and can be stopped
HELD_OUT = 1000  # pictures of the val split
NOISE_SEED = 0  # of the ε that all scores share
LIMIT = 0.5  # % of the ELBO

# What the number called `elbo_nats` is, where it is no ELBO.
SCORES = {"vqvae": "log p(x|codes)"}


def keep(name, recipe=None, folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe at both lengths and keep the long one, with its note.

    Args:
        name: of the files, and of a recipe in `RECIPES` unless one is given.
        recipe: a dictionary like those in `RECIPES`; `steps` must be a multiple of 40. With
            `keep_half`, the short one is kept as well, under the name and "-half". With
            `start_from`, both begin with the weights of that kept VAE.
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
        "dataset": f"shapes, fresh {'label maps' if 'masks' in recipe else 'pictures'}",
        "licence": "MIT; the textures are CC0 (public domain)",
        "parameters": {**recipe, "optimizer": "Adam", "schedule": "cosine to 0"},
        "seed": recipe["seed"],
        "steps": steps,
        "score": _measure(recipe),
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


def train_once(name, recipe, folder, work, say=print):
    """Train a recipe at its whole length alone and keep it, without the control of `keep`.

    Args:
        name, recipe, work, say: as there.
        folder: where the weights go. With `start_from`, those weights are read from here.

    Returns:
        The model, with the weights as they are kept.
    """
    if not _is_of(name, recipe, folder):
        steps = recipe["steps"]
        work.mkdir(parents=True, exist_ok=True)
        run = _train(name, recipe, steps, steps, _held_out(recipe), work, say, folder)
        about = {"parameters": recipe, "seed": recipe["seed"], "steps": steps}
        about |= {"learning_curve": run["curve"], "minutes": run["seconds"] / 60}
        network = {"builder": recipe["builder"], "arguments": _arguments(recipe)}
        pretrained.save(run["model"], name, folder=folder, **network, **about)
        run["backup"].remove()
    return pretrained.load(name, folder)[0]


def _is_of(name, recipe, folder):
    """Whether weights of this name and recipe are kept already."""
    path = folder / f"{name}.json"
    if not (path.exists() and path.with_suffix(".npz").exists()):
        return False
    made_by = json.loads(path.read_text("utf-8"))["parameters"]
    return all(made_by.get(key) == value for key, value in recipe.items())


def _train(name, recipe, steps, planned, held_out, work, say, start=pretrained.FOLDER):
    """One training: its model, learning curve, seconds, and the backup that it went on from."""
    keras.utils.set_random_seed(recipe["seed"])
    model = pretrained.build(recipe["builder"], _arguments(recipe))
    rising = recipe.get("rising_steps", 0)
    rate = training.rise_and_fall(recipe["learning_rate"], steps, rising)
    adam = keras.optimizers.Adam(rate, beta_2=recipe.get("beta_2", 0.999))
    trained, loss = model, None
    if _is_autoencoder(recipe):  # the networks of the VAE, without a draw and without KL
        trained = keras.Model(model.encoder.input, model.decoder(model.encoder.outputs[0]))
        loss = _loss(model)
    if recipe.get("start_from") and hasattr(model, "start_from"):
        model.start_from(pretrained.load(recipe["start_from"], start)[0])
    elif recipe.get("start_from"):  # the same network, trained on
        pretrained.load_weights(model, recipe["start_from"], start)
    trained.compile(adam, loss, **backend.compile_options(planned=steps))

    def tell(row):
        left = row["seconds"] / row["steps"] * (planned - row["steps"]) / 60
        say(
            f"{name}: step {row['steps']:,} of {steps:,}, {_measure(recipe)} {row['score']:,.1f} "
            f"nats on {HELD_OUT:,} held-out pictures, about {left:.0f} min left"
        )

    rows, backup = long_training.fit(
        trained,
        _stream(recipe, steps // EPOCHS),
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
    """Pictures of the val split, or label maps, (N, H, W, C)."""
    if "masks" in recipe:
        return mask_damage.one_hot(scenes.sample_maps(HELD_OUT, recipe["seed"], **recipe["masks"]))
    return data.to_float(data.load("shapes", "val", limit=HELD_OUT, **recipe["pictures"]).images)


def _stream(recipe, length):
    """What a part of the training sees: fresh pictures or label maps, damaged for an autoencoder."""
    if "masks" in recipe:
        options = {**recipe["masks"], "damage": _damage(recipe)}
        return FreshMasks(recipe["batch_size"], length, recipe["seed"], **options)
    stream = FreshShapes(recipe["batch_size"], length, recipe["seed"], **recipe["pictures"])
    if "coarse_noise" in recipe:
        return CoarseNoise(stream, seed=recipe["seed"], **recipe["coarse_noise"])
    return stream


def _is_autoencoder(recipe):
    return "damage" in recipe or "coarse_noise" in recipe


def _nats(recipe):
    return "log_likelihood_nats" if _is_autoencoder(recipe) else "elbo_nats"


def _measure(recipe):
    return "log-likelihood" if _is_autoencoder(recipe) else SCORES.get(recipe["builder"], "ELBO")


def _damage(recipe):
    """What damages the label maps of a denoising autoencoder, or None."""
    return getattr(mask_damage, recipe["damage"]) if "damage" in recipe else None


def _loss(model):
    """The loss of an autoencoder in the networks of a VAE, with the VAE's likelihood."""
    if model.likelihood == "categorical":
        return keras.losses.CategoricalCrossentropy(from_logits=True)

    def gaussian_loss(x, mean):
        return losses.gaussian_nll(x, mean, model.log_sigma())

    return gaussian_loss


def _scores(model, recipe, x):
    """The ELBO of every picture, (N,), or log p(x | damaged x) of an autoencoder."""
    if not _is_autoencoder(recipe):
        return _elbos(model, x)
    if "damage" in recipe:
        damaged = _damage(recipe)(x.argmax(axis=-1), np.random.default_rng(NOISE_SEED))
    else:
        damaged = CoarseNoise([(x,)], seed=NOISE_SEED, **recipe["coarse_noise"])[0][0]
    mean, _ = model.encoder.predict(damaged, verbose=0)
    return -keras.ops.convert_to_numpy(model.reconstruction_nll(x, mean))


def _elbos(model, x):
    """One-sample ELBO of every picture, (N,), with the same noise for every model.

    Of a VQ-VAE log p(x|codes): nats, too.
    """
    rng = np.random.default_rng(NOISE_SEED)
    latent_shape = getattr(model, "latent_shape", ())
    noise = rng.standard_normal((len(x), *latent_shape)).astype("float32")
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
