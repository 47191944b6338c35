"""Test NLL on MNIST with fixed binarization, of a VAE trained longer and with a tighter bound.

    HELPERS_DATA=<folder> python benchmarks/mnist_importance.py                 # validation only
    HELPERS_DATA=<folder> python benchmarks/mnist_importance.py --test --record data/results/NAME.json

Two things differ from `mnist_nll.py`, beside the length: the loss is −L_k, the importance-weighted
bound with k samples a picture, and the prior is a mixture of Gaussians, learned with the networks.
−log p(x) is estimated by importance sampling, in nats per image. Training and estimate are kept as
they come, and a stopped run goes on from there. The test split is read only with `--test`, once.

References:
    Burda, Grosse and Salakhutdinov (2016), the bound. https://arxiv.org/abs/1509.00519
    Tomczak and Welling (2018), mixtures as priors. https://arxiv.org/abs/1705.07120
"""

import argparse
import math
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from helpers import backend, data, networks, runs
from helpers.checkpoint import fingerprints, training_backup
from helpers.losses import bernoulli_nll
from helpers.metrics.density import log_mean_exp
from helpers.runs.provenance import write_record

BLOCK = 100  # pictures whose estimate is kept at once
DECODED = 10_000  # latents in one call of the decoder


class ImportanceWeightedVAE(keras.Model):
    """A VAE of binary pixels whose prior is a learned mixture of Gaussians and whose loss is −L_k."""

    def __init__(self, encoder, decoder, samples, parts, seed):
        super().__init__()
        self.encoder, self.decoder, self.samples = encoder, decoder, samples
        self.noise = keras.random.SeedGenerator(seed)
        shape = (parts, encoder.outputs[0].shape[-1])
        # Spread so that the whole mixture starts near N(0, I).
        spread = keras.initializers.RandomNormal(stddev=math.sqrt(0.5), seed=seed)
        self.means = self.add_weight(shape=shape, initializer=spread, name="means")
        narrow = keras.initializers.Constant(math.log(0.5))
        self.log_variances = self.add_weight(shape=shape, initializer=narrow, name="log_variances")
        self.logits = self.add_weight(shape=shape[:1], initializer="zeros", name="logits")
        self.built = True

    def log_prior(self, z):
        """log p(z) + K/2 · log 2π, `(…, K)` → `(…)`."""
        precisions = ops.exp(-self.log_variances)  # (parts, K)
        squares = (
            ops.matmul(ops.square(z), ops.transpose(precisions))
            - 2 * ops.matmul(z, ops.transpose(self.means * precisions))
            + ops.sum(ops.square(self.means) * precisions + self.log_variances, axis=-1)
        )
        return ops.logsumexp(ops.log_softmax(self.logits) - 0.5 * squares, axis=-1)

    def log_weights(self, x, samples, training=False):
        """log p(x, z) − log q(z|x) of draws from q: `(B, H, W, C)` → `(samples, B)`, nats."""
        mean, log_variance = self.encoder(x, training=training)  # (B, K)
        noise = keras.random.normal((samples, *ops.shape(mean)), seed=self.noise)
        z = mean + ops.exp(0.5 * log_variance) * noise  # (samples, B, K)
        log_q = -0.5 * ops.sum(log_variance + ops.square(noise), axis=-1)  # the same 2π as above
        logits = self.decoder(ops.reshape(z, (-1, z.shape[-1])), training=training)
        nll = bernoulli_nll(ops.tile(x, (samples, 1, 1, 1)), logits)
        return self.log_prior(z) - log_q - ops.reshape(nll, (samples, -1))

    def call(self, x, training=False):
        return self.log_weights(x, self.samples, training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        bounds = ops.logsumexp(y_pred, axis=0) - math.log(self.samples)  # (B,)
        return -ops.mean(bounds)


class KeepBest(keras.callbacks.Callback):
    """The weights with the best validation bound, in a file, and every epoch's losses in another."""

    def __init__(self, path, epoch):
        super().__init__()
        self.path, self.weights = path, path.with_suffix(".weights.h5")
        self.rows = training_backup.read_note(path, "rows")[:epoch] if epoch else []

    def on_epoch_end(self, epoch, logs=None):
        best = min((row["val_loss"] for row in self.rows), default=math.inf)
        self.rows.append({"epoch": epoch + 1, **{key: float(v) for key, v in logs.items()}})
        if logs["val_loss"] < best:
            self.model.save_weights(self.weights)
        training_backup.write_note(self.path, {"rows": self.rows})
        row = self.rows[-1]
        told = f"−L {row['loss']:.2f}, on validation {row['val_loss']:.2f} nats"
        print(f"epoch {epoch + 1}: {told}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=5000, help="of the estimate, an image")
    parser.add_argument("--test", action="store_true", help="read the test split, once")
    parser.add_argument("--record", help="write the result with its provenance to this JSON file")
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument("--epochs", type=int, default=60)
    recipe.add_argument("--train-samples", type=int, default=5, help="k of the loss −L_k")
    recipe.add_argument("--parts", type=int, default=100, help="Gaussians in the prior")
    recipe.add_argument("--width", type=int, default=24, help="channels at 14×14; twice at 7×7")
    recipe.add_argument("--latent", type=int, default=32)
    recipe.add_argument("--batch-size", type=int, default=100)
    recipe.add_argument("--learning-rate", type=float, default=2e-3, help="highest, of Adam")
    recipe.add_argument("--images", type=int, default=50_000, help="training images")
    recipe.add_argument("--val-images", type=int, default=2000, help="for choosing the weights")
    arguments = parser.parse_args()

    runs.set_up(arguments.seed)
    chosen = {k: v for k, v in vars(arguments).items() if k not in ("record", "test", "samples")}
    train = pictures("train")[: arguments.images]
    vae, trained = train_vae(train, pictures("val")[: arguments.val_images], arguments, chosen)
    size = vae.count_params()
    minutes = trained["cpu_seconds"] / 60
    print(f"{size:,} parameters; {trained['epochs']} epochs, {minutes:.0f} CPU minutes")

    result = trained | {"parameters_of_the_model": size, "samples": arguments.samples}
    for split in ("val", "test") if arguments.test else ("val",):
        images = pictures(split)
        images = images if split == "test" else images[: arguments.val_images]
        nll = -bounds(vae, images, arguments, trained["key"], split)
        result |= {
            f"{split}_nll": float(nll.mean()),
            f"{split}_nll_standard_error": float(nll.std() / math.sqrt(len(nll))),
            f"{split}_images": len(nll),
        }
        print(
            f"{split} NLL {nll.mean():.3f} nats, {arguments.samples} samples, {len(nll):,} images",
            flush=True,
        )
    if arguments.record:
        name = "MNIST, fixed binarization: negative log-likelihood in nats per image, tighter bound"
        history = result.pop("history")
        print("written to", write_record(arguments.record, name, result, chosen, history=history))


def pictures(split):
    return data.to_float(data.load("binarized_mnist", split).images)  # (N, 28, 28, 1)


def train_vae(train, val, recipe, chosen):
    """Train, or go on; return the model with its best weights, and what the record tells of it."""
    pair = networks.conv_networks(train.shape[1:], recipe.latent, recipe.width, activation="relu")
    vae = ImportanceWeightedVAE(*pair, recipe.train_samples, recipe.parts, recipe.seed)
    steps = recipe.epochs * (len(train) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    # XLA compiles these convolutions for many seconds and then runs them no faster on a CPU.
    vae.compile(keras.optimizers.Adam(rate), jit_compile=False, steps_per_execution=10)
    vae.optimizer.build(vae.trainable_variables)

    key = training_backup.key_of([chosen, fingerprints.training(vae, train)])
    folder = data.cache_folder() / "kept" / "mnist_importance"
    folder.mkdir(parents=True, exist_ok=True)
    backup = training_backup.TrainingBackup(folder / f"{key}.json")
    log, clock = folder / f"best-{key}.json", folder / f"clock-{key}.json"
    backup.restore(vae, beside=(log, log.with_suffix(".weights.h5"), clock))
    best = KeepBest(log, backup.epoch)
    before = training_backup.read_note(clock, "cpu_seconds") if backup.epoch else 0.0
    start = time.process_time()

    def keep_clock(epoch, logs):
        note = {"cpu_seconds": before + time.process_time() - start}
        training_backup.write_note(clock, note)

    if backup.epoch < recipe.epochs:
        order = Shuffled(train, recipe.batch_size, recipe.seed)
        order.epoch = backup.epoch
        vae.fit(
            order,
            validation_data=(val,),
            validation_batch_size=500,
            initial_epoch=backup.epoch,
            epochs=recipe.epochs,
            shuffle=False,
            callbacks=[best, keras.callbacks.LambdaCallback(on_epoch_end=keep_clock), backup],
            verbose=0,
        )
    vae.load_weights(best.weights)
    seconds = training_backup.read_note(clock, "cpu_seconds")
    told = {"seconds": backup.seconds, "cpu_seconds": seconds, "epochs": recipe.epochs}
    chosen_epoch = min(best.rows, key=lambda row: row["val_loss"])["epoch"]
    return vae, told | {"best_epoch": chosen_epoch, "key": key, "history": best.rows}


class Shuffled(keras.utils.PyDataset):
    """The training images in an order that seed and epoch decide, so that a stop changes nothing."""

    def __init__(self, images, batch_size, seed):
        super().__init__()
        self.images, self.batch_size, self.seed, self.epoch = images, batch_size, seed, 0
        self.order = None

    def __len__(self):
        return len(self.images) // self.batch_size

    def __getitem__(self, index):
        if self.order is None:
            self.order = np.random.default_rng([self.seed, self.epoch]).permutation(
                len(self.images)
            )
        return self.images[self.order[index * self.batch_size : (index + 1) * self.batch_size]]

    def on_epoch_end(self):
        self.epoch, self.order = self.epoch + 1, None


def bounds(vae, images, arguments, key, split):
    """L_k of every image, `(N,)` nats, from blocks that are kept as they come."""
    folder = data.cache_folder() / "kept" / "mnist_importance"
    each = min(arguments.samples, DECODED // BLOCK)
    log_weights = backend.compile_function(lambda x: vae.log_weights(x, each))
    found = []
    for start in range(0, len(images), BLOCK):
        path = folder / f"bound-{key}-{split}-{arguments.samples}-{start}.json"
        if not path.exists():
            block = images[start : start + BLOCK]
            parts = [
                ops.convert_to_numpy(log_weights(block))
                for _ in range(-(-arguments.samples // each))
            ]
            weights = np.concatenate(parts)[: arguments.samples].astype("float64")
            training_backup.write_note(path, {"bounds": log_mean_exp(weights)})
        found.append(training_backup.read_note(path, "bounds"))
    return np.concatenate(found)


if __name__ == "__main__":
    main()
