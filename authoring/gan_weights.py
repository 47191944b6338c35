"""Train the GAN and the VAE-GAN of notebook 15, long: `make weights NAME=gan-shapes32`.

The learning rates are constant and the weights that are kept are moving averages, so one training
can be scored after half of its steps as well. There is no ELBO to compare, as `authoring.weights`
does for VAEs. The rule is that twice the steps change the kernel distance by less than a tenth. A
training that is stopped goes on from its last tenth.
"""

import os
import time

import keras
import numpy as np

from authoring import weights
from helpers import data, models, networks, pretrained
from helpers.checkpoint import code_versions, long_training, training_backup
from helpers.data.stream import FreshShapes
from helpers.generative import evaluator, gan
from helpers.generative.whole_objects import one_whole_object

EPOCHS = 10  # parts of a training: after each one it is scored, and can be stopped
DRAWS = 500  # pictures that a score takes, and as many real ones
LIMIT = 0.1  # of the kernel distance
CLASSIFIER = {"pictures": 4000, "steps": 400, "batch_size": 32}

_SHARED = {
    "pictures": weights.RECIPES["vae-shapes32"]["pictures"],
    "image_shape": [32, 32, 3],
    "latent": 16,
    "width": 32,  # of the generator: the decoder of `vae-shapes32`
    "discriminator_width": 32,
    "batch_size": 32,
    "learning_rates": [0.002, 0.002],  # discriminator, the other player
    "r1_weight": 0.1,
    "noise": 0.05,  # on all pictures that the discriminator sees
    "ema_momentum": 0.999,
    "seed": 0,
}
RECIPES = {
    "gan-shapes32": {**_SHARED, "kind": "gan", "steps": 16000},
    "vaegan-shapes32": {
        **_SHARED,
        "kind": "vaegan",
        "steps": 8000,
        "weights": [20.0, 300.0],  # w, g; with [30, 10] the draws did not change in 900 steps
        "start": "vae-shapes32",
    },
}


def keep(name, recipe=None, folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe, keep its averaged weights, and note the learning curve.

    Args:
        name: of the files, and of a recipe in `RECIPES` unless one is given.
        recipe: a dictionary like those in `RECIPES`; `steps` must be a multiple of 20.
        folder: where the weights go.
        work: where the state of an unfinished training lies; in the cache unless given.
        say: gets a line after every tenth of a training.

    Returns:
        The note, a dictionary.
    """
    recipe = RECIPES[name] if recipe is None else recipe
    steps = recipe["steps"]
    if steps < 1 or steps % (2 * EPOCHS):
        raise ValueError(f"`steps` must be a multiple of {2 * EPOCHS}. Received: steps={steps!r}")
    work = data.cache_folder() / "kept" / "weights" if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    code = code_versions.training_code(("helpers.generative.gan",))
    # A state of another recipe, or of other code, is not gone on from.
    path = work / f"{name}-{training_backup.key_of([recipe, code])}.npz"
    model, curve = _train(name, recipe, path, say)
    half, whole = (row["distance"] for row in (curve[EPOCHS // 2 - 1], curve[-1]))
    note = {
        "dataset": "shapes, fresh pictures",
        "licence": "MIT; the textures are CC0 (public domain)",
        "parameters": {**recipe, "optimizer": "Adam, β₁ = 0, β₂ = 0.99", "schedule": "constant"},
        "seed": recipe["seed"],
        "steps": steps,
        "scored_on": {"split": "val", "draws": DRAWS, "classifier": CLASSIFIER},
        "learning_curve": curve,
        "trained_enough": verdict(half, whole),
        "minutes": curve[-1]["seconds"] / 60,
        **long_training.made_with(),
    }
    arguments = {key: recipe[key] for key in ("image_shape", "latent", "width", "seed")}
    builder = "conv_decoder"
    if recipe["kind"] == "vaegan":
        builder, arguments = "conv_vae", {**arguments, "likelihood": "gaussian"}
    pretrained.save(model, name, builder=builder, arguments=arguments, folder=folder, **note)
    path.unlink(missing_ok=True)
    return note


def verdict(half, whole):
    """Whether twice the steps changed the kernel distance by less than `LIMIT` of it.

    Both are on the same latents and the same real pictures, `DRAWS` each.
    """
    share = abs(whole - half) / abs(half)
    return {
        "verdict": bool(share < LIMIT),
        "half": half,
        "whole": whole,
        "share": share,
        "limit": LIMIT,
    }


class Ruler:
    """Kernel distance and whole objects of draws, against held-out pictures of a recipe."""

    def __init__(self, recipe):
        train = data.load("shapes", "train", limit=CLASSIFIER["pictures"], **recipe["pictures"])
        self.real = _pictures(recipe, "val", DRAWS)
        self.latent = recipe["latent"]
        self.evaluator = evaluator.SampleEvaluator(
            data.to_float(train.images),
            train.factors["class"] - 1,
            self.real,
            steps=CLASSIFIER["steps"],
            batch_size=CLASSIFIER["batch_size"],
        )

    def scores(self, decoder):
        """Kernel distance, and the share of draws with one whole object."""
        drawn = self.draw(decoder, DRAWS)
        (distance,) = self.evaluator.compare(self.real, drawn)["distance"]
        return {"distance": distance, "whole": float(one_whole_object(drawn[:200]).mean())}

    def draw(self, decoder, count):
        """Pictures from N(0, I), the same latents every time."""
        z = np.random.default_rng(1).standard_normal((count, self.latent)).astype("float32")
        return np.clip(decoder.predict(z, batch_size=250, verbose=0), 0, 1)


def _pictures(recipe, split, limit):
    """`(limit, H, W, C)`, float32."""
    return data.to_float(data.load("shapes", split, limit=limit, **recipe["pictures"]).images)


def game(recipe):
    """Model, decoder and trainer of a recipe, with fresh weights."""
    keras.utils.set_random_seed(recipe["seed"])
    shape, batch_size = tuple(recipe["image_shape"]), recipe["batch_size"]
    encoder, decoder = networks.conv_networks(shape, recipe["latent"], recipe["width"], centre=True)
    discriminator = gan.build_discriminator(shape, recipe["discriminator_width"])
    own = [decoder] if recipe["kind"] == "gan" else [encoder, decoder]
    seed_generator = keras.random.SeedGenerator(recipe["seed"])
    players = [
        gan.player(discriminator),
        gan.player(*own, ema_momentum=recipe["ema_momentum"]),
    ]
    common = (discriminator, players, seed_generator, batch_size)
    common = (*common, recipe["r1_weight"], recipe["noise"])
    if recipe["kind"] == "gan":
        model, step = decoder, gan.gan_step(decoder, *common)
    else:
        model = models.VAE(encoder, decoder, likelihood="gaussian")
        if recipe.get("start"):
            pretrained.load_weights(model, recipe["start"])
        step = gan.vae_gan_step(own, *common, recipe["weights"])
    trainer = gan.AdversarialTrainer(
        step, players, recipe["learning_rates"], [*own, discriminator], seed_generator
    )
    return model, decoder, trainer


def _train(name, recipe, path, say):
    """One training: its model with averaged weights, its curve."""
    model, decoder, trainer = game(recipe)
    steps = recipe["steps"]
    stream = FreshShapes(recipe["batch_size"], steps, recipe["seed"], **recipe["pictures"])
    done, seconds, curve = _restore(trainer, path)
    if done:
        say(f"{name}: goes on after step {done:,} of {steps:,}")
    each = steps // EPOCHS
    ruler = Ruler(recipe) if done < steps else None
    for first in range(done, steps, each):
        begin = time.perf_counter()
        losses, _ = trainer.fit(stream, each, first)
        seconds += time.perf_counter() - begin
        if not np.isfinite(losses).all():
            raise ValueError(f"a loss of {name} is not finite after step {first:,}: it diverged")
        state = [np.asarray(keras.ops.convert_to_numpy(v)) for v in trainer.variables]
        trainer.use_averages()
        row = {"steps": first + each, "seconds": seconds, **ruler.scores(decoder)}
        _assign(trainer, state)  # the training goes on from the weights themselves
        curve.append({**row, "losses": losses.mean(axis=0).tolist()})
        _backup(path, state, curve)
        say(
            f"{name}: step {row['steps']:,} of {steps:,}, kernel distance {row['distance']:.2f}, "
            f"one whole object in {row['whole']:.0%}, {seconds / 60:.0f} min"
        )
    trainer.use_averages()
    if recipe["kind"] == "vaegan":
        _set_sigma(model, _pictures(recipe, "train", 1000))
    return model, curve


def _set_sigma(vae, x):
    """σ of a pixel: the root mean square error of reconstructions from the means."""
    error = x - vae.predict(x, batch_size=250, verbose=0)
    sigma = float(np.sqrt(np.mean(error**2)))
    vae.raw_log_sigma.assign(np.log(max(sigma - vae.sigma_floor, 1e-6)))


def _backup(path, state, curve):
    """The whole state and the scores in one file, written aside and then put in its place."""
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    rows = [[row["steps"], row["seconds"], row["distance"], row["whole"]] for row in curve]
    played = [row["losses"] for row in curve]
    np.savez(part, *state, rows=np.array(rows), losses=np.array(played))
    os.replace(part, path)


def _restore(trainer, path):
    """Steps done, seconds and curve; the trainer gets the state that was kept."""
    if not path.exists():
        return 0, 0.0, []
    with np.load(path, allow_pickle=False) as stored:
        rows, played = stored["rows"], stored["losses"]
        _assign(trainer, [stored[key] for key in stored.files if key.startswith("arr_")])
    curve = [
        {
            "steps": int(steps),
            "seconds": float(seconds),
            "distance": float(distance),
            "whole": float(whole),
            "losses": losses.tolist(),
        }
        for (steps, seconds, distance, whole), losses in zip(rows, played, strict=True)
    ]
    return curve[-1]["steps"], curve[-1]["seconds"], curve


def _assign(trainer, state):
    for variable, value in zip(trainer.variables, state, strict=True):
        variable.assign(value)
