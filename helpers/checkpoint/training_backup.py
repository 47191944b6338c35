"""A training that is killed goes on: its state after every epoch, written so that one is always whole."""

import hashlib
import json
import os
import time

import keras
import numpy as np


class TrainingBackup(keras.callbacks.Callback):
    """Weights after the last epoch, and the training seconds of all sittings up to there.

    `keras.callbacks.BackupAndRestore` does not do here: it makes each later `fit` of the model
    start at the epoch that it restored, and it knows neither the noise nor the seconds.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.epoch, self.seconds = 0, 0.0
        if path.exists():
            self.epoch, self.seconds = (read_note(path, key) for key in ("epoch", "seconds"))

    def restore(self, model, beside=()):
        """Give the model its last state; where a file of it is missing, all starts anew.

        Args:
            model: compiled, its optimizer built.
            beside: further files without which the state is not whole.
        """
        if not all(path.exists() for path in (self._weights(self.epoch), *beside)):
            self.epoch, self.seconds = 0, 0.0
        if self.epoch:
            load_weights(model, self._weights(self.epoch), read_note(self.path, "noise"))

    def remove(self):
        for path in self.path.parent.glob(f"*{self.path.stem}*"):  # half-written ones, too
            path.unlink(missing_ok=True)

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter() - self.seconds

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.start
        before, self.epoch = self.epoch, epoch + 1
        # The note is what names the file that counts, so there is one whole state at any time.
        save_weights(self.model, self._weights(self.epoch))
        note = {"epoch": self.epoch, "seconds": self.seconds, "noise": noise_states(self.model)}
        write_note(self.path, note)
        self._weights(before).unlink(missing_ok=True)

    def _weights(self, epoch):
        return self.path.with_name(f"{self.path.stem}-{epoch}.weights.h5")


def rewind(x, epoch):
    """Puts a data set that counts its epochs at one of them."""
    if isinstance(x, keras.utils.PyDataset) and hasattr(x, "epoch"):
        x.epoch = getattr(x, "first_epoch", 0) + epoch - 1
        x.on_epoch_end()


def to_json(value, **options):
    """JSON of a value, NumPy's arrays and numbers as lists and numbers."""

    def plain(item):
        if hasattr(item, "tolist"):  # NumPy's arrays and numbers
            return item.tolist()
        raise TypeError(
            "a `ResultStore` keeps JSON values: numbers, texts, lists and dictionaries of them. "
            f"Received: {type(item).__name__}"
        )

    return json.dumps(value, default=plain, **options)


def key_of(value, digits=10):
    """So many hexadecimal digits that stand for JSON values; the order of keys does not count."""
    return hashlib.sha256(to_json(value, sort_keys=True).encode()).hexdigest()[:digits]


def write_note(path, value):
    """Write JSON in one step: a half-written file never stands at `path`."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(to_json(value), "utf-8")
    os.replace(part, path)


def read_note(path, key):
    """One entry of a note; a damaged one is named.

    Raises:
        ValueError: If the file cannot be read or lacks the entry.
    """
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Delete the files "
            f"{_set_of(path)}, and they are computed anew."
        ) from error


def _set_of(path):
    """A pattern for all files of an entry: results, or notes and weights of a training."""
    name = path.name
    for ending in (".json", ".curve", ".backup", ".weights"):
        name = name.removesuffix(ending)
    return path.with_name(f"{name}*")


def save_weights(model, path):
    """Save weights and optimizer state in one step."""
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    model.save_weights(part)
    os.replace(part, path)


def _generators(model):
    return [v for v in model.variables if v.name == "seed_generator_state"]


def noise_states(model):
    """Where the random streams of a model are, which Keras's files of weights leave out."""
    return [keras.ops.convert_to_numpy(v.value) for v in _generators(model)]


def load_weights(model, path, noise):
    """Give a model the weights of a file and the random states of its note.

    Raises:
        ValueError: If the file does not fit the model, or is damaged.
    """
    try:
        model.load_weights(path)
        for variable, state in zip(_generators(model), noise, strict=True):
            variable.assign(np.array(state, "uint32"))
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} cannot be read into {model.name} ({str(error).splitlines()[0]}). Does the model depend on "
            "something that `parameters` do not tell? Else the file is damaged: delete it, and "
            "it is computed anew."
        ) from error
