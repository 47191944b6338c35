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
# # Find edges with a VAE
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/06_find_edges_with_a_vae.ipynb) [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/06_find_edges_with_a_vae.ipynb) <!--badges-->
#
# A VAE learns to describe pictures without being told anything about them. An edge detector has to know where one thing ends. Does the first help with the second? There is a recipe that says yes: pass each picture through the VAE, and give what comes out to a small classifier of pixels. This notebook follows the recipe, measures it, finds out what goes wrong, and then asks the same VAE in a better way. At the end a network that has seen
# nothing but 200 or 300 photographs draws edges in some that it has never seen.
#
# **What you'll do**
#
# - Train the recipe's classifier on reconstructions, and its twin on the pictures themselves.
# - Give Roberts, Sobel and Canny the same choice, at three levels of noise.
# - Put an edge head on the VAE's inner features, beside heads whose encoder learned something else, or nothing.
# - Watch what class-balanced losses do to probabilities, and build the step that turns a grey band into a line.
# - Read one precision–recall figure with everything in it, and go on to photographs.
#
# **What you'll learn**
#
# - Pixel losses remove edges first. What a VAE draws and what it knows are two things.
# - Features learned without labels can be worth a lot. Whether it is the *VAE* that they owe it to, only twins can tell.
# - An edge probability can be honest or balanced, not both, and a benchmark does not see the difference.
#
# **What you'll need**
#
# - How edges are scored: the second half of notebook `01` (tolerance, one-to-one matching, ODS, OIS, AP). What a VAE is: notebook `02`.
# - About 5 minutes on 2 CPU cores and 2 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "bsds500", photographs with the edges that people drew in them
seed = 0  # of the first weights and of every random draw
seeds = 3  # trainings with different first weights, where a claim needs them
size = 64  # side of the pictures in pixels; of bsds500 so much is cut from the middle
images = 2000  # pictures without labels, for the VAE and its twins
labelled = 100  # the first so many of them, whose edges are known to the classifiers
edge_images = 60  # pictures to score on
tolerance = 0.02  # largest distance of an edge match, as a share of the picture's diagonal
thresholds = 25  # thresholds of the edge benchmark
vae_steps = 300  # training steps of each VAE and autoencoder, 32 pictures each
head_steps = 300  # training steps of each classifier, 16 pictures each
noises = [0.0, 0.1, 0.2]  # standard deviations of the noise added for the classical detectors
sigmas = [0.5, 1.0, 2.0, 3.0]  # widths of their blur to choose from, in pixels
headline_epochs = 0  # epochs of the long training on whole photographs; 0 leaves it out
vae_epochs = 10  # epochs of the VAE that goes before it
steps_per_epoch = 100  # training steps an epoch, 8 crops each
crop = 240  # side of the crops in pixels
widths = [16, 32, 32, 32]  # channels of each level of the long-trained network
depths = [2, 2, 2, 2]  # convolutions of each level
headline_rate = 0.003  # highest learning rate of the long training
split = "val"  # what the long-trained network is scored on; "test" in a recorded run, once
kept = ""  # folder from which a stopped long training goes on; "" keeps nothing
keep_weights = False  # store the long-trained network with the project
image_path = ""  # a photograph of yours to find edges in; "" takes three of scikit-image's

# %%
from helpers.runs import check_parameters, set_up

check_parameters(
    globals(), dataset=["shapes", "bsds500"], seed=range(2**32), seeds=range(1, 21),
    size=range(32, 257, 8), images=range(16, 4001), labelled=range(16, 4001),
    edge_images=range(2, 1001), tolerance=(0.001, 0.1), thresholds=range(3, 100),
    vae_steps=range(1, 100_001), head_steps=range(1, 100_001), noises={"list_of": (0.0, 1.0)},
    sigmas={"list_of": (0.1, 10.0)}, headline_epochs=range(2001), vae_epochs=range(1, 2001),
    steps_per_epoch=range(1, 10_001), crop=range(32, 321, 16), widths={"list_of": range(4, 257)},
    depths={"list_of": range(1, 9)}, headline_rate=(1e-5, 0.1), split=["val", "test"], kept=str,
    keep_weights=bool, image_path=str,
)  # fmt: skip
set_up(seed)

# %%
import functools
import json
import math
import time
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy import ndimage
from skimage import data as photographs

from helpers import charts, data, edges, models, plots, probes, pyramids, resume, training
from helpers import kept as kept_models
from helpers.data.images import resize_image
from helpers.pixel_losses import EdgeCrossEntropy
from helpers.runs import record

plots.use()
rng = np.random.default_rng(seed)


# %%
def compare(name, yours, true, hint):
    """Print your value beside the true one, and stop with a hint where they differ."""
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.3g}'}")
    assert yours is None or abs(yours - true) <= 0.01 * abs(true), f"{name} differs. {hint}"


def numbers(result):
    return f"ODS {result.ods:.3f}   OIS {result.ois:.3f}   AP {result.ap:.3f}"


def scored(maps, truth, count=thresholds, near=tolerance):
    """The Berkeley benchmark of graded, thin edge maps."""
    return edges.benchmark(maps, truth.annotations, count, near)


def ridges(maps):
    """What the non-maximum suppression of `helpers.edges` leaves of each map."""
    return [edges.nms(m, border=0) for m in maps]


# %% [markdown]
# ## What is given
#
# The pictures are those of notebook `01`: coloured discs, squares and triangles on photographed brick, grass and gravel, and five annotators with habits. Many pictures come without labels; anybody can have those. For a few, the edges are known. And on pictures of the *val* split we measure, with the tolerance of 0.02 of the diagonal that `01` explains.
#
# The target of every classifier is the **share** of annotators who drew a pixel: 1 where all did, 0.2 where one of five did. Its best answer is then the probability that an annotator, drawn by lot, marks the pixel.

# %%
options = {"crop": size} if dataset == "bsds500" else {"size": size}
train = data.load(dataset, "train", limit=images, **options)
val = data.load(dataset, "val", limit=edge_images, **options)
known = train.subset(slice(labelled))  # the only ones whose edges may be used
x, held = data.to_float(train.images), data.to_float(val.images)  # (N, H, W, 3)
share = data.to_float(known.edges)[..., None]  # (L, H, W, 1)
human = edges.human_level(val.annotations, tolerance)
print(f"{len(x)} pictures to learn from, edges known in {len(known)}; {len(held)} to score on")
print(f"annotators among themselves: F {human.ods:.3f}")

# %% [markdown]
# ## The recipe
#
# In words: *train a VAE, feed each picture through it, and give the reconstruction to a small convolutional classifier that says edge or no edge.* The classifier has three convolutions and sees 7×7 pixels.
#
# The VAE is a small pyramid (`helpers.pyramids`). Its encoder halves the picture three times and keeps what it finds at each resolution; the code has 8 numbers at each place of an 8×8 grid, 512 in all. The likelihood is Gaussian with one learned σ, as notebook `04` recommends. Three ways to make an encoder are prepared here, of which this section uses the first: train the VAE; train a **denoising autoencoder** (the same two networks and as many steps, noise added to
# the input, the squared error to the clean picture, no KL); or leave the weights **random**. The last gets one favour: its normalisation layers see some pictures, so that its features have the usual scale.


# %%
def networks(run):
    """Fresh encoder and decoder: levels of 1/2, 1/4, 1/8 of the size, and a code of 8 channels."""
    keras.utils.set_random_seed(run)
    return pyramids.pyramid_networks((size, size, 3), 8, (16, 32, 48), (1, 1, 2))


encoder, decoder = networks(seed)
vae = models.VAE(encoder, decoder, likelihood="gaussian", seed=seed)
auto = keras.Model(encoder.input, decoder(encoder.outputs[0]))  # the same two networks, no VAE
auto.compile(keras.optimizers.Adam(), "mse", jit_compile=False, steps_per_execution=10)
noisy = np.clip(x + rng.normal(0, 0.1, x.shape).astype("float32"), 0, 1)


def pretrained(kind, run):
    """Weights of an encoder from seed `run` on, after training on pictures without labels."""
    vae.set_weights(models.VAE(*networks(run), likelihood="gaussian", seed=run).get_weights())
    if kind == "VAE":
        training.fit_steps(vae, x, vae_steps, 32)
    elif kind == "denoising":
        training.fit_steps(auto, noisy, vae_steps, 32, y=x)
    else:  # random
        for start in range(0, min(640, len(x)), 32):
            encoder(x[start : start + 32], training=True)
    return encoder.get_weights()


# %%
starts = {("VAE", seed): pretrained("VAE", seed)}
rate = float(np.mean(vae.terms(held)[1]))


def redraw(pictures):
    return np.clip(vae.predict(pictures, verbose=0), 0, 1)


redrawn = redraw(held)
error = math.sqrt(np.mean((redrawn - held) ** 2))
print(f"rate {rate:.0f} nats a picture, root mean squared error {error:.3f}")

# %% [markdown]
# > **Predict first.** Three classifiers: trained and used on pictures; trained and used on reconstructions; trained on pictures and used on reconstructions (which is what one gets when the recipe is carelessly coded). Order them by ODS. How far apart are the first two?


# %%
def small_classifier(pictures):
    """The recipe's classifier of pixels, trained on `pictures`."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((size, size, 3))
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    for _ in range(2):
        h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
    model = keras.Model(image, layers.Conv2D(1, 3, padding="same")(h))
    model.compile(keras.optimizers.Adam(), EdgeCrossEntropy(), jit_compile=False)
    training.fit_steps(model, pictures, 2 * head_steps, 16, y=share)
    return model


def probabilities(model, pictures):
    """Probability of an edge at each pixel, (N, H, W), of a model that returns logits."""
    logits = model.predict(pictures, verbose=0)[..., 0]
    return 1 / (1 + np.exp(-logits.astype("float64")))


# %%
on_image, on_redrawn = small_classifier(x[:labelled]), small_classifier(redraw(x[:labelled]))
said = {
    "picture": probabilities(on_image, held),
    "reconstruction": probabilities(on_redrawn, redrawn),
    "mixed": probabilities(on_image, redrawn),
}
recipe = {name: scored(ridges(maps), val) for name, maps in said.items()}
for name, result in recipe.items():
    print(f"{name:<16}{numbers(result)}")

# %%
rows = [held, redrawn, 1 - said["picture"], 1 - said["reconstruction"], 255 - val.edges]
labels = ["picture", "reconstruction", "edges, picture", "edges, rec.", "annotators"]
fig = plots.image_grid([list(row[:7]) for row in rows], row_labels=labels)
alt = "Seven pictures in columns. The reconstructions keep place and colour of the objects as soft blobs. TODO"
plots.show(fig, alt=alt)

# %% [markdown]
# TODO look
#
# Why? ask how steep the picture is near an edge. For every pixel, take its distance to the nearest edge that at least half of the annotators drew, and average the slope (the Sobel magnitude) over all pixels at the same distance.

# %%
half = [share >= 128 for share in val.edges]
distance = np.rint([ndimage.distance_transform_edt(~truth) for truth in half])
fig, axis = plt.subplots(figsize=(5.6, 3.2))
profiles = {}
for (name, pictures), style in zip({"picture": held, "rec": redrawn}.items(), ("-o", "--s")):
    slope = np.stack([edges.gradient_magnitude(p) for p in pictures])
    profiles[name] = [slope[distance == d].mean() for d in range(8)]
    axis.plot(range(8), profiles[name], style, label=name.replace("rec", "reconstruction"))
axis.set(xlabel="distance to the nearest edge (pixels)", ylabel="mean slope", ylim=(0, None))
axis.legend()
alt = "TODO Mean slope over the distance to the nearest edge."
plots.show(fig, alt=alt)
contrast = {name: profile[0] / profile[7] for name, profile in profiles.items()}
print({name: round(ratio, 2) for name, ratio in contrast.items()})

# %% [markdown]
# **Exercise 1.** A disc has its centre on one of 64×64 pixels, and one of 16 radii, all equally likely. How many nats does it take to name it?

# %%
your_nats = None  # ← your number
compare("nats", your_nats, math.log(64 * 64 * 16), "The logarithm of the number of cases.")

# %% [markdown]
# ## Do the classics gain from a reconstruction?

# %%
def gradient_maps(name, pictures, width, scale, count=thresholds, border=0):
    """Graded, thin edge maps of a classical detector; a slope of `scale` becomes 1."""
    if name == "Canny":
        return [edges.canny_levels(p, width, count, scale=scale) for p in pictures]
    slopes = (edges.gradient_magnitude(p, name.lower(), width, scale) for p in pictures)
    return [edges.nms(m, border=border) for m in slopes]


def steepest(name, pictures, width):
    """A slope that one pixel in a thousand exceeds."""
    operator = "roberts" if name == "Roberts" else "sobel"
    slopes = [edges.gradient_magnitude(p, operator, width).ravel() for p in pictures]
    return float(np.quantile(np.concatenate(slopes), 0.999))


def tuned(name, pictures, truth, near=tolerance):
    """The width of blur with the best ODS on these pictures, and the scale that goes with it."""
    settings = [(width, steepest(name, pictures, width)) for width in sigmas]
    maps = (gradient_maps(name, pictures, *setting, count=19) for setting in settings)
    return settings[int(np.argmax([scored(m, truth, 19, near).ods for m in maps]))]


# %%
def with_noise(pictures, noise):
    grain = rng.normal(0, noise, pictures.shape)
    return np.clip(pictures + grain, 0, 1).astype("float32")


detectors, few = ("Roberts", "Sobel", "Canny"), known.subset(slice(30))
classics, blurs = {}, {}
for noise in noises:
    pair = [with_noise(part, noise) for part in (x[: len(few)], held)]
    for version, parts in {"picture": pair, "reconstruction": map(redraw, pair)}.items():
        to_tune, to_score = parts
        for name in detectors:
            case, setting = (name, version, noise), tuned(name, to_tune, few)
            blurs[case] = setting[0]
            classics[case] = scored(gradient_maps(name, to_score, *setting), val)
            print(f"noise {noise:.1f}  {name:<9}{version:<16}", end="")
            print(f"blur {setting[0]:.1f}   {numbers(classics[case])}")

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.4, 3.2), sharey=True)
for axis, name in zip(axes, detectors):
    for version, style in (("picture", "-o"), ("reconstruction", "--s")):
        axis.plot(noises, [classics[name, version, n].ods for n in noises], style, label=version)
    axis.set(title=name, xlabel="noise added (standard deviation)", ylim=(0, 1))
axes[0].set(ylabel="ODS")
axes[0].legend()
alt = "TODO ODS of three detectors over noise."
plots.show(fig, alt=alt)

# %% [markdown]
# ## Ask the encoder, not the decoder

# %%
compiled = {}  # heads of one kind share one compiled model: use it before you train the next


def trained_head(start, parts, tune, run, balanced=False):
    """An edge head on an encoder's levels or code, from the encoder's weights `start` on."""
    base, _ = networks(run)
    base.set_weights(start)
    base.trainable = tune  # frozen, its normalisation stays as it is, too
    features = pyramids.levels(base) if parts == "levels" else base.outputs[:1]
    fresh = pyramids.pixel_head(base.input, features, 1)
    model = compiled.setdefault((parts, tune, balanced), fresh)
    model.set_weights(fresh.get_weights())
    if not model.compiled:
        loss = EdgeCrossEntropy(balanced)
        model.compile(keras.optimizers.Adam(), loss, jit_compile=False, steps_per_execution=10)
    training.fit_steps(model, x[:labelled], head_steps, 16, y=share)
    return model


# %%
kinds = ("VAE", "denoising", "random")
arms = [(kind, "levels", tune) for tune in (True, False) for kind in kinds]
arms += [("VAE", "code", True), ("random", "code", True), ("VAE", "code", False)]
found = {arm: [] for arm in arms}
for run in range(seed, seed + seeds):
    for kind in kinds:
        if (kind, run) not in starts:
            starts[kind, run] = pretrained(kind, run)
    for arm in arms:
        model = trained_head(starts[arm[0], run], *arm[1:], run)
        maps = probabilities(model, held)
        found[arm].append(scored(ridges(maps), val))
        if (arm, run) == (arms[0], seed):
            plain_maps = maps

# %%
ods = {arm: np.array([result.ods for result in results]) for arm, results in found.items()}
ours, table = ods[arms[0]], {}
for arm, values in ods.items():
    table[arm] = (*probes.interval(values), *probes.interval(ours - values))
    name = f"{arm[0]}, {arm[1]}, {'tuned' if arm[2] else 'frozen'}"
    print("{:<26}ODS {:.3f} ± {:.3f}   first row minus this {:+.3f} ± {:.3f}".format(name, *table[arm]))
best = max((arm for arm in arms if arm[0] != "VAE"), key=lambda arm: table[arm][0])
lead, lead_half = table[best][2:]
gain, gain_half = table["random", "levels", True][2:]
verdict = "nothing helps"
if seeds > 1 and gain > gain_half:
    verdict = "the VAE helps" if lead > lead_half else "pretraining helps"
print(f"best twin: {best}; verdict: {verdict}")

# %%
fig, axis = plt.subplots(figsize=(7.4, 3.4))
shown = {"tuned": True, "frozen": False}
for i, kind in enumerate(kinds):
    cells = [table.get((kind, parts, tune)) for parts in ("levels", "code") for tune in (True, False)]
    at = [j + 0.25 * (i - 1) for j, cell in enumerate(cells) if cell]
    mean, half = zip(*(cell[:2] for cell in cells if cell))
    axis.bar(at, mean, 0.22, yerr=half, label=kind)
axis.set_xticks(range(4), ["levels, tuned", "levels, frozen", "code, tuned", "code, frozen"])
axis.set(ylabel="ODS", ylim=(0, 1))
axis.legend(ncols=3)
alt = "TODO bars of four kinds of heads by three kinds of encoders."
plots.show(fig, alt=alt)

# %% [markdown]
# ## One pixel in thirty

# %%
edge, rest = float(np.mean(known.edges >= 128)), float(np.mean(known.edges == 0))
model = trained_head(starts["VAE", seed], "levels", True, seed, balanced=True)
answers = {"plain": plain_maps, "balanced": probabilities(model, held)}
odds = answers["balanced"] / (1 - answers["balanced"]) * 1.1 * edge / rest
answers["mapped back"] = odds / (1 + odds)
print(f"edges by half of the annotators: {edge:.3f} of the pixels; by nobody: {rest:.3f}")
imbalance = {}
for name, maps in answers.items():
    half_way, best_f = edges.benchmark(maps, val.annotations, [0.5], tolerance), scored(ridges(maps), val)
    imbalance[name] = half_way.ods, best_f.ods, float(maps.mean())
    print(f"{name:<12} at 0.5: F {half_way.ods:.3f};  {numbers(best_f)};  mean {maps.mean():.3f}")
print(f"mean share of annotators: {val.edges.mean() / 255:.3f}")

# %%
drawn, gaps = val.edges / 255, {}
fig, axis = plt.subplots(figsize=(4.6, 4.2))
for (name, maps), style in zip(answers.items(), ("-o", "--s", ":^")):
    bins = np.minimum((maps * 10).astype(int), 9).ravel()
    count = np.bincount(bins, minlength=10)
    said_by, true = (np.bincount(bins, v.ravel(), 10) / np.maximum(count, 1) for v in (maps, drawn))
    gaps[name] = float(np.sum(count * np.abs(said_by - true)) / count.sum())
    axis.plot(said_by[count > 20], true[count > 20], style, label=f"{name}, mean gap {gaps[name]:.3f}")
axis.plot([0, 1], [0, 1], color="black", linewidth=0.8)
axis.set(xlabel="probability that the network says", ylabel="share of annotators who drew it")
axis.legend()
alt = "TODO Reliability curves of plain and balanced."
plots.show(fig, alt=alt)

# %%
your_answer = None  # ← your number
true_odds = 0.1 / 0.9 * 0.97 / (1.1 * 0.03)
compare("probability", your_answer, true_odds / (1 + true_odds), "Multiply the odds.")

# %% [markdown]
# ## From a band to a line


# %%
def suppress(strength):
    """Keeps a pixel if the map is no higher one pixel away across the line; and the direction."""
    gy, gx = np.gradient(strength)
    yy, xx, xy = (ndimage.gaussian_filter(g, 2.0) for g in (gy * gy, gx * gx, gy * gx))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # in which the map changes most hereabouts
    y, x = np.indices(strength.shape)
    rivals = []
    for step in (-1, 1):
        place = [y + step * np.sin(angle), x + step * np.cos(angle)]
        rivals.append(ndimage.map_coordinates(strength, place, order=1, mode="nearest"))
    return np.where(strength >= np.maximum(*rivals), strength, 0), angle


# %% tags=["nbval-check-output"]
rows, columns = np.indices((41, 41)) - 20
for degrees in (0, 20, 45, 70, 90):
    direction = math.radians(degrees)
    across = columns * math.cos(direction) + rows * math.sin(direction)  # signed distance
    line, angle = suppress(np.exp(-0.5 * (across / 2) ** 2))  # a band of width 2
    inside = (np.hypot(rows, columns) < 14) & (line > 0.1)
    turned = np.abs(np.sin(angle - direction))[inside].max()
    far = np.abs(across[inside]).max()
    print(f"across at {degrees:2d}°: {inside.sum()} pixels left, at most {far:.2f} from the line")
    assert far < 0.75 and turned < 0.1

# %%
pick = int(np.argmax([m.max(initial=0) for m in plain_maps]))
strength = plain_maps[pick]
line, angle = suppress(strength)
rows = [held[pick], 1 - strength, 1 - line, 1 - edges.nms(strength, border=0), 255 - val.edges[pick]]
fig = plots.image_grid([rows], column_labels=["picture", "band", "ours", "helper", "annotators"])
alt = "TODO one picture and its edge map, ours and theirs"
plots.show(fig, alt=alt)

# %%
row, column = np.unravel_index(np.argmax(line), line.shape)
steps = np.linspace(-6, 6, 49)
direction = np.sin(angle[row, column]), np.cos(angle[row, column])
place = [[row], [column]] + np.outer(direction, steps)
fig, axis = plt.subplots(figsize=(6, 3.0))
for (name, values), style in zip({"grey value": held[pick].mean(axis=-1), "network": strength, "share of annotators": drawn[pick]}.items(), ("-", "--", ":")):
    axis.plot(steps, ndimage.map_coordinates(values, place, order=1), style, label=name)
axis.axvline(0, color="black", linewidth=0.8)
axis.set(xlabel="distance across the line (pixels)", ylabel="value", ylim=(0, 1))
axis.legend()
alt = "TODO profile across one line of the edge map"
plots.show(fig, alt=alt)

# %% [markdown]
# ## Whom does the network agree with?

# %%
alone, thin_maps = [], ridges(plain_maps)
for person in range(min(map(len, val.annotations))):
    drawings = [a[[person]] for a in val.annotations]
    alone.append(edges.benchmark(thin_maps, drawings, thresholds, tolerance).ods)
print(*(f"annotator {i + 1}: ODS {f:.3f}" for i, f in enumerate(alone)), sep="\n")

# %% [markdown]
# ## Everything in one figure

# %%
finals = {"head, VAE": found[arms[0]][0], "head, random": found["random", "levels", True][0]}
finals |= {"small, picture": recipe["picture"], "recipe": recipe["reconstruction"]}
finals |= {name: classics[name, "picture", noises[0]] for name in reversed(detectors)}
for name, result in finals.items():
    print(f"{name:<18}{numbers(result)}")
fig, axis = plt.subplots(figsize=(5.8, 5.2))
charts.precision_recall(axis, finals, human)
alt = "TODO Precision over recall of seven detectors."
plots.show(fig, alt=alt)

# %% [markdown]
# ## Photographs


# %%
def photograph_head(kind, store, pictures, shares):
    """An edge head on a pyramid, after a VAE or from random weights, trained on random crops."""
    keras.utils.set_random_seed(seed)
    patches, cosine = [2] * len(widths), keras.optimizers.schedules.CosineDecay
    pair = pyramids.pyramid_networks((crop, crop, 3), 8, widths, depths, patches)
    draw = {"crop": crop, "steps": steps_per_epoch, "seed": seed, "turn": True}
    draw |= {"scale": 1.3, "light": 0.2}
    if kind == "VAE":
        model = models.VAE(*pair, likelihood="gaussian", seed=seed)
        falling = cosine(2e-3, vae_epochs * steps_per_epoch)
        model.compile(keras.optimizers.Adam(falling), jit_compile=False)
        store.fit("vae", model, data.Crops(pictures, **draw), vae_epochs)
    head = pyramids.pixel_head(pair[0].input, pyramids.levels(pair[0]), 1)
    steps = headline_epochs * steps_per_epoch
    rise = max(1, steps // 20)  # steps at first in which the rate rises
    rate = cosine(0.0, steps - rise, warmup_target=headline_rate, warmup_steps=rise)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
    head.compile(optimizer, EdgeCrossEntropy(), jit_compile=False)
    crops = data.Crops(pictures, targets=shares, share=True, **draw)
    depends = {"vae_epochs": vae_epochs if kind == "VAE" else 0}
    seconds, _ = store.fit(f"head-{kind}", head, crops, headline_epochs, depends)
    print(f"{kind}: {head.count_params():,} weights, {seconds:.0f} s of training")
    return pyramids.at_size(head, (None, None, 3))


# %%
def photograph_edges(model, pictures, multiple):
    """Thin edge maps of photographs of any size, one after another."""
    for logits in pyramids.whole_images(model, pictures, multiple):
        yield edges.nms(1 / (1 + np.exp(-logits[..., 0].astype("float64"))))


def photograph_score(store, name, maps, truth, **depends):
    """ODS, OIS and AP: read where they were kept, else computed, or resumed after a stop."""
    lines = store.folder / "benchmark.jsonl" if store.folder else None
    options = {"max_distance": near, "checkpoint": lines, "progress": bool(kept)}

    def compute():
        result = edges.benchmark(maps(), truth.annotations, thresholds, **options)
        return [result.ods, result.ois, result.ap]

    return store.result(f"score-{name}", compute, **depends, thresholds=thresholds)


# %%
near = 0.0075 if dataset == "bsds500" else tolerance  # of whole photographs: the official one
patches, long_run, trained = [2] * len(widths), {}, {}
shape = {"crop": crop, "widths": widths, "depths": depths, "rate": headline_rate}
store = resume.Store(kept, dataset=dataset, seed=seed, split=split, steps=steps_per_epoch, **shape)
if headline_epochs:
    some = {"limit": None if dataset == "bsds500" else images}
    parts = [data.load(dataset, part, **some) for part in ("train", "val")[: 1 + (split == "test")]]
    pictures, shares = ([i for p in parts for i in getattr(p, key)] for key in ("images", "edges"))
    truth, tuning = data.load(dataset, split, limit=edge_images), parts[0].subset(slice(20))
    for kind in ("VAE", "random"):
        model = trained[kind] = photograph_head(kind, store, pictures, shares)
        maps = functools.partial(photograph_edges, model, truth.images, math.prod(patches))
        depends = {"epochs": [vae_epochs, headline_epochs], "pictures": edge_images}
        long_run[kind] = photograph_score(store, kind, maps, truth, **depends)
    for name in detectors:
        choose = functools.partial(tuned, name, tuning.images, tuning, near)
        setting = store.result(f"tuned-{name}", choose, sigmas=sigmas)
        maps = functools.partial(gradient_maps, name, truth.images, *setting, border=5)
        long_run[name] = photograph_score(store, name, maps, truth, setting=setting, pictures=edge_images)

# %%
if trained:
    people = functools.partial(edges.human_level, truth.annotations, near)
    long_run["people"] = [store.result("people", lambda: people().ods, pictures=edge_images)]
if trained and keep_weights:
    about = {"dataset": dataset, "scored_on": split, "scores": long_run["VAE"], "seed": seed}
    net = {"patches": patches, "widths": widths, "depths": depths, "outputs": 1}
    kept_models.save(trained["VAE"], f"06-{dataset}", **net, **about)
published = {"Roberts": 0.483, "Sobel": 0.539, "Canny": 0.611, "Structured Edges": 0.743}
published |= {"HED": 0.788, "PiDiNet": 0.789, "people": 0.803}
path = Path("..", "data", "results", "06-bsds500.json")  # absent if only this file was copied
recorded = json.loads(path.read_text("utf-8"))["results"] if path.exists() else {}
print(f"{'ODS':<18}your run   recorded  published")
for name in ("VAE", "random", *published):
    row = [long_run.get(name), recorded.get(f"photographs_{name.lower()}"), [published.get(name)]]
    row = [f"{cell[0]:9.3f}" if cell and cell[0] else "        –" for cell in row]
    print(f"{name:<17}" + "  ".join(row))

# %%
if image_path:
    pictures = [data.load("folder", "all", path=image_path).images[0]]
else:
    pictures = [photographs.astronaut(), photographs.coffee(), photographs.chelsea()]
sides = [np.array(p.shape[:2]) * 481 / max(p.shape) for p in pictures]
pictures = [resize_image(p, tuple(np.rint(s).astype(int))) for p, s in zip(pictures, sides)]
model, multiple, milliseconds = trained.get("VAE"), math.prod(patches), []
if not model:
    model, about = kept_models.load("06-bsds500")
    multiple = about and about["multiple"]
if model:
    canny = [gradient_maps("Canny", [p], 2.0, steepest("Canny", [p], 2.0))[0] for p in pictures]
    learned = list(photograph_edges(model, pictures, multiple))
    rows = [pictures, [1 - m for m in learned], [1 - m for m in canny]]
    fig = plots.image_grid(rows, row_labels=["photograph", "network", "Canny"], cell=2.8)
    alt = "TODO Three photographs and their edges"
    plots.show(fig, alt=alt)
else:
    print("No long-trained network is kept here; set headline_epochs to train one.")

# %%
if model:
    again = pyramids.whole_images(model, [np.zeros((321, 481, 3))] * 9, multiple)
    for _ in range(9):
        start = time.perf_counter()
        next(again)
        milliseconds.append(1000 * (time.perf_counter() - start))
    print(f"{np.median(milliseconds[1:]):.0f} ms for a photograph of 321×481, median of 8")

# %% tags=["results"]
results = {"human_f": human.ods, "rate": rate, "error": error}
results |= {f"recipe_{name}": [r.ods, r.ois, r.ap] for name, r in recipe.items()}
results |= {f"profile_{name}": profile for name, profile in profiles.items()}
results |= {f"contrast_{name}": ratio for name, ratio in contrast.items()}
for name in detectors:
    for version in ("picture", "reconstruction"):
        cases = [(name, version, noise) for noise in noises]
        results[f"{name.lower()}_{version}"] = [classics[case].ods for case in cases]
        results[f"{name.lower()}_{version}_blur"] = [blurs[case] for case in cases]
for arm, values in table.items():
    results["_".join((arm[0].lower(), arm[1], "tuned" if arm[2] else "frozen"))] = values
results |= {"gain": gain, "gain_half": gain_half, "lead": lead, "lead_half": lead_half}
results |= {"verdict": verdict, "best_twin": " ".join(map(str, best)), "annotators": alone}
results |= {"edge_share": edge, "no_edge_share": rest, "mean_share": float(val.edges.mean() / 255)}
results |= {f"imbalance_{n.split()[0]}": [*v, gaps[n]] for n, v in imbalance.items()}
results |= {f"final_{n.lower()}": [r.ods, r.ois, r.ap] for n, r in finals.items()}
results |= {f"photographs_{name.lower()}": values for name, values in long_run.items()}
if milliseconds:
    results["milliseconds"] = float(np.median(milliseconds[1:]))
bands = {"gain": {"default": (-0.1, 0.2)}}
record(results, bands, f"edges: {table[arms[0]][0]:.2f} ODS with a head on the VAE; {verdict}")
