"""A network for pictures of one's own: trained, scored, saved and exported by one command.

    python -m helpers.experiments.own_network train my-folder my-network
    python -m helpers.experiments.own_network label my-network photographs answers

The folder is one of `data.load("folder")`, with masks or edges. Nothing is pretrained: the project
has not seen a pretraining as a VAE help here.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from helpers import data, plots
from helpers.checkpoint import long_training
from helpers.data import images, scaled
from helpers.data.drawn import pictures
from helpers.experiments import own_scores, photo_recipes, photo_views
from helpers.photo_networks import MULTIPLE

CROP = 192  # largest side of a crop
UNFINISHED = ".training"  # folder of a training that is not finished, in the network's folder


def read(folder, split, side, **masks):
    """A split of a folder with its pictures at most `side` pixels long.

    Args:
        folder, split: of `data.load("folder")`.
        side: longest side in pixels; smaller pictures stay as they are.
        **masks: `class_names` and `ignore_class` of `data.load("folder")`.

    Returns:
        A `data.Dataset` whose images, masks and annotations are lists.

    Raises:
        ValueError: If the folder has neither masks nor edges.
    """
    whole = data.load("folder", split, path=folder, **masks)
    if whole.masks is None and whole.annotations is None:
        raise ValueError(
            f"{folder} has pictures and nothing to learn from them: it needs a folder `masks` or a "
            "folder `edges` beside `images`, with a file for each picture."
        )
    return scaled.at_most(whole, side)


def train(
    folder,
    out,
    *,
    task="",
    epochs=40,
    steps=25,
    side=320,
    seed=0,
    say=print,
    class_names=None,
    ignore_class=None,
):
    """Train on a folder, score on its held-out pictures, and write everything into `out`.

    `out` gets `network.keras`, for pictures of any size whose sides are multiples of 8;
    `scores.json`; on TensorFlow, `export`, a SavedModel; and `worst.png`, the held-out pictures
    with the lowest scores, where there are colours enough for the classes. A stopped training
    goes on from its last epoch.

    Args:
        folder: with masks or edges.
        out: folder that is made; empty, or that of a stopped training.
        task: "segments" or "edges"; "" takes masks where there are some.
        epochs, steps: the training has `epochs` × `steps` batches of eight crops.
        side: longest side of the pictures it works on, in pixels.
        seed: of first weights and crops.
        say: gets a line now and then.
        class_names: names of the values in masks, a dictionary, where they do not tell themselves.
        ignore_class: the value of pixels that do not count.

    Returns:
        What `scores.json` has: scores with half widths of their 95 % intervals over pictures, the
        floor, the worst pictures, and seconds.

    Raises:
        FileExistsError: If `out` holds anything else.
        ValueError: If the folder lacks what the task needs, its pictures are too small, fewer
            than two of those held out have a pixel that counts (an edge), or a number is out of
            its range.
    """
    out, unfinished = Path(out), Path(out) / UNFINISHED
    if task not in ("", "segments", "edges"):
        raise ValueError(f"`task` must be 'segments' or 'edges'. Received: task={task!r}")
    counts = {"epochs": (epochs, 1), "steps": (steps, 1), "side": (side, MULTIPLE)}
    for name, (value, least) in counts.items():
        if value < least:
            raise ValueError(f"`{name}` must be at least {least}. Received: {name}={value!r}")
    if out.resolve().is_relative_to(Path(folder).resolve()):
        raise ValueError(f"{out} lies in {folder}: name a folder elsewhere for the network.")
    if out.exists() and any(out.iterdir()) and not unfinished.exists():
        raise FileExistsError(f"{out} is not empty: name another folder for the network.")
    masks = {"class_names": class_names, "ignore_class": ignore_class}
    known, held_out = (read(folder, split, side, **masks) for split in ("train", "val"))
    task = task or ("edges" if known.masks is None else "segments")
    kind, drawn, void, what = "masks", "masks", held_out.ignore_class, "a pixel that counts"
    if task == "edges":
        kind, drawn, void, what = "edges", "annotations", 0, "an edge"
    if any(getattr(part, drawn) is None for part in (known, held_out)):
        raise ValueError(f"{folder} has no {kind}, or not in both of train/ and val/.")
    if task == "edges" and not any(map(np.any, known.edges)):
        raise ValueError("no edge is drawn in the pictures to learn from: all edge maps are 0.")
    there = [np.any(target != void) for target in getattr(held_out, drawn)]
    if sum(there) < 2:
        without = [held_out.ids[i] for i in np.flatnonzero(~np.array(there))][:5]
        raise ValueError(
            f"{folder} has too few pictures: scores need two that are held out and have {what}, "
            f"so ten in all, or two in val/. Received: {len(known)} to learn from, "
            f"{len(held_out)} held out, of these without {what}: {', '.join(without) or 'none'}"
        )
    thin = [name for name, x in zip(held_out.ids, held_out.images) if min(x.shape[:2]) < 2]
    if task == "edges" and thin:
        raise ValueError(f"{thin[0]} is a single row of pixels, which has no edges: take it away.")
    shortest = sorted(min(image.shape[:2]) for image in known.images)[len(known) // 10]
    crop = min(CROP, shortest // MULTIPLE * MULTIPLE)
    if not crop:
        raise ValueError(
            f"the pictures of {folder} are too small: at least nine in ten need {MULTIPLE} pixels a "
            f"side, when the longer one is at most {side}. Received: {shortest}"
        )
    classes = len(known.class_names) if task == "segments" else 1
    changes = {"epochs": epochs, "steps_per_epoch": steps, "seed": seed}
    recipe = photo_recipes.own(task, classes, [crop, crop], **changes)
    model, network = photo_recipes.networks(recipe)
    photo_recipes.compile_model(model, recipe, photo_recipes.loss_of(recipe, [known]))
    unfinished.mkdir(parents=True, exist_ok=True)
    small = sum(min(image.shape[:2]) < crop for image in known.images)
    say(
        f"{len(known) - small} pictures to learn from, {len(held_out)} held out, crops of {crop}×{crop}"
        + (f"; {small} smaller ones are left out" if small else "")
    )
    if task == "segments":
        say(f"{classes} classes: {', '.join(known.class_names[:12])}{', …' * (classes > 12)}")
    planned = epochs * steps

    def tell(row):
        left = row["seconds"] * (planned / row["steps"] - 1) / 60  # of all sittings
        say(f"step {row['steps']:,} of {planned:,}, loss {row['loss']:.4f}, {left:.1f} min left")

    _, backup = long_training.fit(
        model,
        photo_recipes.crops_of(recipe, [known]),
        epochs,
        unfinished / "training",
        [recipe, photo_recipes.DECAY],
        tell=tell,
        resumed=lambda done: say(f"goes on after step {done:,}"),
        every=max(1, epochs // 5),
    )
    trained = time.perf_counter()
    score = own_scores.score_segments if task == "segments" else own_scores.score_edges
    told, answers, by_picture = score(network, known, held_out, MULTIPLE)
    worst = np.argsort(by_picture)[: min(4, len(by_picture))]
    told |= {"task": task, "side": side, "weights": network.count_params()}
    told |= {"pictures": len(known) - small, "held_out": len(held_out), "steps": epochs * steps}
    told["worst"] = {held_out.ids[i]: float(by_picture[i]) for i in worst}
    told |= own_scores.save(network, out, held_out.images[0], MULTIPLE)
    told["seconds"] = backup.seconds + time.perf_counter() - trained  # of all sittings
    (unfinished / "scores.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    (unfinished / "scores.json").replace(out / "scores.json")
    try:  # when all else is kept, as it is the least
        fig = plots.worst_pictures(held_out, answers, worst, task)
        fig.savefig(out / "worst.png", bbox_inches="tight")
    except ValueError as error:  # more classes than colours
        say(f"worst.png is not drawn: {error}")
    shutil.rmtree(unfinished)
    say(f"{told['line']}; {told['seconds']:.0f} s. All is in {out}.")
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
        FileExistsError: If a file of an answer is there: it may be a mask that somebody drew.
        ValueError: If `out` has the photographs or a network, or no photograph can be read.
    """
    folder, photographs, out = Path(network_folder), Path(photographs), Path(out)
    about = own_scores.about(folder)
    if not photographs.exists():
        raise FileNotFoundError(f"There is no {photographs}.")
    files = pictures(photographs) if photographs.is_dir() else [photographs]
    if not files:
        raise FileNotFoundError(f"{photographs} has no pictures.")
    homes = [files[0].parent.resolve(), *(Path(os.path.realpath(p)).parent for p in files)]
    if out.resolve() in homes:  # realpath: `resolve` fails at a link to itself
        raise ValueError(f"{out} has the photographs: name another folder for the answers.")
    if any((out / name).exists() for name in ("network.keras", "scores.json")):
        raise ValueError(f"{out} holds a network: name another folder for the answers.")
    targets = [out / f"{path.stem}.png" for path in files]
    for target in filter(os.path.lexists, targets):
        raise FileExistsError(f"{target} is there already: name a new folder for the answers.")
    network = own_scores.network_of(folder)
    out.mkdir(parents=True, exist_ok=True)
    read_as = []  # the file of the answer, for each photograph that can be read

    def readable():
        for path, target in zip(files, targets):
            try:
                photo = images.read_rgb(path, upright=True)
            except (OSError, ValueError) as error:  # the others are labelled all the same
                say(f"left out: {error}")
                continue
            read_as.append(target)
            yield photo

    written = []
    values = about["values"] if about["task"] == "segments" else None
    for answer in photo_views.as_drawn(network, readable(), MULTIPLE, about["side"], values):
        written.append(read_as[len(written)])
        images.Image.fromarray(answer).save(written[-1])
    if not written:
        raise ValueError(f"no photograph of {photographs} could be read: nothing is labelled.")
    say(f"{len(written)} of {len(files)} photographs are labelled in {out}.")
    return written


def _named(text):
    """`{0: "road", 7: "car"}` of "0=road,7=car"."""
    try:
        pairs = [entry.split("=") for entry in text.split(",")]
        values = [int(value) for value, _ in pairs]
        if len(set(values)) < len(values):
            message = f"a value is given twice. Received: {text!r}"
            raise argparse.ArgumentTypeError(message)
        return {int(value): name.strip() for value, name in pairs}
    except ValueError:
        message = f"say it like 0=road,7=car. Received: {text!r}"
        raise argparse.ArgumentTypeError(message) from None


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
    make.add_argument(
        "--classes", dest="class_names", type=_named, help="masks' values: 0=road,7=car"
    )
    make.add_argument(
        "--void", dest="ignore_class", type=int, help="value of pixels that do not count"
    )
    apply = commands.add_parser("label", help="label photographs with a trained network")
    for name in ("network_folder", "photographs", "out"):
        apply.add_argument(name)
    options = vars(parser.parse_args(arguments))
    name = options.pop("command")
    if Path(options["out"]).is_file():
        parser.error(f"{options['out']} is a file: name a folder.")
    if hasattr(sys.stdout, "reconfigure"):  # a name that is not UTF-8 ends no command
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        {"train": train, "label": label}[name](**options)
    except KeyboardInterrupt:
        again = "to label all of them, name a new folder"
        if name == "train":
            again = "the same command goes on where it was"
        print(f"stopped; {again}", file=sys.stderr)
        sys.exit(130)
    except (FloatingPointError, OSError, RuntimeError, ValueError) as error:
        of_masks = [word for word in ("ignore_class", "class_names") if word in str(error)]
        says = "\nHere ignore_class=V is --void V, and class_names={0: 'a'} is --classes 0=a."
        sys.exit(f"{error}{says if of_masks else ''}")


if __name__ == "__main__":
    main()
