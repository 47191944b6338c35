"""What is said of a network for one's own pictures: its scores and its files."""

import keras
import numpy as np

from helpers import data, edges, metrics, pyramids
from helpers.experiments import photo_views

THRESHOLDS = 33  # of the edge benchmark
TOLERANCE = 0.0075  # of the diagonal: how far a found edge may be from a drawn one
CLOSE = 1e-4  # how far a reloaded network's answers may be off, as a share of the largest


def score_segments(network, known, held_out, multiple):
    """Scores as a dictionary, the answers, and a score of each held-out picture, `(N,)`."""
    num_classes, void = len(known.class_names), known.ignore_class
    logits = pyramids.predict_full_size(network, held_out.images, multiple)
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


def score_edges(network, known, held_out, multiple):
    """As `score_segments`, for edges: the ODS, and beside it that of Sobel."""
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
    told = {"ods": [found.ods, half], "threshold": found.ods_threshold, "floor": floor.ods}
    told["line"] = f"ODS {found.ods:.3f} ± {half:.3f}"
    return told, answers, by_picture


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
