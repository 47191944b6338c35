"""What kept networks score on the photographs that they learned from, and how wide a border is.

    python benchmarks/photograph_checks.py --record data/results/photograph_checks.json

A network that scores low on its own training photographs underfits; one that scores high there and
low on val does not carry over. Train is read here, from one view; the scores on val stand in the
networks' notes, and the test splits are not read. Beside them: the *layout*, the most common class
of train at each place, scored on val; and of the border of Pets on val, at 256×256, its width, and
the IoU that it keeps when it is moved by two pixels to a side, or two pixels outwards. Minutes, and
three archives (`HELPERS_DATA`).
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from helpers import runs
from helpers.runs.provenance import write_record

MOVED = 2  # pixels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=9, help="every how many of CamVid's train")
    parser.add_argument("--edges", type=int, default=5, help="every how many of BSDS500's train")
    parser.add_argument("--thresholds", type=int, default=33, help="of the edge benchmark")
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()

    runs.set_up(0)
    import numpy as np
    from scipy import ndimage

    from helpers import data, metrics, pretrained
    from helpers.data import Dataset
    from helpers.experiments import own_scores, photographs

    def every(dataset, step):
        parts = {name: getattr(dataset, name)[::step] for name in ("images", "masks", "annotations")
                 if getattr(dataset, name) is not None}  # fmt: skip
        more = {"class_names": dataset.class_names, "ignore_class": dataset.ignore_class}
        return Dataset(dataset.name, dataset.split, **parts, **more, licence=dataset.licence)

    def layout(train, val):
        """Mean IoU on val of the class that is most common in train at each place."""
        maps, _ = own_scores.layout(train, val)
        classes, void = len(train.class_names), train.ignore_class
        by_picture = metrics.mean_iou_by_image(val.masks, maps, classes, void)
        return list(metrics.confidence_interval(by_picture))

    def moved_iou(mask, other):
        return (mask & other).sum() / (mask | other).sum()

    def border(val):
        """Width of the border in pixels, pet to background, and its IoU when it is moved."""
        pet, background, edge = range(3)
        widths, aside, outwards = [], [], []
        for mask in val.masks:
            line = mask == edge
            from_background = ndimage.distance_transform_edt(mask != background)
            beside = ndimage.binary_dilation(line) & (mask == pet)  # the last pixels of the pet
            widths += list(from_background[beside] - 1)
            aside += [moved_iou(line, np.roll(line, MOVED, axis=side)) for side in (0, 1)]
            inner, outer = (
                ndimage.distance_transform_edt(~part) <= MOVED
                for part in (mask == pet, mask != background)
            )
            outwards.append(moved_iou(line, outer & ~inner))
        return {
            "width": [float(np.quantile(widths, q)) for q in (0.1, 0.5, 0.9)],
            "moved_aside": float(np.mean(aside)),
            "moved_outwards": float(np.mean(outwards)),
        }

    result = {}

    def tell(name, found, photos):
        result[name] = {"score": found, "photographs": photos}
        print(f"{name}: {found} on {photos} photographs", flush=True)

    sizes = {"pets": {"size": (256, 256)}}
    steps = {"camvid": arguments.frames, "bsds500": arguments.edges, "pets": 1}
    for name in ("pets", "camvid", "bsds500"):
        network, note = pretrained.load(f"photo-{name}")
        train, val = (data.load(name, s, **sizes.get(name, {})) for s in ("train", "val"))
        if name != "bsds500":
            tell(f"{name}_layout", layout(train, val), len(val))
        if name == "pets":
            result["border"] = border(val)
            print(result["border"], flush=True)
        known = every(train, steps[name])
        found = photographs.score(network, known, note["recipe"], thresholds=arguments.thresholds)
        tell(f"{name}_train", found["score"], len(known))
    if arguments.record:
        recipe = {k: v for k, v in vars(arguments).items() if k != "record"}
        write_record(arguments.record, "Kept networks on the photographs that they learned from",
                     result, recipe)  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
