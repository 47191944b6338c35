# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Meet the supervised neighbours
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/17_compare_segmenters.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/17_compare_segmenters.ipynb) <!--badges-->
#
# ![Eight pictures with their masks, and for each network its answer and a map of its errors. The CNN finds the objects and paints each in several classes; the FCN paints one class with a rounded outline; U-Net and DeepLab follow the outlines, with single errors along them.](../docs/pictures/17.png) <!--picture-->
#
# A VAE for segmentation does not stand alone in its street. Next door live networks that never heard of a latent code: the plain convolutional network, the fully convolutional network (FCN), the U-Net, the DeepLab family. Each was an answer to what its predecessor could not do. This notebook builds the four at the same size, finds out what each can *see*, predicts from that what each will get wrong, and measures it. Then it lends them what a VAE has learned without labels, and asks who gains.
#
# **What you'll do**
#
# - Derive how far one output of a network can see, and hold the result to gradients.
# - Build four segmenters with the same number of weights and train them for the same number of steps.
# - Take one idea out of a network, or put one in, with everything else untouched: dilation, and the skip connection.
# - Pretrain the body of a network as a VAE, with twins beside it, for few labels and for many.
#
# **What you'll learn**
#
# - Which class an object has is a matter of the view; where it ends is a matter of the resolution. They fail separately.
# - The field that the layers allow and the field that the weights use are two things.
# - Equal weights are not equal work, and neither is equal time. A table has to say which one it holds equal.
#
# **What you'll need**
#
# - What a convolution does, and what mean IoU and boundary IoU are (`01`, `08`). What it means to pretrain as a VAE (`08`).
# - About 5 minutes on 2 CPU cores and 2 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "folder": pictures and masks of your own
path = ""  # for "folder": the folder with your pictures and their masks
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1200  # pictures with a mask that the networks learn from
val_images = 500  # held-out pictures: all scores are measured on them
steps = 200  # training steps of the CNN; the others take more, see PACE
seeds = 1  # trainings of each network in the recorded study, with other first weights
study = False  # whether to run the cell that only the recorded study runs
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", seed=range(2**32),
    size=range(16, 257, 8), images=range(8, 4001), val_images=range(2, 1001),
    steps=range(2, 100_001), seeds=range(1, 21), study=bool, cache_dir=str,
)  # fmt: skip
set_up(seed)

import functools
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import backend, checkpoint, data, metrics, plots, segmentation, training
from helpers.data import scenes
from helpers.experiments import segmenters
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu

plots.use()
recorded = data.records.results_of("17-segmenters")  # the recorded study of this notebook

# %%
if dataset == "shapes":
    options = {"size": size, "seed": seed, **scenes.CLEAR}
else:
    options = {"size": (size, size), "path": path}
train_set = data.load(dataset, "train", limit=images + 300, **options)
val_set = data.load(dataset, "val", limit=val_images, **options)
if train_set.masks is None:
    raise ValueError(f"This notebook needs a mask for each picture, and {path!r} has no masks.")

learned = min(images, len(train_set.images) * 4 // 5)  # the rest is for choosing
x_train = data.to_float(train_set.images[:learned])  # (N, H, W, 3)
x_choose = data.to_float(train_set.images[learned:])
x_val = data.to_float(val_set.images)
masks_train = train_set.masks[:learned]  # (N, H, W), a class for each pixel
masks_choose = train_set.masks[learned:]
masks_val = val_set.masks
classes = len(train_set.class_names)
void = train_set.ignore_class  # label of pixels that do not count, or None

# %% [markdown]
# VIEW


# %%
def view(*stack):
    """Side of the field and step between neighbours, in pixels; a layer is (k, s, d)."""
    r, j = 1, 1
    for kernel, stride, dilation in stack:
        r = r + (kernel - 1) * dilation * j
        j = j * stride
    return r, j


STACKS = {
    "(a) four 3×3": [(3, 1, 1)] * 4,
    "(b) ten 3×3": [(3, 1, 1)] * 10,
    "(c) four 3×3, dilations 1 2 4 8": [(3, 1, d) for d in (1, 2, 4, 8)],
    "(d) three times 2×2 / 2, then 3×3": [(2, 2, 1), (3, 1, 1)] * 3,
}
for name, stack in STACKS.items():
    print(f"{name:<34} field {view(*stack)[0]:>2}, step {view(*stack)[1]}")

# %% [markdown]
# CNN


# %%
def centred(image):
    return layers.Rescaling(4.0, offset=-2.0)(image)


def logits_of(h):
    return layers.Conv2D(classes, 1)(h)  # (B, h, w, classes)


def cnn(image, width, dilations=(1, 1, 1, 1)):
    h = centred(image)
    for dilation in dilations:
        h = conv_bn_relu(h, width, dilation_rate=dilation)
    return logits_of(h)


# %% [markdown]
# FCN


# %%
def halved(h, width):
    """Half the height and width, by a convolution of patches of 2×2."""
    return bn_relu(layers.Conv2D(width, 2, 2)(h))


def enlarged(h, factor):
    return layers.UpSampling2D(factor, interpolation="bilinear")(h)


def fcn(image, widths):
    h = centred(image)
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
    return enlarged(logits_of(h), 2 ** len(widths))


# %% [markdown]
# U-Net


# %%
def unet(image, widths, skips=True):
    h = centred(image)
    finer = []  # features of the way down, finest first
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
        finer.append(h)
    for width, passed in zip(widths[-2::-1], finer[-2::-1]):
        h = bn_relu(DepthToSpaceUp(width, 2, None)(h))  # twice the resolution
        h = layers.Concatenate()([h, passed if skips else h])
        h = conv_bn_relu(h, width)
    return DepthToSpaceUp(classes, 2, None)(h)


# %% [markdown]
# DeepLab


# %%
def deeplab(image, width, dilations=(1, 2), rates=(1, 2, 4)):
    h = halved(centred(image), width)
    for dilation in dilations:
        h = conv_bn_relu(h, width, dilation_rate=dilation)
    sides = [conv_bn_relu(h, width, dilation_rate=rate) for rate in rates]
    return enlarged(logits_of(layers.Add()(sides)), 2)


# %% [markdown]
# SIZES

# %%
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
}


def new_network(name, run=0, size_name="full", side=size):
    """A network with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    parent, change = CHANGES.get(name, (name, {}))
    image = keras.Input((side, side, 3))
    return keras.Model(image, NETWORKS[parent](image, WIDTHS[parent][size_name], **change))


weights, work, half_weights = {}, {}, {}
for name in NETWORKS:
    model = new_network(name)
    weights[name] = model.count_params()
    work[name] = segmentation.multiply_adds(model) / 1e6
    half_weights[name] = new_network(name, size_name="half").count_params()
    print(f"{name:<8}{weights[name]:>6} weights, {work[name]:>5.1f} million multiply-adds")

# %% tags=["nbval-check-output"]
fields = {}
for name in NETWORKS:
    fields[name] = segmentation.receptive_field(new_network(name))[0]
    print(f"{name:<8}sees {fields[name]:>2} pixels along a side")
assert fields["CNN"] == view(*STACKS["(a) four 3×3"])[0]
assert fields["FCN"] == view(*STACKS["(d) three times 2×2 / 2, then 3×3"])[0] + 8

# %% [markdown]
# MEASURES


# %%
counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
layout = np.broadcast_to(counts.argmax(axis=0), masks_val.shape)
floor = metrics.mean_iou(masks_val, layout, classes, void)
background = counts.sum(axis=(1, 2)).argmax()  # the most common class

gap = metrics.outline_gap(masks_val)  # (N, H, W), pixels to the nearest other class
known = masks_val != void
objects = known & (masks_val != background)
inside = objects & (gap > 2)
near = known & (gap <= 2)


def share_by_picture(wrong, part):
    """A number for each picture, (N,); their mean is nearly the share of wrong in a part."""
    bad = (wrong & part).sum(axis=(1, 2))
    whole = part.sum(axis=(1, 2))
    without = (bad.sum() - bad) / np.maximum(whole.sum() - whole, 1)
    return len(bad) * bad.sum() / max(whole.sum(), 1) - (len(bad) - 1) * without


def judge(answer):
    """Four measures of label maps (N, H, W), each with a number for each picture, (N,)."""
    wrong = answer != masks_val
    alike = masks_val[:, :, 1:] == masks_val[:, :, :-1]
    pairs = inside[:, :, 1:] & inside[:, :, :-1] & alike  # neighbours within one object
    return {
        "iou": metrics.mean_iou_by_image(masks_val, answer, classes, void),
        "inside": share_by_picture(wrong, inside),
        "near": share_by_picture(wrong, near),
        "torn": share_by_picture(answer[:, :, 1:] != answer[:, :, :-1], pairs),
    }


def wrong_by_gap(answer):
    """Shares of wrong pixels of objects at 1 to 7 pixels (or more) from the outline."""
    at = np.minimum(np.rint(gap), 7)
    found = [(answer != masks_val)[objects & (at == pixels)] for pixels in range(1, 8)]
    return [share.mean() if len(share) else 0.0 for share in found]


# %% [markdown]
# TRAIN


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)
BATCH = 8
PACE = {"CNN": 1, "FCN": 3, "U-Net": 3, "DeepLab": 2}  # steps in about the same time


def steps_of(name, base=steps):
    parent, _ = CHANGES.get(name, (name, {}))
    return base * PACE[parent]


@functools.cache
def compiled(name, size_name):
    """One network for all trainings of a kind: to compile takes as long as 100 steps."""
    model = new_network(name, size_name=size_name)
    model.compile(keras.optimizers.Adam(), loss, **backend.compile_options(planned=steps))
    model.optimizer.build(model.trainable_variables)
    return model


def train(name, steps, rate, run=0, size_name="full"):
    """A network after so many steps from fresh weights; it is the next call's, too."""
    model = compiled(name, size_name)
    model.set_weights(new_network(name, run, size_name).get_weights())
    for variable in model.optimizer.variables:
        variable.assign(ops.zeros_like(variable))  # as fresh as the weights

    rng = np.random.default_rng([seed, run])
    passes = math.ceil(BATCH * steps / len(x_train))
    order = np.concatenate([rng.permutation(len(x_train)) for _ in range(passes)])
    order = order[: BATCH * steps]

    # Keras calls 20 steps an epoch here: then the learning rate falls in small steps.
    epochs = max(1, steps // 20)
    fall = keras.callbacks.LearningRateScheduler(
        lambda epoch: rate * training.cosine_decay(epoch / epochs)
    )
    model.fit(
        x_train[order], masks_train[order], batch_size=BATCH, shuffle=False, verbose=0,
        epochs=epochs, steps_per_epoch=steps // epochs, callbacks=[fall],
    )  # fmt: skip
    return model


def label(model, x):
    return model.predict(x, batch_size=250, verbose=0).argmax(axis=-1)  # (N, H, W)


# %% [markdown]
# ERF

# %%
middle = (size // 2, size // 2)
in_object = np.flatnonzero(objects[:, *middle])[:64]  # pictures with an object there
if len(in_object) == 0:
    in_object = np.arange(min(64, len(x_val)))


def used_field(model):
    """Mean size of the gradient of the output in the middle, for each pixel: (H, W)."""
    return segmentation.effective_receptive_field(model, x_val[in_object], middle)


def used_side(model):
    """Side of the smallest square around the middle that holds 90 % of the gradient."""
    return segmentation.side_holding(used_field(model), middle, 0.9)


# %% [markdown]
# STUDY


# %%
def choosing_score(name, rate, size_name):
    model = train(name, steps_of(name) // 2, rate, run=100, size_name=size_name)
    answer = label(model, x_choose)
    return float(metrics.mean_iou(masks_choose, answer, classes, void))


def scores(name, run, length, rate, size_name):
    count = steps_of(name) if length == "longer" else steps_of(name) // 2
    model = train(name, count, rate, run, size_name)
    answer = label(model, x_val)
    found = judge(answer)
    if length == "longer":
        found["by_gap"] = wrong_by_gap(answer)
        found["sides"] = [used_side(new_network(name, run, size_name)), used_side(model)]
    return found


summary = {}
plan = [path, seed, size, images, val_images, steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
if study:
    parents = {name: parent for name, (parent, _) in CHANGES.items()}
    summary = segmenters.study(list(NETWORKS), parents, seeds, choosing_score, scores, store)

# %% [markdown]
# OWN

# %%
rates = dict.fromkeys([*NETWORKS, *CHANGES], 0.01)
if recorded:
    rates = {name: choice[0] for name, choice in zip(recorded["names"], recorded["choices"])}
own, answers, own_sides = {}, {}, {}
for name in [] if study else [*NETWORKS, *CHANGES]:
    model = train(name, steps_of(name), rates[name])
    answers[name] = label(model, x_val)  # (N, H, W)
    own[name] = judge(answers[name])

# %% tags=["results"]
results = {"floor": floor, "seeds": seeds, "weights": list(weights.values())}
results |= {"half_weights": list(half_weights.values()), "work": list(work.values())}
results |= {"field": list(fields.values())}
results |= summary
record(results, {}, "segmenters")
