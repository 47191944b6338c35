"""A network for pictures of one's own: trained, scored, saved and exported by one command.

    python -m helpers.experiments.own_network train my-folder my-network
    python -m helpers.experiments.own_network label my-network photographs answers

The folder is one of `data.load("folder")`, with masks or edges. Nothing is pretrained: the project
has not seen a pretraining as a VAE help here.
"""

import argparse
import dataclasses
import json
import math
import sys
import time
from pathlib import Path

import keras
import numpy as np

from helpers import checkpoint, data, edges, metrics, plots, pyramids
from helpers.data import images
from helpers.data.drawn import pictures
from helpers.experiments import photo_edges, photo_training
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy

PLAN = {"widths": [16, 24, 48, 72, 96], "depths": [1, 1, 2, 2, 2], "patches": [2, 2, 2, 2, 2]}
MULTIPLE = math.prod(PLAN["patches"])
CROP = 192  # largest side of a crop
THRESHOLDS = 33  # of the edge benchmark
TOLERANCE = 0.0075  # of the diagonal: how far a found edge may be from a drawn one
CLOSE = 1e-4  # how far a reloaded network's answers may be off


def read(folder, split, side):
    """A split of a folder with its pictures at most `side` pixels long.

    Args:
        folder, split: of `data.load("folder")`.
        side: longest side in pixels; smaller pictures stay as they are.

    Returns:
        A `data.Dataset` whose images, masks and annotations are lists.

    Raises:
        ValueError: If the folder has neither masks nor edges.
    """
    whole = data.load("folder", split, path=folder)
    if whole.masks is None and whole.annotations is None:
        raise ValueError(
            f"{folder} has pictures and nothing to learn from them: it needs a folder `masks` or a "
            "folder `edges` beside `images`, with a file for each picture."
        )
    sizes = [_fitting(image.shape[:2], side) for image in whole.images]
    scaled = {"images": list(map(images.resize_image, whole.images, sizes))}
    if whole.masks is not None:
        scaled["masks"] = list(map(images.resize_indices, whole.masks, sizes))
    if whole.annotations is not None:
        drawn = list(map(images.resize_boundaries, whole.annotations, sizes))
        scaled |= {"annotations": drawn, "edges": list(map(images.share, drawn))}
    return dataclasses.replace(whole, **scaled)


def train(folder, out, *, task="", epochs=40, steps=25, side=320, seed=0, say=print):
    """Train on a folder, score on its held-out pictures, and write everything into `out`.

    `out` gets `network.keras`, for pictures of any size whose sides are multiples of 32;
    `scores.json`; `worst.png`, the held-out pictures with the lowest scores; and, on TensorFlow,
    `export`, a SavedModel. A stopped training goes on from its last epoch.

    Args:
        folder: with masks or edges.
        out: folder that is made.
        task: "segments" or "edges"; "" takes masks where there are some.
        epochs, steps: the training has `epochs` × `steps` batches of eight crops.
        side: longest side of the pictures it works on, in pixels.
        seed: of first weights and crops.
        say: gets a line now and then.

    Returns:
        What `scores.json` has: scores with half widths of their 95 % intervals over pictures, the
        floor, the worst pictures, and seconds.

    Raises:
        FileExistsError: If `out` has a network already.
        ValueError: If the folder lacks what the task needs, or its pictures are too small.
    """
    started = time.perf_counter()
    if task not in ("", "segments", "edges"):
        raise ValueError(f"`task` must be 'segments' or 'edges'. Received: task={task!r}")
    out = Path(out)
    if (out / "network.keras").exists():
        raise FileExistsError(f"{out} has a network already: name another folder, or remove it.")
    known, held_out = read(folder, "train", side), read(folder, "val", side)
    task = task or ("edges" if known.masks is None else "segments")
    if (known.masks if task == "segments" else known.annotations) is None:
        raise ValueError(f"{folder} has no {'masks' if task == 'segments' else 'edges'}.")
    shortest = sorted(min(image.shape[:2]) for image in known.images)[len(known) // 10]
    crop = min(CROP, shortest // MULTIPLE * MULTIPLE)
    if not crop:
        raise ValueError(
            f"the pictures of {folder} are too small: at least nine in ten need {MULTIPLE} pixels a "
            f"side. Received: {shortest}"
        )
    out.mkdir(parents=True, exist_ok=True)
    say(f"{len(known)} pictures to learn from, {len(held_out)} held out, crops of {crop}×{crop}")
    store = checkpoint.ResultStore((out / "training").resolve())
    crops = {"crop": [crop, crop], "batch_size": 8, "scale": 1.4, "light": 0.2}
    options = {"pretrain": False, "vae_epochs": 0, "epochs": epochs, "steps": steps}
    options |= {"learning_rate": 0.003, "plan": PLAN, "seed": seed, "crops": crops}
    learned = _learned(known, task, crops)
    network, _ = photo_training.train_head(known.images, *learned, store, **options)
    score = _score_segments if task == "segments" else _score_edges
    told, answers, by_picture = score(network, known, held_out)
    worst = np.argsort(by_picture)[: min(4, len(by_picture))]
    told |= {"task": task, "side": side, "weights": network.count_params()}
    told |= {"pictures": len(known), "held_out": len(held_out), "steps": epochs * steps}
    told["worst"] = {held_out.ids[i]: float(by_picture[i]) for i in worst}
    _draw(out / "worst.png", held_out, answers, worst, task)
    told |= _save(network, out, held_out.images[0])
    told["seconds"] = time.perf_counter() - started
    (out / "scores.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    for path in sorted((out / "training").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (out / "training").rmdir()
    say(f"{told['line']}; floor {told['floor']:.3f}; {told['seconds']:.0f} s. All is in {out}.")
    return told


def label(network_folder, photographs, out, say=print):
    """Label a photograph, or each of a folder, with a network that `train` made.

    Args:
        network_folder: the `out` of `train`.
        photographs: an image file, or a folder of them.
        out: folder that is made; it gets a PNG for each photograph, at its size: the mask, with
            the values of the masks that the network learned from, or edges from 0 to 255.

    Returns:
        Paths of the files.

    Raises:
        FileNotFoundError: If there is no network, or there are no photographs.
    """
    folder, photographs, out = Path(network_folder), Path(photographs), Path(out)
    if not (folder / "scores.json").exists():
        raise FileNotFoundError(f"{folder} has no trained network: `train` makes one.")
    about = json.loads((folder / "scores.json").read_text("utf-8"))
    network = keras.models.load_model(folder / "network.keras")
    if not photographs.exists():
        raise FileNotFoundError(f"There is no {photographs}.")
    files = pictures(photographs) if photographs.is_dir() else [photographs]
    if not files:
        raise FileNotFoundError(f"{photographs} has no pictures.")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for path in files:
        photo = images.read_rgb(path, upright=True)
        small = images.resize_image(photo, _fitting(photo.shape[:2], about["side"]))
        if about["task"] == "segments":
            (logits,) = pyramids.predict_full_size(network, [small], MULTIPLE)
            classes = np.array(about["values"], "uint8")[logits.argmax(axis=-1)]
            answer = images.resize_indices(classes, photo.shape[:2])
        else:
            (strengths,) = photo_edges.edge_maps(network, [small], MULTIPLE)
            strengths = np.rint(255 * strengths).astype("uint8")
            answer = images.resize_image(strengths[..., None], photo.shape[:2])[..., 0]
        written.append(out / f"{path.stem}.png")
        images.Image.fromarray(answer).save(written[-1])
    say(f"{len(written)} answers are in {out}.")
    return written


def _fitting(size, side):
    scale = min(1.0, side / max(size))
    return tuple(max(1, round(scale * length)) for length in size)


def _learned(known, task, crops):
    """Targets, number of classes and loss; edges also change how crops are drawn."""
    if task == "edges":
        crops |= photo_edges.VARIED
        return known.edges, 1, EdgeCrossEntropy(balanced=True)
    num_classes, void = len(known.class_names), known.ignore_class
    labels = np.concatenate([mask.ravel() for mask in known.masks])
    counts = np.bincount(labels[labels != void] if void is not None else labels)
    shares = np.maximum(counts / counts.sum(), 1e-3)
    weights = np.ones(num_classes)
    weights[: len(shares)] = shares**-0.5
    return known.masks, num_classes, PixelCrossEntropy(num_classes, void, weights)


def _score_segments(network, known, held_out):
    num_classes, void = len(known.class_names), known.ignore_class
    logits = pyramids.predict_full_size(network, held_out.images, MULTIPLE)
    answers = [one.argmax(axis=-1) for one in logits]
    void = 255 if void is None else void
    by_picture = metrics.mean_iou_by_image(held_out.masks, answers, num_classes, void)  # (N,)
    labels = np.concatenate([mask.ravel() for mask in known.masks])
    common = np.bincount(labels[labels != void]).argmax()
    flat = [np.full(mask.shape, common) for mask in held_out.masks]
    value, half = metrics.confidence_interval(by_picture)
    told = {"mean_iou": [value, half], "class_names": list(known.class_names)}
    told["values"] = list(known.stored_values or range(num_classes))
    told["floor"] = metrics.mean_iou_by_image(held_out.masks, flat, num_classes, void).mean()
    told["line"] = f"mean IoU {value:.3f} ± {half:.3f}"
    return told, answers, by_picture


def _score_edges(network, known, held_out):
    thresholds = np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
    answers = list(photo_edges.edge_maps(network, held_out.images, MULTIPLE))
    found = edges.benchmark(answers, held_out.annotations, thresholds, TOLERANCE)
    setting = edges.tune_classical(
        "Sobel", known.images[:10], known.annotations[:10], (1, 2), max_distance=TOLERANCE
    )
    sobel = edges.classical_maps("Sobel", held_out.images, *setting, THRESHOLDS)
    floor = edges.benchmark(sobel, held_out.annotations, thresholds, TOLERANCE)
    by_picture = edges.ods_by_image(found)  # (N,)
    half = metrics.confidence_interval(by_picture)[1]
    told = {"ods": [found.ods, half], "floor": floor.ods}
    told["line"] = f"ODS {found.ods:.3f} ± {half:.3f}"
    return told, answers, by_picture


def _draw(path, held_out, answers, worst, task):
    rows = [[held_out.images[i] for i in worst]]
    if task == "segments":
        rows += [
            [
                plots.mask_to_rgb(maps[i], len(held_out.class_names), held_out.ignore_class)
                for i in worst
            ]
            for maps in (held_out.masks, answers)
        ]
    else:
        rows += [[1 - held_out.edges[i] / 255 for i in worst], [1 - answers[i] for i in worst]]
    names = ["picture", "by people", "by the network"]
    fig = plots.image_grid(rows, row_labels=names, column_labels=[held_out.ids[i] for i in worst])
    fig.savefig(path, bbox_inches="tight")


def _save(network, out, image):
    """Writes the network, and a SavedModel where TensorFlow runs; both are read back and compared."""
    x = data.to_float(image)
    x = np.pad(x, [(0, -side % MULTIPLE) for side in x.shape[:2]] + [(0, 0)])[None]
    wanted = keras.ops.convert_to_numpy(network(x))
    network.save(out / "network.keras")
    back = keras.models.load_model(out / "network.keras")
    _same(keras.ops.convert_to_numpy(back(x)), wanted, out / "network.keras")
    if keras.backend.backend() != "tensorflow":
        return {"export": f"none: a SavedModel needs TensorFlow, not {keras.backend.backend()}"}
    import tensorflow as tf

    network.export(out / "export", verbose=False)
    loaded = tf.saved_model.load(str(out / "export"))
    _same(loaded.serve(x).numpy(), wanted, out / "export")
    return {"export": "SavedModel"}


def _same(found, wanted, path):
    apart = np.abs(found - wanted).max()
    if not apart <= CLOSE:
        raise RuntimeError(
            f"{path} was written, and answers otherwise when read: {apart:.2g} apart"
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("train", help="train on a folder with masks or edges")
    make.add_argument("folder")
    make.add_argument("out")
    make.add_argument("--task", choices=("segments", "edges"), default="")
    for name, value, says in (
        ("epochs", 40, "of the training"),
        ("steps", 25, "batches in an epoch"),
        ("side", 320, "longest side of the pictures, in pixels"),
        ("seed", 0, "of first weights and crops"),
    ):
        make.add_argument(f"--{name}", type=int, default=value, help=f"{says} ({value})")
    apply = commands.add_parser("label", help="label photographs with a trained network")
    for name in ("network_folder", "photographs", "out"):
        apply.add_argument(name)
    options = vars(parser.parse_args(arguments))
    command = {"train": train, "label": label}[options.pop("command")]
    try:
        command(**options)
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
