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
# # Segment reconstructions, and compare with the picture
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/08_segment_reconstructions.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/08_segment_reconstructions.ipynb) <!--badges-->
#
# PICTURE
#
# Many texts give this recipe, and so does the article that notebook `18` reads: train a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) on pictures, pass each picture through it, and let a small convolutional network label the pixels of the **[reconstruction](../docs/site/glossary.md#term-reconstruction)**. The VAE, so the argument goes, has kept what matters and has left out the noise. **Does it help to label the reconstruction?**
#
# **What you'll do**
#
# - Follow the recipe, and put the same classifiers on the picture itself beside it.
# - Look at what longer training of the VAE changes.
# - Count the bits of a mask in two ways.
# - Compare nine VAEs of different rates, whose latents lie on two grids.
#
# **What you'll learn**
#
# - Why a reconstruction cannot tell more about the mask than the picture, and when a classifier could still gain.
# - That the rate bounds what a latent carries, and does not say about what.
# - How to tell the effect of the rate from that of the resolution.
#
# **What you'll need**
#
# - What a VAE, its rate and its latent are (notebooks `03`, `04` and `06`), and what the mean IoU is (`01`).
# - Mathematics: logarithms to base 2, relative frequencies, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 35 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
weights = "kept"  # of the VAEs that are shown: "kept", trained longer, or "own", the short one
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1200  # pictures with a mask that the classifiers learn from
val_images = 1000  # held-out pictures: all scores and rates are measured on them
vae_steps = 600  # training steps of the short VAE
classifier_steps = 1500  # training steps of each classifier
study_steps = 0  # of the recorded study's VAEs, the shorter length; 0 leaves the study out
grids = [4, 8]  # places a side of the latents in the study
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**32), size=range(16, 257, 8), images=range(8, 4001),
    val_images=range(2, 1001), vae_steps=range(1, 100_001), classifier_steps=range(1, 100_001),
    study_steps=range(0, 100_001), grids={"list_of": [4, 8]}, cache_dir=str,
)  # fmt: skip
set_up(seed)

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from sklearn.ensemble import RandomForestClassifier

from helpers import backend, checkpoint, data, losses, metrics, models, plots, pretrained
from helpers import pyramids, segmentation
from helpers.data import scenes
from helpers.data.stream import FreshShapes

plots.use()
study = data.records.results_of("08-rates")  # the recorded study of this notebook

# %% [markdown]
# ## Pictures, masks, and two answers without a look
#
# The pictures are `shapes` of 32×32 pixels with one or two objects. Colour says nothing about the class: disc, square and triangle differ in their outline only. So whoever labels the pixels must find an object *and* see its outline.
#
# Pictures with a [mask](../docs/site/glossary.md#term-mask) are scarce, as in practice: 1,200 for training, and 1,000 held out. Pictures without a mask are free, because a program draws them.

# %%
drawing = {"size": (size, size)}
options = {"path": path}
if dataset == "shapes":
    drawing = {
        "size": size,
        "objects": (1, 2),
        "radius": (0.18, 0.25),
        "contrast": (0.25, 0.6),
        "texture": 0.15,
        "noise": 0.03,
        "annotators": 1,
    }
    options = {"seed": seed}
train_set = data.load(dataset, "train", limit=images, **drawing, **options)
val_set = data.load(dataset, "val", limit=val_images, **drawing, **options)
if train_set.masks is None:
    raise ValueError(f"This notebook needs a mask for each picture, and {path!r} has no masks.")

x_train = data.to_float(train_set.images)  # (N, H, W, 3)
x_val = data.to_float(val_set.images)
masks_train = train_set.masks  # (N, H, W), a class for each pixel
masks_val = val_set.masks
classes = len(train_set.class_names)
void = train_set.ignore_class  # label of pixels that do not count, or None
shape = x_train.shape[1:]

# %% [markdown]
# The score is the **mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU)** of notebook `01`, over all held-out pixels. It is no mean over pictures, so its interval needs a step more: `metrics.mean_iou_by_image` leaves out one picture after the other (the *jackknife*, Efron and Tibshirani, 1993), and gives each picture a score such that the mean of these scores is the mean IoU. Intervals below are 95 % and hold for other pictures of the same kind. Differences are *paired*, picture by picture.
#
# Two answers need no look at the picture: the most common class everywhere, and the *layout*, which is the most common class at each position. They are the floor.


# %%
def by_picture(answer):
    """A score of each held-out picture, (N,); their mean is the mean IoU."""
    return metrics.mean_iou_by_image(masks_val, answer, classes, void)


counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
common = counts.sum(axis=(1, 2)).argmax()
layout = counts.argmax(axis=0)  # (H, W)
scores = {
    "most common class": by_picture(np.full(masks_val.shape, common)),
    "layout": by_picture(np.broadcast_to(layout, masks_val.shape)),
}  # (N,) each
for name, values in scores.items():
    print("{:<18} mean IoU {:.3f} ± {:.3f}".format(name, *metrics.confidence_interval(values)))

# %% [markdown]
# ## The VAE of the recipe
#
# The encoder has three levels. Each shrinks the picture by patches of 2×2 pixels and looks around with 3×3 convolutions. The [latent](../docs/site/glossary.md#term-latent-variable) is not one vector but a **grid**: 4×4 places with 8 numbers each, 128 in all. The decoder goes the same way back. The likelihood is Gaussian with $\sigma = 0.05$, about the strength of noise and texture. The VAE never sees a mask, and sees new pictures in every step.


# %%
WIDTHS = (24, 32, 48)  # channels of the three levels, finest first
DEPTHS = (1, 1, 2)  # 3×3 convolutions at each level
PATCHES = {4: (2, 2, 2), 8: (2, 2, 1)}  # for 4×4 and for 8×8 places (of 32×32 pixels)
SIGMA = 0.05  # standard deviation of a pixel


def new_vae(places, channels, run=0):
    """A VAE with fresh weights, whose latent is a grid of places with so many channels each."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(shape, channels, WIDTHS, DEPTHS, PATCHES[places])
    return models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed + run)


def train_vae(vae, steps, run=0):
    """Adam; the learning rate falls to zero in the form of half a cosine wave."""
    schedule = keras.optimizers.schedules.CosineDecay(0.003, steps)
    adam = keras.optimizers.Adam(schedule)
    vae.compile(adam, **backend.compile_options(planned=steps))
    if dataset == "shapes":
        stream = FreshShapes(16, steps, seed + run, **drawing)  # new pictures in every step
        vae.fit(stream, shuffle=False, verbose=0)
    else:
        epochs = math.ceil(16 * steps / len(x_train))
        vae.fit(x_train, batch_size=16, epochs=epochs, verbose=0)


# %% [markdown]
# What goes to the classifier is the decoder's answer to a *draw* $z \sim q(z \mid x)$. For such a draw the **[rate](../docs/site/glossary.md#term-rate)** is an upper bound on what $z$ carries about the picture, as we use below. (For the mean of $q$, which many texts take, it is none: a number without noise can carry any amount. The study does both.)


# %%
def predict(network, x):
    # The answer of a network, as NumPy arrays.
    return network.predict(x, batch_size=250, verbose=0)


def reconstruct(vae, x, draw=True):
    """Encode, draw z from q(z | x), decode; without a draw, z is the mean."""
    mean, log_variance = predict(vae.encoder, x)  # (N, places, places, channels) each
    noise = np.random.default_rng(seed).normal(size=mean.shape).astype("float32")
    z = mean + np.exp(log_variance / 2) * noise if draw else mean
    return predict(vae.decoder, z)  # (N, H, W, 3)


def rate_of(vae, x):
    """The KL of each picture in nats, (N,)."""
    mean, log_variance = predict(vae.encoder, x)
    return ops.convert_to_numpy(losses.gaussian_kl(mean, log_variance))


def bits(nats):
    return float(np.mean(nats)) / math.log(2)


# %% [markdown]
# Your VAE trains for 600 steps: a **demonstration**. The project keeps the same VAE after 6,000 steps; with `weights = "own"`, or where the kept one is missing, your short one takes its place.
#
# > **Predict first.** Look for four things: the colour of the ground, the place of an object, its colour, and its corners. Which of them does the short VAE have, and which the longer one?

# %%
short = new_vae(4, 8)
train_vae(short, vae_steps)

vae, note = None, {}
if dataset == "shapes" and size == 32 and weights == "kept":
    vae, note = pretrained.load("grid-4x4x8")
if vae is None:
    vae = short
short_bits = bits(rate_of(short, x_val))
vae_bits = bits(rate_of(vae, x_val))
print(f"rate of the short VAE {short_bits:.0f} bits, of the one below {vae_bits:.0f} bits")

# %%
r_train = reconstruct(vae, x_train)  # (N, H, W, 3)
r_val = reconstruct(vae, x_val)
rows = [x_val[:10], reconstruct(short, x_val[:10]), r_val[:10]]
names = ["picture", "short", "kept" if note else "the same"]
fig = plots.image_grid([row.clip(0, 1) for row in rows], row_labels=names)
alt = "ALT reconstructions of the short and the kept VAE."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER1
#
# ## Label the reconstruction
#
# Two classifiers. The **narrow** one is what the recipe asks for: three 3×3 convolutions at full resolution. Each of its outputs sees 7×7 pixels (its [receptive field](../docs/site/glossary.md#term-receptive-field)). The **wide** one is a small U-Net (Ronneberger and others, 2015): levels like those of the encoder, and a way back up that adds the finer features. It sees the whole picture.


# %%
def block(h):
    """A 3×3 convolution, batch normalisation and ReLU."""
    h = layers.Conv2D(24, 3, padding="same")(h)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))


def narrow():
    """Three 3×3 convolutions: each output sees 7×7 pixels."""
    image = keras.Input(shape)
    logits = layers.Conv2D(classes, 3, padding="same")(block(block(image)))
    return keras.Model(image, logits)


def wide():
    """A small U-Net: down as the encoder does, and up again with skip connections."""
    encoder, _ = pyramids.pyramid_networks(shape, 1, WIDTHS, DEPTHS, (2, 2, 2))
    levels = pyramids.levels(encoder)
    return pyramids.segmentation_head(encoder.input, levels, classes)


def train_classifier(build, x, steps=classifier_steps, run=0):
    """A classifier with fresh weights, trained on pictures x and the masks of `masks_train`."""
    keras.utils.set_random_seed(seed + run)
    classifier = build()
    epochs = math.ceil(16 * steps / len(x))
    steps = epochs * math.ceil(len(x) / 16)
    schedule = keras.optimizers.schedules.CosineDecay(0.01, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)
    adam = keras.optimizers.Adam(schedule)
    classifier.compile(adam, loss, **backend.compile_options(planned=steps))
    classifier.fit(x, masks_train, batch_size=16, epochs=epochs, verbose=0)
    return classifier


def label(classifier, x):
    return predict(classifier, x).argmax(axis=-1)  # (N, H, W)


# %% [markdown]
# Each is trained twice, once on the pictures and once on their reconstructions, and scored on held-out pictures of the kind that it was trained on.
#
# > **Predict first.** Four scores: narrow and wide, on the picture and on the reconstruction. Write down an order. Is there a classifier for which the reconstruction is better?

# %%
sources = {"picture": (x_train, x_val), "reconstruction": (r_train, r_val)}
answers = {}  # (N, H, W) each
for name, build in {"narrow": narrow, "wide": wide}.items():
    for source, (x, x_new) in sources.items():
        classifier = train_classifier(build, x)
        answers[f"{name}, {source}"] = label(classifier, x_new)

# %% [markdown]
# The recipe is often said to go with traditional methods, too. So a [random forest](../docs/site/glossary.md#term-random-forest) joins, as in notebook `01`: scikit-image describes every pixel by colour, gradient and curvature at several scales, and the forest learns from some pixels of 200 pictures.


# %%
def pixel_features(x):
    return np.stack(list(segmentation.pixel_features(x)))  # (N, H, W, F)


for source, (x, x_new) in sources.items():
    features = pixel_features(x[:200])
    pixels = features.reshape(-1, features.shape[-1])
    labels = masks_train[:200].ravel()
    known = np.flatnonzero(labels != void)[::10]  # every tenth pixel
    forest = RandomForestClassifier(30, min_samples_leaf=3, n_jobs=2, random_state=seed)
    forest.fit(pixels[known], labels[known])
    features = pixel_features(x_new)
    answer = forest.predict(features.reshape(-1, features.shape[-1]))
    answers[f"forest, {source}"] = answer.reshape(masks_val.shape)

# %%
scores |= {name: by_picture(answer) for name, answer in answers.items()}  # (N,) each
lost = {}  # reconstruction minus picture: mean and half width
for name in ("narrow", "wide", "forest"):
    difference = scores[f"{name}, reconstruction"] - scores[f"{name}, picture"]
    lost[name] = metrics.confidence_interval(difference)
    print(f"{name:<7}", end="")
    for source in sources:
        value, half = metrics.confidence_interval(scores[f"{name}, {source}"])
        print(f"{source} {value:.3f} ± {half:.3f}", end="   ")
    print("difference {:+.3f} ± {:.3f}".format(*lost[name]))


# %% tags=["picture"]
def coloured(masks):
    return plots.mask_to_rgb(masks[:10], classes, void)


rows = [x_val[:10], r_val[:10].clip(0, 1), coloured(masks_val)]
rows += [coloured(answers[f"wide, {source}"]) for source in sources]
names = ["picture", "reconstruction", "mask", "from picture", "from reconstr."]
fig = plots.image_grid(rows, row_labels=names)
plots.class_legend(fig, val_set.class_names)
alt = "ALT ten pictures and labels of two classifiers."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER2
#
# ## Does longer training help?
#
# One VAE at one length is one point. The **recorded study** (`08.full-rates.yaml`) ran the cells of this notebook with more trainings: VAEs of 3,000 and 6,000 steps at nine rates, one VAE for six lengths from 375 to 12,000 steps, and three seeds where it says so. Each point has a wide classifier of its own, and the same 1,000 held-out pictures.


# %%
CHANNELS = {4: [1, 2, 4, 8, 16], 8: [1, 2, 4, 8]}
MAIN = {4: 8, 8: 4}  # channels of the two VAEs that are trained with three seeds


def recipe(places, channels, steps, run):
    """A VAE, and a wide classifier of its reconstructions: rate, ELBO and score, (N,) each."""
    vae = new_vae(places, channels, run)
    train_vae(vae, steps, run)
    noise = np.random.default_rng(seed).normal(size=(len(x_val), *vae.latent_shape))
    elbo = ops.convert_to_numpy(vae.elbo(x_val, noise.astype("float32")))
    found = {"rate": rate_of(vae, x_val), "elbo": elbo}
    for name, draw in (("draw", True), ("mean", False)):
        if name == "draw" or channels == MAIN[places]:
            classifier = train_classifier(wide, reconstruct(vae, x_train, draw), run=run)
            found[name] = by_picture(label(classifier, reconstruct(vae, x_val, draw)))
    return found


def picture(steps, run):
    """A wide classifier of the pictures themselves: score, (N,)."""
    return by_picture(label(train_classifier(wide, x_train, steps, run), x_val))


# %% [markdown]
# The next cell runs in the recorded study only (`study_steps` is 0 here).

# %%
points = []  # (places, channels, steps, run), the most telling ones first
for factor in (1, 2):
    points += [(g, MAIN[g], factor * study_steps, 0) for g in grids]
if 4 in grids:
    points += [(4, MAIN[4], study_steps // d, 0) for d in (8, 4, 2)]
for factor in (2, 1):
    for g in grids:
        others = [c for c in CHANNELS[g] if c != MAIN[g]]
        points += [(g, c, factor * study_steps, 0) for c in others]
points += [(g, MAIN[g], 2 * study_steps, run) for run in (1, 2) for g in grids]
if 4 in grids:
    points.append((4, MAIN[4], 4 * study_steps, 0))

plan = [seed, size, images, val_images, classifier_steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
found, ceiling = {}, {}
if study_steps and 8 in grids:
    for run in range(3):
        for factor in (1, 2):
            key = [factor * classifier_steps, run]
            ceiling[factor, run] = store.result("picture", lambda: picture(*key), key=key)
if study_steps:
    for key in points:
        found[key] = store.result("recipe", lambda: recipe(*key), key=key)

# %% [markdown]
# "Trained enough" means in this series: twice the steps change the score by less than its paired interval, *and* by less than 0.01.
#
# > **Predict first.** The VAE with 4×4 places and 8 channels trains for 375, 750, 1,500, … 12,000 steps. Does the score reach that of the picture? Does the rate rise or fall?

# %%
if study:
    steps, iou, half, rate = np.transpose(study["length_curve"])
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.4))
    left.errorbar(steps, iou, half, fmt="o-", capsize=3, label="reconstruction")
    left.axhline(study["picture"][0], color="k", linestyle="-.", label="picture")
    left.axhline(study["layout"], color="k", linestyle=":", label="layout, without a look")
    left.set(ylabel="mean IoU", ylim=(0, 1), xscale="log", xlabel="training steps of the VAE")
    left.legend(loc="lower right")
    right.plot(steps, rate, "o-")
    right.set(ylabel="rate (bits per picture)", xscale="log", ylim=(0, None))
    right.set(xlabel="training steps of the VAE")
    alt = "ALT the length curve goes up and up"
    plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER3
#
# ## How many bits does a mask take?
#
# To judge a rate, we need something to compare it with: the number of bits that a *mask* takes. The answer depends on what sender and receiver know beforehand, so we count with two codes.
#
# **A code that knows three neighbours.** The mask is sent pixel by pixel, row by row. The receiver already has the neighbours to the left, above, and between these two. An ideal code takes $-\log_2 p(\text{class} \mid \text{three neighbours})$ bits for a pixel. Inside an area the neighbours agree, and the next pixel takes almost no bits. (Rissanen and Langdon, 1981, code images in this way.)


# %%
def mask_bits(masks):
    """Mean bits of a mask for a receiver who knows three neighbours of each pixel."""
    masks = np.where(masks == void, classes, masks).astype("int64")  # void: one more label
    n = classes + 1
    known = np.pad(masks, ((0, 0), (1, 0), (1, 0)))  # outside: background
    left, above, corner = known[:, 1:, :-1], known[:, :-1, 1:], known[:, :-1, :-1]
    neighbours = (left * n + above) * n + corner  # (N, H, W), one number for all three
    table = np.zeros((n**3, n))
    np.add.at(table, (neighbours, masks), 1)
    p = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return -np.log2(p[neighbours, masks]).sum() / len(masks)


# %% tags=["nbval-check-output"]
half_masks = np.zeros((2, 4, 4), "int64")
half_masks[1, :, 2:] = 1  # a plain mask, and one whose right half is of class 1
print(f"two small masks: {mask_bits(half_masks):.2f} bits each, on average")
assert abs(mask_bits(half_masks) - metrics.label_bits(half_masks, classes)) < 1e-9

# %% [markdown]
# **A code that knows what a scene is.** Sender and receiver know that the program draws one or two discs, squares or triangles. Then the sender names for each object its class, place, radius and turn, each rounded to some number of steps; and the receiver draws the mask. The mask is not exact any more, so this code has a mean IoU.
#
# > **Predict first.** How many bits will the first code take for a mask of 1,024 pixels? And how many must the second one send for a mean IoU of 0.9?


# %%
def rounded(values, low, high, steps):
    """The middle of the step, of so many equal ones from low to high, in which a value lies."""
    width = (high - low) / steps
    step = np.floor((values - low) / np.maximum(width, 1e-9)).clip(0, steps - 1)
    return low + (step + 0.5) * width


def send(scene, places, radii, turns):
    """Bits of the scenes, on average, and the masks that the receiver draws."""
    low, high = np.multiply(drawing["radius"], size)
    radius = rounded(scene.radius, low, high, radii)  # (N, 2), a column for each object
    reach = scenes.REACH[scene.shape] * radius  # an object keeps so far from the border
    x = rounded(scene.x, reach, size - 1 - reach, places)
    y = rounded(scene.y, reach, size - 1 - reach, places)
    turn = rounded(scene.rotation, 0, scenes.SYMMETRY[scene.shape], turns)
    received = scenes.replaced(scene, x=x, y=y, radius=radius, rotation=turn)
    per_object = math.log2(3) + 2 * math.log2(places) + math.log2(radii)
    there = scene.shape > 0
    turned = scene.shape > 1  # a disc has no turn
    sent = 1 + (per_object * there + math.log2(turns) * turned).sum(axis=1)  # 1: how many
    return sent.mean(), scenes.label_maps(received, size)


# %%
neighbour_bits = mask_bits(masks_val)
print(f"three neighbours: {neighbour_bits:.0f} bits, exact")

scene_code = []  # bits and mean IoU
if dataset == "shapes":
    scene = scenes.sample(1000, seed, size, drawing["objects"], drawing["radius"])
    exact = scenes.label_maps(scene, size)
    for steps in ((2, 1, 1), (4, 1, 2), (6, 1, 4), (8, 2, 8), (16, 3, 16), (64, 8, 16)):
        sent, received = send(scene, *steps)
        iou = metrics.mean_iou(exact, received, classes)
        scene_code.append((sent, iou))
        print("{} places a side, {} radii, {} turns: ".format(*steps), end="")
        print(f"{sent:.1f} bits, mean IoU {iou:.3f}")

# %% [markdown]
# ANSWER4
#
# ## Rate or resolution?
#
# Nine VAEs. Five have a latent of 4×4 places with 1 to 16 channels, four have one of 8×8 places with 1 to 8 channels. The second kind leaves out the last shrinking, and is otherwise the same network. At equal rate, the two grids differ in the resolution of the latent (and in how far encoder and decoder see).
#
# Here are three of the nine, kept by the project.

# %%
shown = {"picture": x_val[:10]}
for name in ("4x4x1", "4x4x8", "8x8x4"):
    kept, about = pretrained.load(f"grid-{name}")
    if dataset == "shapes" and size == 32 and kept is not None:
        shown[f"{name}: {bits(rate_of(kept, x_val)):.0f} bits"] = reconstruct(kept, x_val[:10])
rows = [row.clip(0, 1) for row in shown.values()]
fig = plots.image_grid(rows, row_labels=list(shown))
alt = "ALT three rates in rows of reconstructions"
plots.show(fig, alt=alt)

# %% [markdown]
# > **Predict first.** Sketch the mean IoU over the rate, one curve for each grid. Where do they lie at equal rate? At how many bits does the recipe reach half of what lies between the layout and the picture? And how many bits does the code of the scene take for that?

# %%
if study:
    fig, axis = plt.subplots(figsize=(8.6, 4.2))
    for places, marker in ((4, "o-"), (8, "s--")):
        rows = [row for row in study["rates"] if row[0] == places]
        _, _, rate, iou, half = np.transpose(rows)
        what = f"reconstruction, latent of {places}×{places} places"
        axis.errorbar(rate, iou, half, fmt=marker, capsize=3, label=what)
        for row in rows:
            axis.annotate(f"{row[1]:.0f}", row[2:4], (4, -12), textcoords="offset points")
    axis.plot(*np.transpose(scene_code), "D:", color="0.4", label="code of the scene")
    axis.plot(neighbour_bits, 1, "kx", label="code of three neighbours, exact")
    axis.axhline(study["picture"][0], color="k", linestyle="-.", label="label the picture")
    axis.axhline(study["layout"], color="k", linestyle=":", label="layout, without a look")
    axis.set(xscale="log", xlabel="rate, or bits of a code (per picture)", ylabel="mean IoU")
    axis.set(ylim=(0, 1.05), xlim=(5, 1000))
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    alt = "ALT curve of the mean IoU over the rate"
    plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER5
#
# **Exercise 1.** A mask of 32×32 pixels with 4 classes is sent without any code. How many bits? **Exercise 2.** One square alone is sent by the code of the scene, with 8 places a side, 4 radii and 8 turns. How many bits, with the bit that says how many objects there are?

# %%
your_bits = None  # ← your number
your_square = None  # ← your number
true_square = 1 + math.log2(3) + 2 * math.log2(8) + math.log2(4) + math.log2(8)
hints = {
    "bits": "Two bits name one of four classes.",
    "square": "One bit, then log2 of 3 classes, 8·8 places, 4 radii and 8 turns.",
}
for name, yours, true in (("bits", your_bits, 2048), ("square", your_square, true_square)):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.1f}'}")
    assert yours is None or abs(yours - true) < 0.1, hints[name]

# %% [markdown]
# <details><summary>Solutions</summary>
#
# 1,024 pixels with 2 bits each: 2,048 bits. And 1 + 1.58 + 6 + 2 + 3 = 13.6 bits.
#
# </details>
#
# ## Results
#
# The next two cells compute what the text speaks of, and record it.


# %%
def at_rate(rate, curve):
    """Scores (N,) of a curve at a rate, on the straight line between its neighbours."""
    rates, values = zip(*sorted(curve, key=lambda point: point[0]))
    place = np.interp(math.log(rate), np.log(rates), np.arange(len(rates)))
    low = min(int(place), len(rates) - 2)
    return (low + 1 - place) * values[low] + (place - low) * values[low + 1]


def of(places, channels, steps, run=0):
    """A point of the study as arrays, (N,) each."""
    return {key: np.array(v) for key, v in found[places, channels, steps, run].items()}


interval = metrics.confidence_interval
crossed = metrics.crossed_interval
summary = {}
if study_steps and set(grids) == {4, 8}:
    longer = 2 * study_steps
    tops = np.array([ceiling[1, run] for run in range(3)])  # (3, N)
    twice = np.array([ceiling[2, run] for run in range(3)])
    summary = {"picture": crossed(tops), "picture_twice": crossed(twice - tops)}
    curves = {g: [] for g in grids}  # rate in nats and scores (N,)
    summary |= {"rates": [], "longer": [], "finer": []}
    for g, c in ((g, c) for g in grids for c in CHANNELS[g]):
        less, more = of(g, c, study_steps), of(g, c, longer)
        curves[g].append((more["rate"].mean(), more["draw"]))
        summary["rates"].append([g, c, bits(more["rate"]), *interval(more["draw"])])
        gain = 100 * (more["elbo"] - less["elbo"]).mean() / abs(less["elbo"].mean())
        row = [*interval(more["draw"] - less["draw"]), bits(more["rate"] - less["rate"]), gain]
        summary["longer"].append([g, c, *row])
    for c, (rate, values) in zip(CHANNELS[8], curves[8]):
        row = interval(values - at_rate(rate, curves[4]))
        summary["finer"].append([c, rate / math.log(2), *row])

# %%
if summary:
    steps = [study_steps * f // 8 for f in (1, 2, 4, 8, 16, 32)]
    line = [of(4, MAIN[4], s) for s in steps]
    summary["length_curve"] = [
        [s, *interval(p["draw"]), bits(p["rate"])] for s, p in zip(steps, line)
    ]
    summary["length_gain"] = [interval(b["draw"] - a["draw"]) for a, b in zip(line, line[1:])]
    summary |= {"main": [], "main_bits": [], "behind": [], "of_mean": []}
    for g in grids:
        runs = [of(g, MAIN[g], longer, run) for run in range(3)]
        draws = np.array([run["draw"] for run in runs])  # (3, N)
        means = np.array([run["mean"] for run in runs])
        summary["main"].append(crossed(draws))
        summary["main_bits"].append([bits(run["rate"]) for run in runs])
        summary["behind"].append(crossed(draws - tops))
        summary["of_mean"].append(crossed(means - draws))
    a, b = (np.array([of(g, MAIN[g], longer, run)["draw"] for run in range(3)]) for g in grids)
    summary["main_difference"] = crossed(b - a)

# %% tags=["results"]
results = {name.replace(", ", "_").replace(" ", "_"): v.mean() for name, v in scores.items()}
results |= {f"{name}_lost": pair for name, pair in lost.items()}
results |= {"short_bits": short_bits, "rate_bits": vae_bits, "mask_bits": neighbour_bits}
results |= {"scene_bits": [b for b, _ in scene_code], "scene_iou": [v for _, v in scene_code]}
results |= summary
if note:
    change = note["trained_enough"]
    results |= {"kept_steps": note["steps"], "kept_percent": change["percent"]}
results |= {f"study_{key}": value for key, value in study.items() if "study" not in key}
bands = {"wide_picture": {"default": (0.8, 1.0)}, "layout": {"default": (0.15, 0.3)}}
line = "from the picture {wide_picture:.2f}, from its reconstruction {wide_reconstruction:.2f}"
record(results, bands, line.format(**results))
