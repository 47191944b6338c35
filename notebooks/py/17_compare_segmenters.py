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
# # Compare segmenters: what each mended, and how far it sees
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/17_compare_segmenters.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/17_compare_segmenters.ipynb) <!--badges-->
#
# ![Eight pictures of coloured shapes with their masks, and for each of four networks its answer and its errors in black. The CNN finds all shapes, but fills them with wrong classes. Those of the FCN have round corners and a rim of errors. The U-Net is nearly right but for one pair of squares, which it calls discs. DeepLab has sharp outlines and some patches of wrong classes.](../docs/pictures/17.png) <!--picture-->
#
# Four networks stand behind most classifiers of pixels: the plain convolutional network (CNN), the fully convolutional network (FCN), the U-Net and DeepLab. **What did each mend, and how far does each see?**
#
# **What you'll do**
#
# - Compute how far one output of a network can see, and check the result by gradients.
# - Build the four with about the same number of weights, and change one idea at a time.
#
# **What you'll learn**
#
# - The class of an object needs a wide view, its outline resolution; a network can lack one of them.
# - When dilated convolutions leave holes in what they see.
# - The field that the layers allow is not the field that the weights use.
#
# **What you'll need**
#
# - What a convolution, its stride and batch normalisation are, what the mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) is (`01`), and what "trained enough" means (`07`).
# - Mathematics: sums, gradients of a function of many variables, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
steps = 300  # training steps of the CNN; the others take more, see PACE
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

import math

import keras
import numpy as np
from keras import layers

from helpers import backend, checkpoint, data, metrics, plots, segmentation
from helpers.data import scenes
from helpers.experiments import segmenters
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu

plots.use()
recorded = data.records.results_of("17-segmenters")  # the recorded study of this notebook

# %% [markdown]
# ## The pictures
#
# The pictures are those of `08`: `shapes` of 32×32 pixels with one or two objects. Disc, square and triangle have the same colours and sizes. So the class of the pixel in the middle of an object is known only to a network that sees the outline.
#
# Networks learn from 1,200 pictures with masks. Learning rate and size are *chosen* on 300 others. All scores are measured on 500 held-out pictures, by which nothing is chosen.

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
# ## How far can one output see?
#
# Take one output of a network. Which pixels can change it? They are its **[receptive field](../docs/site/glossary.md#term-receptive-field)**. Two numbers are enough to follow it through a stack of layers: $r$, the side of the field, and $j$, the distance in pixels between the fields of two neighbouring outputs. A pixel of the picture sees itself: $r = 1$, $j = 1$.
#
# Now add a layer with a kernel of side $k$ and stride $s$. Its **dilation** $d$ is the distance between the inputs that it reads. One output reads $k$ inputs in a row. The first and the last are $(k-1)\,d$ inputs apart, which is $(k-1)\,d\,j$ pixels, and each sees $r$ pixels. Two neighbouring outputs start $s$ inputs apart. So
#
# $$r \leftarrow r + (k-1)\,d\,j, \qquad j \leftarrow s\,j.$$
#
# A layer that enlarges by $f$ divides $j$ by $f$. Afterwards each output stands between two inputs if the layer interpolates, and then $r$ grows by the $j$ of before; if the layer unfolds channels, $r$ stays. Where branches meet, the widest counts.
#
# > **Predict first.** Four stacks: (a) four 3×3 convolutions; (b) ten of them; (c) four, with dilations 1, 2, 4 and 8; (d) three times a 2×2 convolution of stride 2 and then a 3×3 convolution. Our objects are at most 16 pixels wide. Which stacks see a whole object from its middle? Which of (a) and (c) has more weights?


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
# Only (a) is too narrow. Plain convolutions add two pixels a layer. After each stride a step is twice as many pixels: (d) sees 36 pixels, but its outputs lie 8 pixels apart. Dilation reaches 31 pixels at a step of 1, and (a) and (c) have the same number of weights.
#
# ## Four networks
#
# All four are made of a 3×3 convolution with batch normalisation and ReLU (`conv_bn_relu`), a 2×2 convolution of stride 2 that halves the resolution, and layers that double it.
#
# (The originals halve by a *maximum* over 2×2 places, max pooling. A maximum is not a convolution, but the field is the same. For doubling, the U-Net has a transposed convolution; `DepthToSpaceUp` computes the same kind of map where its kernel is as wide as its stride.)
#
# **The plain CNN.** Convolutions at full resolution, then a logit for each class. The idea goes back to Fukushima's Neocognitron (1980), which learned without a gradient.


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
# **The FCN** (Long and others, 2015) mends the narrow field. A network that classifies pictures shrinks them to one vector. Long and others saw that its dense layers are convolutions, too: on a larger picture they give logits on a coarse grid, which are then enlarged. Ours is the plainest version, with one logit for 8×8 pixels.


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
# **The U-Net** (Ronneberger and others, 2015) mends the coarse outline. Down as before, then up again step by step; each level also gets the features of the same resolution from the way down, by a **skip connection**. Coarse levels know *what* is there, fine ones *where*.


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
    return enlarged(logits_of(h), 2)


# %% [markdown]
# **DeepLab** (Chen and others, 2015) mends it in another way: shrink less, and get the wide field by dilation. Convolutions with holes (French *à trous*, hence **atrous**) were known from wavelets. DeepLab had them from its first version, of December 2014. A year later Yu and Koltun (2016) made growing dilations a module of its own. The second DeepLab (2018) added **atrous spatial pyramid pooling**: the same features are read at several dilations side by side, because objects come in several sizes. (Its pretrained weights and its model of neighbouring pixels are left out here.)


# %%
def deeplab(image, width, dilations=(1, 2), rates=(1, 2, 4)):
    h = halved(centred(image), width)
    for dilation in dilations:
        h = conv_bn_relu(h, width, dilation_rate=dilation)
    sides = [conv_bn_relu(h, width, dilation_rate=rate) for rate in rates]
    return enlarged(logits_of(layers.Add()(sides)), 2)


# %% [markdown]
# ## The same number of weights
#
# Each network has about 12,000 weights, or about 6,000 in its "half" size. The study below chooses between the two.

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


def new_network(name, run=0, size_name="full"):
    """A network with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    parent, change = CHANGES.get(name, (name, {}))
    image = keras.Input((size, size, 3))
    return keras.Model(image, NETWORKS[parent](image, WIDTHS[parent][size_name], **change))


weights, work = {}, {}
for name in NETWORKS:
    model = new_network(name)
    weights[name] = model.count_params()
    work[name] = segmentation.multiply_adds(model) / 1e6
    print(f"{name:<8}{weights[name]:>6} weights, {work[name]:>5.1f} million multiply-adds")

# %% [markdown]
# Equal weights are not equal work. A kernel is used 1,024 times a picture at full resolution, and 16 times on the FCN's coarse grid. The CNN does 11.7<!--=work[0]--> million multiplications (each with an addition) a picture, DeepLab 3.0<!--=work[3]-->, the U-Net 1.1<!--=work[2]--> and the FCN 0.7<!--=work[1]-->.
#
# Is the recurrence right? A pixel belongs to the field if the *gradient* of the output with respect to it can be other than zero. `segmentation.receptive_field` makes all weights positive, so that no ReLU is shut and no two paths cancel, takes the gradient of an output, and looks how far it reaches.

# %% tags=["nbval-check-output"]
fields = {}
for name in NETWORKS:
    fields[name] = segmentation.receptive_field(new_network(name))[0]
    print(f"{name:<8}sees {fields[name]:>2} pixels along a side")
assert fields["CNN"] == view(*STACKS["(a) four 3×3"])[0]
assert fields["FCN"] == view(*STACKS["(d) three times 2×2 / 2, then 3×3"])[0] + 8

# %% [markdown]
# The CNN sees 9<!--=field[0]--> pixels along a side, too few for an object of up to 16; FCN, U-Net and DeepLab see 44<!--=field[1]-->, 52<!--=field[2]--> and 32<!--=field[3]-->. (Where it differs from place to place, this is the widest.)
#
# **Exercise.** DeepLab begins with a 2×2 convolution of stride 2. Then come 3×3 convolutions with dilations 1 and 2, one with dilation 4 (the widest of those side by side), and interpolation by 2. Compute its field.

# %%
your_field = None  # ← your number
print(f"field: your value {your_field}, true value {'?' if your_field is None else 32}")
hint = "2 for the first, then 2·1·2, 2·2·2 and 2·4·2, and one step of 2."
assert your_field in (None, 32), hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# The first convolution: $r = 2$, $j = 2$. The three others add $4 + 8 + 16$, the interpolation one step of 2: 32 pixels.
#
# </details>
#
# ## What does each get wrong?
#
# The *gap* of a pixel is its distance to the nearest pixel of another class. **Inside** are pixels of objects with a gap above 2: an error there is about the object. **Near** are all pixels with a gap of at most 2: an error there is mostly about the outline. Two neighbouring pixels inside one object that get different labels are a **torn pair**. The measures are the mean IoU, the shares of wrong pixels inside and near, and the share of torn pairs.
#
# Intervals are 95 %, by the jackknife over pictures (`08`).


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


def judge(answer):
    """Four measures of label maps (N, H, W), each with a number for each picture, (N,)."""
    return segmenters.measure(masks_val, answer, inside, near, classes, void)


# %% [markdown]
# > **Predict first.** Which network is worst inside, which is worst near outlines? Write an order of all four for both.
#
# Training is the same for all: batches of 8, Adam, a learning rate that falls like half a cosine wave. The CNN's steps take longest, so the others take two or three times as many steps, in about the same time. First weights and the order of the pictures depend on the seed.


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)
PACE = {"CNN": 1, "FCN": 3, "U-Net": 3, "DeepLab": 2}  # steps in about the same time


def train(name, rate, run=0, size_name="full", length=1):
    """A network from fresh weights; `length` is a share of its training steps."""
    model = new_network(name, run, size_name)
    parent, _ = CHANGES.get(name, (name, {}))
    epochs = math.ceil(8 * steps * PACE[parent] * length / len(x_train))
    planned = epochs * math.ceil(len(x_train) / 8)
    schedule = keras.optimizers.schedules.CosineDecay(rate, planned)
    adam = keras.optimizers.Adam(schedule)
    model.compile(adam, loss, **backend.compile_options(planned=planned))
    model.fit(x_train, masks_train, batch_size=8, epochs=epochs, verbose=0)
    return model


def label(model, x):
    return model.predict(x, batch_size=250, verbose=0).argmax(axis=-1)  # (N, H, W)


# %% [markdown]
# ## The recorded study
#
# The study trains each network three times, from other first weights. Before, each chooses its learning rate, 0.01 or 0.03, and its size, on the pictures for choosing. (So do the changed networks of the next section.) Each of the four has two lengths, to see whether it is trained enough: twice the steps change the score by less than its paired interval *and* by less than 0.01. Intervals are over seeds and pictures.
#
# It takes about half an hour of one CPU core: `python -m helpers.runs run 17 -f notebooks/parameters/17.full-segmenters.yaml`. No record is kept yet: what follows rests on the short run below.

# %%
middle = (size // 2, size // 2)
seen = x_val[np.argsort(~objects[:, *middle], kind="stable")[:64]]  # with an object there


def choosing_score(model):
    return metrics.mean_iou(masks_choose, label(model, x_choose), classes, void)


def scores(model, name, run, size_name):
    fresh = new_network(name, run, size_name)
    _, sides = segmenters.used_fields(fresh, model, seen, middle)
    return judge(label(model, x_val)) | {"sides": sides}


summary = {}
plan = [path, seed, size, images, val_images, steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
if study:
    parents = {name: parent for name, (parent, _) in CHANGES.items()}
    summary = segmenters.study(
        list(NETWORKS), parents, seeds, train, choosing_score, scores, store
    )

# %%
SHOWN = {"iou": "mean IoU", "inside": "wrong inside", "near": "wrong near"}
SHOWN["torn"] = "torn pairs"
if recorded:
    panels = {
        title: dict(zip(recorded["names"], recorded[measure]))
        for measure, title in SHOWN.items()
    }
    alt = "Four panels of bars with intervals from the recorded study, one bar for each of four networks and three changed ones: mean IoU, wrong inside, wrong near and torn pairs."
    plots.show(plots.interval_panels(panels, limits=(0, 1)), alt=alt)

# %% [markdown]
# ## Your own run: a demonstration
#
# One short training of each network, with the learning rates of the record or, without one, 0.01 for all. So nothing here is tuned, and no network was shown to be trained enough. Intervals are over pictures only.

# %%
rates = dict.fromkeys([*NETWORKS, *CHANGES], 0.01)
if recorded:
    rates = {name: choice[0] for name, choice in zip(recorded["names"], recorded["choices"])}

trained, answers, own = {}, {}, {}
for name in [] if study else rates:
    trained[name] = train(name, rates[name])
    answers[name] = label(trained[name], x_val)  # (N, H, W)
    own[name] = judge(answers[name])


def told(rows):
    """The measures with intervals over pictures, as text."""
    pairs = [metrics.confidence_interval(rows[measure]) for measure in SHOWN]
    return [f"{mean:+.2f} ± {half:.2f}" for mean, half in pairs]


table = {name: told(own[name]) for name in NETWORKS if own}
print(metrics.format_table(list(SHOWN.values()), table, 15))


# %% tags=["picture"]
def gallery(names):
    shown = {name: answers[name][:8] for name in names}
    return plots.segmentation_gallery(
        val_set.images[:8], masks_val[:8], shown, val_set.class_names, void
    )


if own:
    alt = "Eight pictures of coloured shapes with their masks, and for each of four networks its answer and its errors in black. The CNN finds all shapes, but fills them with wrong classes. Those of the FCN have round corners and a rim of errors. The U-Net is nearly right but for one pair of squares, which it calls discs. DeepLab has sharp outlines and some patches of wrong classes."
    plots.show(gallery(NETWORKS), alt=alt)

# %% [markdown]
# In the stored run (one short training each, 500 held-out pictures) the CNN is wrong at 0.64<!--=own_inside[0][0]--> of the pixels **inside**, the FCN at 0.18<!--=own_inside[1][0]-->, the U-Net at 0.11<!--=own_inside[2][0]--> and DeepLab at 0.15<!--=own_inside[3][0]-->. **Near** outlines the shares are 0.35<!--=own_near[0][0]-->, 0.30<!--=own_near[1][0]-->, 0.13<!--=own_near[2][0]--> and 0.16<!--=own_near[3][0]-->. The mean IoU is 0.38<!--=own_iou[0][0]--> for the CNN, 0.64<!--=own_iou[1][0]--> for the FCN, 0.79<!--=own_iou[2][0]--> for the U-Net and 0.74<!--=own_iou[3][0]--> for DeepLab; the most common class at each position, without a look at the picture, has 0.24<!--=floor-->.
#
# **Inside**, the CNN is the worst by far. In the figure it finds the objects, and their colours are often wrong: away from an outline its window of 9 pixels is all of one colour. **Near** outlines, U-Net and DeepLab have fewer errors than the FCN, whose objects have round corners: between two of its logits lie 8 pixels. So the FCN mended the narrow field, and the other two mended the outline that this had cost. Which of these two is better, one short training without tuning does not say.
#
# ## One idea at a time
#
# Four networks differ in many things at once. Two ideas can be tested alone, because they need no weights of their own:
# - **The field:** the CNN with dilations 1, 2, 4 and 8 in place of 1, 1, 1 and 1. Same weights, same resolution; the field grows from 9 to 31 pixels.
# - **The skip connection:** the U-Net whose skips are cut. In the place of the features from the way down stands a copy of those from below. Same weights, same field.
#
# And a third change: the CNN with dilations 4, 4, 4 and 4, whose field is 33 pixels, wider still.
#
# > **Predict first.** For each change: do errors inside objects become fewer or more? And errors near outlines? Is the third better than the first?

# %%
changed = {}  # changed minus unchanged, each measure (N,)
for name, (parent, _) in CHANGES.items() if own else []:
    changed[name] = {m: own[name][m] - own[parent][m] for m in SHOWN}
table = {name: told(rows) for name, rows in changed.items()}
print(metrics.format_table(list(SHOWN.values()), table, 15))

# %% [markdown]
# In the stored run the growing dilations change the CNN's errors inside objects by −0.12<!--=own_changed_inside[0][0]--> ± 0.03<!--=own_changed_inside[0][1]-->, those near outlines by −0.05<!--=own_changed_near[0][0]--> ± 0.01<!--=own_changed_near[0][1]--> and its mean IoU by +0.07<!--=own_changed_iou[0][0]--> ± 0.01<!--=own_changed_iou[0][1]-->. Cutting the skips changes the U-Net's errors inside by +0.09<!--=own_changed_inside[2][0]--> ± 0.02<!--=own_changed_inside[2][1]--> and near outlines by +0.11<!--=own_changed_near[2][0]--> ± 0.01<!--=own_changed_near[2][1]-->. The third change, four equal dilations, changes the CNN's mean IoU by +0.12<!--=own_changed_iou[1][0]--> ± 0.01<!--=own_changed_iou[1][1]-->.
#
# Nothing but the field was changed in the CNN, so the errors inside that are gone were errors of a narrow field. Nothing but the skips was changed in the U-Net: without them there are more errors near outlines. The third change, with the widest field, is better than the plain CNN, too. What it lacks, the next section says.
#
# ## When does dilation leave holes?
#
# The side of a field does not say whether all pixels within it are read. The gradient does: `receptive_field_mask` gives the pixels that can change one output.
#
# > **Predict first.** Stacks of 3×3 convolutions with dilations (1, 2, 4, 8), (4, 4, 4, 4), (1, 3, 9) and (1, 2, 9). Which of them read every pixel of their field?

# %% tags=["nbval-check-output"]
HOLES = [(1, 2, 4, 8), (4, 4, 4, 4), (1, 3, 9), (1, 2, 9)]
image = keras.Input((48, 48, 3))
squares = []
for dilations in HOLES:
    network = keras.Model(image, cnn(image, 4, dilations))
    square = segmentation.receptive_field_mask(network, (24, 24))  # (48, 48)
    squares.append(square)
    side = 1 + 2 * sum(dilations)
    read = square.any(axis=0).sum()
    print(f"dilations {dilations!s:<13} field {side:>2}, of these pixels {read:>2} are read")
    assert (read == side) == (dilations in [(1, 2, 4, 8), (1, 3, 9)])
fig = plots.image_grid([squares], column_labels=[str(d) for d in HOLES], cell=2.1)
alt = "Four receptive fields, white on black. Dilations 1 2 4 8 give a full square of 31 pixels, 1 3 9 a full square of 27. Dilations 4 4 4 4 give a grid of 81 single pixels, four apart. Dilations 1 2 9 give nine squares of 7 pixels with black strips between them."
plots.show(fig, alt=alt)

# %% [markdown]
# Two of the four read everything: (1, 2, 4, 8) and (1, 3, 9). That dilations grow, and begin with 1, is not enough: (1, 2, 9) leaves strips of two pixels out.
#
# The condition can be read off. Put the dilations in order, smallest first. (The order of the layers does not change which pixels are read: each layer adds $-d$, 0 or $d$.) Say that the smaller ones have a field of $F$ pixels without holes, and the next is $d$. The three windows of $F$ pixels have their middles $d$ apart. They touch or overlap if $d \le F$, and leave $d - F$ pixels between them otherwise. Later layers cannot fill such a hole at the rim: counted inward from the outermost pixel, the smaller dilations reach the first $F$ pixels, and every other step leads at least $d$ inward. So **a stack of 3×3 convolutions reads its whole field exactly when each dilation, smallest first, is at most the field of those before it.** For (1, 3, 9): 1 ≤ 1, 3 ≤ 3, 9 ≤ 9. For (1, 2, 9): 9 > 7. (Wang and others, 2018, have a condition of this kind, and call the fault *gridding*.)
#
# With (4, 4, 4, 4) an output and its neighbour read *no* common pixel. The network is sixteen networks, each on its own coarse grid, and nothing makes their answers agree.
#
# > **Predict first.** Which has more torn pairs, the CNN with growing dilations or the one with holes? And the plain CNN?

# %%
if own:
    alt = "The same eight pictures with the answers and errors of three changed networks. The dilated CNN and the one with holes speckle the inside of shapes with pixels of other classes, the latter at regular distances. The U-Net without skips gives plain shapes with round corners and a rim of errors."
    plots.show(gallery(CHANGES), alt=alt)

# %% [markdown]
# In the stored run the shares of torn pairs are 0.08<!--=own_torn[0][0]--> for the plain CNN, 0.24<!--=own_torn[4][0]--> ± 0.01<!--=own_torn[4][1]--> with growing dilations and 0.29<!--=own_torn[5][0]--> ± 0.01<!--=own_torn[5][1]--> with holes.
#
# Of these three CNNs the plain one tears the fewest pairs, because neighbours see almost the same. With holes there are more torn pairs than with growing dilations: in the figure, single pixels at equal distances.
#
# ## The field that is allowed and the field that is used
#
# How much does each pixel change an output? Luo and others (2016) averaged the size of the gradient over pictures: the **effective field**. In a network with fresh weights many more paths lead from the middle of the field to the output than from its rim, so the gradient is largest in the middle. We take the output in the middle of 64 held-out pictures that have an object there, and the side of the smallest square that holds 90 % of the gradient.
#
# > **Predict first.** Does training widen the used field of each network or narrow it?

# %%
maps, sides = [], {}
for name in NETWORKS if own else []:
    fresh = new_network(name)
    three, sides[name] = segmenters.used_fields(fresh, trained[name], seen, middle)
    maps.append(three)
    print(f"{name:<8} allowed {fields[name]}, fresh and trained {sides[name]}")
if own:
    rows = ["can be seen", "fresh", "trained"]
    grid = list(zip(*maps))
    fig = plots.image_grid(grid, row_labels=rows, column_labels=list(NETWORKS), cmap="cividis")
    alt = "Three rows of four maps. What can be seen: a square of 9 pixels for the CNN, everything for the other three. Fresh: for the CNN the brightness is in the middle, for the U-Net in a square of about 12 pixels, for FCN and DeepLab it is wide. Trained: a small spot for the CNN, a wide checkered field for the FCN, and for U-Net and DeepLab a bright spot in a wide dim field."
    plots.show(fig, alt=alt)

# %% [markdown]
# (The brightness is the square root of the gradient.) In the stored run, before the training, 90 % of the gradient lies in a square of 9<!--=own_sides[0][0]--> pixels for the CNN, 29<!--=own_sides[1][0]--> for the FCN, 19<!--=own_sides[2][0]--> for the U-Net and 27<!--=own_sides[3][0]--> for DeepLab; after it the sides are 7<!--=own_sides[0][1]-->, 29<!--=own_sides[1][1]-->, 27<!--=own_sides[2][1]--> and 27<!--=own_sides[3][1]-->.
#
# The U-Net is the one to watch: fresh, it uses mostly what its finest skip brings, and after the training more of what comes through its coarse levels. (One training each, so small changes may be chance.)
#
# ## Results
#
# The next cell records the numbers that the text speaks of.

# %% tags=["results"]
results = {"floor": floor, "seeds": seeds, "weights": list(weights.values())}
results |= {"work": list(work.values()), "field": list(fields.values())}
for measure in SHOWN if own else []:
    for key, rows in (("own", own), ("own_changed", changed)):
        pairs = [metrics.confidence_interval(row[measure]) for row in rows.values()]
        results[f"{key}_{measure}"] = pairs
if own:
    results["own_sides"] = list(sides.values())
results |= summary
results |= {f"study_{key}": value for key, value in recorded.items() if "study" not in key}
line = "fields of " + ", ".join(f"{name} {field}" for name, field in fields.items())
record(results, {"floor": {"default": (0.15, 0.3)}}, line + " pixels")

# %% [markdown]
# ## What you saw
#
# - **How far?** CNN, FCN, U-Net and DeepLab can see 9<!--=field[0]-->, 44<!--=field[1]-->, 52<!--=field[2]--> and 32<!--=field[3]--> pixels along a side; gradients agree with the recurrence. What they use is less, and training changes it.
# - **What did each mend?** In our short run the CNN is wrong at 0.64<!--=own_inside[0][0]--> of the pixels inside objects and the FCN at 0.18<!--=own_inside[1][0]-->; near outlines the FCN is wrong at 0.30<!--=own_near[1][0]-->, the U-Net at 0.13<!--=own_near[2][0]--> and DeepLab at 0.16<!--=own_near[3][0]-->. A demonstration: one training each.
# - A stack of dilated 3×3 convolutions has no holes exactly when each dilation, smallest first, is at most the field of those before it.
#
# ## Check yourself
#
# 1. A stack has 3×3 convolutions with dilations 1, 2, 5 and 16. What is its field, and does it read all of it?
#
#    <details><summary>Answer</summary>
#
#    $1 + 2(1 + 2 + 5 + 16) = 49$ pixels. 1 ≤ 1, 2 ≤ 3, 5 ≤ 7, 16 ≤ 17: it reads all of it.
#
#    </details>
# 2. Why does a skip connection not change the receptive field of our U-Net?
#
#    <details><summary>Answer</summary>
#
#    The way through the coarse levels already reaches farther than the way through the skip. The widest of two branches counts.
#
#    </details>
# 3. A network with a narrow field is wrong inside an object, 7 pixels from its outline. Would longer training help?
#
#    <details><summary>Answer</summary>
#
#    Not to know the class: nothing in its field depends on the outline.
#
#    </details>
# ## On your own
#
# 1. **Pictures of your own.** Set `dataset = "folder"` and `path` to a folder with `images/` and `masks/`. Where a class has a colour of its own, is the CNN still wrong inside?
#
# ## References
#
# - Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2015). Semantic Image Segmentation with Deep Convolutional Nets and Fully Connected CRFs. ICLR. [arXiv:1412.7062](https://arxiv.org/abs/1412.7062)
# - Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2018). DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully Connected CRFs. *IEEE TPAMI* 40(4). [arXiv:1606.00915](https://arxiv.org/abs/1606.00915)
# - Fukushima, K. (1980). Neocognitron: A self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position. *Biological Cybernetics* 36, 193–202. <https://doi.org/10.1007/BF00344251>
# - Long, J., Shelhamer, E. and Darrell, T. (2015). Fully Convolutional Networks for Semantic Segmentation. CVPR. [arXiv:1411.4038](https://arxiv.org/abs/1411.4038)
# - Luo, W., Li, Y., Urtasun, R. and Zemel, R. (2016). Understanding the Effective Receptive Field in Deep Convolutional Neural Networks. NeurIPS. [arXiv:1701.04128](https://arxiv.org/abs/1701.04128)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Wang, P. and others (2018). Understanding Convolution for Semantic Segmentation. WACV. [arXiv:1702.08502](https://arxiv.org/abs/1702.08502)
# - Yu, F. and Koltun, V. (2016). Multi-Scale Context Aggregation by Dilated Convolutions. ICLR. [arXiv:1511.07122](https://arxiv.org/abs/1511.07122)
