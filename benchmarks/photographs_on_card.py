"""Train a segmenter for photographs on an accelerator, in minutes: the whole set lies in its memory.

    KERAS_BACKEND=jax python benchmarks/photographs_on_card.py camvid --learn train+val --minutes 8 --out FOLDER

The network, its losses and its optimiser are those of `make train-photographs`; crops, batch,
precision and schedule differ, and where crops are made. A core cuts some ten megapixels a second, and a card learns from more than
that, so here the card cuts them itself, from all photographs as bytes, and a hundred steps are one
call of XLA. Frames may be shown smaller than the crop: around them is void, which does not count.

The learning rate falls with the time that has passed, so the training ends when it should on any
card. The note of the kept network tells how many steps that were; `--steps` takes as many again.
"""

import argparse
import functools
import json
import time
from pathlib import Path

import jax
import keras
import numpy as np
from jax import numpy as jnp

from helpers import data, metrics, pretrained
from helpers.checkpoint import long_training
from helpers.experiments import photo_recipes, photographs

OTHER_LENGTH = ("epochs", "steps_per_epoch")  # of `make train-photographs`
RECIPES = {
    "camvid": {k: v for k, v in photo_recipes.RECIPES["camvid"].items() if k not in OTHER_LENGTH}
    | {
        "crop": [360, 480],  # whole frames, unless they are shown larger
        "batch_size": 16,
        "crops": {"light": 0.3, "colour": 0.25, "scales": [0.7, 2.0]},
        "precision": "mixed_bfloat16",
    },
}
CHUNK = 100  # steps of one call
RISING = 500  # steps until the highest learning rate
ROWS = 8  # of the learning curve


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=RECIPES)
    parser.add_argument("--learn", choices=photographs.LEARN, default="train")
    parser.add_argument("--minutes", type=float, default=8.0, help="of training, without compiling")
    parser.add_argument("--steps", type=int, help="so many steps in place of minutes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the kept network")
    parser.add_argument("--limit", type=int, help="photographs a split: to try the script")
    parser.add_argument("--change", type=json.loads, default={}, help="of the recipe, as JSON")
    options = parser.parse_args()
    if keras.backend.backend() != "jax":
        parser.error(f"set KERAS_BACKEND=jax. Received: {keras.backend.backend()}")
    if options.minutes <= 0 or (options.steps is not None and options.steps < 1):
        parser.error("--minutes and --steps must be above 0")
    name = photographs.kept_name(options.set, options.learn)
    if (options.out / f"{name}.npz").exists():
        parser.error(f"{options.out} holds {name}: remove it to train it again")
    recipe = RECIPES[options.set] | options.change
    keras.mixed_precision.set_dtype_policy(recipe["precision"])
    known = [
        data.load(options.set, split, limit=options.limit) for split in options.learn.split("+")
    ]
    held_out = data.load(options.set, "val", limit=options.limit)
    trainer = Trainer(recipe, known)
    curve = trainer.train(
        options.minutes, options.steps, held_out if options.learn == "train" else None
    )
    note = {
        "dataset": options.set,
        "licence": known[0].licence,
        "class_names": known[0].class_names,
        "learned_from": options.learn,
        "recipe": recipe,
        "steps": curve[-1]["steps"],
        "learning_curve": curve,
        "gigapixels": curve[-1]["gigapixels"],
        "minutes": curve[-1]["seconds"] / 60,
        "device": jax.devices()[0].device_kind,
        **long_training.made_with(),
    }
    about = {"builder": recipe["builder"], "arguments": recipe["arguments"]}
    print(pretrained.save(trainer.network, name, folder=options.out, **about, **note))


class Trainer:
    """A network, its optimiser and its photographs on a device, and steps of them all together.

    Args:
        recipe: see `RECIPES`.
        known: list of `data.Dataset` with masks, all of one size.
    """

    def __init__(self, recipe, known):
        self.recipe, self.void = recipe, known[0].ignore_class
        self.model, self.network = photo_recipes.networks(recipe)
        self.optimizer = photo_recipes.optimizer(1.0)  # the rate comes with each call of steps
        self.optimizer.build(self.model.trainable_variables)
        self.loss = photo_recipes.loss_of(recipe, known)
        # Arguments of what is compiled: they would be constants of it otherwise.
        self.photographs = [
            jnp.asarray(np.concatenate([getattr(part, name) for part in known]))
            for name in ("images", "masks")
        ]
        self.key = jax.random.key(recipe["seed"])
        self.state = [
            [variable.value for variable in variables]
            for variables in (
                self.model.trainable_variables,
                self.model.non_trainable_variables,
                self.optimizer.variables,
            )
        ]
        places = [variable.path for variable in self.optimizer.variables]
        self.rate_at = next(i for i, path in enumerate(places) if "learning_rate" in path)

    def train(self, minutes, steps=None, held_out=None):
        """Rows of the learning curve; at the end the network has what was learned.

        Args:
            minutes: to train for.
            steps: so many in place of minutes.
            held_out: what each row has a score of.
        """
        rates = jnp.zeros(CHUNK, "float32")
        compiled = self._steps.lower(self, self.state, self.photographs, 0, rates).compile()
        print("compiled", flush=True)
        start, done, told, rows, loss = time.perf_counter(), 0, 0, [], None
        while True:
            passed = (time.perf_counter() - start) / (60 * minutes)
            share = min(done / steps if steps else passed, 1.0)
            if share > told / ROWS or share == 1.0:
                told = int(share * ROWS) + 1
                row = {"steps": done, "seconds": time.perf_counter() - start}
                row["gigapixels"] = done * self.recipe["batch_size"] * self._pixels() / 1e9
                row["loss"] = float(loss.mean()) if done else None
                self._put_back()
                row["score"] = self.score(held_out) if held_out and done else None
                if done:
                    rows.append(row)
                    print(json.dumps(row), flush=True)
            if share == 1.0:
                return rows
            # The share that this call will have reached at its middle, as the speed was so far.
            ahead = share * (done + CHUNK / 2) / done if done else 0.0
            rate = self.recipe["learning_rate"] * (1 + np.cos(np.pi * min(ahead, 1.0))) / 2
            rising = np.minimum(1.0, (done + 1 + np.arange(CHUNK)) / RISING)
            self.state, loss = compiled(
                self.state, self.photographs, done, jnp.asarray(rate * rising, "float32")
            )
            loss.block_until_ready()
            if not np.isfinite(loss).all():
                raise ValueError(f"the loss is no number any more after step {done}")
            done += CHUNK

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
    def _steps(self, state, photographs, first, rates):
        """`CHUNK` steps: the new state, and the loss of each, (CHUNK,)."""

        def step(state, now):
            number, rate = now
            weights, others, moments = state
            x, y = self._batch(jax.random.fold_in(self.key, number), *photographs)
            (loss, others), slopes = jax.value_and_grad(self._loss, has_aux=True)(
                weights, others, x, y
            )
            moments = [*moments[: self.rate_at], rate, *moments[self.rate_at + 1 :]]
            weights, moments = self.optimizer.stateless_apply(moments, slopes, weights)
            return [list(weights), list(others), list(moments)], loss

        return jax.lax.scan(step, state, (first + jnp.arange(CHUNK), rates))

    def _loss(self, weights, others, x, y):
        outputs, others = self.model.stateless_call(weights, others, x, training=True)
        shares = self.recipe["shares"]
        return sum(
            share * self.loss(y, o) for share, o in zip(shares, outputs, strict=True)
        ), others

    def _batch(self, key, images, masks):
        """Crops `(B, h, w, 3)` in [0, 1], and their labels `(B, h, w)`."""
        keys = jax.random.split(key, self.recipe["batch_size"])
        return jax.vmap(self._crop, (0, None, None))(keys, images, masks)

    def _crop(self, key, images, masks):
        draws = jax.random.split(key, 7)
        number = jax.random.randint(draws[0], (), 0, len(images))
        image, mask = images[number], masks[number]
        options = self.recipe["crops"]
        low, high = np.log(options["scales"])
        factor = jnp.exp(jax.random.uniform(draws[1], (), minval=low, maxval=high))
        places = [  # of the crop's pixels in the photograph, rows and columns
            place(side, crop, factor, draw)
            for side, crop, draw in zip(image.shape, self.recipe["crop"], draws[2:4])
        ]
        places[1] = jnp.where(jax.random.bernoulli(draws[4]), places[1][::-1], places[1])
        inside = within(places[0], image.shape[0])[:, None] & within(places[1], image.shape[1])
        x = along(along(image / 255.0, places[0], 0), places[1], 1)
        near = [jnp.clip(jnp.rint(p), 0, n - 1).astype(int) for p, n in zip(places, mask.shape)]
        y = jnp.where(inside, mask[near[0]][:, near[1]], self.void).astype("int32")
        x = relit(x, inside, draws[5], options["light"], options["colour"])
        return jnp.where(inside[..., None], x, 0.5), y

    def score(self, dataset):
        """Mean IoU of a data set, from one view."""
        outputs = [self._logits(self.state[:2], jnp.asarray(x[None])) for x in dataset.images]
        classes = self.recipe["arguments"]["num_classes"]
        counts = sum(
            metrics.confusion_matrix(mask, np.asarray(o)[0], classes, dataset.ignore_class)
            for mask, o in zip(dataset.masks, outputs, strict=True)
        )
        return float(np.nanmean(metrics.iou_of_counts(counts)))

    @functools.partial(jax.jit, static_argnums=0)
    def _logits(self, state, x):
        outputs, _ = self.model.stateless_call(*state, x / 255.0, training=False)
        return outputs[0].argmax(axis=-1)

    def _pixels(self):
        return float(np.prod(self.recipe["crop"]))

    def _put_back(self):
        sets = (self.model.trainable_variables, self.model.non_trainable_variables)
        for variables, values in zip(sets, self.state):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


def place(side, crop, factor, key):
    """Where pixels of a crop lie along one side of a photograph, (crop,): a random stretch of it."""
    first = jax.random.uniform(key) * (side - crop / factor)
    return first + (jnp.arange(crop) + 0.5) / factor - 0.5


def within(places, side):
    """Whether places lie in the photograph."""
    return (places > -0.5) & (places < side - 0.5)


def along(array, places, axis):
    """Values between the pixels of an axis, in straight lines; outside those of the border."""
    side = array.shape[axis]
    places = jnp.clip(places, 0, side - 1)
    below = jnp.minimum(places.astype(int), side - 2)
    share = jnp.expand_dims(places - below, [a for a in range(array.ndim) if a != axis])
    here, next_ = (jnp.take(array, below + i, axis=axis) for i in (0, 1))
    return here * (1 - share) + next_ * share


def relit(x, inside, key, light, colour):
    """Another light and other colours, as `data.Crops` draws them."""
    draws = jax.random.split(key, 3)
    gamma = light * jax.random.normal(draws[0]) + light / 2 * jax.random.normal(draws[1], (3,))
    x = x ** jnp.exp(gamma)
    contrast, saturation = jnp.exp(colour * jax.random.normal(draws[2], (2,)))
    grey = x.mean(axis=-1, keepdims=True)
    x = grey + saturation * (x - grey)
    mean = (x * inside[..., None]).sum() / (3 * inside.sum())
    return (mean + contrast * (x - mean)).clip(0, 1)


if __name__ == "__main__":
    main()
