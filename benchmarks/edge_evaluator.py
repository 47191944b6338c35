"""The Berkeley benchmark at full size: how long it takes here, and what the classics score.

    HELPERS_DATA=<folder> python benchmarks/edge_evaluator.py --split test --record data/results/NAME.json

Every image of a split of BSDS500, 99 thresholds, every annotator, a tolerance of 0.0075 of the
diagonal; no pixel, threshold or annotator is left out. The official matcher is reported to take
about seven hours of one core for the 200 test images.

The detectors stand as close to the published rows as one can get without their code: Roberts and
Sobel as plain gradients of the grey values, without blur and without suppression (the benchmark
thins each map), Canny by scikit-image with a low threshold of 0.4 times the high one. Canny's blur
is the best of `SIGMAS` on the first 20 images of train. Each gradient is scaled so that one pixel
in a thousand of those 20 images exceeds 1.

Published: .483 (Roberts), .539 (Sobel), .611 (Canny).
Reference: https://github.com/MCG-NKU/plot-edge-pr-curves
"""

import argparse
import sys
import time

from helpers import data, edges
from helpers.runs.provenance import write_record

PUBLISHED = {"Roberts": 0.483, "Sobel": 0.539, "Canny": 0.611}
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
    parser.add_argument("--record", help="also write the numbers with their provenance")
    options = parser.parse_args()

    images = data.load("bsds500", options.split, limit=options.limit)
    tuning = data.load("bsds500", "train", limit=20)
    canny, _ = edges.tune_classical("Canny", tuning.images, tuning.annotations, SIGMAS)
    results = {"images": len(images), "annotations": sum(map(len, images.annotations))}
    results |= {"published": PUBLISHED, "workers": options.workers}
    met = []
    for name, published in PUBLISHED.items():
        sigma = canny if name == "Canny" else 0.0
        scale = edges.steepest(name, tuning.images, sigma)
        start = time.perf_counter()
        answers = maps(name, images.images, sigma, scale)
        found = edges.benchmark(answers, images.annotations, 99, workers=options.workers)
        minutes = (time.perf_counter() - start) / 60
        results[name.lower()] = [found.ods, found.ois, found.ap]
        results |= {f"{name.lower()}_minutes": minutes, f"{name.lower()}_sigma": sigma}
        met += [abs(found.ods - published) <= WITHIN, minutes <= MINUTES]
        print(
            f"{name:<8} sigma {sigma:.1f}: ODS {found.ods:.3f} (published {published:.3f}), "
            f"OIS {found.ois:.3f}, AP {found.ap:.3f}; {minutes:.1f} minutes",
            flush=True,
        )
    start = time.perf_counter()
    people = edges.human_level(images.annotations)
    results |= {"people": people.ods, "people_minutes": (time.perf_counter() - start) / 60}
    print(f"people   F {people.ods:.3f} (published .803); {results['people_minutes']:.1f} minutes")
    if options.record:
        title = f"Berkeley benchmark, BSDS500 {options.split}, 99 thresholds, all annotators"
        write_record(
            options.record, title, results, {"sigmas": list(SIGMAS), "split": options.split}
        )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
