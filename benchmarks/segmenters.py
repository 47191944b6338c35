"""Several trainings of the segmenters of notebook 17, each with a rate and a size of its own.

    python benchmarks/segmenters.py --record data/results/segmenters.json

CNN, FCN, U-Net and DeepLab as the notebook builds them, and its four changes. Each chooses one of
four learning rates and one of two sizes (a changed network keeps the size of the unchanged one) on
300 pictures that nothing is scored on. Then each is trained from several first weights, for all the steps
and for half of them. Scores are those of 500 held-out pictures, with intervals over seeds and
pictures, and p-values after Holm's correction. Every score is kept in the cache of the helpers as
it comes, so that the same command goes on after a stop.
"""

import argparse
import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from helpers import backend, checkpoint, data, metrics, runs, segmentation
from helpers.data.scenes import CLEAR
from helpers.experiments import segmenters
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu
from helpers.runs.provenance import write_record

SIZE, CLASSES, BATCH = 32, 4, 8
IMAGES, CHOOSING, HELD_OUT = 1200, 300, 500
MIDDLE = (SIZE // 2, SIZE // 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=IMAGES, help="to learn from")
    parser.add_argument("--held-out", type=int, default=HELD_OUT)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    arguments = parser.parse_args()
    runs.set_up(0)
    settings = {key: getattr(arguments, key) for key in ("steps", "images", "held_out")}
    lesson = Lesson(**settings)
    result = segmenters.study(
        list(NETWORKS),
        {name: parent for name, (parent, _) in CHANGES.items()},
        arguments.seeds,
        lesson.train,
        lesson.choosing_score,
        lesson.scores,
        checkpoint.ResultStore("segmenters", **settings),
    )
    for i, name in enumerate(result["names"]):
        pairs = {measure: result[measure][i] for measure in segmenters.MEASURES}
        row = "  ".join(f"{key} {mean:.3f} ± {half:.3f}" for key, (mean, half) in pairs.items())
        print(f"{name:<16} {row}  rate and size {result['choices'][i]}")
    if result["at_edge"]:
        print("the best learning rate is at the end of what was tried:", *result["at_edge"])
    if arguments.record:
        what = "four segmenters and four changes of them, each with its own learning rate and size"
        settings |= {"seeds": arguments.seeds, "rates": segmenters.RATES, "widths": WIDTHS}
        print("written to", write_record(arguments.record, what, result, settings))


class Lesson:
    """The pictures, and the functions that the study asks for."""

    def __init__(self, steps, images, held_out):
        options = {"size": SIZE, "seed": 0, **CLEAR}
        train = data.load("shapes", "train", limit=IMAGES + CHOOSING, **options)
        val = data.load("shapes", "val", limit=held_out, **options)
        self.steps = steps
        self.x, self.masks = data.to_float(train.images[:images]), train.masks[:images]
        self.x_choose = data.to_float(train.images[IMAGES:])
        self.masks_choose = train.masks[IMAGES:]
        self.x_val, self.masks_val = data.to_float(val.images), val.masks
        there = self.masks_val[:, *MIDDLE] != 0  # an object in the middle
        self.seen = self.x_val[np.argsort(~there, kind="stable")[:64]]

    def train(self, name, rate, run, size, length):
        model = new_network(name, run, size)
        batches = math.ceil(len(self.x) / BATCH)
        epochs = math.ceil(self.steps * length / batches)
        planned = epochs * batches
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, planned))
        model.compile(adam, loss, **backend.compile_options(planned=planned))
        model.fit(self.x, self.masks, batch_size=BATCH, epochs=epochs, verbose=0)
        return model

    def choosing_score(self, model):
        return metrics.mean_iou(self.masks_choose, label(model, self.x_choose), CLASSES)

    def scores(self, model, name, run, size):
        fresh = new_network(name, run, size)
        _, sides = segmenters.used_fields(fresh, model, self.seen, MIDDLE, self.x[:64])
        found = segmenters.measure(self.masks_val, label(model, self.x_val), 0, CLASSES)
        return found | {"sides": sides}


def label(model, x):
    return segmentation.class_map(model.predict(x, batch_size=250, verbose=0))  # (N, H, W)


def new_network(name, run=0, size="full"):
    """A network with fresh weights; the run decides them, and the order of the pictures."""
    keras.utils.set_random_seed(run)
    parent, change = CHANGES.get(name, (name, {}))
    image = keras.Input((SIZE, SIZE, 3))
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    h, factor = NETWORKS[parent](h, WIDTHS[parent][size], **change)
    h = layers.Conv2D(CLASSES, 1)(h)
    if factor > 1:
        h = layers.UpSampling2D(factor, interpolation="bilinear")(h)
    return keras.Model(image, h)


def halved(h, width):
    return bn_relu(layers.Conv2D(width, 2, 2)(h))


def cnn(h, width, dilations=(1, 1, 1, 1)):
    for dilation in dilations:
        h = conv_bn_relu(h, width, dilation_rate=dilation)
    return h, 1


def fcn(h, widths):
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
    return h, 2 ** len(widths)


def unet(h, widths, skips=True):
    down = []
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
        down.append((width, h))
    for width, skip in reversed(down[:-1]):
        h = bn_relu(DepthToSpaceUp(width, 2, None)(h))
        h = layers.Concatenate()([h, skip if skips else h])
        h = conv_bn_relu(h, width)
    return h, 2


def deeplab(h, width, dilations=(1, 2), rates=(1, 2, 4)):
    h = halved(h, width)
    for dilation in dilations:
        h = conv_bn_relu(h, width, dilation_rate=dilation)
    sides = [conv_bn_relu(h, width, dilation_rate=rate) for rate in rates]
    return layers.Add()(sides), 2


NETWORKS = {"CNN": cnn, "FCN": fcn, "U-Net": unet, "DeepLab": deeplab}
WIDTHS = {  # channels, finest level first
    "CNN": {"full": 20, "half": 14},
    "FCN": {"full": (12, 16, 24), "half": (8, 12, 16)},
    "U-Net": {"full": (10, 12, 16), "half": (6, 8, 12)},
    "DeepLab": {"full": 16, "half": 11},
}
CHANGES = {  # the unchanged network, and what is changed
    "CNN, dilated": ("CNN", {"dilations": (1, 2, 4, 8)}),
    "CNN, holes": ("CNN", {"dilations": (4, 4, 4, 4)}),
    "U-Net, no skips": ("U-Net", {"skips": False}),
    "CNN, reversed": ("CNN", {"dilations": (8, 4, 2, 1)}),
}

if __name__ == "__main__":
    main()
