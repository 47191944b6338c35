"""Edges in whole photographs: trained heads and the classical detectors in one evaluation."""

import time

import numpy as np

from helpers import edges, pyramids


def edge_maps(model, photos, multiple=32):
    """Thin edge maps, after `edges.nms`, of photographs of any size, one after another.

    Args:
        model: convolutional, to one logit a pixel, at any size (`pyramids.at_size`).
        photos: iterable of `(H, W, C)`, uint8 or floats in [0, 1].
        multiple: see `pyramids.whole_images`.
    """
    for logits in pyramids.whole_images(model, photos, multiple):
        yield edges.nms(1.0 / (1.0 + np.exp(-logits[..., 0].astype("float64"))))


def score_edges(heads, test, tuning, store, *, multiple, sigmas, parameters=None, **scoring):
    """ODS, OIS and AP of heads, of Roberts, Sobel and Canny, and the F of the annotators.

    What a `resume.Store` has kept is read, and a stopped benchmark goes on.

    Args:
        heads: dictionary from a name to a model as for `edge_maps`.
        test: a `data.Dataset` to score on, at native size.
        tuning: another one, on which the classical detectors choose their blur.
        store: a `resume.Store`.
        multiple: see `pyramids.whole_images`.
        sigmas: blurs to choose from.
        parameters: what the heads depend on besides the store's own parameters, JSON values.
        **scoring: `thresholds` and `max_distance` of `edges.benchmark`.

    Returns:
        Dictionary from a name to `[ODS, OIS, AP]`; `people` has F alone.
    """
    lines = store.folder / "benchmark.jsonl" if store.folder else None
    about = {**scoring, "images": len(test)}

    def score(name, maps, **depends):
        def compute():
            options = {**scoring, "checkpoint": lines, "progress": bool(lines)}
            found = edges.benchmark(maps, test.annotations, **options)
            return [found.ods, found.ois, found.ap]

        return store.result(f"score-{name}", compute, **about, **depends)

    scores = {}
    for name, model in heads.items():
        maps = edge_maps(model, test.images, multiple)
        scores[name] = score(name, maps, depends=parameters or {})
    near = scoring["max_distance"]
    for name in edges.CLASSICS:

        def tune(name=name):
            pair = tuning.images, tuning.annotations
            return edges.tune_classical(name, *pair, sigmas, max_distance=near)

        setting = store.result(f"tuned-{name}", tune, sigmas=list(sigmas), images=len(tuning))
        maps = edges.classical_maps(name, test.images, *setting, scoring["thresholds"], border=5)
        scores[name] = score(name, maps, setting=setting)
    people = store.result(
        "people", lambda: edges.human_level(test.annotations, near).ods, near=near, images=len(test)
    )
    return {**scores, "people": [people]}


def milliseconds(model, multiple=32, size=(321, 481), repeats=8):
    """Median time for one photograph, compilation left out."""
    photo = np.zeros((*size, model.input_shape[-1]), "uint8")
    run, times = pyramids.whole_images(model, [photo] * (repeats + 1), multiple), []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        next(run)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[1:]))
