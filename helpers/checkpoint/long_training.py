"""A training of minutes or hours that can be stopped: it goes on from its last epoch, to the same weights."""

import importlib.metadata
import time

import keras
import numpy as np

from helpers.checkpoint import fingerprints, training_backup


def fit(model, stream, epochs, file, about, *, score=lambda _: None, tell, resumed, every=1):
    """Train a compiled model, or go on with a training that was stopped.

    `checkpoint.ResultStore.fit` goes on as well. Here the learning curve goes on with the training,
    and who waits for hours is told.

    Args:
        model: compiled, with its weights built.
        stream: a `PyDataset` whose batches are a function of seed, epoch and index.
        epochs: parts of the training; after each one its state is kept.
        file: path; the state lies beside it, under its name and a key of ten digits.
        about: what the training is, JSON values. A state of another training, of other code, of
            other libraries or of other pictures is not gone on from, and neither is one that
            lacks a file.
        score: function of the model → a number, asked every `every` epochs; none unless given.
        tell: function of a row of the learning curve, called when it is there.
        resumed: function of the steps that were done before, called where there are some.
        every: epochs between two rows; the last epoch always has one.

    Returns:
        (rows, backup): the learning curve, with `steps`, `seconds`, `loss` and `score` in each
        row, and the `TrainingBackup`, which the caller removes when it has kept the model.

    Raises:
        ValueError: If the loss is no number any more, or a file of the state is damaged.
    """
    model.optimizer.build(model.trainable_variables)  # else its state is not read
    key = training_backup.key_of([about, fingerprints.training(model, stream)])
    backup = training_backup.TrainingBackup(file.with_name(f"{file.name}-{key}.json"))
    backup.restore(model, beside=[_curve_of(backup)])
    if backup.epoch:
        resumed(backup.epoch * len(stream))
    curve = _Curve(backup, score, tell, every, epochs, len(stream))
    training_backup.rewind(stream, backup.epoch)
    if backup.epoch < epochs:
        # Unless told not to, Keras shuffles the batches by Python's generator, which no backup has.
        options = {"initial_epoch": backup.epoch, "shuffle": False, "verbose": 0}
        model.fit(stream, epochs=epochs, callbacks=[curve, backup], **options)
    return curve.rows, backup


def sgemm_speed(size=1024, repeats=8):
    """GF/s of the fastest of some products of two float32 matrices."""
    a = np.random.default_rng(0).standard_normal((size, size), "float32")
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return round(2 * size**3 / min(seconds) / 1e9, 1)


def made_with():
    """For a note: the speed of the machine, the backend, and the libraries' versions."""
    names = sorted({"keras", "numpy", keras.backend.backend()})
    versions = {name: importlib.metadata.version(name) for name in names}
    return {
        "sgemm_gflops": sgemm_speed(),
        "backend": keras.backend.backend(),
        "versions": versions,
    }


def _curve_of(backup):
    return backup.path.with_suffix(".curve.json")


class _Curve(keras.callbacks.Callback):
    """A score of the model now and then, written beside the backup and told."""

    def __init__(self, backup, score, tell, every, epochs, steps):
        super().__init__()
        self.backup, self.score, self.tell = backup, score, tell
        self.every, self.epochs, self.steps = every, epochs, steps
        self.path = _curve_of(backup)
        self.rows = []
        if backup.epoch:
            # A stop may have come between the two files: the backup is what counts.
            rows = training_backup.read_note(self.path, "rows")
            self.rows = [row for row in rows if row["steps"] <= backup.epoch * steps]

    def on_epoch_end(self, epoch, logs=None):
        steps, loss = (epoch + 1) * self.steps, float(logs["loss"])
        if not np.isfinite(loss):  # before the backup is written
            raise ValueError(
                f"the loss is {loss} at step {steps:,}: the training diverged. Start it again with "
                "a lower learning rate; the state that is kept belongs to this one"
            )
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.epochs:
            row = {"steps": steps, "seconds": time.perf_counter() - self.backup.start}
            self.rows.append({**row, "loss": loss, "score": self.score(self.model)})
            self.tell(self.rows[-1])
        training_backup.write_note(self.path, {"rows": self.rows})
