"""A training of minutes or hours that can be stopped: it goes on from its last epoch, to the same weights."""

import hashlib
import time

import keras
import numpy as np

from helpers.checkpoint import fingerprints, training_backup


def fit(model, stream, epochs, file, about, score, tell, resumed, every=1):
    """Train a compiled model, or go on with a training that was stopped.

    Args:
        model: compiled, with its weights built.
        stream: a `PyDataset` whose batches are a function of seed, epoch and index.
        epochs: parts of the training; after each one its state is kept.
        file: path; the state lies beside it, under its name and a key of ten digits.
        about: what the training is, JSON values. A state of another training, of other code, of
            other libraries or of other pictures is not gone on from.
        score: function of the model → a number or a dictionary, asked every `every` epochs.
        tell: function of a row of the learning curve, called when it is there.
        resumed: function of the epochs that were done before, called where there are some.
        every: epochs between two rows; the last epoch always has one.

    Returns:
        (rows, backup): the learning curve, with `epoch`, `seconds` and `score` in each row, and
        the `TrainingBackup`, which the caller removes when it has kept the model.
    """
    model.optimizer.build(model.trainable_variables)  # else its state is not read
    made_of = training_backup.to_json([about, fingerprints.training(model, stream)])
    key = hashlib.sha256(made_of.encode()).hexdigest()[:10]
    backup = training_backup.TrainingBackup(file.with_name(f"{file.name}-{key}.json"))
    backup.restore(model)
    if backup.epoch:
        resumed(backup.epoch)
    curve = _Curve(backup, score, tell, every, epochs)
    training_backup.rewind(stream, backup.epoch)
    if backup.epoch < epochs:
        # Unless told not to, Keras shuffles the batches by Python's generator, which no backup has.
        options = {"initial_epoch": backup.epoch, "shuffle": False, "verbose": 0}
        model.fit(stream, epochs=epochs, callbacks=[curve, backup], **options)
    return curve.rows, backup


class _Curve(keras.callbacks.Callback):
    """A score of the model now and then, written beside the backup and told."""

    def __init__(self, backup, score, tell, every, epochs):
        super().__init__()
        self.backup, self.score, self.tell = backup, score, tell
        self.every, self.epochs = every, epochs
        self.path = backup.path.with_suffix(".curve.json")
        self.rows = []
        if backup.epoch:
            # A stop may have come between the two files: the backup is what counts.
            rows = training_backup.read_note(self.path, "rows")
            self.rows = [row for row in rows if row["epoch"] <= backup.epoch]

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):  # before the backup is written
            raise ValueError(
                f"the loss of epoch {epoch + 1} is {loss}: the training diverged. The state before "
                "is kept; a lower learning rate helps"
            )
        if (epoch + 1) % self.every and epoch + 1 < self.epochs:
            return
        seconds = time.perf_counter() - self.backup.start
        row = {"epoch": epoch + 1, "seconds": seconds, "score": self.score(self.model)}
        self.rows.append(row)
        training_backup.write_note(self.path, {"rows": self.rows})
        self.tell(row)
