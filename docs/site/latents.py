"""Decode what the page of latents shows with a kept VAE: three sheets of tiles and a note.

    python docs/site/latents.py        # seconds; writes docs/site/_static/latents/

The files are stored with the project, because a build of the site runs no training.
`pictures.webp` has a row for each picture, original and reconstruction; `walk.webp` a row for each
picture and coordinate, and a column for each place on the walk; `samples.webp` has rows of pictures
decoded from the prior, stretched by each of `SPREADS`; `latents.json` says what is where, and which
VAE it was.
"""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent / "_static" / "latents"
MAX_BYTES = 300 * 1024  # of all files together
SETTINGS = {"weights": "vae-shapes32", "held_out": 500, "seed": 0}
PICTURES = 6
PLACES = [round(-4 + 0.5 * i, 1) for i in range(17)]  # in standard deviations of the prior
SPREADS = [0.5, 1.0, 2.0]
SAMPLES, COLUMNS = 64, 16
QUALITY = 80  # of the decoded tiles; pictures are kept exactly


def kept_vae(weights, held_out):
    """A kept VAE, held-out pictures of the kind that it was trained on, and its note."""
    from helpers import data, pretrained

    vae, note = pretrained.load(weights)
    if vae is None:
        raise SystemExit(f"data/weights/{weights}.npz is missing: make weights NAME={weights}")
    options = note["parameters"]["pictures"]
    pictures = data.load("shapes", "val", limit=held_out, **options).images
    return vae, data.to_float(pictures), note


def walks(vae, pictures, order):
    """Decoded pictures, `(pictures, coordinates, places, H, W, C)`: one coordinate moves."""
    from keras import ops

    mean = ops.convert_to_numpy(vae.encode(pictures)[0])
    codes = np.repeat(mean[:, None, None], len(order), axis=1)
    codes = np.repeat(codes, len(PLACES), axis=2)  # (P, coordinates, places, K)
    for row, coordinate in enumerate(order):
        codes[:, row, :, coordinate] = PLACES
    decoded = ops.convert_to_numpy(vae.decode(codes.reshape(-1, codes.shape[-1])))
    return decoded.reshape(*codes.shape[:3], *decoded.shape[1:]).clip(0, 1), mean


def samples(vae, rng):
    """Decoded draws from the prior, `(spreads, samples, H, W, C)`, the same draws stretched."""
    from keras import ops

    noise = rng.standard_normal((SAMPLES, vae.latent_shape[0]))
    drawn = [vae.decode((spread * noise).astype("float32")) for spread in SPREADS]
    return np.stack([ops.convert_to_numpy(d) for d in drawn]).clip(0, 1)


def sheet(tiles):
    """Tiles `(rows, columns, H, W, C)` in [0, 1] as one picture in bytes."""
    rows, columns, height, width, channels = tiles.shape
    flat = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    return np.round(flat * 255).astype(np.uint8)


def write(folder=FOLDER, **changes):
    """Decode, and write the files; returns their bytes in all."""
    from keras import ops
    from PIL import Image

    from helpers import losses
    from helpers.runs.provenance import provenance

    settings = {**SETTINGS, **changes}
    vae, held_out, about = kept_vae(settings["weights"], settings["held_out"])
    mean, log_variance = vae.encode(held_out)
    kl = ops.convert_to_numpy(losses.gaussian_kl_elementwise(mean, log_variance)).mean(axis=0)
    order = np.argsort(-kl)
    pictures = held_out[:PICTURES]
    moved, codes = walks(vae, pictures, order)
    again = vae.predict(pictures, verbose=0).clip(0, 1)
    side = held_out.shape[1]
    ends = np.stack([pictures, again], axis=1)  # (P, 2, H, W, C)
    drawn = samples(vae, np.random.default_rng(settings["seed"]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, tiles in (
        ("pictures", ends),
        ("walk", moved.reshape(-1, *moved.shape[2:])),
        ("samples", drawn.reshape(-1, COLUMNS, side, side, 3)),
    ):
        packing = {"lossless": True} if name == "pictures" else {"quality": QUALITY}
        Image.fromarray(sheet(tiles)).save(folder / f"{name}.webp", method=6, **packing)
    note = {
        "side": side,
        "places": PLACES,
        "kl": [round(float(kl[c]), 2) for c in order],
        "kl_all": round(float(kl.sum()), 2),
        "latent": vae.latent_shape[0],
        "steps": about["steps"],
        "batch_size": about["parameters"]["batch_size"],
        "codes": [[round(float(code[c]), 2) for c in order] for code in codes],
        "spreads": SPREADS,
        "samples": SAMPLES,
        "columns": COLUMNS,
        "settings": settings,
        "run": provenance(),
    }
    (folder / "latents.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    total = write()
    print(f"{total / 1024:.0f} KB in {FOLDER}")
    if total > MAX_BYTES:
        raise SystemExit(f"{MAX_BYTES / 1024:.0f} KB at most")
