"""Train the networks for photographs, long: `make train-photographs SET=camvid`, or bsds500, or pets.

A recipe is one long training from scratch, chosen on the val split. It can be stopped at any time
and goes on from its last hundred steps. What it says goes to a log as well, which can be read
while it runs. Scores are another command: of val at any time, of the test split once.
"""

import hashlib
import json
import time

import keras
import numpy as np

from authoring import long_training
from helpers import data, edges, metrics, pretrained, training
from helpers.checkpoint import training_backup
from helpers.experiments import photo_edges, photo_views
from helpers.metrics.statistics import confidence_interval
from helpers.photo_networks import MULTIPLE
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy, class_weights

EPOCH = 100  # steps between two states that are kept
LOOKS = "test_looks.jsonl"  # beside the kept networks: which of them were scored on test
LEARN = ("train", "train+val")
RECIPES = {
    "bsds500": {
        "task": "edges",
        "builder": "edge_network",
        "arguments": {},
        "outputs": {"sides": True},  # of the network in training only
        "shares": [1.0, 0.5, 0.5, 0.5, 0.5],  # of the outputs in the loss
        "crop": [256, 256],
        "crops": {**photo_edges.VARIED, "scale": 1.5},
        "positive": 0.3,  # smallest share of annotators that makes an edge
        "batch_size": 8,
        "epochs": 160,
        "learning_rate": 0.002,
        "seed": 0,
        "views": {"scales": [0.5, 1.0, 1.5]},  # of the score from several views
    },
    "camvid": {
        "task": "segments",
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
        "views": {"scales": [0.75, 1.0, 1.25], "mirror": True},
    },
    "pets": {
        "task": "segments",
        "builder": "segmenter",
        "arguments": {"num_classes": 3, "widths": [16, 32, 64]},
        "outputs": {"auxiliary": True},
        "shares": [1.0, 0.4],
        "size": [256, 256],  # all photographs are brought to it, and scored at it
        "crop": [192, 192],
        "crops": {"light": 0.3, "colour": 0.3, "scale": 1.6},
        "balance": 0.0,
        "batch_size": 12,
        "epochs": 80,
        "learning_rate": 0.003,
        "seed": 0,
        "views": {"mirror": True},
    },
}
DECAY = {"weight_decay": 0.02, "exclude": ["bias", "gamma", "beta"]}


def keep(name, recipe=None, learn="train", folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe and keep the network with its note.

    Args:
        name: of a set, and of a recipe in `RECIPES` unless one is given.
        recipe: a dictionary like those in `RECIPES`.
        learn: "train", or "train+val" for the second protocol of some published rows. The curve
            has a score of 20 photographs of val in the first case, and none in the second.
        folder: where the weights go, as `photo-<name>`, or `photo-<name>-trainval`.
        work: where the state of an unfinished training and its log lie; in the cache unless given.
        say: gets a line now and then.

    Returns:
        The note, a dictionary.

    Raises:
        ValueError: If there is no such recipe or protocol, the network is kept already, or the
            training diverged.
    """
    recipe = _recipe(name) if recipe is None else recipe
    kept_as = kept_name(name, learn)
    if (folder / f"{kept_as}.npz").exists():
        raise ValueError(f"{folder} holds {kept_as}: remove it to train it again")
    work = data.cache_folder() / "kept" / "photographs" if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    log = work / f"{name}-{learn}.log"

    def tell(line):
        with log.open("a", encoding="utf-8") as lines:
            lines.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        say(f"{name}: {line}")

    known = [data.load(name, split, **_size(recipe)) for split in learn.split("+")]
    held_out = data.load(name, "val", limit=20, **_size(recipe)) if learn == "train" else None
    keras.utils.set_random_seed(recipe["seed"])
    model = pretrained.build(recipe["builder"], {**recipe["arguments"], **recipe["outputs"]})
    network = keras.Model(model.inputs, model.outputs[0], name=model.name)  # of the same layers
    _compile(model, recipe, _loss(recipe, known))
    planned = recipe["epochs"] * EPOCH
    tell(f"{network.count_params():,} weights, {planned:,} steps; log: {log}")

    def score_now(_):
        return score(network, held_out, recipe, thresholds=33)["score"][0] if held_out else None

    def tell_row(row):
        left = row["seconds"] * (planned / row["steps"] - 1) / 60
        scored = f"{row['score']:.3f} on {len(held_out)} photographs of val, " if held_out else ""
        loss = f"loss {row['loss']:.4f}"
        tell(f"step {row['steps']:,} of {planned:,}, {loss}, {scored}about {left:.0f} min left")

    rows, backup = long_training.fit(
        model,
        _stream(recipe, known),
        recipe["epochs"],
        work / f"{name}-{learn}",
        [recipe, learn, DECAY],
        score=score_now,
        tell=tell_row,
        resumed=lambda done: tell(f"goes on after step {done:,}"),
        every=max(1, recipe["epochs"] // 12),
    )
    note = {
        "dataset": name,
        "licence": known[0].licence,
        "class_names": known[0].class_names,
        "learned_from": learn,
        "recipe": recipe,
        "steps": planned,
        "learning_curve": rows,
        "gigapixels": planned * recipe["batch_size"] * float(np.prod(recipe["crop"])) / 1e9,
        "minutes": backup.seconds / 60,
        **long_training.made_with(),
    }
    about = {"builder": recipe["builder"], "arguments": recipe["arguments"]}
    pretrained.save(network, kept_as, folder=folder, **about, **note)
    backup.remove()
    return note


def kept_name(name, learn="train"):
    """Of the files of a kept network."""
    if learn not in LEARN:
        raise ValueError(f"`learn` must be one of {', '.join(LEARN)}. Received: {learn!r}")
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
    recipe = note["recipe"]
    dataset = data.load(name, split, **_size(recipe))
    if split == "test":
        _look(kept_as, folder)
    ways = {"one view": {}, "several views": recipe["views"]}
    found = {way: score(network, dataset, recipe, views) for way, views in ways.items()}
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
    if recipe["task"] == "edges":
        maps = (share[..., 0] for share in shares)
        found = edges.benchmark(maps, dataset.annotations, thresholds, nms=True, progress=False)
        half = confidence_interval(edges.ods_by_image(found))[1]
        return {"score": [found.ods, half], "ois": found.ois, "ap": found.ap}
    classes, void = recipe["arguments"]["num_classes"], dataset.ignore_class
    counts = [
        metrics.confusion_matrix(mask, share.argmax(axis=-1), classes, void)
        for mask, share in zip(dataset.masks, shares, strict=True)
    ]
    ious = metrics.iou_of_counts(np.sum(counts, axis=0))
    half = confidence_interval(metrics.mean_iou_of_counts(counts))[1]
    return {"score": [float(np.nanmean(ious)), half], "classes": list(ious)}


def _recipe(name):
    if name not in RECIPES:
        raise ValueError(f"no recipe of this name: {name}. There are: {', '.join(RECIPES)}")
    return RECIPES[name]


def _compile(model, recipe, loss):
    rate = training.rise_and_fall(recipe["learning_rate"], recipe["epochs"] * EPOCH, 500)
    adam = keras.optimizers.AdamW(rate, weight_decay=DECAY["weight_decay"], global_clipnorm=1.0)
    adam.exclude_from_weight_decay(var_names=DECAY["exclude"])
    # XLA makes these convolutions two to ten times slower on a CPU with TensorFlow; JAX needs it.
    xla = keras.backend.backend() == "jax"
    losses = [loss] * len(model.outputs)
    model.compile(adam, losses, loss_weights=recipe["shares"], jit_compile=xla)


def _loss(recipe, known):
    if recipe["task"] == "edges":
        return EdgeCrossEntropy(balanced=True, positive=recipe["positive"])
    classes, void = recipe["arguments"]["num_classes"], known[0].ignore_class
    masks = [mask for part in known for mask in part.masks]
    return PixelCrossEntropy(classes, void, class_weights(masks, classes, void, recipe["balance"]))


def _stream(recipe, known):
    """Random crops of all photographs, a batch as a function of seed, epoch and index."""
    name = "edges" if recipe["task"] == "edges" else "masks"
    return data.Crops(
        [image for part in known for image in part.images],
        recipe["crop"],
        [target for part in known for target in getattr(part, name)],
        EPOCH,
        recipe["batch_size"],
        recipe["seed"],
        copies=len(recipe["shares"]),
        **recipe["crops"],
    )


def _size(recipe):
    return {"size": tuple(recipe["size"])} if "size" in recipe else {}
