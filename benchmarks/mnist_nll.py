"""Test NLL of a VAE on MNIST with fixed binarization, after a few minutes on two CPU cores.

    HELPERS_DATA=<folder> python benchmarks/mnist_nll.py                  # validation only
    HELPERS_DATA=<folder> python benchmarks/mnist_nll.py --test --record data/results/NAME.json

Trains `helpers.models.conv_vae` on the 50,000 training images by the clock (compilation and
validation count), keeps the weights with the best ELBO on validation images, and estimates
−log p(x) by importance sampling, in nats per image. The test split is read only with `--test`,
once, after everything else is decided. Notebook 07 quotes the result.

References:
    Larochelle and Murray (2011), the data. https://proceedings.mlr.press/v15/larochelle11a.html
    Burda, Grosse and Salakhutdinov (2016), the estimate. https://arxiv.org/abs/1509.00519
"""

import argparse
import math
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from helpers import runs
from helpers.runs.provenance import write_record

MOST_NATS, MOST_SECONDS, MOST_PARAMETERS = 91.0, 300, 1_500_000


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=4.8, help="training, all counted")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=200, help="importance samples an image")
    parser.add_argument("--test", action="store_true", help="read the test split, once")
    parser.add_argument("--record", help="write the result with its provenance to this JSON file")
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument("--width", type=int, default=24, help="channels at 14×14; twice at 7×7")
    recipe.add_argument("--latent", type=int, default=32)
    recipe.add_argument("--batch-size", type=int, default=100)
    recipe.add_argument("--learning-rate", type=float, default=2e-3, help="highest, of Adam")
    recipe.add_argument("--kl-warmup-steps", type=int, default=0)
    recipe.add_argument("--val-images", type=int, default=2000, help="for choosing the weights")
    arguments = parser.parse_args()

    runs.set_up(arguments.seed)
    from helpers import data, metrics

    train, val = (data.to_float(data.load("binarized_mnist", s).images) for s in ("train", "val"))
    start = time.perf_counter()
    vae, history = train_vae(train, val[: arguments.val_images], arguments)
    seconds = time.perf_counter() - start
    size = vae.encoder.count_params() + vae.decoder.count_params()
    best = min(history, key=lambda row: row["val_loss"])
    print(
        f"{size:,} parameters; trained {seconds:.0f} s, {int(vae.steps):,} steps, {len(history)} "
        f"epochs; best at {best['seconds']:.0f} s: validation ELBO {-best['val_loss']:.2f} nats"
    )

    result = {
        "training_seconds": seconds,
        "epochs": len(history),
        "steps": int(vae.steps),
        "parameters_of_the_model": size,
        "active_units": metrics.active_units(vae, val),
    }
    splits = {"val": val}
    if arguments.test:
        splits["test"] = data.to_float(data.load("binarized_mnist", "test").images)
    for split, images in splits.items():
        begin = time.perf_counter()
        nll = -metrics.iwae_bound(vae, images, arguments.samples, batch_size=4000)
        elbo = -metrics.iwae_bound(vae, images, 1, batch_size=4000)
        result |= {
            f"{split}_nll": float(nll.mean()),
            f"{split}_nll_standard_error": float(nll.std() / math.sqrt(len(nll))),
            f"{split}_negative_elbo": float(elbo.mean()),
        }
        print(
            f"{split} NLL {nll.mean():.3f} nats ({arguments.samples} samples, {len(images):,} "
            f"images, {time.perf_counter() - begin:.0f} s); negative ELBO {elbo.mean():.3f}",
            flush=True,
        )
    if arguments.test:
        held = {
            f"test NLL ≤ {MOST_NATS}": result["test_nll"] <= MOST_NATS,
            f"≤ {MOST_SECONDS} s": seconds <= MOST_SECONDS,
            f"≤ {MOST_PARAMETERS:,} parameters": size <= MOST_PARAMETERS,
        }
        print("; ".join(f"{bar}: {'PASS' if ok else 'FAIL'}" for bar, ok in held.items()))
    if arguments.record:
        recipe = {k: v for k, v in vars(arguments).items() if k not in ("record", "test")}
        name = "MNIST, fixed binarization: negative log-likelihood in nats per image"
        rows = [{k: round(v, 6) for k, v in row.items()} for row in history]
        path = write_record(arguments.record, name, result, recipe, history=rows)
        print(f"written to {path}")


def train_vae(train, val, recipe):
    """Train by the clock; return the VAE with its best weights and one row an epoch."""
    import keras

    from helpers import models, training

    vae = models.conv_vae(
        train.shape[1:],
        latent=recipe.latent,
        width=recipe.width,
        activation="relu",
        warmup_steps=recipe.kl_warmup_steps,
        seed=recipe.seed,
    )
    # XLA compiles these convolutions for many seconds and then runs them no faster on a CPU.
    vae.compile(keras.optimizers.Adam(), jit_compile=False, steps_per_execution=10)
    budget = training.TimeBudget(60 * recipe.minutes, recipe.learning_rate)
    keep_best = keras.callbacks.EarlyStopping(
        "val_loss", patience=10**6, restore_best_weights=True, mode="min"
    )
    vae.fit(
        train,
        validation_data=(val,),
        batch_size=recipe.batch_size,
        validation_batch_size=1000,
        epochs=10**6,
        callbacks=[keep_best, budget],
        verbose=0,
    )
    return vae, budget.history


if __name__ == "__main__":
    main()
