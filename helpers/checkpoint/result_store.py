"""Results and weights of long runs, found again by their parameters, their code and their data.

A `ResultStore` keeps results and weights under names made of their parameters and of what made
them: a result of all code that can change it, the weights of a training of the code and data that
train. Asked again, it reads instead of computing; after a kill a training goes on from its last
epoch. What was kept under other code is not found, and stays where it is. Without a folder it
keeps nothing and only computes.

What is committed, in `data/results` and `data/weights`, is no part of this: it names the commit
that made it, and is read whatever the code says now.
"""

import json
import os
import re
import time
from pathlib import Path

import keras

from helpers.checkpoint import fingerprints
from helpers.checkpoint.training_backup import (
    TrainingBackup,
    key_of,
    load_weights,
    noise_states,
    read_note,
    rewind,
    save_weights,
    to_json,
    write_note,
)
from helpers.data import cache_folder
from helpers.data.archive import content_digest
from helpers.training import Progress


class ResultStore:
    """Results and weights of long runs, in one folder.

    Args:
        folder: where to keep them; a relative one lies in the cache of the helpers. "" or None:
            nothing is kept.
        **parameters: what all entries depend on: data set, size, seed, …. JSON values. A
            text that names a folder counts by the files in it: they may change.

    Every method takes further parameters. Two calls share an entry if their name, all
    parameters and what made them agree: `fingerprints.score_version` for a result,
    `fingerprints.training` for a fit.

    Raises:
        OSError: If the folder cannot be written to.
        RuntimeError: If a module of `helpers` was changed after it was imported.
        ValueError: If a file in the folder is damaged.

    Examples:
        >>> store = checkpoint.ResultStore(tempfile.mkdtemp(), dataset="shapes", seed=0)
        >>> store.result("sum", lambda: 1 + 1)
        2
        >>> store.result("sum", lambda: 1 + 1, seed=1)     # another seed is another entry
        2
        >>> len(list(store.folder.glob("sum-*.json")))
        2
    """

    def __init__(self, folder=None, **parameters):
        self.folder = cache_folder() / "kept" / folder if folder else None
        self.parameters = parameters
        if held := _folders(parameters) if folder else {}:
            self.parameters = {**parameters, "files_in": held}
        if self.folder is not None:  # now and not after hours of computing
            _make(self.folder)
            fingerprints.score_version()

    def path(self, made_of, name, parameters, suffix):
        """The file of an entry."""
        key = key_of([made_of, name, {**self.parameters, **parameters}], digits=12)
        stem = re.sub(r"[^\w.-]", "_", name)
        return self.folder / f"{stem}-{key}{suffix}"

    def result(self, name, compute, **parameters):
        """`compute()`, a JSON value, or what it gave before.

        NumPy arrays become lists and tuples too, with a folder or without one.

        In a notebook all cells that were run before belong to what made it; see
        `helpers.checkpoint.session_code`.

        Examples:
            >>> store = checkpoint.ResultStore(tempfile.mkdtemp())
            >>> store.result("scores", lambda: np.array([0.5, 0.25]), seed=0)
            [0.5, 0.25]
            >>> store.result("scores", lambda: 1 / 0, seed=0)     # read, so nothing is computed
            [0.5, 0.25]
        """
        if self.folder is None:
            return json.loads(to_json(compute()))
        version = fingerprints.score_version()
        path = self.path(version, name, parameters, ".json")
        if path.exists():
            return read_note(path, "value")
        value = json.loads(to_json(compute()))
        write_note(path, {"value": value, **self._about(version, name, parameters)})
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

        Examples:
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile("adam", "mse", run_eagerly=True)
            >>> x, y = np.ones((4, 2)), np.ones((4, 1))
            >>> store = checkpoint.ResultStore(tempfile.mkdtemp())
            >>> len(store.fit("line", model, x, epochs=2, y=y)[1]["loss"])
            2
            >>> store.fit("line", model, x, epochs=2, y=y)[1]     # read: nothing is trained
            {}
        """
        if not model.compiled:
            raise ValueError(f"compile the model before `ResultStore.fit`. Received: {model.name}")
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
        rewind(x, 0)
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
            seconds = read_note(note, "seconds")
            load_weights(model, weights, read_note(note, "noise"))
            return seconds, {}
        backup = TrainingBackup(weights.with_suffix(".backup.json"))
        backup.restore(model)
        rewind(x, backup.epoch)
        options = {**options, "initial_epoch": backup.epoch, "callbacks": [*callbacks, backup]}
        history = model.fit(x, epochs=epochs, **options).history
        entry = {"seconds": backup.seconds, **self._about(made_of, name, parameters)}
        write_note(note, {**entry, "noise": noise_states(model)})
        save_weights(model, weights)
        backup.remove()
        return backup.seconds, history

    def _about(self, made_of, name, parameters):
        return {"name": name, "code": made_of, "parameters": self.parameters | parameters}


def _folders(value):
    """{name: digest} of the folders that are named in JSON values."""
    value = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, (list, tuple)):
        return {name: digest for item in value for name, digest in _folders(item).items()}
    if isinstance(value, str) and value and os.path.isdir(value):  # of a long text, too: no folder
        return {value: content_digest(Path(value))[0]}
    return {}


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
