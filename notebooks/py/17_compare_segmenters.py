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
# # Compare segmenters: what each gets wrong, and how far it sees
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/17_compare_segmenters.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/17_compare_segmenters.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/17_compare_segmenters.ipynb) <!--badges-->
#
# ![Eight pictures of coloured shapes with their masks, and for each of four networks its answer and its errors in black. The CNN calls the middle of most objects disc and their rims triangle or square, and misses most of a dark disc. The objects of the FCN have round corners, and a disc and two squares have the wrong class. U-Net and DeepLab have sharp outlines; U-Net calls a pair of squares discs, and DeepLab mixes classes within several objects.](../docs/pictures/17.png) <!--picture-->
#
# Four networks of 2012 to 2018 give each pixel a class: the plain convolutional network (CNN), the fully convolutional network (FCN), the U-Net and DeepLab. **What does each get wrong, and how far does each see?**
#
# **What you'll do**
#
# - Compute how far one output of a network can see, and check the result by gradients.
# - Build the four with about the same number of weights, and change one idea at a time.
#
# **What you'll learn**
#
# - Errors of class and errors of outline: a network can have many of one kind and few of the other.
# - When dilated convolutions leave holes in what they see.
# - How much of its field a trained network uses.
#
# **What you'll need**
#
# - What a convolution, its stride and batch normalisation are, and what the mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) is (`01`).
# - Mathematics: sums, gradients of a function of many variables, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.7 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab and Kaggle this fetches the project; elsewhere it does nothing.
import os
import subprocess
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    fetch = "test -d vae-segments-edges || git clone -q --depth 1 https://github.com/vae-segments-edges/vae-segments-edges"
    install = f"{sys.executable} -m pip install -q ./vae-segments-edges"
    subprocess.run(f"({fetch}) && {install}", shell=True, check=True)
    sys.path.insert(0, os.path.abspath("vae-segments-edges"))

# %% tags=["parameters"]
dataset = "shapes"  # or "folder": pictures and masks of your own
path = ""  # for "folder": the folder with your pictures and their masks
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1200  # pictures with a mask that the networks learn from
val_images = 500  # held-out pictures: all scores are measured on them
steps = 600  # training steps of each network, eight pictures each
learning_rate = 0.01  # of the first step; it falls to 0

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", seed=range(2**32),
    size=range(16, 257, 8), images=range(8, 4001), val_images=range(2, 1001),
    steps=range(2, 100_001), learning_rate=(1e-5, 1.0),
)  # fmt: skip
set_up(seed)

import math

import keras
import numpy as np
from keras import layers

from helpers import backend, data, metrics, plots, pyramids, segmentation
from helpers.data import scenes
from helpers.experiments import segmenters
from helpers.layers import DepthToSpaceUp, bn_relu, conv_bn_relu

plots.use()

# %% [markdown]
# ## The pictures
#
# The pictures are those of `08`: `shapes` of 32×32 pixels with one or two objects. Disc, square and triangle have the same colours and equal areas. So only the outline tells the class: a network has to see enough of it.
#
# Networks learn from 1,200 pictures with masks. All scores are measured on 500 held-out pictures.

# %%
if dataset == "shapes":
    options = {"size": size, "seed": seed, **scenes.CLEAR}
else:
    options = {"size": (size, size), "path": path}
train_set = data.load(dataset, "train", limit=images, **options)
val_set = data.load(dataset, "val", limit=val_images, **options)
if train_set.masks is None:
    raise ValueError(f"This notebook needs a mask for each picture, and {path!r} has no masks.")

x_train = data.to_float(train_set.images)  # (N, H, W, 3)
x_val = data.to_float(val_set.images)
masks_train = train_set.masks  # (N, H, W), a class for each pixel
masks_val = val_set.masks
classes = len(train_set.class_names)
void = train_set.ignore_class  # label of pixels that do not count, or None

# %% [markdown]
# ## How far can one output see?
#
# Take one output of a network. Which pixels can change it? They are its **[receptive field](../docs/site/glossary.md#term-receptive-field)**. Two numbers are enough to follow it through a stack of layers: $r$, the side of the field, and $j$, the distance in pixels between the fields of two neighbouring outputs. A pixel of the picture sees itself: $r = 1$, $j = 1$.
#
# Now add a layer with a kernel of side $k$ and stride $s$ (Araujo and others, 2019). Its **dilation** $d$ is the distance between the inputs that it reads. One output reads $k$ inputs in a row. The first and the last are $(k-1)\,d$ inputs apart, which is $(k-1)\,d\,j$ pixels, and each sees $r$ pixels. Two neighbouring outputs start $s$ inputs apart. So
#
# $$r \leftarrow r + (k-1)\,d\,j, \qquad j \leftarrow s\,j.$$
#
# A layer that enlarges by $f$ divides $j$ by $f$. If the layer interpolates, each output stands between two inputs, and $r$ grows by the $j$ of before. If it *unfolds channels* (one input gives $f×f$ outputs, each from channels of its own), $r$ stays; but those $f×f$ share one field, so the fields of neighbours are no longer evenly spaced, and the rule fails. Where branches meet, the widest counts.
#
# > **Predict first.** Four stacks: (a) four 3×3 convolutions; (b) ten of them; (c) four, with dilations 1, 2, 4 and 8; (d) three times a 2×2 convolution of stride 2 and then a 3×3 convolution. From the middle of our largest triangle it is 12 pixels to a corner. Which stacks see all of the triangle from there? Which of (a) and (c) has more weights?


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
# The corners of the triangle are 12.4<!--=reach[2]--> pixels away, so it takes a field of 25 pixels: (c) and (d) see all of it, (a) and (b) do not. Plain convolutions add two pixels a layer. After each stride a step is twice as many pixels: (d) sees 36 pixels, but its outputs lie 8 pixels apart. Dilation reaches 31 pixels at a step of 1, and (a) and (c) have the same number of weights.
#
# ## Four networks
#
# The parts are a 3×3 convolution with batch normalisation and ReLU (`conv_bn_relu`), a 2×2 convolution of stride 2 that halves the resolution, and layers that enlarge it.
#
# (The originals halve by max pooling, the *maximum* of a small window; the original U-Net doubles by a transposed convolution: each input adds a weighted patch of 2×2 to the output. `DepthToSpaceUp` computes the same map: it makes four times the channels, and unfolds them to 2×2 pixels.)
#
# **The plain CNN.** Convolutions at full resolution, then a *[logit](../docs/site/glossary.md#term-logit)*, a score before the softmax, for each class. Early deep networks for this task (Cireşan and others, 2012) classified the patch around one pixel after another. A convolution does it for all pixels at once.


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
# **The FCN** (Long and others, 2015) did away with the patches. Long and others saw that the dense layers of a network that classifies pictures are convolutions, too: on a larger picture they give logits on a coarse grid, which are then enlarged. Strides give it a wide field with few layers. Ours has one logit for 8×8 pixels and, like their first version, FCN-32s, no skip connections.


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
# **The U-Net** (Ronneberger and others, 2015). Down as before, then up again step by step. On the way up each level also gets the features of the same resolution from the way down, by a **skip connection**. (The original has a level at full resolution, ours has none.)


# %%
def unet(image, widths, skips=True):
    h = centred(image)
    down = []  # (width, features) of the way down, finest first
    for width in widths:
        h = conv_bn_relu(halved(h, width), width)
        down.append((width, h))
    for width, skip in reversed(down[:-1]):
        h = bn_relu(DepthToSpaceUp(width, 2, None)(h))  # twice the resolution
        beside = skip if skips else h
        h = layers.Concatenate()([h, beside])
        h = conv_bn_relu(h, width)
    return enlarged(logits_of(h), 2)


# %% [markdown]
# **DeepLab** (Chen and others, 2015) shrinks less, and gets the wide field by dilation. Its convolutions have holes (French *à trous*, hence **atrous**). Yu and Koltun (2016) made growing dilations a module of its own. The second DeepLab (2018) added **atrous spatial pyramid pooling**: the same features are read at several dilations side by side. (The original works at an eighth of the resolution, from the weights of a classifier of ImageNet, and sharpens its outlines by a model of all pairs of pixels. Ours works at half the resolution, without the two others.)


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
# Each network has about 12,000 weights that are trained.

# %%
NETWORKS = {"CNN": cnn, "FCN": fcn, "U-Net": unet, "DeepLab": deeplab}
WIDTHS = {"CNN": 20, "FCN": (12, 16, 24), "U-Net": (10, 12, 16), "DeepLab": 16}
CHANGES = {  # the unchanged network, and what is changed
    "CNN, dilated": ("CNN", {"dilations": (1, 2, 4, 8)}),
    "CNN, holes": ("CNN", {"dilations": (4, 4, 4, 4)}),
    "U-Net, no skips": ("U-Net", {"skips": False}),
    "CNN, reversed": ("CNN", {"dilations": (8, 4, 2, 1)}),
}


def new_network(name):
    """A network with fresh weights."""
    keras.utils.set_random_seed(seed)
    parent, change = CHANGES.get(name, (name, {}))
    image = keras.Input((size, size, 3))
    return keras.Model(image, NETWORKS[parent](image, WIDTHS[parent], **change))


weights, work = {}, {}
for name in NETWORKS:
    model = new_network(name)
    weights[name] = sum(math.prod(w.shape) for w in model.trainable_weights)
    work[name] = segmentation.multiply_adds(model) / 1e6
    print(f"{name:<8}{weights[name]:>6} weights, {work[name]:>5.1f} million multiply-adds")

# %% [markdown]
# Equal weights are not equal work: a kernel is used 1,024 times a picture at full resolution, and 16 times on the FCN's coarse grid. The CNN does 11.7<!--=work[0]--> million multiply-adds a picture, the FCN 0.7<!--=work[1]-->.
#
# Is the rule right? A pixel belongs to the field if the *gradient* of the output with respect to it can be other than zero. `segmentation.receptive_field` makes all weights positive, so that no ReLU is shut and no two paths cancel, takes the gradient of an output, and looks how far it reaches.

# %% tags=["nbval-check-output"]
fields = {}
for name in NETWORKS:
    fields[name] = segmentation.receptive_field(new_network(name))[0]
    print(f"{name:<8}sees {fields[name]:>2} pixels along a side")
assert fields["CNN"] == view(*STACKS["(a) four 3×3"])[0]
assert fields["FCN"] == view(*STACKS["(d) three times 2×2 / 2, then 3×3"])[0] + 8

large = pyramids.at_size(new_network("U-Net"), (96, 96, 3))  # no border cuts a field
unet_fields = []
for column in range(40, 48):  # eight outputs side by side
    square = segmentation.receptive_field_mask(large, (48, column))
    unet_fields.append(int(square.any(axis=0).sum()))
print("U-Net, eight outputs side by side:", unet_fields)

# %% [markdown]
# The CNN sees 9<!--=field[0]--> pixels along a side, FCN, U-Net and DeepLab at most 44<!--=field[1]-->, 52<!--=field[2]--> and 32<!--=field[3]-->. For CNN and FCN the rule gives the same (for the FCN 36, as for (d), and a step of 8). For the U-Net, which unfolds channels, count the coarsest features, one for each cell of 8×8 pixels. One sees 36 pixels, and each further one beside it adds 8. Traced layer by layer, an output in the middle of a cell uses three in a row, one at its rim two: its field is 52<!--=unet_fields[1]--> or 44<!--=unet_fields[0]--> pixels wide.
#
# **Exercise.** Our DeepLab begins with a 2×2 convolution of stride 2. Then come 3×3 convolutions with dilations 1 and 2, three side by side with dilations 1, 2 and 4, and interpolation by 2. What is its field if the three have dilations 1, 2 and 8 in place of 1, 2 and 4?

# %%
your_field = None  # ← your number
image = keras.Input((size, size, 3))
other = keras.Model(image, deeplab(image, 4, rates=(1, 2, 8)))
true_field = segmentation.receptive_field(other)[0]
hint = "After the convolution with dilation 1 it is 6. Which of the three side by side counts?"
if your_field is None:
    print("Write a number into `your_field`.")
else:
    print("field: your value", your_field, "true value", true_field)
    assert your_field == true_field, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# The first convolution: $r = 2$, $j = 2$. At $j = 2$ dilations 1, 2 and 8 (the widest of the three) add $4 + 8 + 32$, the interpolation one step of 2: 48 pixels. With dilation 4 the last adds 16, which gives the 32 of above.
#
# </details>
#
# ## What does each get wrong?
#
# Two kinds of error, both as shares of all pixels of objects:
# - a **class error**: a pixel of an object gets the class of *another object* (so a network that finds fewer pixels can make fewer of them);
# - an **outline error**: a pixel of an object is called background, or the reverse. (An object that is missed as a whole counts here, too.)
#
# And a **torn pair**: two neighbouring pixels of a row, more than 2 pixels inside one object's class, that get different labels. We give their share of all pairs so placed.
#
# Intervals are 95 %, by the jackknife over pictures (`01`). Two rows without a network show what the numbers mean: all background, and the *true* outline with the most frequent class in all objects.


# %%
counts = np.array([(masks_train == label).sum() for label in range(classes)])
order = counts.argsort()
background = order[-1]
most_frequent = order[-2]
MEASURES = {
    "iou": "mean IoU",
    "class_error": "class errors",
    "outline_error": "outline errors",
    "torn": "torn pairs",
}


def judge(answer):
    """Four measures of label maps (N, H, W), each with a number for each picture, (N,)."""
    return segmenters.measure(masks_val, answer, background, classes, void)


def as_text(measured, digits=".3f"):
    """Means and half widths of intervals over pictures."""
    pairs = [metrics.confidence_interval(measured[key]) for key in MEASURES]
    return [f"{mean:{digits}} ± {half:.3f}" for mean, half in pairs]


nothing = np.full_like(masks_val, background)
one_class = np.where(masks_val == background, background, most_frequent)
floors = {"all background": judge(nothing), "outline, one class": judge(one_class)}
table = {name: as_text(floor) for name, floor in floors.items()}
print(metrics.format_table(list(MEASURES.values()), table, 16))

# %% [markdown]
# > **Predict first.** Which of the four networks has the most class errors, which the most outline errors? Write an order of all four for both.
#
# Training is the same for all: seed, steps, batches of 8, and Adam with one learning rate, which falls to 0 as half a cosine wave does. So nothing here is tuned, each network has one training, and none was shown to be trained enough (`07`): **this is a demonstration**. (In a [recorded study](../docs/results.md), tuned, with three longer trainings, not enough either, some things turn round: see below.)

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)
epochs = math.ceil(8 * steps / len(x_train))
planned = epochs * math.ceil(len(x_train) / 8)  # steps


def train(name):
    model = new_network(name)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, planned)
    adam = keras.optimizers.Adam(schedule)
    model.compile(adam, loss, **backend.compile_options(planned=planned))
    model.fit(x_train, masks_train, batch_size=8, epochs=epochs, verbose=0)
    return model


trained, answers, scores = {}, {}, {}
for name in [*NETWORKS, *CHANGES]:
    model = train(name)
    logits = model.predict(x_val, batch_size=250, verbose=0)
    trained[name] = model
    answers[name] = segmentation.class_map(logits)  # (N, H, W)
    scores[name] = judge(answers[name])
table |= {name: as_text(scores[name]) for name in NETWORKS}
print(metrics.format_table(list(MEASURES.values()), table, 16))


# %% tags=["picture"]
def gallery(names):
    shown = {name: answers[name][:8] for name in names}
    return plots.segmentation_gallery(
        val_set.images[:8], masks_val[:8], shown, val_set.class_names, void
    )


alt = "Eight pictures of coloured shapes with their masks, and for each of four networks its answer and its errors in black. The CNN calls the middle of most objects disc and their rims triangle or square, and misses most of a dark disc. The objects of the FCN have round corners, and a disc and two squares have the wrong class. U-Net and DeepLab have sharp outlines; U-Net calls a pair of squares discs, and DeepLab mixes classes within several objects."
plots.show(gallery(NETWORKS), alt=alt)

# %% [markdown]
# In the stored run (one training each, 500 held-out pictures) the CNN makes the most **class errors**, 0.60<!--=class_error[0][0]--> of the pixels of objects, then FCN, U-Net and DeepLab. The FCN makes the most **outline errors**, 0.29<!--=outline_error[1][0]-->; the three others have 0.08<!--=outline_error[2][0]--> or 0.09<!--=outline_error[0][0]-->.
#
# So the CNN knows where objects are, and hardly which: of the object pixels that it *finds*, 0.65<!--=wrong_of_found[0]--> have a wrong class, no fewer than with one class for all objects. (FCN, U-Net and DeepLab: 0.29<!--=wrong_of_found[1]-->, 0.20<!--=wrong_of_found[2]--> and 0.16<!--=wrong_of_found[3]-->.) Its window of 9 pixels shows a short piece of an outline or none, seldom enough to tell a square from a triangle. The FCN has the coarsest logits; its objects have round corners. But the four differ in more than field and resolution.
#
# ## One idea at a time
#
# Two ideas can be tested nearly alone, because they need no weights of their own:
# - **The field:** the CNN with dilations 1, 2, 4 and 8 in place of 1, 1, 1 and 1. As many weights, and the same resolution; the field grows from 9 to 31 pixels. Two more have dilations 4, 4, 4 and 4 (*holes*, a field of 33 pixels), and 8, 4, 2 and 1, the *reversed* order.
# - **The skip connection:** the U-Net whose skips are cut. In the place of the features from the way down stands a copy of those of the coarser level. (Same field, and as many weights; but those that read the copy, 18<!--=idle*100--> % of all, add nothing. So the comparison is not quite equal.)
#
# > **Predict first.** For each change: do class errors become fewer or more? And outline errors? Which is better, growing dilations or four equal ones (*holes*)?

# %%
PAIRS = {name: (name, parent) for name, (parent, _) in CHANGES.items()}
PAIRS["holes − dilated"] = ("CNN, holes", "CNN, dilated")
PAIRS["reversed − dilated"] = ("CNN, reversed", "CNN, dilated")
changed = {}  # the first minus the second, each measure (N,)
for name, (first, second) in PAIRS.items():
    changed[name] = {key: scores[first][key] - scores[second][key] for key in MEASURES}
table = {name: as_text(difference, "+.3f") for name, difference in changed.items()}
print(metrics.format_table(list(MEASURES.values()), table, 16))

# %% [markdown]
# In the stored run **growing dilations** change the CNN's class errors by −0.24<!--=changed_class_error[0][0]--> ± 0.02<!--=changed_class_error[0][1]-->, its outline errors by −0.04<!--=changed_outline_error[0][0]--> ± 0.01<!--=changed_outline_error[0][1]--> and its mean IoU by +0.21<!--=changed_iou[0][0]--> ± 0.01<!--=changed_iou[0][1]-->. Dilations are not all: the CNN has 0.60<!--=class_error[0][0]--> class errors, the dilated one 0.35<!--=class_error[4][0]-->, the FCN 0.23<!--=class_error[1][0]-->. In the study the dilated one has 0.09<!--=study_class_error[4][0]-->, the FCN 0.10<!--=study_class_error[1][0]-->: that gap closes. (After [Holm's correction](../docs/site/glossary.md#term-Holm-s-correction) the study is sure of dilation's gain in mean IoU only.)
#
# **Cutting the skips** changes the U-Net's class errors by +0.06<!--=changed_class_error[2][0]--> ± 0.02<!--=changed_class_error[2][1]--> and its outline errors by +0.09<!--=changed_outline_error[2][0]--> ± 0.01<!--=changed_outline_error[2][1]-->. Both are worse (in the study surely only outlines); a part may come from the 18<!--=idle*100--> % of lost weights.
#
# **Four equal dilations** and the **reversed order** help, too. Of equal against growing ones, mean IoU differs by −0.005<!--=changed_iou[4][0]--> ± 0.007<!--=changed_iou[4][1]--> and class errors by +0.010<!--=changed_class_error[4][0]--> ± 0.010<!--=changed_class_error[4][1]-->: hardly a difference. In the study growing ones have a mean IoU of 0.86<!--=study_iou[4][0]-->, equal ones 0.65<!--=study_iou[5][0]--> (not tested). (Intervals are over pictures; other first weights may change more.)
#
# ## When does dilation leave holes?
#
# The side of a field does not say whether all pixels within it are read. `receptive_field_mask` gives those that can change one output.
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
# Two of the four stacks read everything: (1, 2, 4, 8) and (1, 3, 9). That dilations grow, and begin with 1, is not enough: (1, 2, 9) leaves strips of two pixels out.
#
# What is enough? Put the dilations in order, smallest first. (The order of the layers does not change which pixels are read: each layer adds $-d$, 0 or $d$.) Say that the smaller ones have a field of $F$ pixels without holes, and the next is $d$. The three windows of $F$ pixels have their middles $d$ apart. They touch or overlap if $d \le F$, and leave $d - F$ pixels between them otherwise. Later layers cannot fill such a hole at the rim: counted inward from the outermost pixel, the smaller dilations reach the first $F$ pixels, and every other step leads at least $d$ inward. So **a stack of 3×3 convolutions reads its whole field exactly when each dilation, smallest first, is at most the field of those before it.** For (1, 3, 9): 1 ≤ 1, 3 ≤ 3, 9 ≤ 9. For (1, 2, 9): 9 > 7. (Wang and others, 2018, have a condition of this kind, and call the fault *gridding*.)
#
# With (4, 4, 4, 4) an output and its neighbour read *no* common pixel. The network labels sixteen coarse pictures apart, and no layer compares the answers.
#
# > **Predict first.** Order four CNNs by their torn pairs: the plain one, growing dilations, the reversed order, and holes.

# %%
alt = "The same eight pictures with the answers and errors of four changed networks. The dilated CNN speckles the inside of several objects with single pixels of other classes, the one with holes still more densely. The U-Net without skips gives objects with round corners and a rim of errors. The reversed CNN gives larger patches of wrong classes and few single pixels."
plots.show(gallery(CHANGES), alt=alt)

# %% [markdown]
# In the stored run the shares of torn pairs are 0.07<!--=torn[0][0]--> for the plain CNN, 0.15<!--=torn[7][0]--> in the reversed order, 0.21<!--=torn[4][0]--> with growing dilations and 0.30<!--=torn[5][0]--> with holes. Against growing dilations, holes tear +0.09<!--=changed_torn[4][0]--> ± 0.01<!--=changed_torn[4][1]--> and the reversed order −0.07<!--=changed_torn[5][0]--> ± 0.01<!--=changed_torn[5][1]-->.
#
# Overlapping fields are no protection: growing dilations overlap, and many pairs are torn. The last layer may be a cause. With dilation 8 two neighbouring outputs read no common feature of the layer before. In the reversed order the same pixels are read, but the last layer has dilation 1, and neighbours share most features. In mean IoU the two orders differ by −0.012<!--=changed_iou[5][0]--> ± 0.010<!--=changed_iou[5][1]-->. In the study, trained longer, growing dilations tear less (0.07<!--=study_torn[4][0]--> against 0.12<!--=study_torn[7][0]-->; the plain CNN 0.24<!--=study_torn[0][0]-->) and label better (0.86<!--=study_iou[4][0]--> against 0.72<!--=study_iou[7][0]-->; untested). Yu, Koltun and Funkhouser (2017) remove such patterns by layers with falling dilations at the end. And a network that gives one class to most pixels of objects, as the plain CNN does to 0.64<!--=plain_most--> of those it finds, may tear few.
#
# ## The field that is allowed and the field that is used
#
# How much does each pixel change an output? Luo and others (2016) averaged the size of the gradient over pictures: the **effective field**. In a network with fresh weights many more paths lead from the middle of the field to the output than from its rim, so the gradient is largest in the middle. They also found fields that grow with training.
#
# We take 64 held-out pictures with an object in the middle, and of the outputs there the largest logit. The sizes of its gradient are summed over the three channels. Two numbers describe the sum: the side of the smallest square around the middle, cut by the border, that holds 90 % of it, and the share in the middle 9×9 pixels. Each is printed three times: visible pixels counted alike, fresh weights, trained weights.
#
# Batch normalisation that has seen no picture makes deep branches weak beside shallow ones. So we show the fresh networks 64 pictures first, without a training step.
#
# > **Predict first.** Does training widen the used field of each network or narrow it?

# %%
maps, sides, shares = [], {}, {}
row = column = size // 2  # the middle
near = slice(row - 4, row + 5)  # rows, or columns, of the 9×9 pixels around it
there = masks_val[:, row, column] != background
if not there.any():  # in your own pictures, for example
    there[:] = True
seen = x_val[there][:64]  # with an object in the middle, if any has one
for name in NETWORKS:
    fresh = new_network(name)
    three, sides[name] = segmenters.used_fields(
        fresh, trained[name], seen, (row, column), x_train[:64]
    )
    maps.append(three)  # square roots
    shares[name] = [(root[near, near] ** 2).sum() / (root**2).sum() for root in three]
    print(f"{name:<8}sides {sides[name]}, shares", np.round(shares[name], 2))
rows = ["can be seen", "fresh", "trained"]
grid = list(zip(*maps))
fig = plots.image_grid(grid, row_labels=rows, column_labels=list(NETWORKS), cmap="cividis")
alt = "Three rows of four maps. What can be seen: a square of 9 pixels for the CNN, the whole picture for the other three. Fresh: brightest in the middle for CNN, U-Net and DeepLab, which fade to the rim, and wide for the FCN. Trained: one bright spot for the CNN, a wide checkered field for the FCN, a bright spot of a few pixels in a dim field for the U-Net, a wide field with a bright middle for DeepLab."
plots.show(fig, alt=alt)

# %% [markdown]
# Each map is the picture of 32×32 pixels. Above, yellow pixels can be seen; below, brightness is the square root of the gradient. The sides cannot tell much: three of the four fields fill the picture. So look at the shares in the middle. In the stored run that of the U-Net rises from 0.21<!--=shares[2][1]--> to 0.33<!--=shares[2][2]-->: training **narrows** its used field. Those of DeepLab, 0.21<!--=shares[3][1]--> and 0.22<!--=shares[3][2]-->, and of the FCN, 0.13<!--=shares[1][1]--> and 0.13<!--=shares[1][2]-->, hardly change. The CNN sees no more; its side falls from 9<!--=sides[0][1]--> to 7<!--=sides[0][2]-->, in the study not.
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
named = answers["CNN"][answers["CNN"] != background]  # what the plain CNN calls an object
results = {"weights": list(weights.values()), "work": list(work.values())}
results |= {"field": list(fields.values()), "unet_fields": sorted(set(unet_fields))}
results["idle"] = sum(9 * width**2 for width in WIDTHS["U-Net"][:-1]) / weights["U-Net"]
results["reach"] = scenes.REACH[1:] * scenes.CLEAR["radius"][1] * 32  # of the largest objects
results |= {"sides": list(sides.values()), "shares": list(shares.values())}
results["plain_most"] = np.bincount(named).max() / len(named)
results["wrong_of_found"] = []  # of the pixels of objects that are not called background
for name in NETWORKS:
    found = (masks_val != background) & (answers[name] != background)
    found &= np.full_like(found, True) if void is None else masks_val != void
    wrong = (answers[name] != masks_val)[found]
    results["wrong_of_found"].append(wrong.sum() / max(len(wrong), 1))
for measure in MEASURES:
    for key, rows in ((measure, scores), (f"changed_{measure}", changed)):
        results[key] = [metrics.confidence_interval(row[measure]) for row in rows.values()]
mean_ious = [floors[name]["iou"].mean() for name in floors]
results |= {"floor": mean_ious[0], "floor_outline": mean_ious[1]}
study = data.records.results_of("segmenters")
results |= {f"study_{measure}": study[measure] for measure in MEASURES}
line = "fields of " + ", ".join(f"{name} {field}" for name, field in fields.items())
record(results, {"floor": {"default": (0.1, 0.3)}}, line + " pixels")

# %% [markdown]
# ## What you saw
#
# - **How far?** CNN, FCN, U-Net and DeepLab can see 9<!--=field[0]-->, 44<!--=field[1]-->, 52<!--=field[2]--> and 32<!--=field[3]--> pixels along a side. For the U-Net it is 44<!--=unet_fields[0]--> at some places; the rule holds for the three others.
# - **What does each get wrong?** In our short run the CNN makes the most class errors, 0.60<!--=class_error[0][0]-->, the FCN the most outline errors, 0.29<!--=outline_error[1][0]-->. A demonstration: one training each, without tuning.
# - **What did one idea change?** Dilations alone took the CNN's class errors from 0.60<!--=class_error[0][0]--> to 0.35<!--=class_error[4][0]-->. Without skips the U-Net had more errors, in the study surely of outline.
# - A stack of dilated 3×3 convolutions has no holes exactly when each dilation, smallest first, is at most the field of those before it. Without holes, pairs can still be torn: the order of the layers matters, too.
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
# 3. A network with a field of 9 pixels gives a wrong class to a pixel whose window of 9×9 lies inside an object. Would longer training help?
#
#    <details><summary>Answer</summary>
#
#    Hardly. The window tells only that the outline is 5 pixels away or more. Of equal areas, a disc has the most such pixels. So "disc" is the best guess, and no training can know more.
#
#    </details>
# 4. You test a wider field by comparing a CNN with an FCN. What is wrong?
#
#    <details><summary>Answer</summary>
#
#    They also differ in resolution, strides and channels. Change one thing: dilate the CNN.
#
#    </details>
#
# ## On your own
#
# 1. **Wider pictures.** Set `size = 64` (a run takes four times as long). Which networks see a whole object now? Predict the class errors of each, then run.
# 2. **Pictures of your own.** Set `dataset = "folder"` and `path` to a folder with `images/` and `masks/`. Where a class has a colour of its own, does the CNN still make the most class errors?
#
# ## References
#
# - Araujo, A., Norris, W. and Sim, J. (2019). Computing Receptive Fields of Convolutional Neural Networks. *Distill*. <https://doi.org/10.23915/distill.00021>
# - Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2015). Semantic Image Segmentation with Deep Convolutional Nets and Fully Connected CRFs. ICLR. [arXiv:1412.7062](https://arxiv.org/abs/1412.7062)
# - Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2018). DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully Connected CRFs. *IEEE TPAMI* 40(4). [arXiv:1606.00915](https://arxiv.org/abs/1606.00915)
# - Cireşan, D., Giusti, A., Gambardella, L. and Schmidhuber, J. (2012). Deep Neural Networks Segment Neuronal Membranes in Electron Microscopy Images. NeurIPS. <https://papers.nips.cc/paper_files/paper/2012/hash/459a4ddcb586f24efd9395aa7662bc7c-Abstract.html>
# - Long, J., Shelhamer, E. and Darrell, T. (2015). Fully Convolutional Networks for Semantic Segmentation. CVPR. [arXiv:1411.4038](https://arxiv.org/abs/1411.4038)
# - Luo, W., Li, Y., Urtasun, R. and Zemel, R. (2016). Understanding the Effective Receptive Field in Deep Convolutional Neural Networks. NeurIPS. [arXiv:1701.04128](https://arxiv.org/abs/1701.04128)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Wang, P. and others (2018). Understanding Convolution for Semantic Segmentation. WACV. [arXiv:1702.08502](https://arxiv.org/abs/1702.08502)
# - Yu, F. and Koltun, V. (2016). Multi-Scale Context Aggregation by Dilated Convolutions. ICLR. [arXiv:1511.07122](https://arxiv.org/abs/1511.07122)
# - Yu, F., Koltun, V. and Funkhouser, T. (2017). Dilated Residual Networks. CVPR. [arXiv:1705.09914](https://arxiv.org/abs/1705.09914)
