"""Flaws on textures: notebook 13 run on brick, grass and gravel, as on pictures of one's own.

    python benchmarks/texture_flaws.py --record data/results/texture_flaws.json

scikit-image has three photographs of textures. Crops of the left part of one are good; crops of the
right part get a scratch, a blot or a foreign object each, and are bad. `good/`, `bad/` and `masks/`
are written to a folder, and notebook 13 is run on it: its networks learn from the good crops alone,
and its maps choose their settings on good crops with flaws that it draws itself.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import skimage.data
from skimage.io import imsave
from skimage.transform import resize

from helpers.data import damage
from helpers.runs.execute import execute
from helpers.runs.notebooks import find
from helpers.runs.provenance import write_record
from helpers.runs.results import read_results

TEXTURES = ("brick", "grass", "gravel")
SIDE = 64  # of a crop; it is shrunk to half of that
SPLIT = 320  # crops of good pictures end here, the others begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--good", type=int, default=600, help="crops without a flaw")
    parser.add_argument("--bad", type=int, default=60, help="crops with a flaw")
    parser.add_argument("--steps", type=int, default=1500, help="of each training")
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    settings = {key: getattr(arguments, key) for key in ("good", "bad", "steps")}
    result = {}
    for texture in TEXTURES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / texture
            write_folder(folder, texture, arguments.good, arguments.bad)
            values = {
                "dataset": "folder", "path": str(folder), "weights": "own",
                "images": arguments.good, "val_images": arguments.bad, "steps": arguments.steps,
            }  # fmt: skip
            output = Path(place) / "13.ipynb"
            run = execute(find("13"), output, values)
            if run.error:
                raise SystemExit(f"{texture}: {run.error}")
            found = read_results(output)["results"]
        result[texture] = {k: v for k, v in found.items() if k == "floor" or k.endswith("_ap")}
        for name, value in result[texture].items():
            print(f"{texture:<7} {name:<28} {np.round(value, 3)}", flush=True)
    if arguments.record:
        what = "maps of drawn flaws on three textures of scikit-image, pixel AP"
        print("written to", write_record(arguments.record, what, result, settings))


def write_folder(folder, texture, good, bad, seed=0):
    """Crops of a texture in `good/` and, with flaws, in `bad/`; what the flaws cover in `masks/`."""
    whole = getattr(skimage.data, texture)()
    rng = np.random.default_rng(seed)
    places = {"good": (good, 0, SPLIT - SIDE), "bad": (bad, SPLIT, whole.shape[1] - SIDE)}
    crops = {}
    for name, (count, first, last) in places.items():
        crops[name] = np.empty((count, SIDE // 2, SIDE // 2, 3), "uint8")
        for i in range(count):
            row = rng.integers(0, whole.shape[0] - SIDE + 1)
            column = rng.integers(first, last + 1)
            crop = whole[row : row + SIDE, column : column + SIDE]
            small = resize(crop, (SIDE // 2, SIDE // 2), anti_aliasing=True)
            crops[name][i] = np.rint(255 * small)[..., None]
    crops["bad"], masks, _ = damage.damage(crops["bad"], seed)
    crops["masks"] = 255 * masks
    for name, pictures in crops.items():
        (folder / name).mkdir(parents=True)
        for i, picture in enumerate(pictures):
            imsave(folder / name / f"{i:04d}.png", picture, check_contrast=False)


if __name__ == "__main__":
    main()
