"""What is said of a network for one's own pictures: its scores and its files."""

import json

import keras
import numpy as np

from helpers import data, edges, metrics, pyramids
from helpers.experiments import photo_views

THRESHOLDS = 33  # of the edge benchmark
TOLERANCE = 0.0075  # of the diagonal: how far a found edge may be from a drawn one
CLOSE = 1e-4  # how far a reloaded network's answers may be off, as a share of the largest


def layout(known, held_out):
    """Class maps of a floor, an answer without a look at the picture: one for each held-out one.

    Where all pictures have one size, it is the *layout*, the most common class at each place;
    elsewhere the most common class everywhere. Both are counted in the pictures to learn from.

    Args:
        known, held_out: `data.Dataset` with masks; those to learn from, and those for the score.

    Returns:
        (maps, name): a list of integer `(H, W)`, and "layout" or "one class everywhere".

    Examples:
        >>> from helpers.experiments import own_scores
        >>> masks = np.array([[[0, 1, 1]], [[0, 1, 0]], [[0, 0, 1]]], "uint8")
        >>> pictures = np.zeros((3, 1, 3, 3), "uint8")
        >>> known = data.Dataset("mine", "train", pictures, masks, ("ground", "thing"))
        >>> maps, name = own_scores.layout(known, known)
        >>> name, maps[0]
        ('layout', array([[0, 1, 1]]))
    """
    classes = range(len(known.class_names))  # pixels that do not count have none of these
    labels = np.concatenate([mask.ravel() for mask in known.masks])
    totals = [(labels == c).sum() for c in classes]
    common = int(np.argmax(totals))
    if len({mask.shape for part in (known, held_out) for mask in part.masks}) > 1:
        return [np.full(mask.shape, common) for mask in held_out.masks], "one class everywhere"
    counts = np.array([sum((mask == c).astype(int) for mask in known.masks) for c in classes])
    answer = np.where(counts.any(axis=0), counts.argmax(axis=0), common)  # (H, W)
    return [answer] * len(held_out), "layout"


def score_segments(network, known, held_out, multiple):
    """The mean IoU on held-out pictures, and by how much it lies above the floor.

    Args:
        network: `(B, H, W, 3)` → logits `(B, H, W, classes)`, at any size.
        known: `data.Dataset` with masks, the pictures to learn from.
        held_out: the same, the pictures for the score; two or more.
        multiple: of which the sides must be multiples; see `pyramids.predict_full_size`.

    Returns:
        (told, answers, by_picture): scores, JSON values; a class map `(H, W)` of each held-out
        picture; and a score of each, `(N,)`. In `told`, `mean_iou` and `above_floor` are a mean and
        half of its 95 % interval over pictures. The second is of the differences picture by picture,
        because the floor, see `layout`, is scored on the same pictures.
    """
    num_classes, void = len(known.class_names), known.ignore_class
    void = 255 if void is None else void
    logits = pyramids.predict_full_size(network, held_out.images, multiple)
    answers = [one.argmax(axis=-1) for one in logits]
    flat, name = layout(known, held_out)
    by_picture, floor = (
        metrics.mean_iou_by_image(held_out.masks, maps, num_classes, void)
        for maps in (answers, flat)
    )  # (N,) each
    told = {"mean_iou": list(metrics.confidence_interval(by_picture))}
    told["class_names"] = list(known.class_names)
    told["values"] = list(known.stored_values or range(num_classes))
    told |= {"floor": float(floor.mean()), "floor_is": name}
    told["above_floor"] = list(metrics.confidence_interval(by_picture - floor))
    told["line"] = _line("mean IoU", told["mean_iou"], told)
    return told, answers, by_picture


def score_edges(network, known, held_out, multiple):
    """As `score_segments`, for edges: the ODS, and as the floor that of Sobel with the best blur."""
    thresholds = np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
    answers = list(photo_views.edge_maps(network, held_out.images, multiple))
    found = edges.benchmark(answers, held_out.annotations, thresholds, TOLERANCE)
    setting = edges.tune_classical(
        "Sobel", known.images[:10], known.annotations[:10], (1, 2), max_distance=TOLERANCE
    )
    sobel = edges.classical_maps("Sobel", held_out.images, *setting, THRESHOLDS)
    floor = edges.benchmark(sobel, held_out.annotations, thresholds, TOLERANCE)
    by_picture = edges.ods_by_image(found)  # (N,)
    half = metrics.confidence_interval(by_picture)[1]
    apart = metrics.confidence_interval(by_picture - edges.ods_by_image(floor))[1]
    told = {"ods": [found.ods, half], "threshold": found.ods_threshold}
    told |= {"floor": floor.ods, "floor_is": "Sobel", "above_floor": [found.ods - floor.ods, apart]}
    told["line"] = _line("ODS", told["ods"], told)
    return told, answers, by_picture


def _line(name, score, told):
    """The score, the floor and their difference in one line."""
    value, half = score
    above, apart = told["above_floor"]
    if abs(above) <= apart:
        word = "not shown to be above it"
    else:
        word = "above it" if above > 0 else "below it"
    return (
        f"{name} {value:.3f} ± {half:.3f}; floor ({told['floor_is']}) {told['floor']:.3f}, "
        f"{word}: {above:+.3f} ± {apart:.3f}"
    )


def about(folder):
    """What `own_network.train` wrote of a network."""
    path = folder / "scores.json"
    if not path.exists():
        raise FileNotFoundError(f"{folder} has no trained network: `train` makes one.")
    try:
        kept = json.loads(path.read_text("utf-8"))
        return {key: kept[key] for key in ("side", "task")} | {"values": kept.get("values")}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged; train again. ({error})") from error


def network_of(folder):
    """The network that `own_network.train` made.

    Raises:
        ValueError: If its file is damaged.
    """
    path = folder / "network.keras"
    try:
        return keras.models.load_model(path)
    except Exception as error:  # Keras, zipfile and h5py have errors of their own
        raise ValueError(f"{path} is missing or damaged; train again. ({error})") from error


def save(network, out, image, multiple):
    """Write the network, and a SavedModel where TensorFlow runs; read both back and compare."""
    x = data.to_float(image)
    x = np.pad(x, [(0, -side % multiple) for side in x.shape[:2]] + [(0, 0)])[None]
    wanted = keras.ops.convert_to_numpy(network(x))
    network.save(out / "network.keras")
    back = keras.models.load_model(out / "network.keras")
    _same(keras.ops.convert_to_numpy(back(x)), wanted, out / "network.keras")
    if keras.backend.backend() != "tensorflow":
        return {"export": f"none: a SavedModel needs TensorFlow, not {keras.backend.backend()}"}
    import tensorflow as tf

    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it would print paths of this machine
    try:
        network.export(out / "export", verbose=False)
    finally:
        logger.setLevel(level)
    loaded = tf.saved_model.load(str(out / "export"))
    _same(loaded.serve(x).numpy(), wanted, out / "export")
    return {"export": "SavedModel"}


def _same(found, wanted, path):
    apart = np.abs(found - wanted).max()
    if not apart <= CLOSE * max(1.0, np.abs(wanted).max()):
        raise RuntimeError(
            f"{path} was written, and answers otherwise when read: {apart:.2g} apart"
        )
