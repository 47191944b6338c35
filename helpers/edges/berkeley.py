"""The Berkeley boundary benchmark, over any iterable of predictions."""

import os
import time
from itertools import islice, zip_longest

import numpy as np

from helpers.edges.finished_images import Checkpoint, image_key
from helpers.edges.matching import Matcher
from helpers.edges.scores import score
from helpers.edges.thinning import nms as suppress
from helpers.edges.thinning import thin
from helpers.progress import bar as drawn

# With `workers=None` a single process works for this long before it calls for others.
ALONE_SECONDS = 5.0
# Images that wait for each worker process.
QUEUE = 8

_MISSING = object()


def benchmark(
    predictions,
    annotations,
    thresholds=99,
    max_distance=0.0075,
    nms=False,
    workers=None,
    *,
    checkpoint=None,
    progress=None,
):
    """Scores edge maps against several people's annotations, the Berkeley way.

    At each threshold t the pixels with prediction ≥ t are thinned to lines one
    pixel wide and paired one to one with each annotator's pixels, no farther
    apart than `max_distance` times the image's diagonal. Recall counts the
    annotated pixels with a partner, summed over the annotators; precision counts
    the predicted pixels with a partner among at least one annotator's.

    Args:
        predictions: iterable of (H, W) floats in [0, 1], one edge map an image; a
            generator will do, images may differ in size.
        annotations: iterable of (A, H, W) of 0 and 1, the A ≥ 1 annotators' maps of
            each image; A may differ.
        thresholds: a number T for 1/(T+1), …, T/(T+1), or increasing values in (0, 1].
        max_distance: largest distance of a pair, as a share of the diagonal. BSDS500:
            0.0075, which is 4.3 pixels at 481×321. At 64×64 that is less than one pixel
            and forgives nothing; 0.03 is 2.7 pixels there.
        nms: whether to apply non-maximum suppression, `nms(map)`, to each prediction first.
        workers: processes to use. None: one for the first seconds, then one per CPU core
            (so small evaluations start no process).
        checkpoint: path of a file that keeps finished images. The same call finds them
            there and goes on with the others.
        progress: whether to show a progress bar; None: where somebody watches.

    Returns:
        `BenchmarkResult` with `ods`, `ois`, `ap`, the curve and the counts per image.

    Raises:
        ValueError: for bad input, naming the image by its index.

    References:
        Arbeláez, Maire, Fowlkes and Malik, Contour detection and hierarchical image
        segmentation, PAMI 33(5), 2011, https://doi.org/10.1109/TPAMI.2010.161
        Martin, Fowlkes and Malik, Learning to detect natural image boundaries using local
        brightness, color, and texture cues, PAMI 26(5), 2004,
        https://doi.org/10.1109/TPAMI.2004.1273918
    """
    thresholds = check_thresholds(thresholds)
    if not 0 < max_distance < 1:
        raise ValueError(
            "`max_distance` is a share of the image's diagonal, between 0 and 1. "
            f"Received: max_distance={max_distance}"
        )
    if workers is not None and (workers != int(workers) or workers < 1):
        raise ValueError(f"`workers` must be None or at least 1. Received: workers={workers}")

    settings = (tuple(thresholds.tolist()), float(max_distance), bool(nms))
    store = Checkpoint(checkpoint) if checkpoint is not None else None
    total = next((len(x) for x in (annotations, predictions) if hasattr(x, "__len__")), None)
    counts, keys = {}, {}

    def waiting():  # the images that have to be evaluated
        for index, prediction, maps in _checked(predictions, annotations):
            if store is not None:
                keys[index] = image_key(prediction, maps, settings)
                if keys[index] in store.done:
                    counts[index] = store.done[keys[index]]
                    bar.update()
                    continue
            yield index, prediction, maps, settings

    with drawn(total, "edge benchmark", "image", shown=progress) as bar:
        for index, found in _evaluate(waiting(), workers):
            counts[index] = found
            if store is not None:
                store.add(keys[index], index, found)
            bar.update()
    if not counts:
        raise ValueError("There is no image to score. Received: empty predictions and annotations")
    return score(thresholds, np.stack([counts[index] for index in sorted(counts)]))


def human_level(annotations, max_distance=0.0075, workers=None, *, progress=None):
    """How well the annotators predict each other.

    Each annotator's map in turn takes the place of a prediction and is scored
    against the *other* annotators of that image; the counts are summed.

    Args:
        annotations: iterable of (A, H, W) of 0 and 1, A ≥ 2.
        max_distance, workers, progress: as for `benchmark`.

    Returns:
        `BenchmarkResult` with one threshold. `ods` is the human F; `per_image` is
        (N, 1, 4), summed over the annotators of an image.
    """
    maps, others, owner = [], [], []
    for index, image in enumerate(annotations):
        image = _check_annotations(index, np.asarray(image))
        if len(image) < 2:
            raise ValueError(
                f"Image {index} has a single annotator, so there is nobody to compare with. "
                "Leave this image out."
            )
        for person in range(len(image)):
            maps.append(image[person].astype(np.float32))
            others.append(np.delete(image, person, axis=0))
            owner.append(index)
    result = benchmark(maps, others, [0.5], max_distance, workers=workers, progress=progress)
    per_image = np.zeros((owner[-1] + 1, 1, 4), np.int64)
    np.add.at(per_image, owner, result.per_image)
    return score(result.thresholds, per_image)


def image_counts(prediction, annotations, thresholds, max_distance, nms=False):
    """Counts (T, 4) of one checked image; see `BenchmarkResult.per_image`."""
    if nms:
        prediction = suppress(prediction)
    radius = max_distance * np.hypot(*prediction.shape)
    matcher = Matcher(annotations, radius)
    counts = np.zeros((len(thresholds), 4), np.int64)
    counts[:, 1] = annotations.sum()
    above = np.searchsorted(np.sort(prediction, axis=None), thresholds)  # pixels below each
    for step, threshold in enumerate(thresholds):
        if step and above[step] == above[step - 1]:
            counts[step] = counts[step - 1]  # the very same map
            continue
        pixels = np.flatnonzero(thin(prediction >= threshold))
        paired = matcher.match(pixels)
        counts[step, 0] = paired.sum()
        counts[step, 2:] = paired.any(axis=0).sum(), len(pixels)
    return counts


def check_thresholds(thresholds):
    """The thresholds as an increasing float array (T,); an int T means k / (T + 1)."""
    if np.ndim(thresholds) == 0 and thresholds == int(thresholds) and thresholds >= 1:
        # The official code steps from the first to the last. The last bit counts: an
        # 8-bit map's value may equal the threshold.
        count, first = int(thresholds), 1 / (int(thresholds) + 1)
        return first + np.arange(count) * (1 - first - first) / max(count - 1, 1)
    values = np.asarray(thresholds, float)
    good = values.ndim == 1 and len(values) and values[0] > 0 and values[-1] <= 1
    if not (good and np.all(np.diff(values) > 0)):
        raise ValueError(
            "`thresholds` must be a whole number, at least 1, or increasing values in (0, 1]. "
            f"Received: thresholds={thresholds}"
        )
    return values


def _evaluate(tasks, workers):
    """Yields `(index, counts)` of each task, in this process or in several."""
    if workers is None:
        started = time.monotonic()
        for task in tasks:
            yield _run(task)
            if time.monotonic() - started > ALONE_SECONDS:
                break
        workers = _cores()
    if workers == 1:
        yield from map(_run, tasks)
        return
    # Input is drawn in this thread and in waves, so that an error in it, or a
    # network that makes the predictions, stays in the caller's hands.
    wave = list(islice(tasks, QUEUE * workers))
    if not wave:
        return
    from joblib import Parallel, delayed

    with Parallel(n_jobs=workers, return_as="generator_unordered") as parallel:
        while wave:
            yield from parallel(delayed(_run)(task) for task in wave)
            wave = list(islice(tasks, QUEUE * workers))


def _run(task):
    index, prediction, annotations, settings = task
    return index, image_counts(prediction, annotations, np.array(settings[0]), *settings[1:])


def _cores():
    try:
        return len(os.sched_getaffinity(0))  # what a container or scheduler grants
    except AttributeError:
        return os.cpu_count() or 1


def _checked(predictions, annotations):
    """Yields `(index, prediction, annotations)` of every image, or says what is wrong."""
    pairs = zip_longest(predictions, annotations, fillvalue=_MISSING)
    for index, (prediction, maps) in enumerate(pairs):
        if prediction is _MISSING:
            raise ValueError(f"Image {index} has annotations but no prediction.")
        if maps is _MISSING:
            raise ValueError(f"Image {index} has a prediction but no annotations.")
        maps = _check_annotations(index, np.asarray(maps))
        prediction = np.asarray(prediction)
        if prediction.shape != maps.shape[1:]:
            raise ValueError(
                f"Image {index}: the prediction must have the annotations' shape (H, W) = "
                f"{maps.shape[1:]}. Received: shape={prediction.shape}"
            )
        if prediction.dtype.kind not in "biuf":
            raise ValueError(
                f"Image {index}: the prediction must hold numbers. Received: {prediction.dtype}"
            )
        if np.isnan(prediction).any():
            raise ValueError(f"Image {index}: the prediction contains NaN.")
        low, high = prediction.min(), prediction.max()
        if low < 0 or high > 1:
            raise ValueError(
                f"Image {index}: the prediction must lie in [0, 1]; apply a sigmoid to logits, "
                f"divide 8-bit values by 255. Received: values from {low} to {high}"
            )
        yield index, prediction.astype(np.float64), maps


def _check_annotations(index, maps):
    """The maps of one image as boolean (A, H, W), A ≥ 1."""
    if maps.size == 0 or maps.ndim == 0:
        raise ValueError(f"Image {index} has no annotator. Leave it out, or add its annotations.")
    if maps.ndim != 3:
        raise ValueError(
            f"Image {index}: annotations must have shape (A, H, W), also for one annotator "
            f"(then A = 1). Received: shape={maps.shape}"
        )
    if not np.isin(maps, (0, 1)).all():
        raise ValueError(
            f"Image {index}: annotations must be 0 or 1, one map per annotator and no mean of "
            f"them. Received: values from {maps.min()} to {maps.max()}"
        )
    return maps.astype(bool)
