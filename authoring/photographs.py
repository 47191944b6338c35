"""Train the networks for photographs, long: `make train-photographs SET=camvid`, or bsds500, or pets.

A recipe is one long training from scratch, chosen on the val split. It can be stopped at any time
and goes on from its last hundred steps. What it says goes to a log as well, which can be read
while it runs. The finished network is kept with its learning curve and its score on val; the test
split is read by another command, once.
"""

import hashlib
import inspect
import json
import time

import keras
import numpy as np

from authoring import long_training
from authoring.supervised import Supervised
from authoring.weights import sgemm_speed
from helpers import data, edges, metrics, pretrained, training
from helpers.checkpoint import code_versions, training_backup
from helpers.experiments import photo_views
from helpers.metrics.statistics import confidence_interval
from helpers.models.photo_networks import MULTIPLE
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy

EPOCH = 100  # steps between two states that are kept
TOLERANCE = 0.0075  # of the diagonal, for edges: the official one
LOOKS = "test_looks.jsonl"  # beside the kept networks: which of them were scored on test
RECIPES = {
    "bsds500": {
        "builder": "edge_network",
        "arguments": {},
        "outputs": {"sides": True},  # of the network in training only
        "shares": [1.0, 0.5, 0.5, 0.5, 0.5],  # of the outputs in the loss
        "crop": [256, 256],
        "crops": {"turn": True, "light": 0.2, "scale": 1.5, "share": True},
        "positive": 0.3,  # smallest share of annotators that makes an edge
        "batch_size": 8,
        "epochs": 240,
        "learning_rate": 0.002,
        "seed": 0,
    },
    "camvid": {
        "builder": "segmenter",
        "arguments": {"num_classes": 11},
        "outputs": {"auxiliary": True},
        "shares": [1.0, 0.4],
        "crop": [224, 288],
        "crops": {"light": 0.3, "colour": 0.25, "scale": 1.6},
        "balance": 0.5,  # a class counts by its share of the pixels to the power of minus this
        "batch_size": 10,
        "epochs": 180,
        "learning_rate": 0.003,
        "seed": 0,
    },
    "pets": {
        "builder": "segmenter",
        "arguments": {"num_classes": 3, "widths": [16, 32, 64]},
        "outputs": {"auxiliary": True},
        "shares": [1.0, 0.4],
        "size": [256, 256],  # all photographs are brought to it, and scored at it
        "crop": [192, 192],
        "crops": {"light": 0.3, "colour": 0.3, "scale": 1.6},
        "balance": 0.0,
        "batch_size": 12,
        "epochs": 120,
        "learning_rate": 0.003,
        "seed": 0,
    },
}
VIEWS = {  # what several views are, for the second score
    "bsds500": {"scales": [0.5, 1.0, 1.5], "mirror": False},
    "camvid": {"scales": [0.75, 1.0, 1.25], "mirror": True},
    "pets": {"scales": [1.0], "mirror": True},
}


def keep(name, recipe=None, learn="train", folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe and keep the network with its note.

    Args:
        name: of a set, and of a recipe in `RECIPES` unless one is given.
        recipe: a dictionary like those in `RECIPES`.
        learn: "train", or "train+val" for the second protocol of some published rows.
        folder: where the weights go, as `photo-<name>`, or `photo-<name>-trainval`.
        work: where the state of an unfinished training and its log lie; in the cache unless given.
        say: gets a line now and then.

    Returns:
        The note, a dictionary.
    """
    recipe = RECIPES[name] if recipe is None else recipe
    kept_as = kept_name(name, learn)
    if (folder / f"{kept_as}.npz").exists():
        raise ValueError(f"{folder} holds {kept_as}: remove it to train it again")
    work = data.cache_folder() / "kept" / "photographs" if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    known = [data.load(name, split, **_size(recipe)) for split in learn.split("+")]
    val = data.load(name, "val", limit=20, **_size(recipe))
    log = work / f"{name}-{learn}.log"

    def tell(line):
        with log.open("a", encoding="utf-8") as lines:
            lines.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        say(f"{name}: {line}")

    keras.utils.set_random_seed(recipe["seed"])
    loss = _loss(recipe, known)
    model = _network(recipe, loss)
    stream = _stream(recipe, known)
    epochs, step_pixels = recipe["epochs"], recipe["batch_size"] * np.prod(recipe["crop"])
    tell(f"{_single(recipe, model).count_params():,} weights, {epochs * EPOCH:,} steps; log: {log}")

    def row_told(row):
        done = row["epoch"] / epochs
        left = row["seconds"] * (1 / done - 1) / 60
        tell(
            f"step {row['epoch'] * EPOCH:,} of {epochs * EPOCH:,}, {row['score']:.3f} on "
            f"{len(val)} photographs of val, about {left:.0f} min left"
        )

    def resumed(epoch):
        tell(f"goes on after step {epoch * EPOCH:,}")

    rows, backup = long_training.fit(
        model,
        stream,
        epochs,
        work / f"{name}-{learn}",
        [recipe, learn, loss.get_config(), code_versions.short(inspect.getsource(type(loss)))],
        lambda model: score(_single(recipe, model), val, recipe, thresholds=33)["score"][0],
        row_told,
        resumed,
        every=max(1, epochs // 12),
    )
    kept = _single(recipe, model)
    note = {
        "dataset": name,
        "licence": known[0].licence,
        "class_names": known[0].class_names,
        "multiple": MULTIPLE,
        "learned_from": learn,
        "recipe": recipe,
        "learning_curve": rows,
        "gigapixels": float(epochs * EPOCH * step_pixels / 1e9),
        "minutes": backup.seconds / 60,
        "sgemm_gflops": sgemm_speed(),
    }
    about = {"builder": recipe["builder"], "arguments": recipe["arguments"]}
    pretrained.save(kept, kept_as, folder=folder, **about, **note)
    backup.remove()
    return note


def kept_name(name, learn="train"):
    """Of the files of a kept network."""
    return f"photo-{name}" + ("" if learn == "train" else "-trainval")


def score_kept(name, split, learn="train", folder=pretrained.FOLDER):
    """Score a kept network on a split, from one view and from several, and write it into its note.

    The test split is for one look, after the recipe was chosen on val. The look is written down
    before it is taken, and a second one at the same weights is refused.

    Returns:
        Dictionary from "one view" and "several views" to what `score` gives.
    """
    kept_as = kept_name(name, learn)
    network, note = pretrained.load(kept_as, folder)
    if network is None:
        raise ValueError(f"{folder} holds no {kept_as}: train it first")
    if split in note["learned_from"].split("+"):
        raise ValueError(f"{kept_as} learned from {split}: a score there would say little")
    if split == "test":
        _look(kept_as, folder)
    dataset = data.load(name, split, **_size(note["recipe"]))
    ways = {"one view": None, "several views": VIEWS[name]}
    found = {way: score(network, dataset, note["recipe"], views) for way, views in ways.items()}
    path = folder / f"{kept_as}.json"
    kept = json.loads(path.read_text("utf-8"))
    kept.setdefault("scores", {})[split] = {**found, "photographs": len(dataset)}
    training_backup.write_note(path, kept)
    return found


def _look(kept_as, folder):
    """Write down that these weights are scored on test, or refuse if they were."""
    digest = hashlib.sha256((folder / f"{kept_as}.npz").read_bytes()).hexdigest()
    looks = folder / LOOKS
    known = looks.read_text("utf-8").splitlines() if looks.exists() else []
    if digest in {json.loads(line)["weights"] for line in known}:
        raise ValueError(f"{kept_as} was scored on test before: {looks} says when")
    look = {"network": kept_as, "weights": digest, "day": time.strftime("%Y-%m-%d")}
    with looks.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(look) + "\n")


def score(network, dataset, recipe, views=None, thresholds=99):
    """Mean IoU of segments, or ODS of edges, with half a 95 % interval over photographs.

    Args:
        network: `(B, H, W, 3)` → logits, at any size.
        dataset: with masks, or with annotations.
        recipe: see `RECIPES`.
        views: options of `photo_views.probabilities`; the photograph as it is unless given.
        thresholds: of the edge benchmark.

    Returns:
        Dictionary: `score`, mean and half width, and `classes` or `ois` and `ap`.
    """
    shares = photo_views.probabilities(network, dataset.images, MULTIPLE, **(views or {}))
    if "positive" in recipe:
        maps = [edges.nms(share[..., 0].astype("float64")) for share in shares]
        found = edges.benchmark(maps, dataset.annotations, thresholds, TOLERANCE, progress=False)
        half = confidence_interval(edges.ods_by_image(found))[1]
        return {"score": [found.ods, half], "ois": found.ois, "ap": found.ap}
    answers = [share.argmax(axis=-1) for share in shares]
    classes, void = recipe["arguments"]["num_classes"], dataset.ignore_class
    by_image = metrics.mean_iou_by_image(dataset.masks, answers, classes, void)
    counts = sum(
        metrics.confusion_matrix(mask, one, classes, void)
        for mask, one in zip(dataset.masks, answers, strict=True)
    )
    ious = metrics.iou_of_counts(counts)
    half = confidence_interval(by_image)[1]
    return {"score": [float(np.nanmean(ious)), half], "classes": list(ious)}


def _network(recipe, loss):
    """The network in training, compiled."""
    arguments = {**recipe["arguments"], **recipe["outputs"]}
    arguments["image_shape"] = [*recipe["crop"], 3]
    network = pretrained.build(recipe["builder"], arguments)
    model = Supervised(network.inputs, network.outputs)
    model.shares, model.pixel_loss = recipe["shares"], loss
    steps = recipe["epochs"] * EPOCH
    rate = training.rise_and_fall(recipe["learning_rate"], steps, min(500, steps // 10))
    adam = keras.optimizers.AdamW(rate, weight_decay=0.02, global_clipnorm=1.0)
    adam.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(adam, jit_compile=False)
    return model


def _single(recipe, model):
    """A network of one output that reads any size, with the weights of the one in training."""
    arguments = {**recipe["arguments"], **recipe["outputs"]}
    whole = pretrained.build(recipe["builder"], arguments)
    whole.set_weights(model.get_weights())
    return keras.Model(whole.inputs, whole.outputs[0], name=whole.name)


def _loss(recipe, known):
    if "positive" in recipe:
        return EdgeCrossEntropy(balanced=True, positive=recipe["positive"])
    classes, void = recipe["arguments"]["num_classes"], known[0].ignore_class
    labels = np.concatenate([np.ravel(mask) for part in known for mask in part.masks])
    shares = np.bincount(labels, minlength=classes)[:classes] / len(labels)
    weights = np.maximum(shares, 1e-3) ** -recipe["balance"]
    return PixelCrossEntropy(classes, void, weights / weights.mean())


def _stream(recipe, known):
    """Random crops of all photographs, a batch as a function of seed, epoch and index."""
    pictures = [image for part in known for image in part.images]
    name = "edges" if "positive" in recipe else "masks"
    targets = [target for part in known for target in getattr(part, name)]
    return data.Crops(
        pictures,
        recipe["crop"],
        targets,
        EPOCH,
        recipe["batch_size"],
        recipe["seed"],
        **recipe["crops"],
    )


def _size(recipe):
    return {"size": tuple(recipe["size"])} if "size" in recipe else {}
