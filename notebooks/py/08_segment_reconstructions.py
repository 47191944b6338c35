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
# # Segment reconstructions, and count the bits that a mask takes
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/08_segment_reconstructions.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/08_segment_reconstructions.ipynb) <!--badges-->
#
# **What you'll do**
#
# **What you'll learn**
#
# **What you'll need**
#
# - About 3 minutes to run and 2 GB of memory.

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
weights = "kept"  # of the VAEs that are shown: "kept", trained long, or "own", the short one
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

from helpers import backend, checkpoint, data, losses, metrics, plots, pretrained, pyramids
from helpers import models, segmentation
from helpers.data import scenes
from helpers.data.stream import FreshShapes

plots.use()

# %% [markdown]
# ## Pictures

# %%
drawing = {"size": (size, size)}
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
options = {"path": path} if dataset == "folder" else {"seed": seed}
train_set = data.load(dataset, "train", limit=images, **drawing, **options)
val_set = data.load(dataset, "val", limit=val_images, **drawing, **options)
if train_set.masks is None:
    raise ValueError(f"This notebook needs masks, and {path} has none: see data/README.md.")

x_train = data.to_float(train_set.images)  # (N, H, W, 3)
x_val = data.to_float(val_set.images)
masks_train = train_set.masks  # (N, H, W)
masks_val = val_set.masks
classes = len(train_set.class_names)
void = train_set.ignore_class  # label of pixels that do not count, or None
shape = x_train.shape[1:]

# %% [markdown]
# ## The VAE

# %%
WIDTHS = (24, 32, 48)  # channels of the three levels, finest first
DEPTHS = (1, 1, 2)  # 3×3 convolutions at each level
PATCHES = {4: (2, 2, 2), 8: (2, 2, 1)}  # for 4×4 and for 8×8 places (of 32×32 pixels)
SIGMA = 0.05  # standard deviation of a pixel


def new_vae(places, channels, run=0):
    """A VAE with fresh weights, whose latent is a grid of places with so many channels each."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(
        shape, channels, WIDTHS, DEPTHS, PATCHES[places]
    )
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


# %% [markdown]
# ## The classifiers

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


def by_picture(answer):
    """A score of each held-out picture, (N,), whose mean is the mean IoU."""
    return metrics.mean_iou_by_image(masks_val, answer, classes, void)


# %% [markdown]
# ## The recorded study

# %%
CHANNELS = {4: [1, 2, 4, 8, 16], 8: [1, 2, 4, 8]}
MAIN = {4: 8, 8: 4}  # channels of the two VAEs that are trained with three seeds


def recipe(places, channels, steps, run):
    """One VAE, and a wide classifier of its reconstructions: rate, ELBO and score, (N,) each."""
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

store = checkpoint.ResultStore(
    cache_dir,
    dataset=dataset,
    plan=[seed, size, images, val_images, classifier_steps],
)
found, ceiling = {}, {}
if study_steps and 8 in grids:
    for run in range(3):
        for factor in (1, 2):
            key = [factor * classifier_steps, run]
            ceiling[factor, run] = store.result("picture", lambda: picture(*key), key=key)
if study_steps:
    for key in points:
        found[key] = store.result("recipe", lambda: recipe(*key), key=key)

# %%
def at_rate(rate, curve):
    """Scores (N,) of a curve at a rate, on the straight line between its neighbours."""
    rates, values = zip(*sorted(curve, key=lambda point: point[0]))
    place = np.interp(math.log(rate), np.log(rates), np.arange(len(rates)))
    low = min(int(place), len(rates) - 2)
    return (low + 1 - place) * values[low] + (place - low) * values[low + 1]


def bits(nats):
    return float(np.mean(nats)) / math.log(2)


interval, crossed = metrics.confidence_interval, metrics.crossed_interval
# A point that was left out when the study was ended is None.
kept = {
    key: {name: np.array(v) for name, v in values.items()}
    for key, values in found.items()
    if values is not None
}
longer, runs = 2 * study_steps, range(3)
summary = {"rates": [], "longer": [], "finer": [], "behind": [], "main": [], "of_mean": []}
curves = {g: [] for g in grids}
for g, c in [(g, c) for g in grids for c in CHANNELS[g]]:
    less, more = kept.get((g, c, study_steps, 0)), kept.get((g, c, longer, 0))
    if more:
        curves[g].append((c, more["rate"].mean(), more["draw"]))
        summary["rates"].append([g, c, bits(more["rate"]), *interval(more["draw"])])
    if less and more:
        gain = 100 * (more["elbo"] - less["elbo"]).mean() / abs(less["elbo"].mean())
        row = [*interval(more["draw"] - less["draw"]), bits(more["rate"] - less["rate"]), gain]
        summary["longer"].append([g, c, *row])
if set(grids) == {4, 8}:
    for c, rate, values in curves[8]:
        row = interval(values - at_rate(rate, [point[1:] for point in curves[4]]))
        summary["finer"].append([c, rate / math.log(2), *row])
    tops = np.array([ceiling[1, run] for run in runs])  # (3, N)
    twice = np.array([ceiling[2, run] for run in runs])
    summary |= {"picture": crossed(tops), "picture_twice": crossed(twice - tops)}
    steps = [study_steps * f // 8 for f in (1, 2, 4, 8, 16, 32)]
    line = {s: kept[4, MAIN[4], s, 0] for s in steps if (4, MAIN[4], s, 0) in kept}
    summary["length_curve"] = [
        [s, *interval(p["draw"]), bits(p["rate"])] for s, p in line.items()
    ]
    line = list(line.values())
    summary["length_gain"] = [interval(b["draw"] - a["draw"]) for a, b in zip(line, line[1:])]
    summary["length_elbo"] = [p["elbo"].mean() for p in line]
    draws, summary["main_bits"] = {}, []
    for g in grids:
        several = [kept[g, MAIN[g], longer, r] for r in runs if (g, MAIN[g], longer, r) in kept]
        draws[g] = np.array([run["draw"] for run in several])  # (runs, N)
        means = np.array([run["mean"] for run in several])
        summary["main"].append(crossed(draws[g]))
        summary["behind"].append(crossed(draws[g] - tops[: len(several)]))
        summary["of_mean"].append(crossed(means - draws[g]))
        summary["main_bits"].append([bits(run["rate"]) for run in several])
    n = min(map(len, draws.values()))
    summary["main_difference"] = crossed(draws[8][:n] - draws[4][:n])

# %% tags=["results"]
counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])
layout = np.broadcast_to(counts.argmax(axis=0), masks_val.shape)
results = {**summary, "layout": by_picture(layout).mean()}
record(results, {}, "the points of the study")
