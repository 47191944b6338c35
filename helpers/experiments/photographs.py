"""Train the networks for photographs, long, and score them: `make train-photographs SET=pets`.

A training can be stopped at any time and goes on from its last hundred steps. What it says goes to
a log as well, which can be read while it runs. Scores are another command: of val at any time, of
the test split once.
"""

import hashlib
import json
import time

import numpy as np

from helpers import data, edges, metrics, pretrained
from helpers.checkpoint import long_training, training_backup
from helpers.experiments import photo_recipes, photo_views
from helpers.metrics.statistics import confidence_interval
from helpers.photo_networks import MULTIPLE

LOOKS = "test_looks.jsonl"  # beside the kept networks: which of them were scored on test
LEARN = ("train", "train+val")


def keep(name, recipe=None, learn="train", folder=pretrained.FOLDER, work=None, say=print):
    """Train a recipe and keep the network with its note.

    Args:
        name: of a set, and of a recipe in `photo_recipes.RECIPES` unless one is given.
        recipe: a dictionary like those there.
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
    model, network = photo_recipes.networks(recipe)
    photo_recipes.compile_model(model, recipe, photo_recipes.loss_of(recipe, known))
    planned = recipe["epochs"] * recipe["steps_per_epoch"]
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
        photo_recipes.crops_of(recipe, known),
        recipe["epochs"],
        work / f"{name}-{learn}",
        [recipe, learn, photo_recipes.DECAY],
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


def score(network, dataset, recipe, views=None, thresholds=99, multiple=MULTIPLE):
    """Mean IoU of segments, or ODS of edges, with half a 95 % interval over photographs.

    Args:
        network: `(B, H, W, 3)` → logits, at any size.
        dataset: with masks, or with annotations.
        recipe: see `photo_recipes.RECIPES`.
        views: options of `photo_views.probabilities`; the photograph as it is unless given.
        thresholds: of the edge benchmark.
        multiple: of which the sides must be multiples; see `pyramids.predict_full_size`.

    Returns:
        Dictionary: `score`, mean and half width; of edges `ois` and `ap`; of segments `classes`,
        the IoU of each, and `floor`, the mean IoU of one class everywhere, the most common one.
    """
    shares = photo_views.probabilities(network, dataset.images, multiple, **(views or {}))
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
    truth = np.sum(counts, axis=0).sum(axis=1)  # (C,) pixels of each class
    floor = truth.max() / truth.sum() / np.count_nonzero(truth)
    return {"score": [float(np.nanmean(ious)), half], "classes": list(ious), "floor": floor}


def _recipe(name):
    recipes = photo_recipes.RECIPES
    if name not in recipes:
        raise ValueError(f"no recipe of this name: {name}. There are: {', '.join(recipes)}")
    return recipes[name]


def _size(recipe):
    return {"size": tuple(recipe["size"])} if "size" in recipe else {}
