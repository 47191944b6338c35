"""Small trained models that come with the project, so that results can be seen without the hours.

A kept model is a file of weights, as 16-bit floats, and a note beside it that tells how to build
the network, what it was trained on, under which licence and with which commit of the code. They
lie in `data/weights` of the project; where the helpers were installed without it, there are none.
A later change of the code makes no kept model stale: its commit says what made it.
"""

import json
import math
import os
from pathlib import Path

import numpy as np

from helpers import pyramids
from helpers.checkpoint.code_versions import git_commit

FOLDER = Path(__file__).parents[1] / "data" / "weights"
MAX_BYTES = 2 * 2**20
FORMER = {"outputs": "num_classes"}  # names of entries in older notes, and today's


def save(model, name, *, patches, widths, depths, num_classes, folder=FOLDER, **about):
    """Keep a head on pyramid features, as `load` builds it again.

    Args:
        model: from `pyramids.segmentation_head` on all levels of an encoder.
        name: of the files.
        patches, widths, depths: as given to `pyramids.pyramid_networks`.
        num_classes: as given to `pyramids.segmentation_head`.
        folder: where to; made if it is not there.
        **about: what else the note tells, JSON values: class names, data set, scores.

    Returns:
        Path of the weights.

    Raises:
        ValueError: If the network described is not the model's, or the file is above 2 MB.

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
    note = {"patches": patches, "widths": widths, "depths": depths, "num_classes": num_classes}
    copy = _build(note)
    if copy.count_params() != model.count_params():
        raise ValueError(
            f"patches, widths, depths and num_classes describe {copy.count_params():,} weights, "
            f"and the model has {model.count_params():,}. Received: {note}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / f"{name}.npz", folder / f"part-{name}.npz"
    np.savez_compressed(part, *(w.astype("float16") for w in model.get_weights()))
    if part.stat().st_size > MAX_BYTES:
        size = part.stat().st_size / 2**20
        part.unlink()
        raise ValueError(f"kept weights take 2 MB at most. Received: {name} with {size:.1f} MB")
    os.replace(part, path)
    note |= {"parameters": copy.count_params(), "commit": git_commit()}
    text = json.dumps({**note, **about}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", "utf-8")
    return path


def load(name, folder=FOLDER):
    """A kept model for images of any size, and its note; (None, None) if there is none.

    The note's `multiple` is what `pyramids.predict_full_size` pads to.

    Examples:
        >>> pretrained.load("nothing-of-this-name")
        (None, None)
    """
    weights, note = (Path(folder) / f"{name}{suffix}" for suffix in (".npz", ".json"))
    if not (weights.exists() and note.exists()):
        return None, None
    about = json.loads(note.read_text("utf-8"))
    about = {FORMER.get(key, key): value for key, value in about.items()}
    model = _build(about)
    with np.load(weights, allow_pickle=False) as stored:
        values = [stored[f"arr_{i}"].astype("float32") for i in range(len(stored.files))]
    if [v.shape for v in values] != [w.shape for w in model.weights]:
        raise ValueError(f"{weights} does not fit the network that {note} describes.")
    model.set_weights(values)
    return model, {**about, "multiple": _multiple(about)}


def _multiple(note):
    return math.prod(note["patches"])


def _build(note):
    side = _multiple(note)  # the smallest image there is: the head reads the sizes off the levels
    shape = (side, side, 3)
    encoder, _ = pyramids.pyramid_networks(
        shape, 1, note["widths"], note["depths"], note["patches"]
    )
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), note["num_classes"])
    return pyramids.at_size(head, (None, None, 3))
