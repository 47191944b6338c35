"""Long runs in several sittings: what is finished is kept, what was killed goes on.

A `Store` keeps results and weights under names made of their parameters and of what made them:
a result of all code that can change it, the weights of a training of the code and data that
train. Asked again, it reads instead of computing; after a kill a training goes on from its last
epoch. What was kept under other code is not found, and stays where it is. Without a folder it
keeps nothing and only computes.

What is committed, in `data/results` and `data/weights`, is no part of this: it names the commit
that made it, and is read whatever the code says now.
"""

import hashlib
import json
import os
import re
import time

import keras
import numpy as np

from helpers.checkpoint import fingerprints
from helpers.data import cache_folder
from helpers.training import Progress


class ResultStore:
    """Results and weights of long runs, in one folder.

    Args:
        folder: where to keep them; a relative one lies in the cache of the helpers. "" or None:
            nothing is kept.
        **parameters: what all entries depend on: data set, size, seed, …. JSON values.

    Every method takes further parameters. Two calls share an entry if their name, all
    parameters and what made them agree: `fingerprints.score_version` for a result,
    `fingerprints.training` for a fit.

    Raises:
        OSError: If the folder cannot be written to.
        RuntimeError: If a module of `helpers` was changed after it was imported.
        ValueError: If a file in the folder is damaged.
    """

    def __init__(self, folder=None, **parameters):
        self.folder = cache_folder() / "kept" / folder if folder else None
        self.parameters = parameters
        if self.folder is not None:  # now and not after hours of computing
            _make(self.folder)
            fingerprints.score_version()

    def path(self, made_of, name, parameters, suffix):
        """The file of an entry."""
        key = _dumps([made_of, name, {**self.parameters, **parameters}], sort_keys=True)
        stem = re.sub(r"[^\w.-]", "_", name)
        return self.folder / f"{stem}-{hashlib.sha256(key.encode()).hexdigest()[:12]}{suffix}"

    def result(self, name, compute, **parameters):
        """`compute()`, a JSON value, or what it gave before.

        NumPy arrays become lists and tuples too, with a folder or without one.

        In a notebook all cells that were run before belong to what made it; see
        `helpers.checkpoint.session`.
        """
        if self.folder is None:
            return json.loads(_dumps(compute()))
        version = fingerprints.score_version()
        path = self.path(version, name, parameters, ".json")
        if path.exists():
            return _read(path, "value")
        value = json.loads(_dumps(compute()))
        _write(path, {"value": value, **self._about(version, name, parameters)})
        return value

    def fit(self, name, model, x, epochs, parameters=None, **options):
        """Fit a compiled model, or give it the weights of an earlier fit of the same name.

        The states of the optimizer and of all noise belong to the weights. A data set that counts
        its epochs, such as `data.Crops`, starts from its first one, or from the one after the
        last kept, so that the batches are those of an unbroken training.

        An entry is that of the same code, data, layers, loss and optimizer. What else a training
        depends on is for `parameters` to tell: the weights that it starts from, and callbacks.

        Args:
            name: of the entry.
            model: compiled; its weights are changed.
            x: what `fit` takes, such as `data.Crops`; no generator.
            epochs: in all.
            parameters: dictionary of what this entry depends on besides the store's own.
            **options: of `fit`.

        Returns:
            (seconds, history): training time, all sittings added, and Keras's history of the
            last sitting (empty when read).
        """
        if not model.compiled:
            raise ValueError(f"compile the model before `Store.fit`. Received: {model.name}")
        if not model.built:
            raise ValueError(f"{model.name} has no weights yet: call it on a batch before")
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)  # else its state is not read
        options = {"verbose": 0, **options}
        if isinstance(x, keras.utils.PyDataset):
            options.setdefault("shuffle", False)  # the order of batches is its own matter
        callbacks = options.pop("callbacks", None) or []
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        callbacks.append(Progress(name))
        _wind(x, 0)
        if self.folder is None:
            start = time.perf_counter()
            history = model.fit(x, epochs=epochs, callbacks=callbacks, **options).history
            return time.perf_counter() - start, history
        parameters = {**(parameters or {}), "epochs": epochs}
        data_options = {key: value for key, value in options.items() if key != "verbose"}
        made_of = fingerprints.training(model, x, **data_options)
        weights = self.path(made_of, name, parameters, ".weights.h5")
        note = weights.with_suffix(".json")
        if weights.exists():
            seconds = _read(note, "seconds")
            _load(model, weights, _read(note, "noise"))
            return seconds, {}
        backup = _Backup(weights.with_suffix(".backup.json"))
        backup.restore(model)
        _wind(x, backup.epoch)
        options = {**options, "initial_epoch": backup.epoch, "callbacks": [*callbacks, backup]}
        history = model.fit(x, epochs=epochs, **options).history
        entry = {"seconds": backup.seconds, **self._about(made_of, name, parameters)}
        _write(note, {**entry, "noise": _noise(model)})
        _save(model, weights)
        backup.remove()
        return backup.seconds, history

    def _about(self, made_of, name, parameters):
        return {"name": name, "code": made_of, "parameters": self.parameters | parameters}


class _Backup(keras.callbacks.Callback):
    """Weights after the last epoch, and the training seconds of all sittings up to there.

    `keras.callbacks.BackupAndRestore` does not do here: it makes each later `fit` of the model
    start at the epoch that it restored, and it knows neither the noise nor the seconds.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.epoch, self.seconds = 0, 0.0
        if path.exists():
            self.epoch, self.seconds = (_read(path, key) for key in ("epoch", "seconds"))

    def restore(self, model):
        if self.epoch:
            _load(model, self._weights(self.epoch), _read(self.path, "noise"))

    def remove(self):
        for path in self.path.parent.glob(f"*{self.path.stem}*"):  # half-written ones, too
            path.unlink(missing_ok=True)

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter() - self.seconds

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.start
        before, self.epoch = self.epoch, epoch + 1
        # The note is what names the file that counts, so there is one whole state at any time.
        _save(self.model, self._weights(self.epoch))
        note = {"epoch": self.epoch, "seconds": self.seconds, "noise": _noise(self.model)}
        _write(self.path, note)
        self._weights(before).unlink(missing_ok=True)

    def _weights(self, epoch):
        return self.path.with_name(f"{self.path.stem}-{epoch}.weights.h5")


def _wind(x, epoch):
    """Puts a data set that counts its epochs at one of them."""
    if isinstance(x, keras.utils.PyDataset) and hasattr(x, "epoch"):
        x.epoch = getattr(x, "first_epoch", 0) + epoch - 1
        x.on_epoch_end()


def _make(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("no right to write")
    except OSError as error:
        raise OSError(
            f"cannot keep results in {folder} ({error}): name another folder, set HELPERS_CACHE, "
            'or keep nothing with folder=""'
        ) from error


def _dumps(value, **options):
    def plain(item):
        if hasattr(item, "tolist"):  # NumPy's arrays and numbers
            return item.tolist()
        raise TypeError(
            "a `Store` keeps JSON values: numbers, texts, lists and dictionaries of them. "
            f"Received: {type(item).__name__}"
        )

    return json.dumps(value, default=plain, **options)


def _write(path, value):
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(_dumps(value), "utf-8")
    os.replace(part, path)


def _read(path, key):
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Delete the files that start "
            "with its name, and they are computed anew."
        ) from error


def _save(model, path):
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    model.save_weights(part)
    os.replace(part, path)


def _generators(model):
    return [v for v in model.variables if v.name == "seed_generator_state"]


def _noise(model):
    """Where the random streams of a model are, which Keras's files of weights leave out."""
    return [keras.ops.convert_to_numpy(v.value) for v in _generators(model)]


def _load(model, path, noise):
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
