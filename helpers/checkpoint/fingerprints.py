"""What decides a kept result, as short texts: another text, and the result is made anew.

A score depends on all code that computes it, a training on what trains: its code, its data, and
how model, loss and optimizer are set. See `helpers.checkpoint.code_versions` for the code.
"""

import json
import pickle
import re

import joblib
import keras

from helpers.backend import use_xla
from helpers.checkpoint import code_versions, session_code

# Entries of a config that refer to a layer by its name.
REFERENCES = ("keras_history", "input_layers", "output_layers")
# Entries that depend on the batches seen so far, or say how fast and not what.
LEFT_OUT = ("build_config", "compile_config", "shared_object_id")
# Attributes that are no setting, or not one of what is trained.
PASSING = ("built", "compiled", "name", "steps_per_execution", "stop_training")
# How many processes prepare the batches of a data set.
WORKERS = ("_workers", "_use_multiprocessing", "_max_queue_size")


def score_version():
    """Ten digits that stand for all that computes a score in this session but its parameters.

    The code of `helpers`, without what cannot matter, and its checksums of data; the cells that
    were run and modules of the reader's own; the libraries; backend, precision and XLA.

    Raises:
        RuntimeError: If a module was changed after it was imported.

    Examples:
        >>> len(checkpoint.fingerprints.score_version())
        10
    """
    code = code_versions.score_code(), session_code.session_code()
    return code_versions.short(*code, _around(code_versions.LIBRARIES))


def training(model, x, **options):
    """What decides a training but its first weights and callbacks: a dictionary of short texts.

    Args:
        model: compiled.
        x: data as `fit` takes them, a data set at its first epoch.
        **options: of `fit`: targets, batch size, ….

    Returns:
        `code` (of what trains, of own classes, libraries, backend), `model` (layers, loss and
        optimizer, without the names that Keras gives) and `data` (every value in it).

    Raises:
        RuntimeError: If a module was changed after it was imported.
        ValueError: If the data cannot be told from others, as a generator.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> one = checkpoint.fingerprints.training(model, np.zeros((4, 2)))
        >>> other = checkpoint.fingerprints.training(model, np.ones((4, 2)))
        >>> [part for part in one if one[part] != other[part]]
        ['data']
    """
    losses = [part for part in keras.tree.flatten(model.loss) if part is not None]
    config = [_config(part) for part in (model, model.optimizer, *losses)]
    text = json.dumps([config, model.get_compile_config().get("loss_weights")], default=repr)
    parts = [x, model.optimizer, *losses, *model._flatten_layers()]
    modules = {base.__module__ for part in parts for base in type(part).__mro__}
    modules |= {part.__module__ for part in losses if callable(part)}
    modules |= set(re.findall(r'"module": "([\w.]+)"', text))
    inside = {m for m in modules if m.split(".")[0] == "helpers"}
    own = {m: code for m in sorted(modules - inside) if (code := session_code.own_code(m))}
    code = (
        code_versions.training_code(tuple(sorted(inside))),
        own,
        _around(code_versions.TRAINING_LIBRARIES),
    )
    return {
        "code": code_versions.short(*code),
        "model": code_versions.short(text),
        "data": _data(x, {key: options[key] for key in sorted(options)}),
    }


def _around(libraries):
    backend, policy = keras.backend.backend(), keras.config.dtype_policy().name
    return code_versions.libraries((*libraries, backend)), backend, policy, use_xla()


def _config(part):
    """How an object is set, without the numbers by which Keras tells names of one session apart."""
    if not hasattr(part, "get_config"):  # the name of a loss, or a function
        return [getattr(part, "__module__", ""), getattr(part, "__qualname__", part)]
    try:
        config = keras.saving.serialize_keras_object(part)
    except NotImplementedError:  # a class of the reader's own that was not meant to be stored
        layers = part._flatten_layers() if isinstance(part, keras.Layer) else [part]
        return [_state(layer) for layer in layers]
    numbers = {}

    def plain(value, key=None, kind=""):
        if isinstance(value, dict):
            kind = value.get("class_name", kind)
            items = ((k, v) for k, v in value.items() if k not in LEFT_OUT)
            return {k: plain(v, key if key in REFERENCES else k, kind) for k, v in items}
        if isinstance(value, (list, tuple)):
            return [plain(v, key, kind) for v in value]
        if isinstance(value, str) and key == "name":
            by_keras = re.sub(r"_\d+$", "", value).replace("_", "") == str(kind).lower()
            return numbers.setdefault(value, f"#{len(numbers)}") if by_keras else value
        return numbers.get(value, value) if isinstance(value, str) and key in REFERENCES else value

    # Keras's own losses leave settings out of their config: the `delta` of `Huber`, for example.
    state = _state(part, "") if isinstance(part, keras.losses.Loss) else None
    return [plain(config), state]


def _state(part, private="_"):
    """Class, shapes of the variables, and the attributes that are numbers, texts, or made of them."""
    known = {k: v for k, v in vars(part).items() if not (private and k.startswith(private))}
    known = {k: v for k, v in known.items() if k not in PASSING}
    shapes = [[list(v.shape), str(v.dtype)] for v in getattr(part, "variables", ())]
    return [type(part).__module__, type(part).__qualname__, shapes, _told(known)]


def _told(value):
    if isinstance(value, dict):
        return {str(k): _told(v) for k, v in value.items() if not callable(v)}
    if isinstance(value, (list, tuple)):
        return [_told(v) for v in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value if isinstance(value, (bool, int, float, str)) or value is None else ""


def _data(x, options):
    if isinstance(x, keras.utils.PyDataset):
        x = type(x).__qualname__, {k: v for k, v in vars(x).items() if k not in WORKERS}
    try:
        return joblib.hash((x, options))[:10]
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            "data of a kept training are arrays, or a `keras.utils.PyDataset` of arrays, so that "
            f"they can be told from others. Received: {type(x).__name__} ({error})"
        ) from error
