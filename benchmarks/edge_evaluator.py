"""The Berkeley benchmark at full size: how long it takes here, and what the classics score.

    HELPERS_DATA=<folder> python benchmarks/edge_evaluator.py --split test --record data/results/NAME.json

Every image of a split of BSDS500, 99 thresholds, every annotator, a tolerance of 0.0075 of the
diagonal; no pixel, threshold or annotator is left out. The official matcher is reported to take
about seven hours of one core for the 200 test images.

No detector here is the published one's code. Roberts and Sobel are gradients of the grey values
without blur, each twice: as they are (the benchmark thins each map) and after our non-maximum
suppression ("Sobel, nms"). Canny is scikit-image's, with a low threshold of 0.4 times the high one
and the best blur of `SIGMAS` on the first 20 images of train. Each gradient is scaled so that one
pixel in a thousand of those 20 images exceeds 1.

Published: .483 (Roberts), .539 (Sobel), .611 (Canny).
Reference: https://github.com/MCG-NKU/plot-edge-pr-curves
"""

import argparse
import json
import sys
import time
from pathlib import Path

from helpers import data, edges
from helpers.runs.provenance import write_record

PUBLISHED = {"Roberts": 0.483, "Sobel": 0.539, "Canny": 0.611}
DETECTORS = ("Roberts", "Roberts, nms", "Sobel", "Sobel, nms", "Canny")
SIGMAS = (1.0, 1.5, 2.0, 2.5)
WITHIN, MINUTES = 0.02, 30.0


def maps(name, images, sigma, scale):
    """Graded maps of one detector, one after another."""
    for image in images:
        if name == "Canny":
            yield edges.canny_levels(image, sigma, scale=scale)
        else:
            yield edges.gradient_magnitude(image, name.lower(), sigma, scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="val", choices=["val", "test"])
    parser.add_argument("--limit", type=int, help="so many images of it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=DETECTORS)
    parser.add_argument("--record", help="also write the numbers, beside those that are there")
    options = parser.parse_args()

    images = data.load("bsds500", options.split, limit=options.limit)
    tuning = data.load("bsds500", "train", limit=20)
    results = known(options.record)
    results |= {"images": len(images), "annotations": sum(map(len, images.annotations))}
    results |= {"published": PUBLISHED, "workers": options.workers}
    quick = True
    for detector in options.detectors:
        name, _, suppressed = detector.partition(", ")
        sigma = 0.0
        if name == "Canny":
            sigma, _ = edges.tune_classical(name, tuning.images, tuning.annotations, SIGMAS)
        scale = edges.steepest(name, tuning.images, sigma)
        start = time.perf_counter()
        found = edges.benchmark(
            maps(name, images.images, sigma, scale),
            images.annotations,
            99,
            nms=bool(suppressed),
            workers=options.workers,
        )
        minutes = (time.perf_counter() - start) / 60
        quick &= minutes <= MINUTES
        key = detector.lower().replace(", ", "_")
        results[key] = [found.ods, found.ois, found.ap]
        results |= {f"{key}_minutes": minutes, f"{key}_sigma": sigma}
        print(
            f"{detector:<13} sigma {sigma:.1f}: ODS {found.ods:.3f} (published "
            f"{PUBLISHED[name]:.3f}), OIS {found.ois:.3f}, AP {found.ap:.3f}; {minutes:.1f} minutes",
            flush=True,
        )
        keep(options, results)
    start = time.perf_counter()
    people = edges.human_level(images.annotations)
    results |= {"people": people.ods, "people_minutes": (time.perf_counter() - start) / 60}
    print(f"people   F {people.ods:.3f} (published .803); {results['people_minutes']:.1f} minutes")
    keep(options, results)
    near = all(
        any(abs(results[key][0] - published) <= WITHIN for key in results if key in ways(name))
        for name, published in PUBLISHED.items()
    )
    return 0 if quick and near else 1


def ways(name):
    """The keys of a detector's rows."""
    return (name.lower(), f"{name.lower()}_nms")


def known(record):
    """Results that a record holds already, so that one detector can be measured at a time."""
    path = Path(record) if record else None
    return json.loads(path.read_text("utf-8"))["results"] if path and path.exists() else {}


def keep(options, results):
    if options.record:
        title = f"Berkeley benchmark, BSDS500 {options.split}, 99 thresholds, all annotators"
        about = {"sigmas": list(SIGMAS), "split": options.split}
        write_record(options.record, title, results, about)


if __name__ == "__main__":
    sys.exit(main())
