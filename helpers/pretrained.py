"""Small trained models that come with the project, so that results can be seen without the hours.

A kept model is a file of weights, as 16-bit floats, and a note beside it that tells how to build
the network, what it was trained on, under which licence and with which commit of the code. They
lie in `data/weights` of the project, and in the package where a wheel of it was installed.
A later change of the code makes no kept model stale: its commit says what made it.
"""

import contextlib
import importlib
import json
import math
import os
from pathlib import Path

import keras
import numpy as np

from helpers import models, networks, photo_networks, pyramids
from helpers.checkpoint.code_versions import git_commit
from helpers.data.records import kept_folder, mending

FOLDER = kept_folder("weights")
MAX_BYTES = 2 * 2**20
TRAINING = "`make weights NAME=…` and `make train-photographs SET=…` train and keep such files."
FORMER = {"outputs": "num_classes"}  # names of entries in older notes, and today's
HEAD = ("patches", "widths", "depths", "num_classes")  # what describes a head on pyramid features


def save(model, name, *, builder="pyramid_head", arguments=None, folder=FOLDER, **about):
    """Keep a model, as `load` builds it again.

    Of a VAE the weights of encoder and decoder and its σ are kept; not its counter of steps, its
    noise and its metrics. Both files are written aside and then put in their places.

    Args:
        model: what `builder` builds.
        name: of the files.
        builder: "conv_vae", "dense_vae", "two_level_vae" (see `models`), "conv_decoder", the decoder
            of the first, "grid_vae", a VAE of `pyramids.pyramid_networks`, "pyramid_head", a
            `pyramids.segmentation_head` on all levels of an encoder, "segmenter" or "edge_network"
            (see `photo_networks`), or "vqvae" (see `generative.quantised`).
        arguments: of the builder, a dictionary of JSON values. A grid VAE has those of
            `pyramid_networks` and of `models.VAE`. Those of a pyramid head are `patches`,
            `widths`, `depths` and `num_classes`; they may stand among `about` instead.
        folder: where to; made if it is not there.
        **about: what else the note tells, JSON values: class names, data set, scores.

    Returns:
        Path of the weights.

    Raises:
        ValueError: If no network or another one is described, a weight does not fit into 16 bits,
            or the file is above 2 MB.

    Examples:
        >>> sizes = {"patches": (2, 2), "widths": (4, 8), "depths": (0, 0)}
        >>> encoder, _ = pyramids.pyramid_networks((8, 8, 3), 1, **sizes)
        >>> head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes=2)
        >>> folder = tempfile.mkdtemp()
        >>> pretrained.save(head, "tiny", num_classes=2, folder=folder, **sizes).name
        'tiny.npz'
        >>> pretrained.load("tiny", folder)[1]["multiple"]
        4
    """
    if arguments is None:
        if builder != "pyramid_head" or not about.keys() >= set(HEAD):
            raise ValueError(f"`arguments` of {builder} are missing. Received: {about}")
        note = arguments = {key: about.pop(key) for key in HEAD}
    else:
        note = {"builder": builder, "arguments": arguments}
    copy = build(builder, arguments)
    if _shapes(copy) != _shapes(model):
        described = builder if "builder" in note else ", ".join(HEAD[:-1]) + f" and {HEAD[-1]}"
        raise ValueError(
            f"{described} describe {_size(copy):,} weights, and the model has {_size(model):,}. "
            f"Received: {note}"
        )
    with np.errstate(over="ignore"):
        # A single number, such as log σ, counts for every pixel: it keeps its digits.
        values = [keras.ops.convert_to_numpy(w.value).astype("float32") for w in _kept(model)]
        values = [w.astype("float16") if w.ndim else w for w in values]
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError(f"a weight of {name} is not finite in 16 bits: it is no trained model")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    note |= {"parameters": _size(model), "weights": _size(model), "commit": git_commit(), **about}
    parts = [folder / f"part-{os.getpid()}-{name}{suffix}" for suffix in (".npz", ".json")]
    try:
        np.savez_compressed(parts[0], *values)
        size = parts[0].stat().st_size
        if size > MAX_BYTES:
            raise ValueError(
                f"kept weights take 2 MB at most. Received: {name} with {size / 2**20:.1f} MB"
            )
        parts[1].write_text(json.dumps(note, indent=1) + "\n", "utf-8")
        for part in parts:
            os.replace(part, folder / f"{name}{part.suffix}")
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return folder / f"{name}.npz"


def load(name, folder=FOLDER):
    """A kept model and its note; (None, None) if there is none.

    A pyramid head, a segmenter and an edge network take images of any size; the note's `multiple`
    is what `pyramids.predict_full_size` pads to.

    Raises:
        ValueError: If a file is damaged, or the two do not belong together.

    Examples:
        >>> pretrained.load("nothing-of-this-name")
        (None, None)
    """
    values, about = _read(name, folder)
    if values is None:
        return None, None
    path = Path(folder) / f"{name}.npz"
    with _whole(path.with_suffix(".json")):
        model = build(about["builder"], about["arguments"])
    if [v.shape for v in values] != _shapes(model):
        raise ValueError(
            f"{path} does not fit the network that {path.with_suffix('.json')} describes."
        )
    _assign(model, values)
    return model, about


def required(name, folder=FOLDER):
    """A kept model and its note, see `load`, for work that cannot go on without them.

    Raises:
        FileNotFoundError: If there is no such model; says what brings or makes it.

    Examples:
        >>> pretrained.required("grid-4x4x8")[1]["builder"]
        'grid_vae'
    """
    model, about = load(name, folder)
    if model is None:
        raise _missing(name, folder)
    return model, about


def load_weights(model, name, folder=FOLDER):
    """Put kept weights into a model with the same networks, such as one built by hand.

    Args:
        model: its weights are changed.
        name, folder: see `save`.

    Returns:
        The note, a dictionary.

    Raises:
        FileNotFoundError: If there are no such weights; says what makes them.
        ValueError: If the networks differ, or a file is damaged.

    Examples:
        >>> folder, sizes = tempfile.mkdtemp(), {"image_shape": (8, 8, 1), "latent": 2}
        >>> path = pretrained.save(
        ...     models.dense_vae(**sizes), "tiny", builder="dense_vae", arguments=sizes, folder=folder
        ... )
        >>> vae = models.VAE(*networks.dense_networks((8, 8, 1), latent=2, hidden=(400,)))
        >>> pretrained.load_weights(vae, "tiny", folder)["builder"]
        'dense_vae'
    """
    values, about = _read(name, folder)
    if values is None:
        raise _missing(name, folder)
    kept = [v.shape for v in values]
    if kept != _shapes(model):
        unlike = [(s, w) for s, w in zip(kept, _kept(model)) if s != tuple(w.shape)]
        where = ""
        if unlike:
            shape, weight = unlike[0]
            where = f"; the first that differs: {shape} and {weight.path} {tuple(weight.shape)}"
        spelled = ", ".join(f"{key}={value!r}" for key, value in about["arguments"].items())
        raise ValueError(
            f"{name} holds {sum(map(math.prod, kept)):,} weights in {len(kept)} arrays of "
            f"{about['builder']}({spelled}), and {model.name} has {_size(model):,} in "
            f"{len(_shapes(model))}{where}. Build it with the same sizes."
        )
    _assign(model, values)
    return about


def _missing(name, folder):
    path = Path(folder) / f"{name}.npz"
    return FileNotFoundError(f"{path} and .json are not here. {mending(path.parent, TRAINING)}")


def _read(name, folder):
    """Weights and note as `load` gives them, or (None, None)."""
    weights, note = (Path(folder) / f"{name}{suffix}" for suffix in (".npz", ".json"))
    if not (weights.exists() and note.exists()):
        return None, None
    with _whole(note):
        about = json.loads(note.read_text("utf-8"))
        about = {FORMER.get(key, key): value for key, value in about.items()}
        about.setdefault("builder", "pyramid_head")
        about.setdefault("arguments", {key: about[key] for key in HEAD if key in about})
        if about["builder"] == "pyramid_head":
            multiple = math.prod(about["arguments"]["patches"])
            about = {**about["arguments"], **about, "multiple": multiple}
        if about["builder"] in ("segmenter", "edge_network"):
            about["multiple"] = photo_networks.MULTIPLE
    with _whole(weights), np.load(weights, allow_pickle=False) as stored:
        values = [stored[f"arr_{i}"].astype("float32") for i in range(len(stored.files))]
    return values, about


@contextlib.contextmanager
def _whole(path):
    """Whatever goes wrong in a file that is cut, empty or another one: it is named."""
    try:
        yield
    except Exception as error:  # each kind of damage has errors of its own
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). {mending(path, TRAINING)}"
        ) from error


def _pyramid_head(patches, widths, depths, num_classes):
    # The smallest image there is: the head reads the sizes off the levels.
    side = math.prod(patches)
    encoder, _ = pyramids.pyramid_networks((side, side, 3), 1, widths, depths, patches)
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes)
    return pyramids.at_size(head, (None, None, 3))


def _grid_vae(image_shape, latent, widths, depths, patches, batch_norm=True, **options):
    # A VAE of `pyramids.pyramid_networks`: its latent is a grid of places with `latent` channels.
    sizes = (latent, widths, depths, patches, batch_norm)
    return models.VAE(*pyramids.pyramid_networks(image_shape, *sizes), **options)


def _conv_decoder(image_shape, latent, width, seed=0):
    # The decoder of `models.conv_vae` with a vector latent alone: the generator of a GAN.
    return networks.conv_networks(image_shape, latent, width, centre=True)[1]


def _vqvae(**arguments):
    # By name, as files name classes: its module stands above this one.
    return importlib.import_module("helpers.generative.quantised").VQVAE(**arguments)


BUILDERS = {
    "conv_vae": models.conv_vae,
    "conv_decoder": _conv_decoder,
    "dense_vae": models.dense_vae,
    "two_level_vae": models.TwoLevelVAE,
    "grid_vae": _grid_vae,
    "pyramid_head": _pyramid_head,
    "segmenter": photo_networks.segmenter,
    "edge_network": photo_networks.edge_network,
    "vqvae": _vqvae,
}


def build(builder, arguments):
    """A model with fresh weights, from the name of its builder; see `save`.

    Examples:
        >>> pretrained.build("dense_vae", {"image_shape": [8, 8, 1], "latent": 2}).latent_shape
        (2,)
    """
    if builder not in BUILDERS:
        raise ValueError(
            f"`builder` must be one of {', '.join(BUILDERS)}. Received: builder={builder!r}"
        )
    # JSON has lists where the builders take tuples.
    arguments = {key: tuple(v) if isinstance(v, list) else v for key, v in arguments.items()}
    return BUILDERS[builder](**arguments)


def _kept(model):
    """The variables that the outputs are computed with, in an order of their own."""
    whole = [model.encoder, model.decoder] if isinstance(model, models.VAE) else [model]
    networks = getattr(model, "networks", whole)
    kept = [w for network in networks for w in network.weights]
    sigma = getattr(model, "raw_log_sigma", None)
    kept += [] if sigma is None else [sigma]
    return [w for w in kept if "float" in w.dtype]  # states of noise are whole numbers


def _shapes(model):
    return [tuple(w.shape) for w in _kept(model)]


def _size(model):
    return sum(map(math.prod, _shapes(model)))


def _assign(model, values):
    for weight, value in zip(_kept(model), values, strict=True):
        weight.assign(value)
