"""What makes a grid VAE learn quickly: its layers, and how its training begins.

    python benchmarks/grid_vae_networks.py --record data/results/grid_vae_networks.json

On the pictures of notebook 08, the same VAE four times over: 3×3 convolutions with batch normalisation and ReLU, or residual ones
with SiLU; and a learning rate that starts at its peak, or rises over the first 100 steps. Each has
the better of two peaks on the val split of another seed. The ELBO is that of 500 held-out pictures,
one sample each, with the same noise for all; three seeds of first weights and training pictures.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from helpers import backend, data, models, pyramids, runs, training
from helpers.data.scenes import CLEAR
from helpers.data.stream import FreshShapes
from helpers.metrics import crossed_interval
from helpers.runs.provenance import write_record

SIZE = 32
PEAKS = (0.003, 0.01)  # highest learning rates to choose from


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    runs.set_up(0)
    held_out = {seed: pictures(seed) for seed in (0, 1)}  # 1 is for choosing
    elbos, chosen = {}, {}
    for batch_norm in (True, False):
        for rising in (0, 100):
            name = ("batch normalisation" if batch_norm else "residual, SiLU") + (
                ", rate rises" if rising else ""
            )
            task = {"batch_norm": batch_norm, "rising": rising, "steps": arguments.steps}
            trial = {p: elbo(held_out[1], peak=p, seed=100, **task).mean() for p in PEAKS}
            chosen[name] = max(trial, key=trial.get)
            elbos[name] = np.array(
                [
                    elbo(held_out[0], peak=chosen[name], seed=seed, **task)
                    for seed in range(arguments.seeds)
                ]
            )  # (seeds, N)
            value, half = crossed_interval(elbos[name])
            print(
                f"{name:<34} peak {chosen[name]}: ELBO {value:8.1f} ± {half:.1f} nats", flush=True
            )
    first, *_, last = elbos
    result = {
        "elbo": {name: crossed_interval(values) for name, values in elbos.items()},
        "peaks": chosen,
        "gain": crossed_interval(elbos[last] - elbos[first]),
    }
    if arguments.record:
        what = "a grid VAE after a short training: layers and start, held-out ELBO"
        settings = {"steps": arguments.steps, "seeds": arguments.seeds, "peaks": PEAKS}
        print("written to", write_record(arguments.record, what, result, settings))


def pictures(seed):
    found = data.load("shapes", "val", limit=500, size=SIZE, seed=seed, **CLEAR)
    return data.to_float(found.images)  # (N, H, W, 3)


def elbo(x, *, batch_norm, rising, steps, peak, seed):
    """Train a VAE, and give the ELBO of each picture, `(N,)` nats."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    pair = pyramids.pyramid_networks(
        (SIZE, SIZE, 3), 8, (24, 32, 48), (1, 1, 2), (2, 2, 2), batch_norm=batch_norm
    )
    vae = models.VAE(*pair, "gaussian", sigma=0.05, seed=seed)
    adam = keras.optimizers.Adam(training.rise_and_fall(peak, steps, rising), beta_2=0.99)
    vae.compile(adam, **backend.compile_options(planned=steps))
    vae.fit(FreshShapes(16, steps, seed, size=SIZE, **CLEAR), shuffle=False, verbose=0)
    noise = np.random.default_rng(0).normal(size=(len(x), *vae.latent_shape))
    return keras.ops.convert_to_numpy(vae.elbo(x, noise.astype("float32")))


if __name__ == "__main__":
    main()
