"""What a longer training does to the GAN of notebook 15: its kernel distance, tenth by tenth.

    python benchmarks/gan_length.py --record data/results/gan_length.json      # 20 minutes of a core

The recipe of `gan-shapes32` at twice its steps, one seed. Its first half is the kept training, step
by step. All scores are those of `authoring.gan_weights`: 500 draws from the averaged weights
against 500 held-out pictures, and the share of 200 draws with one whole object.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from authoring import gan_weights
from helpers.runs.provenance import write_record

NAME = "gan-shapes32"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2 * gan_weights.RECIPES[NAME]["steps"])
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    recipe = {**gan_weights.RECIPES[NAME], "steps": arguments.steps}
    with tempfile.TemporaryDirectory() as folder:
        note = gan_weights.keep(NAME, recipe, folder=Path(folder), work=Path(folder))
    result = results_of(note["learning_curve"])
    if arguments.record:
        what = "the GAN of notebook 15 at twice its steps: kernel distance and whole objects"
        print("written to", write_record(arguments.record, what, result, recipe))


def results_of(curve):
    """Lists with a number a tenth, and the step at which the distance was smallest."""
    keys = ("steps", "distance", "whole")
    found = {key: [row[key] for row in curve] for key in keys}
    best = min(curve, key=lambda row: row["distance"])
    return {**found, "best_steps": best["steps"], "best_distance": best["distance"]}


if __name__ == "__main__":
    main()
