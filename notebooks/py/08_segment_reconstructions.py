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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/08_segment_reconstructions.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/08_segment_reconstructions.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/08_segment_reconstructions.ipynb) <!--badges-->
#
# ![Ten pictures, their reconstructions, the true masks, and the labels of two wide classifiers. From the picture nearly all objects have the right class and outline; a part of one square is taken for a disc, and one disc has a few pixels of a square. From the reconstruction the outlines are similar; most of that square is taken for a disc, and that disc for a square.](../docs/pictures/08.png) <!--picture-->
#
# Many texts, and the article that notebook `18` reads, give this recipe: train a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) on pictures, pass each picture through it, and let a small convolutional network label the pixels of the **[reconstruction](../docs/site/glossary.md#term-reconstruction)**. The VAE, so the argument goes, has kept what matters and has left out the noise. **Does it help to label the reconstruction?**
#
# **What you'll do**
#
# - Follow the recipe, and put the same classifiers on the picture itself beside it.
# - Train the VAE longer, and count the bits of a mask in two ways.
# - Compare nine VAEs of different [rates](../docs/site/glossary.md#term-rate) on two grids.
#
# **What you'll learn**
#
# - Why a reconstruction cannot tell more about the mask than the picture.
# - That the rate bounds what a [latent](../docs/site/glossary.md#term-latent-variable) carries, and does not say about what.
#
# **What you'll need**
#
# - What a VAE, its rate and its latent are (notebooks `03`, `04` and `06`), when it is trained enough (`07`), and what the mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) is (`01`).
# - Mathematics: logarithms to base 2, relative frequencies, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.8 GB of memory. Nothing is downloaded.

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
weights = "kept"  # of the VAEs that are shown: "kept", trained longer, or "own", the short one
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1200  # pictures with a mask that the classifiers learn from
val_images = 1000  # held-out pictures: all scores and rates are measured on them
vae_steps = 600  # training steps of the short VAE
classifier_steps = 1500  # training steps of each classifier
study_steps = 0  # of the recorded study's VAEs, the shorter length; 0 leaves the study out
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**32), size=range(16, 257, 8), images=range(8, 4001),
    val_images=range(2, 1001), vae_steps=range(1, 100_001), classifier_steps=range(1, 100_001),
    study_steps=range(0, 100_001, 8), cache_dir=str,
)  # fmt: skip
set_up(seed)

import math

import keras
import numpy as np
from keras import layers, ops
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from helpers import (
    backend,
    checkpoint,
    data,
    metrics,
    models,
    plots,
    pretrained,
    pyramids,
    segmentation,
    training,
)
from helpers.data import scenes
from helpers.data.stream import FreshShapes
from helpers.experiments import reconstructions
from helpers.layers import conv_bn_relu

plots.use()
study = data.records.results_of("08-rates")  # the recorded study of this notebook

# %% [markdown]
# ## Pictures, masks, and an answer without a look
#
# The pictures are `shapes` of 32×32 pixels with one or two objects. Colour says nothing about the class: disc, square and triangle differ in their outline only.
#
# Pictures with a [mask](../docs/site/glossary.md#term-mask) are scarce: 1,200 for training, and 1,000 held out. Those without a mask are drawn without end.

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
shape = x_train.shape[1:]

# %% [markdown]
# The score is the **mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU)** of notebook `01`, computed from all held-out pixels together. To get an interval all the same, `metrics.mean_iou_by_image` gives each picture a number: the mean IoU $m$, plus $N$ times what the pixels of this one of $N$ pictures change in it (to first order: the *infinitesimal jackknife*, Efron and Tibshirani, 1993). The mean of the numbers is $m$. Intervals are 95 %, for other pictures of the same kind. Differences are *paired*, picture by picture.
#
# The floor is an answer without a look at the picture, the *layout*: the most common class at each position.


# %%
def by_picture(answer):
    """A score of each held-out picture, (N,); their mean is the mean IoU."""
    return metrics.mean_iou_by_image(masks_val, answer, classes, void)


counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
layout = np.broadcast_to(counts.argmax(axis=0), masks_val.shape)
scores = {"layout": by_picture(layout)}  # (N,) each
value, half = metrics.confidence_interval(scores["layout"])
print(f"layout: mean IoU {value:.3f} ± {half:.3f}")

# %% [markdown]
# ## The VAE of the recipe
#
# The [encoder](../docs/site/glossary.md#term-encoder) shrinks the picture three times, by patches of 2×2 pixels, with 3×3 convolutions between. The [latent](../docs/site/glossary.md#term-latent-variable) is not one vector but a **grid**: 4×4 places with 8 numbers each, 128 in all. The [likelihood](../docs/site/glossary.md#term-likelihood) is Gaussian with $\sigma = 0.05$. The VAE never sees a mask, and sees new pictures in every step.


# %%
WIDTHS = (24, 32, 48)  # channels of the three levels, finest first
DEPTHS = (1, 1, 2)  # 3×3 convolutions at each level
PATCHES = {4: (2, 2, 2), 8: (2, 2, 1)}  # for 4×4 and for 8×8 places (of 32×32 pixels)
SIGMA = 0.05  # standard deviation of a pixel


def new_vae(places, channels, run=0):
    """A VAE with fresh weights, whose latent is a grid of places with so many channels each."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(
        shape, channels, WIDTHS, DEPTHS, PATCHES[places], batch_norm=False
    )
    return models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed + run)


def train_vae(vae, steps, run=0):
    """Adam; its rate rises for 100 steps, then falls to zero like half a cosine wave."""
    schedule = training.rise_and_fall(0.005, steps)
    adam = keras.optimizers.Adam(schedule, beta_2=0.99)
    vae.compile(adam, **backend.compile_options(planned=steps))
    if dataset == "shapes":
        # New pictures in every step.
        stream = FreshShapes(16, steps, seed + run, size=size, **scenes.CLEAR)
        vae.fit(stream, shuffle=False, verbose=0)
    else:
        epochs = math.ceil(16 * steps / len(x_train))
        vae.fit(x_train, batch_size=16, epochs=epochs, verbose=0)


# %% [markdown]
# What goes to the classifier is the [decoder](../docs/site/glossary.md#term-decoder)'s answer to a *draw* $z \sim q(z \mid x)$. For such a draw the **[rate](../docs/site/glossary.md#term-rate)** is an upper bound on what $z$ carries about the picture, as we use below. (Many texts take the mean of $q$ and not a draw. Then the rate is not a bound: a number without noise can carry any amount of information. The study tries both.)


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


def rate_of(vae):
    """The mean KL over the held-out pictures, in bits."""
    nats = metrics.kl_per_dimension(vae, x_val)  # of each number of the latent
    return nats.sum() / math.log(2)


# %% [markdown]
# Your VAE trains for 600 steps: a **demonstration**. The project keeps the same VAE after 12,000 steps. (With `weights = "own"` your short one takes its place.)
#
# > **Predict first.** Look for four things: the colour of the ground, the place of an object, its colour, and its corners. Which of them does the short VAE have, and which the longer one?

# %%
short = new_vae(4, 8)
train_vae(short, vae_steps)

vae, note = None, {}
fits = dataset == "shapes" and size == 32  # the kept VAEs know these pictures only
if fits and weights == "kept":
    vae, note = pretrained.load("grid-4x4x8")
if vae is None:
    vae = short
short_bits = rate_of(short)
vae_bits = rate_of(vae)
print(f"rate of the short VAE {short_bits:.0f} bits, of the one below {vae_bits:.0f} bits")

# %%
r_train = reconstruct(vae, x_train)  # (N, H, W, 3)
r_val = reconstruct(vae, x_val)
rows = {"picture": x_val, "short": reconstruct(short, x_val)}
rows["kept" if note else "the same"] = r_val
fig = plots.picture_rows(rows)
alt = "Ten pictures above two rows of reconstructions. After 600 steps all objects are there in their colours, on grounds of the right colour, with soft outlines: triangles can be told, squares are rounded. The kept VAE has clear outlines with slightly rounded corners; noise and fine texture are gone, and the gap between two objects that touch is partly filled."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the short VAE has the place and the colour of each object, and the colour of the ground. Its outlines are soft: triangles can be told, squares are rounded. The kept VAE has outlines with slightly rounded corners. Of the four things, the short one lacks the corners. Noise and fine texture are gone in both, as the recipe promises. Where two objects touch, the corner between them is lost.
#
# The rates are 444<!--=short_bits--> bits for the short VAE and 421<!--=rate_bits--> for the kept one; the kept pictures are much better. Yet half of its 12,000<!--=kept_steps--> steps were **not enough**, by the rule of `07`: twice as many raised the held-out [ELBO](../docs/site/glossary.md#term-ELBO) by 2.6<!--=kept_percent--> %.
#
# ## Label the reconstruction
#
# Two classifiers. The **narrow** one is what the recipe asks for: three 3×3 convolutions at full resolution. Each of its outputs sees 7×7 pixels (its [receptive field](../docs/site/glossary.md#term-receptive-field)). The **wide** one is a small U-Net (Ronneberger and others, 2015): down like the encoder, and back up with the finer features added. It sees (nearly) the whole picture.


# %%
def narrow():
    """Three 3×3 convolutions: each output sees 7×7 pixels."""
    image = keras.Input(shape)
    h = conv_bn_relu(image, 24)  # 3×3 convolution, batch normalisation, ReLU
    h = conv_bn_relu(h, 24)
    return keras.Model(image, layers.Conv2D(classes, 3, padding="same")(h))


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
    return segmentation.class_map(predict(classifier, x))  # (N, H, W)


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
# Texts say that the recipe goes with traditional methods, too. So a [random forest](../docs/site/glossary.md#term-random-forest) joins, as in notebook `01`: scikit-image describes every pixel by colour, gradient and curvature at several scales, and the forest learns from every tenth pixel of 200 pictures.


# %%
def pixel_features(x):
    described = [multiscale_basic_features(image, channel_axis=-1, sigma_max=4) for image in x]
    return np.stack(described)  # (N, H, W, F)


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
alt = "Ten pictures, their reconstructions, the true masks, and the labels of two wide classifiers. From the picture nearly all objects have the right class and outline; a part of one square is taken for a disc, and one disc has a few pixels of a square. From the reconstruction the outlines are similar; most of that square is taken for a disc, and that disc for a square."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run there is no classifier for which the reconstruction is better. The two wide ones come first, and of each pair the one on the picture. The **wide** one has a mean IoU of 0.908<!--=wide_picture--> on the picture and 0.883<!--=wide_reconstruction--> on the reconstruction; the difference is −0.025<!--=wide_lost[0]--> ± 0.009<!--=wide_lost[1]-->. For the **narrow** one, 0.493<!--=narrow_picture--> and 0.475<!--=narrow_reconstruction-->, it is −0.018<!--=narrow_lost[0]--> ± 0.004<!--=narrow_lost[1]-->, for the **forest** −0.008<!--=forest_lost[0]--> ± 0.003<!--=forest_lost[1]--> (one training each, 1,000 held-out pictures). The layout has 0.238<!--=layout-->.
#
# What of this can be known beforehand?
#
# - **Nothing can be gained on the way.** The reconstruction is computed from the picture (and from noise that knows nothing of the mask). So whatever it tells about the mask, the picture tells, too. This is the *data-processing inequality* (Cover and Thomas, 2006, section 2.8). The *best possible* classifier cannot be better on the reconstruction.
# - **A classifier that is not the best possible could gain**, if what is left out had misled it. None of the three did.
# - **What is left out may be more than noise.** The class of an object is in its corners, and these are a few pixels. In the figure, from the reconstruction the disc in the sixth column is taken for a square. (From the picture, a part of a square in the third column is taken for a disc.)
#
# Narrow classifier and forest are far below the wide one on both. The narrow one sees 7×7 pixels, the forest sees farther but blurred, and an object is 10 pixels wide or more: neither sees the whole outline sharply. This second fault of the recipe has nothing to do with the VAE.
#
# ## Does longer training help?
#
# The **recorded study** (`08.full-rates.yaml`) ran the functions of this notebook more often: nine VAEs of 4,000 steps, each with 2,000 as well, two of them with three seeds, and one with six lengths from 250 to 8,000. Each has a wide classifier of its own; held-out pictures and the noise of the draws are the same.


# %%
CHANNELS = {4: [1, 2, 4, 8, 16], 8: [1, 2, 4, 8]}
MAIN = {4: 8, 8: 4}  # channels of the two VAEs that are trained with three seeds


def recipe(places, channels, steps, run):
    """A VAE, and wide classifiers of its reconstructions: rate, ELBO and scores, (N,) each."""
    vae = new_vae(places, channels, run)
    train_vae(vae, steps, run)
    distortion, rate = vae.terms(x_val)
    found = {
        "rate": ops.convert_to_numpy(rate),
        "elbo": ops.convert_to_numpy(-distortion - rate),
    }
    ways = ["draw"]
    if channels == MAIN[places]:
        ways.append("mean")
    for way in ways:
        x = reconstruct(vae, x_train, way == "draw")
        x_new = reconstruct(vae, x_val, way == "draw")
        classifier = train_classifier(wide, x, run=run)
        found[way] = by_picture(label(classifier, x_new))
    return found


def picture(steps, run):
    """A wide classifier of the pictures themselves: scores, (N,)."""
    return by_picture(label(train_classifier(wide, x_train, steps, run), x_val))


# %% [markdown]
# The next cell runs in the study only: `reconstructions.study` calls the two functions for each training and takes paired differences.

# %%
summary = {}
plan = [path, seed, size, images, val_images, classifier_steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
if study_steps:
    summary = reconstructions.study(
        recipe, picture, store, CHANNELS, MAIN, study_steps, classifier_steps
    )

# %% [markdown]
# "Trained enough" means here, where the score counts and not the ELBO: twice the steps change the score by less than its paired interval, *and* by less than 0.01.
#
# > **Predict first.** The VAE with 4×4 places and 8 channels trains for 250, 500, 1,000, 2,000, 4,000 and 8,000 steps. Does the score reach that of the picture? Does the rate rise or fall?

# %%
if study:
    fig = plots.reconstruction_lengths(study)
    alt = "From the recorded study, two panels over the training steps of the VAE. Left: the mean IoU of labelled reconstructions rises from 0.64 at 250 steps to 0.88 at 8,000, more slowly at the end; the layout lies at 0.24, the picture at 0.90. Right: the rate rises from 394 bits to 444 at 1,000 steps and falls slowly to 425."
    plots.show(fig, alt=alt)

# %% [markdown]
# In the recorded study the score rises from 0.644<!--=study_length_curve[0][1]--> after 250 steps to 0.876<!--=study_length_curve[5][1]--> after 8,000. It stays below the picture's 0.895<!--=study_picture[0]-->, at the end of its ± 0.019<!--=study_picture[1]-->. (Three trainings of the classifier, an interval over seeds and pictures. Twice its steps change it by +0.006<!--=study_picture_twice[0]--> ± 0.015<!--=study_picture_twice[1]-->; we did not try this for the classifiers of reconstructions.)
#
# The last doublings bring +0.023<!--=study_length_gain[3][0]--> ± 0.009<!--=study_length_gain[3][1]--> and +0.017<!--=study_length_gain[4][0]--> ± 0.008<!--=study_length_gain[4][1]-->. By the score 4,000 steps are **not enough** (8,000 were not tested), though each doubling brings less than the one before. Nor are 2,000 for the VAE with 8×8 places and 4 channels: twice as many change it by +0.011<!--=longer_8_4[0]--> ± 0.008<!--=longer_8_4[1]-->, and its ELBO by 3.8<!--=longer_8_4[3]--> %.
#
# (Each length is a training of its own, with one seed.) The rate first rises to 444<!--=study_length_curve[2][3]--> bits and then *falls*, to 425<!--=study_length_curve[5][3]--> after 8,000 steps, while the score goes on rising. So a higher rate does not make a better latent by itself.
#
# ## How many bits does a mask take?
#
# With what can we compare a rate? With the bits that a *mask* takes. They depend on what sender and receiver know beforehand, so we count with two codes.
#
# **A code that knows three neighbours.** The mask is sent pixel by pixel, row by row. The receiver already has the neighbours to the left, above, and above left. An ideal code takes $-\log_2 p(\text{class} \mid \text{three neighbours})$ bits for a pixel. Inside an area the neighbours agree, and the next pixel takes almost no bits. (Langdon and Rissanen, 1981, code images in this way.)


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
RADIUS = scenes.CLEAR["radius"]  # least and greatest, as a share of the side


def send(scene, places, radii, turns):
    """Bits of the scenes, on average, and the masks that the receiver draws."""
    received = scenes.rounded(scene, size, RADIUS, places, radii, turns)
    there = scene.shape > 0  # (N, 2), a column for each object
    turned = scene.shape > 1  # a disc has no turn
    per_object = math.log2(3) + 2 * math.log2(places) + math.log2(radii)
    sent = per_object * there + math.log2(turns) * turned
    how_many = 1  # bit: one object or two
    return how_many + sent.sum(axis=1).mean(), scenes.label_maps(received, size)


# %%
neighbour_bits = mask_bits(masks_val)
print(f"three neighbours: {neighbour_bits:.0f} bits, exact")

scene_code = []  # bits and mean IoU
if dataset == "shapes":
    scene = scenes.sample(1000, seed, size, scenes.CLEAR["objects"], RADIUS)
    exact = scenes.label_maps(scene, size)
    for steps in ((2, 1, 1), (4, 1, 2), (6, 1, 4), (8, 2, 8), (16, 3, 16), (64, 8, 16)):
        sent, received = send(scene, *steps)
        iou = metrics.mean_iou(exact, received, classes)
        scene_code.append((sent, iou))
        print(f"places, radii, turns {steps}: {sent:.1f} bits, mean IoU {iou:.3f}")

# %% [markdown]
# In the stored run the first code takes 168<!--=mask_bits--> bits for a mask, and the mask is exact. (Its table is counted on these 1,000 masks, and not counted among the bits.) The second one has a mean IoU of 0.874<!--=scene_iou[3]--> with 17<!--=scene_bits[3]--> bits, so about 20 should be enough for 0.9, and 0.968<!--=scene_iou[5]--> with 31<!--=scene_bits[5]-->.
#
# So no mask "needs" 168 bits. But for that table, each code gives an **upper** bound for masks as exact as its own; one that knows more can give a lower one.
#
# What about the rate of a VAE? The mean [KL](../docs/site/glossary.md#term-KL-divergence) is an upper bound, too, on the information that the latent carries about the picture (Hoffman and Johnson, 2016; Alemi and others, 2018):
#
# $$\mathbb E_x\big[\mathrm{KL}(q(z \mid x)\,\|\,p(z))\big] \;=\; I(x; z) + \mathrm{KL}(q(z)\,\|\,p(z)) \;\ge\; I(x; z),$$
#
# with $q(z)$ the mean of $q(z \mid x)$ over all pictures. **The rate bounds what the latent carries. It does not say about what.** Our VAE's 421<!--=rate_bits--> bits are many times what a code of the scene takes; few of them need be about the mask.
#
# ## Rate or resolution?
#
# Nine VAEs. Five have a latent of 4×4 places with 1 to 16 channels, four have one of 8×8 places with 1 to 8 channels. The second kind leaves out the last shrinking, and is otherwise the same network. At equal rate, the grids differ in the resolution of the latent (and in how far encoder and decoder see).
#
# > **Predict first.** Sketch the mean IoU over the rate, one curve for each grid. Where do they lie at equal rate? At how many bits does the recipe reach half of what lies between the layout and the picture? And how many bits does the code of the scene take for that?

# %%
if study:
    codes = {"scene": scene_code, "three neighbours": [(neighbour_bits, 1)]}
    fig = plots.reconstruction_rates(study, codes)
    alt = "Mean IoU over bits on a logarithmic axis. The code of the scene rises from 0.62 at 7 bits to 0.97 at 31; the code of three neighbours is a cross at 168 bits and 1. Reconstructions of the grid of 4×4 places rise from 0.51 at 102 bits to 0.86 at 571. Those of 8×8 places begin on that curve, 0.81 at 301 bits, and reach 0.89 near 650, just below the picture at 0.90; the layout lies at 0.24."
    plots.show(fig, alt=alt)

# %% [markdown]
# In the recorded study (VAEs of 4,000 steps, one training each; channels stand at the points):
#
# - **A higher rate went with a better score, up to about 430 (4×4) and 650 bits (8×8).** 4×4 places go from 0.510<!--=rates_4_1[1]--> at 102<!--=rates_4_1[0]--> bits to 0.859<!--=rates_4_8[1]--> at 432<!--=rates_4_8[0]-->, 8×8 places from 0.807<!--=rates_8_1[1]--> at 301<!--=rates_8_1[0]--> bits to 0.887<!--=rates_8_4[1]--> at 653<!--=rates_8_4[0]-->; with 743<!--=rates_8_8[0]--> bits the score is the same (0.887<!--=rates_8_8[1]-->). Half of the way from the layout to the picture, 0.567<!--=half_way-->, is reached at about 130<!--=half_way_bits--> bits (by VAEs that still learn). The shortest code of the scene that we tried, 6.5<!--=scene_bits[0]--> bits, is already above it (0.622<!--=scene_iou[0]-->).
# - **At equal rate no clear difference of the grids was seen.** Against a straight line (over log rate) between coarse ones, the finer has −0.010<!--=finer_1[1]--> ± 0.012<!--=finer_1[2]--> at 301<!--=finer_1[0]--> bits and +0.008<!--=finer_2[1]--> ± 0.008<!--=finer_2[2]--> at 458<!--=finer_2[0]-->, 0 just inside (pictures only, one training each). But most still learn: in the last doubling the finer one of 301<!--=finer_1[0]--> bits gained +0.048<!--=longer_8_1[0]-->, its two coarse neighbours +0.059<!--=longer_4_4[0]--> and +0.023<!--=longer_4_8[0]-->. Above 571<!--=rates_4_16[0]--> bits we tried no coarse grid.
# - **After 4,000 steps the reconstruction is behind the picture.** With three seeds, reconstruction minus picture is −0.034<!--=study_behind[0][0]--> ± 0.020<!--=study_behind[0][1]--> for 4×4 places with 8 channels, and −0.013<!--=study_behind[1][0]--> ± 0.009<!--=study_behind[1][1]--> for 8×8 with 4. (The mean of $q$ in place of a draw changes the first by +0.002<!--=study_of_mean[0][0]--> ± 0.015<!--=study_of_mean[0][1]-->, the second by +0.007<!--=study_of_mean[1][0]--> ± 0.015<!--=study_of_mean[1][1]-->: no difference was seen.)
#
# So what does the recipe lack? Little in the score: 743<!--=rates_8_8[0]--> bits after 4,000 steps give 0.887<!--=rates_8_8[1]--> (the picture 0.895<!--=study_picture[0]-->), and 421<!--=rate_bits--> bits after 12,000 give 0.883<!--=wide_reconstruction--> (the picture 0.908<!--=wide_picture-->). But it pays much: 17<!--=scene_bits[3]--> bits, from somebody who knows the scene, give masks with 0.874<!--=scene_iou[3]-->. The ELBO counts every pixel alike. The colour of the ground is in most of them, the corner of a triangle in a few. (To train a latent for the label instead is the *variational information bottleneck* of Alemi and others, 2017.)
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
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {name.replace(", ", "_").replace(" ", "_"): v.mean() for name, v in scores.items()}
results |= {f"{name}_lost": pair for name, pair in lost.items()}
results |= {"short_bits": short_bits, "rate_bits": vae_bits, "mask_bits": neighbour_bits}
results |= {"scene_bits": [b for b, _ in scene_code], "scene_iou": [v for _, v in scene_code]}
results |= summary
if note:
    change = note["trained_enough"]
    results |= {"kept_steps": note["steps"], "kept_percent": change["percent"]}
for kind in ("rates", "longer"):
    for places, channels, *values in study.get(kind, []):
        results[f"{kind}_{places:.0f}_{channels:.0f}"] = values
for channels, *values in study.get("finer", []):
    results[f"finer_{channels:.0f}"] = values
if study:
    four = np.array([row for row in study["rates"] if row[0] == 4])  # the grid of 4×4 places
    rates, ious = four[:, 2], four[:, 3]
    half_way = (study["layout"] + study["picture"][0]) / 2
    results |= {"half_way": half_way, "half_way_bits": np.interp(half_way, ious, rates)}
    results |= {f"study_{key}": value for key, value in study.items()}
bands = {"wide_picture": {"default": (0.8, 1.0)}, "layout": {"default": (0.15, 0.3)}}
line = "from the picture {wide_picture:.2f}, from its reconstruction {wide_reconstruction:.2f}"
record(results, bands, line.format(**results))

# %% [markdown]
# ## What you saw
#
# - **Does it help to label the reconstruction? No.** In one training each, its labels were worse for all three classifiers: by 0.025<!--=wide_lost[0]*-1--> for the wide one, 0.018<!--=narrow_lost[0]*-1--> for the narrow one, 0.008<!--=forest_lost[0]*-1--> for the forest.
# - Longer training of the VAE changed the score much: from 0.644<!--=study_length_curve[0][1]--> after 250 steps to 0.876<!--=study_length_curve[5][1]--> after 8,000.
# - A higher rate went with a better score, up to 430 (4×4) and 650 bits (8×8). At equal rate no clear difference was seen.
# - A mask takes 168<!--=mask_bits--> bits with a code of three neighbours; 31<!--=scene_bits[5]--> bits give 0.968<!--=scene_iou[5]--> if both sides know what a scene is. The rate bounds what the latent carries, and does not say about what.
#
# ## Check yourself
#
# 1. Somebody labels reconstructions with a network of two layers, and scores 0.02 more than the same network on pictures. Is this against the data-processing inequality?
#
#    <details><summary>Answer</summary>
#
#    No. The inequality is about the best possible classifier. A small network is none, and may gain.
#
#    </details>
# 2. A VAE has a rate of 300 bits, and a mask takes 168 bits by the code of three neighbours. Does the latent hold the mask?
#
#    <details><summary>Answer</summary>
#
#    That cannot be said. 300 bits bound what the latent carries about the *picture*, and may be about the ground or the texture.
#
#    </details>
# 3. Can there be a code of masks that takes fewer bits than the code of the scene, for the same mean IoU?
#
#    <details><summary>Answer</summary>
#
#    Yes. Ours takes the same number of bits for every place, though the program prefers centres that are far apart. What we counted is an upper bound.
#
#    </details>
# 4. A VAE with a finer grid has a higher rate and a better score. What do you need to know before you say "resolution helps"?
#
#    <details><summary>Answer</summary>
#
#    The score of both grids at *equal* rate, so several channels on each grid. And whether the trainings were long enough.
#
#    </details>
# 5. Why does a reconstruction from the *mean* of $q(z \mid x)$ not obey the bound of the rate?
#
#    <details><summary>Answer</summary>
#
#    The KL is about a draw with its noise. A mean has no noise, and can tell pictures apart however small the rate is.
#
#    </details>
#
# ## On your own
#
# 1. **Pictures of your own.** Set `dataset = "folder"` and `path` to a folder with `images/` and `masks/`, and `size` to a multiple of 8. Which classifier loses most?
#
#    <details><summary>Where to look</summary>
#
#    With a few hundred pictures the VAE and the classifiers learn them by heart. Compare the scores with the layout first, and look at the reconstructions: thin things go first.
#
#    </details>
#
# ## References
#
# - Alemi, A. A. and others (2018). Fixing a Broken ELBO. ICML. [arXiv:1711.00464](https://arxiv.org/abs/1711.00464)
# - Alemi, A. A., Fischer, I., Dillon, J. V. and Murphy, K. (2017). Deep Variational Information Bottleneck. ICLR. [arXiv:1612.00410](https://arxiv.org/abs/1612.00410)
# - Cover, T. M. and Thomas, J. A. (2006). Elements of Information Theory, 2nd edition. Wiley. [doi:10.1002/047174882X](https://doi.org/10.1002/047174882X)
# - Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall. [doi:10.1007/978-1-4899-4541-9](https://doi.org/10.1007/978-1-4899-4541-9)
# - Hoffman, M. D. and Johnson, M. J. (2016). ELBO surgery: yet another way to carve up the variational evidence lower bound. NIPS workshop on Advances in Approximate Bayesian Inference. [approximateinference.org](http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf)
# - Langdon, G. G. and Rissanen, J. (1981). Compression of black-white images with arithmetic coding. IEEE Transactions on Communications 29(6). [doi:10.1109/TCOM.1981.1095052](https://doi.org/10.1109/TCOM.1981.1095052)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
