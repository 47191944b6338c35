"""Edges in whole photographs: trained heads and the classical detectors in one evaluation."""

import math
from pathlib import Path

import numpy as np

from helpers import checkpoint, data, edges, metrics, pretrained, pyramids
from helpers.data import records
from helpers.data.images import read_rgb, resize_image
from helpers.experiments import photo_training
from helpers.segmentation import EdgeCrossEntropy

# ODS on the 200 test photographs of BSDS500 by the official code; single scale, and trained on
# BSDS500 only, where trained. HED starts from ImageNet weights, PiDiNet from scratch.
# Sources: https://github.com/MCG-NKU/plot-edge-pr-curves and the papers.
PUBLISHED = {"Roberts": 0.483, "Sobel": 0.539, "Canny": 0.611, "Structured Edges": 0.743}
PUBLISHED |= {"HED": 0.788, "PiDiNet": 0.789, "people": 0.803}
# How the crops of a long training vary.
VARIED = {"turn": True, "light": 0.2, "share": True}


def edge_maps(model, photos, multiple=32):
    """Thin edge maps, after `edges.nms`, of photographs of any size, one after another.

    Args:
        model: convolutional, to one logit a pixel, at any size (`pyramids.at_size`).
        photos: iterable of `(H, W, C)`, uint8 or floats in [0, 1].
        multiple: see `pyramids.predict_full_size`.
    """
    for logits in pyramids.predict_full_size(model, photos, multiple):
        yield edges.nms(1.0 / (1.0 + np.exp(-logits[..., 0].astype("float64"))))


def train_and_score(
    dataset,
    split,
    training,
    folder="",
    *,
    crop,
    batch_size=8,
    edge_images=None,
    keep=None,
    **scoring,
):
    """A head on a VAE's encoder, the same from random weights, and the classics, all scored.

    Learns from the photographs of "train", and of "val" too when "test" is scored. The blur of
    the classical detectors is chosen on the first 20 photographs of "train".

    Args:
        dataset: a set with annotations.
        split: what is scored, "val" or "test".
        training: options of `photo_training.train_head` from `vae_epochs` on.
        folder: of a `checkpoint.ResultStore`; what is kept there is not done again.
        crop: side of the square crops.
        batch_size: crops in a step.
        edge_images: how many to score; None takes all.
        keep: name under which the head on the VAE's encoder is kept with the project, or None.
        **scoring: `thresholds` and `max_distance` of `edges.benchmark`.

    Returns:
        The head, and a dictionary of scores as `score_edges` gives them.
    """
    store = checkpoint.ResultStore(folder, dataset=dataset, seed=training["seed"], split=split)
    names = ("train", "val") if split == "test" else ("train",)
    parts = [data.load(dataset, name) for name in names]
    pictures = [image for part in parts for image in part.images]
    shares = [share for part in parts for share in part.edges]
    test, plan = data.load(dataset, split, limit=edge_images), training["plan"]
    crops = {"crop": [crop, crop], "batch_size": batch_size, **VARIED}
    heads, options = {}, {"crops": crops, **training}
    options["parameters"] = {"loss": "balanced"}
    task = pictures, shares, 1, EdgeCrossEntropy(balanced=True), store
    for name in ("VAE", "random"):
        head, seconds = photo_training.train_head(*task, pretrain=name == "VAE", **options)
        heads[name] = head
        print(f"{name}: {head.count_params():,} weights, {seconds:.0f} s of training")
    tuning, multiple = parts[0].subset(slice(20)), math.prod(plan["patches"])
    scores = score_edges(
        heads, test, tuning, store, multiple=multiple, parameters=options, **scoring
    )
    if keep:
        note = {"dataset": dataset, "licence": test.licence, "scored_on": split}
        note |= {"images": len(test), "scores": scores["VAE"], "training": options}
        pretrained.save(heads["VAE"], keep, **plan, num_classes=1, **note)
    return heads["VAE"], scores


def score_edges(
    heads, test, tuning, store, *, multiple, parameters, sigmas=(0.5, 1, 2, 3), **scoring
):
    """ODS, OIS and AP of heads, of Roberts, Sobel and Canny, and the F of the annotators.

    What a `checkpoint.ResultStore` has kept is read, and a stopped benchmark goes on.

    Args:
        heads: dictionary from a name to a model as for `edge_maps`.
        test: a `data.Dataset` to score on, at native size.
        tuning: another one, on which the classical detectors choose their blur.
        store: a `checkpoint.ResultStore`.
        multiple: see `pyramids.predict_full_size`.
        parameters: what the heads depend on besides the store's own parameters, JSON values.
        sigmas: blurs to choose from.
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
        scores[name] = score(name, maps, depends=parameters)
    distance = scoring["max_distance"]
    for name in edges.CLASSICS:

        def tune(name=name):
            pair = tuning.images, tuning.annotations
            return edges.tune_classical(name, *pair, sigmas, max_distance=distance)

        known = {"sigmas": list(sigmas), "images": len(tuning), "max_distance": distance}
        setting = store.result(f"tuned-{name}", tune, **known)
        maps = edges.classical_maps(name, test.images, *setting, scoring["thresholds"], border=5)
        scores[name] = score(name, maps, setting=setting)
    people = store.result(
        "people",
        lambda: edges.human_level(test.annotations, distance).ods,
        near=distance,
        images=len(test),
    )
    return {**scores, "people": [people]}


def comparison(scores, recorded="11-bsds500"):
    """A table of ODS as text: these scores, those of the recorded run, and published ones."""
    known = records.results_of(recorded, "photographs_")
    rows = {}
    for name in ("VAE", "random", *PUBLISHED):
        row = [scores.get(name), known.get(name.lower()), [PUBLISHED.get(name)]]
        rows[name] = [f"{cell[0]:.3f}" if cell and cell[0] else "–" for cell in row]
    return metrics.format_table(("your run", "recorded", "published"), rows, 11, corner="ODS")


def photographs_to_show(path="", side=481):
    """The photograph at `path`, or three that scikit-image ships, scaled to a longer side."""
    if path:
        photos = [read_rgb(Path(path).expanduser(), upright=True)]
    else:
        import skimage.data

        photos = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    sizes = [np.rint(np.array(p.shape[:2]) * side / max(p.shape)).astype(int) for p in photos]
    return [resize_image(p, (int(h), int(w))) for p, (h, w) in zip(photos, sizes)]
