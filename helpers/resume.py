"""Long runs in several sittings: what is finished is kept, what was killed goes on.

A `Store` keeps results and weights under names made of their parameters and of the code that
made them. Asked again, it reads instead of computing; after a kill a training goes on from its
last epoch. Without a folder it keeps nothing and only computes.
"""

import ast
import hashlib
import json
import os
import time
from pathlib import Path

import keras

from helpers.data import cache_folder

# Modules whose code decides what a training gives; a change of their comments does not count.
CODE = ("layers", "losses", "models", "networks", "pixel_losses", "pyramids", "training")
CODE += ("data/crops",)


def code_version():
    """A short hash of the code that trainings depend on, without comments and docstrings."""
    digest = hashlib.sha256()
    for name in CODE:
        tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            first = body[0] if isinstance(body, list) and body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                first.value.value = ""
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:10]


class Store:
    """Results and weights of long runs, in one folder.

    Args:
        folder: where to keep them; a relative one lies in the cache of the helpers. "" or None:
            nothing is kept.
        **parameters: what all entries depend on: data set, size, seed, …. JSON values.

    Every method takes further parameters. Two calls share an entry if their name, all
    parameters and the code version agree.
    """

    def __init__(self, folder=None, **parameters):
        self.folder = cache_folder() / "kept" / folder if folder else None
        self.parameters = parameters
        self.version = code_version()

    def path(self, name, parameters, suffix):
        """The file of an entry."""
        key = json.dumps([self.version, name, {**self.parameters, **parameters}], sort_keys=True)
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}{suffix}"

    def result(self, name, compute, **parameters):
        """`compute()`, a JSON value, or what it gave before."""
        if self.folder is None:
            return compute()
        path = self.path(name, parameters, ".json")
        if path.exists():
            return json.loads(path.read_text("utf-8"))["value"]
        value = compute()
        self._write(path, {"value": value, "name": name, **self.parameters, **parameters})
        return value

    def fit(self, name, model, x, epochs, parameters=None, **options):
        """Fit a compiled model, or give it the weights of an earlier fit of the same name.

        Args:
            name: of the entry.
            model: compiled; its weights are changed.
            x: what `fit` takes, such as `data.Crops`.
            epochs: in all.
            parameters: dictionary of what this entry depends on besides the store's own.
            **options: of `fit`.

        Returns:
            (seconds, history): training time, all sittings added, and Keras's history of the
            last sitting (empty when read).
        """
        options = {"verbose": 0, **options}
        if self.folder is None:
            start = time.perf_counter()
            history = model.fit(x, epochs=epochs, **options).history
            return time.perf_counter() - start, history
        parameters = {**(parameters or {}), "epochs": epochs}
        weights = self.path(name, parameters, ".weights.h5")
        note, clock = weights.with_suffix(".json"), _Clock(weights.with_suffix(".clock.json"))
        if weights.exists():
            model.load_weights(weights)
            return json.loads(note.read_text("utf-8"))["seconds"], {}
        self.folder.mkdir(parents=True, exist_ok=True)
        backup = keras.callbacks.BackupAndRestore(weights.with_suffix(".backup"))
        callbacks = [backup, clock, *options.pop("callbacks", [])]
        history = model.fit(x, epochs=epochs, callbacks=callbacks, **options).history
        entry = {"name": name, **self.parameters, **parameters, "seconds": clock.seconds}
        self._write(note, entry)
        part = weights.with_name("part-" + weights.name)
        model.save_weights(part)
        os.replace(part, weights)
        clock.path.unlink(missing_ok=True)
        return clock.seconds, history

    def _write(self, path, value):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(value), "utf-8")
        os.replace(part, path)


class _Clock(keras.callbacks.Callback):
    """Training seconds over all sittings; those of an epoch that was cut off are lost."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.seconds = json.loads(path.read_text("utf-8")) if path.exists() else 0.0

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter() - self.seconds

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.start
        self.path.write_text(json.dumps(self.seconds), "utf-8")
