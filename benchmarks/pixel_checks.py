"""What it costs to look at the pixels before they are learned from, as a share of an epoch.

    python benchmarks/pixel_checks.py --record data/results/pixel_checks.json

The dense VAE, whose epochs are short, on random images of the size of MNIST. The images come as
one array, as a `data.Batches` and as a `tf.data.Dataset`. An epoch is timed by `keras.Model.fit`,
past the look; the look by itself, over the same images in the same run: for an array all at once,
for `Batches` batch by batch, for tensors as the time by which a pass over the data set with the
look is longer than one without. The best of some repeats counts.
"""

import argparse
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from helpers import runs
from helpers.runs.provenance import write_record

BATCH = 128
BAR = 0.01


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()

    runs.set_up(0)
    import keras
    import numpy as np
    import tensorflow as tf

    from helpers import data, models

    x = np.random.default_rng(0).random((arguments.images, 28, 28, 1), "float32")
    vae = models.dense_vae((28, 28, 1))
    vae.compile(keras.optimizers.Adam(), jit_compile=False, steps_per_execution=10)
    batches, tensors = data.Batches(x, BATCH), tf.data.Dataset.from_tensor_slices(x).batch(BATCH)
    ready = [batches[i] for i in range(len(batches))]
    watched = vae.pixels.watch(tensors)

    def epoch(source):
        options = {"batch_size": BATCH} if source is x else {}
        return lambda: keras.Model.fit(vae, source, verbose=0, **options)

    def each():
        for batch in ready:
            vae.pixels.look(batch, "a batch of x")

    def best(run, repeats=arguments.repeats):
        times = []
        for _ in range(repeats + 1):  # the first one compiles
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return min(times[1:])

    seconds = {}
    for name, source in (("array", x), ("Batches", batches), ("tf.data", tensors)):
        seconds[name] = {"epoch": best(epoch(source))}
    seconds["array"]["look"] = best(lambda: vae.pixels.watch(x))
    seconds["Batches"]["look"] = best(each)
    passes = [lambda d=d: d.reduce(0, lambda n, _: n + 1) for d in (tensors, watched)]
    bare, looked = map(min, zip(*([best(run, 1) for run in passes] for _ in range(8))))
    seconds["tf.data"]["look"] = max(0.0, looked - bare)
    result = {}
    for name, found in seconds.items():
        share = result[name] = found["look"] / found["epoch"]
        print(
            f"{name:8} an epoch {found['epoch']:6.2f} s, the look {1000 * found['look']:6.1f} ms: "
            f"{100 * share:.2f} % (bar {100 * BAR:g} %)"
        )
    passed = max(result.values()) <= BAR
    print("PASS" if passed else "FAIL")
    if arguments.record:
        recipe = {k: v for k, v in vars(arguments).items() if k != "record"}
        name = "Share of an epoch that the look at the pixels takes, dense VAE, 28×28"
        write_record(arguments.record, name, result, recipe, seconds=seconds)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
