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
# # Find edges, from pictures and from a VAE
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/10_find_edges.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/10_find_edges.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/10_find_edges.ipynb) <!--badges-->
#
# ![Eight held-out pictures of coloured objects on grass, brick and gravel. With rising rate their reconstructions become less blurred: at the low rate objects have soft outlines and the grass is smeared, at the high rate they look like the pictures without their noise. Below, what annotators drew, and three edge maps that look alike: lines around most objects, and many marks in grass and at bricks; the mixed ones are the palest. Faint objects are missing in all three.](../docs/pictures/10.png) <!--picture-->
#
# A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) learns to describe pictures, and nobody tells it anything about them. An edge detector has to know where one thing ends. **Does a VAE help to find edges?** There are two ways to ask for help: look for the edges in what the VAE *draws*, or in what its [encoder](../docs/site/glossary.md#term-encoder) *computes* on the way.
#
# **What you'll do**
#
# - Look for edges in the [reconstructions](../docs/site/glossary.md#term-reconstruction) of VAEs at three [rates](../docs/site/glossary.md#term-rate), and in the pictures themselves.
# - Give Roberts, Sobel and [Canny](../docs/site/glossary.md#term-Canny-detector) the same choice, at three levels of noise.
# - Put an edge head on encoders that learned different things, or nothing.
# - Measure what a class-balanced loss does.
#
# **What you'll learn**
#
# - What a reconstruction does to edges, and what a classifier learns from blurred ones.
# - Which controls "the VAE helps" needs.
# - Why a good edge map need not be a good probability.
#
# **What you'll need**
#
# - How edges are scored: notebook `02`. What a VAE is: `03`. What its rate and σ are: `06`. When it is trained enough: `07`.
# - Mathematics: logarithms, gradients of a function of two variables, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
dataset = "shapes"  # or "folder": pictures of your own, and the edges that people drew in them
path = ""  # for "folder": the folder with your pictures and their edges
weights = "kept"  # of the recipe's VAEs: "kept", trained longer, or "own" for your own
seed = 0  # of the pictures, the first weights and every random draw
seeds = 1  # trainings of each head, from other first weights
size = 48  # height and width of the pictures, in pixels
images = 100  # pictures with known edges, for the classifiers and heads
val_images = 60  # held-out pictures: all scores are measured on them
vae_steps = [300]  # training steps of your own VAEs; with two lengths, both are trained
head_steps = 150  # training steps of each head; the small classifiers take three times as many
cache_dir = ""  # folder in the cache where a long run keeps its heads, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**32), seeds=range(1, 21), size=range(32, 257, 8), images=range(8, 4001),
    val_images=range(2, 1001), vae_steps={"list_of": range(1, 100_001)},
    head_steps=range(1, 100_001), cache_dir=str,
)  # fmt: skip
set_up(seed)

import functools
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import (
    backend,
    checkpoint,
    data,
    edges,
    losses,
    metrics,
    models,
    plots,
    pretrained,
    pyramids,
    training,
)
from helpers.data.stream import Unlabelled
from helpers.segmentation import EdgeCrossEntropy

plots.use()
study = data.records.results_of("10-edges")  # the recorded study, where there is one

# %% [markdown]
# ## Pictures, people, scores
#
# The pictures are `shapes` of 48×48 pixels: discs, squares and triangles on photographed brick, grass and gravel. Five simulated [annotators](../docs/site/glossary.md#term-annotator) drew edges in each (notebook `02`). In 100 training pictures the edges are known; scores are those of 60 held-out pictures. (All textures are cut from the same three photographs, so nothing below is about new textures.)
#
# What a classifier is told of a pixel is the **share** of annotators who drew it: 1 where all five did, 0.2 where one did. With [cross-entropy](../docs/site/glossary.md#term-cross-entropy) as the loss, the best answer is then the probability that an annotator, chosen at random, marks the pixel.

# %%
options = {"size": (size, size), "path": path}
if dataset == "shapes":
    options = {"size": size, "seed": seed}
train_set = data.load(dataset, "train", limit=images, **options)
val_set = data.load(dataset, "val", limit=val_images, **options)
if train_set.annotations is None:
    raise ValueError(f"This notebook needs edges for each picture, and {path!r} has no edges.")

x_train = data.to_float(train_set.images)  # (N, H, W, 3)
x_val = data.to_float(val_set.images)
share_train = edges.combine(train_set.annotations)[..., None]  # (N, H, W, 1)
share_val = edges.combine(val_set.annotations)  # (N, H, W)
people = min(len(drawn) for drawn in val_set.annotations)

# %% [markdown]
# The score is the [ODS](../docs/site/glossary.md#term-ODS-OIS-AP) of notebook `02`: the best F over all thresholds, one threshold for all pictures. A found pixel and a drawn one match if they are at most 0.02 of the diagonal apart, 1.36 pixels here: a neighbour to the side matches, a diagonal one does not. Graded maps get [non-maximum suppression](../docs/site/glossary.md#term-non-maximum-suppression) first.
#
# A map of small probabilities uses only a few of the official 99 thresholds. So `evaluate` takes 33 **quantiles** of the positive values of a detector's suppressed maps, and the scale of the values does not count.
#
# The ODS is no mean over pictures, so its interval needs one step more: the *jackknife* (Efron and Tibshirani, 1993). `edges.ods_by_image` leaves out one picture after the other and gives each picture a score; the mean of these scores is the ODS, nearly. Intervals are 95 %, for other pictures of the same kind. Differences are *paired*, picture by picture.

# %%
TOLERANCE = 0.02  # largest distance of a match, as a share of the diagonal


def evaluate(maps, suppress=True):
    """The Berkeley benchmark with quantiles as thresholds."""
    thin = [edges.nms(one, border=0) for one in maps]  # as in notebook 02
    values = np.concatenate([one[one > 0] for one in thin])
    thresholds = np.unique(np.quantile(values, np.arange(1, 34) / 34))
    return edges.benchmark(
        thin if suppress else maps, val_set.annotations, thresholds, TOLERANCE
    )


floor = evaluate(np.random.default_rng(seed).random(share_val.shape))
human = edges.human_level(val_set.annotations, TOLERANCE) if people > 1 else floor
print(f"random numbers: ODS {floor.ods:.3f}; annotators, each by the others: F {human.ods:.3f}")

# %% [markdown]
# ## The recipe: edges of a reconstruction
#
# *Train a VAE, pass each picture through it, and let a small convolutional network say for each pixel of the reconstruction whether it is an edge.*
#
# The encoder of our VAE halves the picture twice, with residual 3×3 convolutions between (He and others, 2016) and without batch normalisation. Its [latent](../docs/site/glossary.md#term-latent-variable) is a grid of 12×12 places with 8 numbers each. The [likelihood](../docs/site/glossary.md#term-likelihood) is Gaussian, and its σ (0.2, 0.1, or 0.05, the noise of the pictures) sets the **[rate](../docs/site/glossary.md#term-rate)** (notebook `06`). The VAE sees new pictures in every step, and no edges.

# %%
shape = x_train.shape[1:]
SIGMAS = {"low": 0.2, "middle": 0.1, "high": 0.05}  # named by the rate that they lead to
own_pictures = x_train if dataset == "folder" else None  # None: new ones in every step


def new_vae(sigma, run=0):
    """A VAE with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(
        shape,
        latent=8,
        widths=(16, 32, 48),
        depths=(1, 1, 2),
        patches=(2, 2, 1),
        batch_norm=False,
    )
    return models.VAE(encoder, decoder, "gaussian", sigma, seed=seed + run)


def compiled(model, steps, loss=None):
    """Adam; the learning rate rises at first, then falls to zero like half a cosine wave."""
    adam = keras.optimizers.Adam(training.rise_and_fall(0.01, steps), beta_2=0.99)
    model.compile(adam, loss, **backend.compile_options(planned=steps))
    return model


def train_vae(vae, steps, run=0):
    pictures = Unlabelled(own_pictures, steps, seed=seed + run, size=size)
    compiled(vae, steps).fit(pictures, shuffle=False, verbose=0)


# %% [markdown]
# The project keeps three VAEs of this network, one for each σ, after 6,000 steps, and the one with the high rate after 3,000, too ("half"). With `weights = "own"`, or where they do not fit, `train_vae` makes short ones.

# %%
use_kept = weights == "kept" and dataset == "shapes" and size == 48
use_kept = use_kept and (pretrained.FOLDER / "edges48-low.npz").exists()
vaes, notes = {}, {}
halves = ["high-half"] if use_kept or len(vae_steps) > 1 else []
for name in [*SIGMAS, *halves]:
    vae = new_vae(SIGMAS[name.removesuffix("-half")])
    if use_kept:
        notes[name] = pretrained.load_weights(vae, f"edges48-{name}")
    else:
        train_vae(vae, vae_steps[0] if name == "high-half" else vae_steps[-1])
    vaes[name] = vae


# %%
def reconstruct(vae, x):
    """Encode, draw z from q(z | x), decode: (N, H, W, 3)."""
    mean, log_variance = vae.encode(x.astype("float32"))
    noise = np.random.default_rng(seed).normal(size=mean.shape).astype("float32")
    r = vae.decode(mean + ops.exp(log_variance / 2) * ops.array(noise))
    return ops.convert_to_numpy(r).clip(0, 1)


r_val = {name: reconstruct(vae, x_val) for name, vae in vaes.items()}
rates = {}  # mean KL of a held-out picture, in nats
for name, vae in vaes.items():
    rates[name] = float(ops.mean(losses.gaussian_kl(*vae.encode(x_val))))
    print(f"{name:<12} rate {rates[name]:5.0f} nats")

# %% [markdown]
# The classifier has three convolutions; each of its answers sees 7×7 pixels (its [receptive field](../docs/site/glossary.md#term-receptive-field)).
#
# > **Predict first.** Three cases for each rate: trained and used on pictures; trained and used on reconstructions (the recipe); trained on pictures and used on reconstructions ("mixed", which happens when the recipe is coded without care). Order them by ODS. Does the order depend on the rate?


# %%
def train_classifier(x):
    """Three 3×3 convolutions with fresh weights, trained on pictures x and the shares."""
    keras.utils.set_random_seed(seed)
    classifier = keras.Sequential([keras.Input(shape), layers.Rescaling(4.0, offset=-2.0)])
    for _ in range(2):
        classifier.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    classifier.add(layers.Conv2D(1, 3, padding="same"))
    epochs = math.ceil(16 * 3 * head_steps / len(x))
    steps = epochs * math.ceil(len(x) / 16)
    compiled(classifier, steps, keras.losses.BinaryCrossentropy(from_logits=True))
    classifier.fit(x, share_train, batch_size=16, epochs=epochs, verbose=0)
    return classifier


def probabilities(classifier, x):
    """Of an edge at each pixel, (N, H, W)."""
    logits = classifier(x, training=False)  # (N, H, W, 1)
    return ops.convert_to_numpy(ops.sigmoid(logits))[..., 0]


# %%
on_pictures = train_classifier(x_train)
answers = {"picture": probabilities(on_pictures, x_val)}  # (N, H, W) each
for name, vae in vaes.items():
    on_reconstructions = train_classifier(reconstruct(vae, x_train))
    answers[f"recipe {name}"] = probabilities(on_reconstructions, r_val[name])
    answers[f"mixed {name}"] = probabilities(on_pictures, r_val[name])

ods = {name: evaluate(maps) for name, maps in answers.items()}
for name, result in ods.items():
    lost = edges.ods_difference(result, ods["picture"])
    print("{:<19} ODS {:.3f}, minus picture {:+.3f} ± {:.3f}".format(name, result.ods, *lost))

# %%
for name in vaes:
    mixed = edges.ods_difference(ods[f"mixed {name}"], ods[f"recipe {name}"])
    print("{:<9} mixed minus recipe {:+.3f} ± {:.3f}".format(name, *mixed))
if halves:
    longer = edges.ods_difference(ods["recipe high"], ods["recipe high-half"])
    print("high, twice the steps: recipe {:+.3f} ± {:.3f}".format(*longer))

# %% tags=["picture"]
rows = {"picture": x_val} | {f"{rate} rate": r_val[rate] for rate in SIGMAS}
rows["annotators"] = 1 - share_val
for name in ("picture", "recipe high", "mixed high"):
    rows[f"edges, {name}"] = 1 - answers[name]
fig = plots.image_grid([row[:8] for row in rows.values()], row_labels=list(rows))
alt = "Eight held-out pictures of coloured objects on grass, brick and gravel. With rising rate their reconstructions become less blurred: at the low rate objects have soft outlines and the grass is smeared, at the high rate they look like the pictures without their noise. Below, what annotators drew, and three edge maps that look alike: lines around most objects, and many marks in grass and at bricks; the mixed ones are the palest. Faint objects are missing in all three."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the classifier reaches an ODS of 0.696<!--=ods_picture--> on pictures. Random numbers reach 0.239<!--=floor-->, and one annotator, scored by the others, 0.890<!--=human-->. The recipe minus the picture is −0.069<!--=lost_low[0]--> ± 0.026<!--=lost_low[1]--> at 248<!--=rate_low--> [nats](../docs/site/glossary.md#term-nat), −0.048<!--=lost_middle[0]--> ± 0.021<!--=lost_middle[1]--> at 562<!--=rate_middle--> nats and −0.015<!--=lost_high[0]--> ± 0.017<!--=lost_high[1]--> at 1182<!--=rate_high--> nats. So it scored lower at the low and middle rate; at the high rate no difference was seen. The recorded study trains classifiers four times as long and scores 200 pictures: there it is behind at all three, by 0.132<!--=study_lost_low[0]*-1--> ± 0.014<!--=study_lost_low[1]-->, 0.081<!--=study_lost_middle[0]*-1--> ± 0.011<!--=study_lost_middle[1]--> and 0.030<!--=study_lost_high[0]*-1--> ± 0.008<!--=study_lost_high[1]-->.
#
# The mixed case minus the recipe is 0.000<!--=mixed_gain_low[0]--> ± 0.018<!--=mixed_gain_low[1]-->, +0.004<!--=mixed_gain_middle[0]--> ± 0.016<!--=mixed_gain_middle[1]--> and −0.003<!--=mixed_gain_high[0]--> ± 0.016<!--=mixed_gain_high[1]-->. So it was not told apart from the recipe; with the half-trained VAE it was behind, by 0.019<!--=mixed_gain_high_half[0]*-1--> ± 0.016<!--=mixed_gain_high_half[1]-->. In the study it is behind at the middle and at the high rate, by 0.016<!--=study_mixed_gain_middle[0]*-1--> ± 0.012<!--=study_mixed_gain_middle[1]--> and 0.023<!--=study_mixed_gain_high[0]*-1--> ± 0.010<!--=study_mixed_gain_high[1]-->.
#
# Are these VAEs trained enough? Not by the rule of notebook `07`: when the steps were doubled to 6,000, their [ELBO](../docs/site/glossary.md#term-ELBO) on 1,000 held-out pictures rose by 0.3<!--=kept_percent_low--> % (low rate), 0.4<!--=kept_percent_middle--> % (middle) and 1.6<!--=kept_percent_high--> % (high). All are far larger than their intervals. (At the high rate this changed the recipe's ODS by −0.005<!--=length[0]--> ± 0.011<!--=length[1]-->.)
#
# Where did the edges go? Take for every pixel its distance to the nearest edge that at least half of the annotators drew, and average over all pixels at the same distance: the slope (Sobel) of pictures and reconstructions.

# %%
away = edges.distance_to_edges(share_val)  # (N, H, W), in pixels
slopes = {}
for name, x in {"picture": x_val, "low rate": r_val["low"], "high rate": r_val["high"]}.items():
    slopes[name] = edges.edge_profile([edges.gradient_magnitude(one) for one in x], away)
distance = "distance to the nearest edge (pixels)"
fig = plots.curve_panels({"": slopes}, distance, "mean slope")
alt = "Mean slope over the distance to the nearest edge. In pictures it is 0.155 at the edge, 0.053 two pixels away and level from there. At the high rate it is 0.14 at the edge and 0.043 from three pixels on; at the low rate 0.11 and 0.03."
plots.show(fig, alt=alt)

# %% [markdown]
# At an edge the mean slope is 0.155<!--=slope_picture[0]--> in pictures, 0.139<!--=slope_high_rate[0]--> in reconstructions of the high rate and 0.109<!--=slope_low_rate[0]--> in those of the low rate; seven pixels away it is 0.056<!--=slope_picture[7]-->, 0.044<!--=slope_high_rate[7]--> and 0.028<!--=slope_low_rate[7]-->. Its slope is lower at the edge, and elsewhere by a larger share, as noise and part of the texture are gone. So mean slopes alone do not explain the lower ODS.
#
# Why are the outlines soft at the low rate? The likelihood adds squared errors over *all* pixels, and few of them lie on outlines. Where $z$ leaves the place of an edge open, the best mean is an average over the possible places: a ramp (notebook `06`).
#
# ## Do the classical detectors gain from a reconstruction?
#
# Roberts, Sobel and Canny look at slopes, and noise makes slopes. A reconstruction has little noise. So if the recipe helps a detector, it should help these three, and most in noisy pictures. We add Gaussian noise and give each detector the picture or its reconstruction (middle rate; this VAE saw no such noise in training). Each detector has, for each noise and for each of the two, the blur that was best on 20 *training* pictures: a Gaussian of 1, 2 or 3 pixels. Canny's low threshold (Canny, 1986) is 0.4 times its high one.
#
# > **Predict first.** At which levels of noise, if any, is the reconstruction better than the picture: for Roberts, which has the least protection against noise (notebook `02`)? For Canny?

# %%
def redraw(x):
    return reconstruct(vaes["middle"], x)


noises = [0.0, 0.1, 0.2]  # standard deviations
known = x_train[:20], train_set.annotations[:20]
scored = x_val, val_set.annotations
classical, blurs = edges.noise_comparison(noises, redraw, known, scored, TOLERANCE, seed)

panels = {detector: {} for detector in classical}
for detector, sources in classical.items():
    for source, found in sources.items():
        panels[detector][source] = [result.ods for result in found]
    for noise, *pair in zip(noises, *sources.values()):
        print(f"{detector}, noise {noise}: picture minus reconstruction", end=" ")
        print("{:+.3f} ± {:.3f}".format(*edges.ods_difference(*pair)))
fig = plots.curve_panels(panels, "noise added (standard deviation)", "ODS", x=noises)
alt = "ODS of Roberts, Sobel and Canny over the noise added, on pictures and on reconstructions. In each panel the two lines lie within 0.03 of each other, and that of the reconstruction is nowhere below: Roberts near 0.53 without added noise and 0.50 to 0.51 at 0.2, Sobel from 0.56 to 0.53 on pictures and 0.55 on reconstructions, Canny from 0.61 to 0.57 and 0.58."
plots.show(fig, alt=alt)

# %% [markdown]
# All nine differences are below 0 (in the study four). For Roberts and Canny none was told apart from 0. Sobel was better on the reconstruction where noise was added: picture minus reconstruction is −0.027<!--=sobel_gap[0][1]--> ± 0.018<!--=sobel_gap[1][1]--> and −0.018<!--=sobel_gap[0][2]--> ± 0.016<!--=sobel_gap[1][2]-->. These are two of nine intervals, uncorrected, from one draw of the noise; in the study, too, two of nine leave out 0, Roberts and Sobel at noise 0.2 (−0.011<!--=study_roberts_gap[0][2]--> ± 0.009<!--=study_roberts_gap[1][2]--> and −0.009<!--=study_sobel_gap[0][2]--> ± 0.008<!--=study_sobel_gap[1][2]-->).
#
# ## Ask the encoder, not the decoder
#
# The recipe sees only what came through the latent and the [decoder](../docs/site/glossary.md#term-decoder). The encoder's **inner features** come before both, at three resolutions. `pyramids.segmentation_head` starts at the coarsest and adds the features of each finer one. The encoder is **frozen**, so that only the head learns, or **tuned** along with it.
#
# The sentence "the VAE helps" needs [controls](../docs/site/glossary.md#term-control): the same network, labelled pictures and steps, but
#
# - an encoder with **fresh** weights;
# - the encoder of a **[denoising autoencoder](../docs/site/glossary.md#term-denoising-autoencoder)** (Vincent and others, 2008): the same two networks and steps, noise added to the input, squared error to the picture before noise was added, no [KL](../docs/site/glossary.md#term-KL-divergence).
#
# Two contrasts are named in advance, each for frozen and tuned encoders. *Pretraining helps* is VAE − fresh. *The VAE's objective helps* is VAE − denoising. (The two differ in the noise on the input and in the draw of $z$ as well.) All have one learning rate, which was tuned for none of them. The VAE is that of the high rate, trained anew, because the denoising autoencoder has to have the same training.


# %%
def new_encoder(kind, steps, run=0):
    """An encoder after so many steps in a VAE or in a denoising autoencoder, or fresh."""
    vae = new_vae(SIGMAS["high"], run)
    if kind == "VAE":
        train_vae(vae, steps, run)
    elif kind == "denoising":
        autoencoder = keras.Model(vae.encoder.input, vae.decoder(vae.encoder.outputs[0]))
        pictures = Unlabelled(own_pictures, steps, seed=seed + run, noise=0.1, size=size)
        compiled(autoencoder, steps, "mse").fit(pictures, shuffle=False, verbose=0)
    return vae.encoder


def train_head(encoder, how, run=0, balanced=False):
    """A head on all levels of the encoder, trained on the pictures with known edges."""
    keras.utils.set_random_seed(seed + run)
    encoder.trainable = how == "tuned"
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 1)
    loss = EdgeCrossEntropy(balanced)  # not balanced: the cross-entropy from above
    epochs = math.ceil(16 * head_steps / len(x_train))
    steps = epochs * math.ceil(len(x_train) / 16)
    compiled(head, steps, loss)
    head.fit(x_train, share_train, batch_size=16, epochs=epochs, verbose=0)
    return head


def heads(kind, steps, run):
    """Scores by picture of two heads, (2, N): on the frozen encoder, then on the tuned one."""
    encoder = new_encoder(kind, steps, run)
    maps = [probabilities(train_head(encoder, how, run), x_val) for how in ("frozen", "tuned")]
    return [edges.ods_by_image(evaluate(m)) for m in maps]


# %% [markdown]
# > **Predict first.** Four differences: VAE − fresh and VAE − denoising, frozen and tuned. Which are above zero?

# %%
plan = [path, seed, size, images, val_images, head_steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
head_scores = {}  # (steps, seeds, 2, N) for each kind
for kind in ("fresh", "denoising", "VAE"):
    head_scores[kind] = []
    for steps in vae_steps if kind != "fresh" else [0]:
        points = []
        for run in range(seeds):
            key = [kind, steps, run]
            points.append(store.result("heads", functools.partial(heads, *key), key=key))
        head_scores[kind].append(points)

# %%
head_ods, leads = {}, {}  # means and halves of intervals over pictures and seeds
for i, how in enumerate(("frozen", "tuned")):
    last = {kind: np.array(s)[-1, :, i] for kind, s in head_scores.items()}  # (seeds, N) each
    for kind, values in last.items():
        head_ods[f"{kind} {how}"] = metrics.crossed_interval(values)
        if kind != "VAE":
            leads[f"VAE − {kind}, {how}"] = metrics.crossed_interval(last["VAE"] - values)
for name, interval in head_ods.items():
    print("{:<17} ODS {:.3f} ± {:.3f}".format(name, *interval))

recorded = (study["lead"], study["lead_half"]) if study else None
fig = plots.differences_and_record(leads, recorded, "difference of ODS")
alt = "Differences of ODS with intervals, in this short run and in the recorded study. VAE − fresh, frozen: about 0.05 and 0.07, and both intervals lie above zero. VAE − fresh, tuned: 0.04 in the run, its interval above zero, and near zero in the study. VAE − denoising, frozen and tuned: near zero in both."
plots.show(fig, alt=alt)

# %% [markdown]
# This run is a demonstration: one seed and 300<!--=vae_steps[0]--> steps of [pretraining](../docs/site/glossary.md#term-pretraining), so its intervals cover pictures only. VAE − fresh is +0.048<!--=lead[0]--> ± 0.022<!--=lead_half[0]--> frozen and +0.042<!--=lead[2]--> ± 0.037<!--=lead_half[2]--> tuned; VAE − denoising is −0.007<!--=lead[1]--> ± 0.023<!--=lead_half[1]--> and 0.005<!--=lead[3]--> ± 0.014<!--=lead_half[3]-->.
#
# The recorded study has three seeds, 4,000<!--=study_vae_steps[1]--> steps of pretraining and 200 pictures. Frozen, VAE − fresh is +0.070<!--=study_lead[0]--> ± 0.044<!--=study_lead_half[0]--> and VAE − denoising 0.000<!--=study_lead[1]--> ± 0.016<!--=study_lead_half[1]-->; tuned, −0.005<!--=study_lead[2]--> ± 0.033<!--=study_lead_half[2]--> and +0.002<!--=study_lead[3]--> ± 0.050<!--=study_lead_half[3]-->. **After [Holm's correction](../docs/site/glossary.md#term-Holm-s-correction) nothing was told apart** (frozen, pretraining led in all three seeds, *p* = 0.08<!--=study_lead_p[0]-->). The small classifier on pictures, with three times the steps, has 0.811<!--=study_ods_picture--> there, the VAE's heads 0.743<!--=study_head_VAE_frozen[0]--> and 0.734<!--=study_head_VAE_tuned[0]-->: they may still learn.
#
# ## Few pixels are edges
#
# A classifier that says *no edge* everywhere is right for nearly all pixels, and its F is zero. So, it is often argued, the rare class must weigh more. HED (Xie and Tu, 2015) weighs the edge pixels of each picture by the share of the others, and the others by the share of edges; RCF (Liu and others, 2017) leaves out pixels that a minority drew. `EdgeCrossEntropy(balanced=True)` does both.
#
# The plain loss asks for the probability $p$ itself, and where the place of an edge is uncertain by a pixel, the right probability *is* small. With weights $w_1$ for edges and $w_0$ for the rest, and $p$ among the pixels not left out, the best answer $q$ has other odds:
#
# $$\frac{q}{1-q} = \frac{w_1}{w_0}\,\frac{p}{1-p}, \qquad \frac{w_1}{w_0} = \frac{\text{share of no edge}}{1.1 \cdot \text{share of edges}}.$$
#
# The shares are those **of each picture**: of pixels drawn by at least half the people, and by nobody. So the factor differs from picture to picture. (The 1.1 is RCF's choice.)
#
# > **Predict first.** Plain and balanced, the same head on an encoder that started fresh. Which has the better F at threshold 0.5? The better ODS? Which says a probability?

# %%
edge_share = np.mean(share_train >= 0.5, axis=(1, 2, 3))  # (N,)
rest_share = np.mean(share_train == 0, axis=(1, 2, 3))
factors = rest_share / (1.1 * edge_share.clip(1 / share_train[0].size))
print(f"{edge_share.mean():.3f} of the pixels are edges; w₁/w₀ for each picture:")
print(np.quantile(factors, [0, 0.1, 0.5, 0.9, 1]).round(1))

said = {}  # (N, H, W) each
for name, balanced in {"plain": False, "balanced": True}.items():
    head = train_head(new_encoder("fresh", 0), "tuned", balanced=balanced)
    said[name] = probabilities(head, x_val)

# %%
near = away <= 2  # pixels at most 2 from an edge that half of the annotators drew
imbalance = {}
for name, maps in said.items():
    ods[name] = evaluate(maps)
    thin = [edges.nms(one, border=0) for one in maps]
    half = edges.benchmark(thin, val_set.annotations, [0.5], TOLERANCE).ods
    everywhere = metrics.expected_calibration_error(maps, share_val)
    close = metrics.expected_calibration_error(maps[near], share_val[near])
    imbalance[name] = np.array([half, ods[name].ods, everywhere, close])
print("F at 0.5, ODS, calibration error of all pixels and near edges")
for name, numbers in imbalance.items():
    print(f"{name:<12}", numbers.round(3))

# %%
panels = {"all pixels": (said, share_val)}
close = {name: maps[near] for name, maps in said.items()}
panels["at most 2 pixels from an edge"] = close, share_val[near]
fig = plots.reliability_panels(panels)
alt = "Share of annotators over the probability that the network says, for all pixels and for those at most 2 pixels from an edge. The points of the plain head lie near the diagonal, near edges a little above it, and end at a probability of 0.43. Those of the balanced head lie far below the diagonal: where it says 0.85, about two annotators in ten drew an edge."
plots.show(fig, alt=alt)

# %% [markdown]
# At threshold 0.5 the plain head has an F of 0.000<!--=loss_plain[0]--> and the balanced one 0.736<!--=loss_balanced[0]-->. Read at that threshold, the plain loss seems to have failed: after suppression it never says one half. But over all pixels its answers are near the shares, as the figure shows. With the best threshold they have 0.670<!--=loss_plain[1]--> and 0.737<!--=loss_balanced[1]-->. Balanced minus plain is +0.068<!--=balanced_gain[0]--> ± 0.041<!--=balanced_gain[1]-->. In the study it is −0.012<!--=study_balanced_gain[0]--> ± 0.009<!--=study_balanced_gain[1]-->: after four times the steps the plain loss is ahead. (One training each; the intervals cover pictures. Whether the weights did it, or that pixels of a minority are left out and all others have a target of 0 or 1, this does not say.)
#
# The balanced answer is no probability, as the figure, a *reliability diagram*, shows. The [calibration](../docs/site/glossary.md#term-calibration) error is the gap between mean probability and mean share in each of ten bins, averaged over the pixels. Over all pixels it is 0.013<!--=loss_plain[2]--> for plain and 0.085<!--=loss_balanced[2]--> for balanced; near edges it is 0.062<!--=loss_plain[3]--> and 0.270<!--=loss_balanced[3]-->. The first measure flatters: most pixels are far from any edge, and every map says nearly 0 there. (The second chooses pixels by what people drew, so a perfect map would say too little there.) No single factor on the odds turns the balanced answer back into a probability. Its targets are others, and the factor is another one in each picture, from 11<!--=factors[0]--> to 68<!--=factors[4]-->. So the balanced loss can even change the order of pixels of *different* pictures.
#
# So if a map is thresholded, choose the threshold on other pictures. For anything that uses the probability, the plain loss was nearer to the truth here; notebook `12` takes it.
#
# **Exercise.** At some kind of place, one pixel in ten is an edge. In every picture, 3 % of the pixels are edges and 97 % were drawn by nobody. Which probability does a network with the balanced loss learn to say there?

# %% tags=["nbval-check-output"]
your_answer = None  # ← your number
print(f"your value {your_answer}, true value {'?' if your_answer is None else 0.766}")
assert your_answer is None or abs(your_answer - 0.766) < 0.01, "Odds of 1 to 9, times w₁/w₀."

# %% [markdown]
# <details><summary>Solution</summary>
#
# The odds are 1 to 9; the factor is 0.97/(1.1 · 0.03) = 29.4. So the network says odds of 3.27, a probability of 0.77, where nine of ten pixels are no edge.
#
# </details>
#
# ## From a band to a line
#
# A network that does not know an edge's place to the pixel answers with a band. The benchmark thins each thresholded map to lines of one pixel in any case (notebook `02`). So **non-maximum suppression** is not needed to narrow the line. It decides *where* the line runs: thinning takes the middle of what is above the threshold, suppression the highest pixels across it.
#
# > **Predict first.** How much does suppression add to the ODS of the plain head's maps, over thinning alone?

# %%
thinned = evaluate(said["plain"], suppress=False)
suppression = edges.ods_difference(ods["plain"], thinned)
print("suppressed − thinned only: ODS {:+.3f} ± {:.3f}".format(*suppression))

# %% [markdown]
# Suppressed minus thinned only is +0.024<!--=suppression[0]--> ± 0.009<!--=suppression[1]-->.

# %% tags=["results"]
results = {"floor": floor.ods, "human": human.ods, "vae_steps": vae_steps}
results["ods_picture"] = ods["picture"].ods
results["picture"] = metrics.confidence_interval(edges.ods_by_image(ods["picture"]))
for name in vaes:
    key = name.replace("-", "_")
    results[f"rate_{key}"] = rates[name]
    of_recipe, of_mixed = ods[f"recipe {name}"], ods[f"mixed {name}"]
    results |= {f"recipe_{key}": of_recipe.ods, f"mixed_{key}": of_mixed.ods}
    results[f"lost_{key}"] = edges.ods_difference(of_recipe, ods["picture"])
    results[f"mixed_gain_{key}"] = edges.ods_difference(of_mixed, of_recipe)
if halves:
    results["length"] = longer
for name in SIGMAS if notes else []:
    results[f"kept_percent_{name}"] = notes[name]["trained_enough"]["percent"]
results |= {"slope_" + name.replace(" ", "_"): values for name, values in slopes.items()}
for detector, sources in classical.items():
    for source, found in sources.items():
        results[f"{detector}_{source}".lower()] = [result.ods for result in found]
        results[f"{detector}_{source}_blur".lower()] = blurs[detector][source]
    gap = [edges.ods_difference(*pair) for pair in zip(*sources.values())]
    results[f"{detector}_gap".lower()] = np.transpose(gap)
results |= {f"head_{name}".replace(" ", "_"): interval for name, interval in head_ods.items()}
results["lead"], results["lead_half"] = np.transpose(list(leads.values()))
longest = {kind: np.array(s)[-1] for kind, s in head_scores.items()}  # (seeds, 2, N)
gains = {}  # (seeds, N) each, in the order of the leads
for i, how in enumerate(("frozen", "tuned")):
    for kind in ("fresh", "denoising"):
        gains[kind, how] = longest["VAE"][:, i] - longest[kind][:, i]
results["lead_p"] = [one["p"] for one in metrics.contrasts(gains).values()]  # after Holm
if len(vae_steps) == 2:  # what twice the steps change, frozen and tuned
    for kind in ("denoising", "VAE"):
        fewer_steps, more_steps = np.array(head_scores[kind])  # (seeds, 2, N) each
        change = (more_steps - fewer_steps).swapaxes(0, 1)  # (2, seeds, N)
        results[f"length_{kind}"] = np.transpose([metrics.crossed_interval(c) for c in change])
results |= {f"loss_{name}".replace(" ", "_"): values for name, values in imbalance.items()}
results["edge_share"] = edge_share.mean()
results["balanced_gain"] = edges.ods_difference(ods["balanced"], ods["plain"])
results |= {"factors": np.quantile(factors, [0, 0.1, 0.5, 0.9, 1]), "suppression": suppression}
results |= {f"study_{key}": value for key, value in study.items()}
record(results, {}, f"ODS {ods['picture'].ods:.2f} from pictures")

# %% [markdown]
# ## What you saw
#
# - The recipe scored lower than the picture, in the recorded study at all three rates (one classifier each).
# - With the best blur for either input, classical detectors gained little or nothing from reconstructions: about 0.01 in two of nine comparisons of the study, without a correction.
# - Study: frozen, VAE and denoising led fresh weights alike. After Holm's correction none was told apart. All heads had one learning rate, untuned, and may still learn.
# - A balanced loss raised the ODS in the short run, not in the study. Its answers are no probabilities. Calibration over all pixels hides what happens near edges.
#
# ## Check yourself
#
# 1. A paper reports that Canny finds better edges in a VAE's reconstructions than in noisy pictures. Which control do you ask for?
#
#    <details><summary>Answer</summary>
#
#    Canny on the noisy pictures with the blur that suits *them*, chosen on other pictures.
#
#    </details>
# 2. Frozen VAE features beat frozen fresh ones. Does this show that the VAE's objective helps?
#
#    <details><summary>Answer</summary>
#
#    No. It may show that pretraining helps. For the objective, compare with the same network pretrained in another way, such as a denoising autoencoder.
#
#    </details>
# 3. A network has a calibration error of 0.01 over all pixels. Can its answer of 0.6 be taken at its word?
#
#    <details><summary>Answer</summary>
#
#    That cannot be said. Nearly all pixels are far from an edge and have small probabilities. Look at the reliability diagram near edges.
#
#    </details>
#
# ## On your own
#
# 1. **Edges of your own.** Set `dataset = "folder"` and `path`. The folder needs `images/` and `edges/`; several people's drawings go into a folder for each picture.
#
# ## References
#
# - Canny, J. (1986). A computational approach to edge detection. *IEEE TPAMI* 8(6), 679–698. <https://doi.org/10.1109/TPAMI.1986.4767851>
# - Efron, B. and Tibshirani, R. J. (1993). *An Introduction to the Bootstrap*. Chapman and Hall. <https://doi.org/10.1201/9780429246593>
# - He, K., Zhang, X., Ren, S. and Sun, J. (2016). Deep residual learning for image recognition. CVPR. [arXiv:1512.03385](https://arxiv.org/abs/1512.03385)
# - Liu, Y. and others (2017). Richer convolutional features for edge detection. CVPR. [arXiv:1612.02103](https://arxiv.org/abs/1612.02103)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
# - Xie, S. and Tu, Z. (2015). Holistically-nested edge detection. ICCV. [arXiv:1504.06375](https://arxiv.org/abs/1504.06375)
