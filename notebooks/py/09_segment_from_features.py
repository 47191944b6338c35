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
# # Segment from features: do those of a VAE help?
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/09_segment_from_features.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/09_segment_from_features.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/09_segment_from_features.ipynb) <!--badges-->
#
# ![Two panels of bars with intervals: the mean IoU of a head at six places. Frozen: the single places lie between 0.34 and 0.46, and all levels of the encoder together reach 0.64. Tuned: encoder 0 and the latent stay near 0.4, encoder 1 and 2 reach 0.69 and 0.52, decoder 1 0.72 and all of the encoder 0.78.](../docs/pictures/09.png) <!--picture-->
#
# Notebook `08` labelled the *[reconstruction](../docs/site/glossary.md#term-reconstruction)* of a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE), and lost. But on the way there the VAE computes more: the **features** (the arrays between the layers) of its [encoder](../docs/site/glossary.md#term-encoder), its [latent](../docs/site/glossary.md#term-latent-variable), and the features of its [decoder](../docs/site/glossary.md#term-decoder). **Do the VAE's features help to label pixels: against which controls, and with how many masks?**
#
# **What you'll do**
#
# - Put a small network, a *head*, on six places inside a VAE.
# - Keep the VAE's loss beside the loss of the head.
# - Compare the VAE with other starts, with few masks and with many.
# - Compare five losses, of which one fails.
#
# **What you'll learn**
#
# - Why "the VAE helps" needs two comparisons, which are named in advance.
# - Why a head may have skip connections around the latent, and the decoder of this VAE may not.
#
# **What you'll need**
#
# - What a VAE and its latent are (`03`, `04`), what the mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) is (`01`), and the question of `08`.
# - Mathematics: means, 95 % intervals, logarithms and p-values (`07`).
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 2 GB of memory. Nothing is downloaded.

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
images = 1200  # pictures with a mask
val_images = 1000  # held-out pictures: all scores are measured on them
pretraining_steps = 400  # training steps of each start that learns without masks
head_steps = 300  # training steps of each head
labels = [60]  # label budgets: how many pictures with a mask a head learns from
seeds = 1  # trainings of each start, with other first weights and other masks
study = ""  # recorded study to run, "labels" or "joint" (the joint loss); "" for none
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", seed=range(2**32),
    size=range(16, 257, 8), images=range(8, 4001), val_images=range(2, 1001),
    pretraining_steps=range(1, 100_001), head_steps=range(1, 100_001),
    labels={"list_of": range(2, 4001)}, seeds=range(1, 21),
    study=["", "labels", "joint"], cache_dir=str,
)  # fmt: skip
set_up(seed)

import math
import re

import keras
import numpy as np
from keras import layers, ops

from helpers import (
    backend,
    checkpoint,
    data,
    losses,
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
from helpers.experiments import label_budgets
from helpers.layers import DepthToSpaceUp, GaussianSampling, bn_relu, conv_bn_relu

plots.use()
recorded, joint_loss = {}, {}
if not study:  # a run that makes a record shows none
    recorded = data.records.results_of("09-labels")
    joint_loss = data.records.results_of("09-joint")

# %% [markdown]
# ## Pictures and masks
#
# The pictures are those of `08`: `shapes` of 32×32 pixels with one or two objects, whose colours say nothing about their class. Pictures without a mask are free, so everything that learns without masks gets new ones in every step. Masks are scarce: at most 1,200.
#
# There are three sets with masks. Heads learn from the first. The second, of 300 pictures, is for *choosing*, for instance a learning rate. On the third, held out, all scores below are measured.

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
shape = x_train.shape[1:]


# %% [markdown]
# The score is the mean IoU over all held-out pixels. As in `08`, each picture gets a score whose mean is the mean IoU (by the infinitesimal jackknife, Efron and Tibshirani, 1993), for 95 % intervals over pictures.


# %%
def by_picture(answer):
    """A score of each held-out picture, (N,); their mean is the mean IoU."""
    return metrics.mean_iou_by_image(masks_val, answer, classes, void)


counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
layout = np.broadcast_to(counts.argmax(axis=0), masks_val.shape)
no_look = by_picture(layout)
floor = no_look.mean()
print(f"the most common class at each position, without a look: mean IoU {floor:.3f}")

# %% [markdown]
# ## Three ways to learn without masks
#
# The networks are those of `08`: an encoder with three levels (16×16, 8×8 and 4×4 places), a latent of 4×4 places with 8 numbers each, and a decoder that goes the same way back. They can learn without masks (this is **[pretraining](../docs/site/glossary.md#term-pretraining)**) in three ways:
#
# - as an **[autoencoder](../docs/site/glossary.md#term-autoencoder)**: the latent is the encoder's mean, and the loss is the squared error;
# - as a **[denoising](../docs/site/glossary.md#term-denoising-autoencoder)** autoencoder (after Vincent and others, 2008): the same, but noise of standard deviation 0.1 is added, and the target is the picture without it;
# - as a **VAE**: the latent is a draw from the [posterior](../docs/site/glossary.md#term-posterior), and the loss is the negative [ELBO](../docs/site/glossary.md#term-ELBO) with $\sigma = 0.05$.

# %%
WIDTHS = (24, 32, 48)  # channels of the three levels, finest first
DEPTHS = (1, 1, 2)  # 3×3 convolutions at each level
CHANNELS = 8  # of the latent, at each of its 4×4 places
SIGMA = 0.05  # standard deviation of a pixel, for the VAE


def new_pair(run):
    """Encoder and decoder with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    return pyramids.pyramid_networks(
        shape, CHANNELS, WIDTHS, DEPTHS, (2, 2, 2), batch_norm=False
    )


class Autoencoder(keras.Model):
    """A model whose target is its own input."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean((y_pred - x) ** 2)


def pretrain(kind, steps, run=0):
    """Encoder and decoder after so many steps as "autoencoder", "denoising" or "VAE"."""
    encoder, decoder = new_pair(run)
    if kind == "VAE":
        model = models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed + run)
    else:
        noise = layers.GaussianNoise(0.1 if kind == "denoising" else 0.0, seed=seed + run)
        to_mean = keras.Model(encoder.input, encoder.outputs[0])
        model = Autoencoder(encoder.input, decoder(to_mean(noise(encoder.input))))
    adam = keras.optimizers.Adam(training.rise_and_fall(0.01, steps), beta_2=0.99)
    model.compile(adam, **backend.compile_options(planned=steps))
    if dataset == "shapes":
        # New pictures in every step.
        pictures = FreshShapes(16, steps, seed + run, size=size, **scenes.CLEAR)
        model.fit(pictures, shuffle=False, verbose=0)
    else:
        epochs = math.ceil(16 * steps / len(x_train))
        model.fit(x_train, batch_size=16, epochs=epochs, verbose=0)
    return encoder, decoder


# %%
KINDS = ("autoencoder", "denoising", "VAE")
pairs = {kind: pretrain(kind, pretraining_steps) for kind in KINDS}

# %% [markdown]
# ## A head
#
# A **head** is a small network from features to the [logits](../docs/site/glossary.md#term-logit) of the classes, one set for each pixel. Ours goes from coarse to fine: a 3×3 convolution; then the resolution is doubled (`DepthToSpaceUp`), finer features are mixed in by another 3×3 convolution; and so on. On all levels of the encoder this makes a small U-Net (Ronneberger and others, 2015).
#
# These *skip connections* from the encoder's finer levels lead *around* the latent. For a head this is right. For the decoder of a VAE it would be wrong: the decoder could copy the picture, and the latent would be left empty ([posterior collapse](../docs/site/glossary.md#term-posterior-collapse)).


# %%
def doubled(h):
    """Twice the height and width."""
    return bn_relu(DepthToSpaceUp(32, 2, None)(h))  # batch normalisation, ReLU


def add_head(image, features):
    """From features (B, h, w, c), finest first, to logits (B, H, W, classes)."""
    h = conv_bn_relu(features[-1], 32)  # 3×3 convolution, batch normalisation, ReLU
    for finer in features[-2::-1]:  # the finest last
        while h.shape[1] < finer.shape[1]:
            h = doubled(h)
        h = conv_bn_relu(layers.Concatenate()([h, finer]), 32)
    while 2 * h.shape[1] < image.shape[1]:
        h = doubled(h)
    return keras.Model(image, DepthToSpaceUp(classes, 2, None)(h))


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)


def train_head(
    model,
    x,
    targets,
    learning_rate=0.01,
    loss=loss,
    run=0,
    steps=head_steps,
    careful=False,
):
    """Batches of 16; the learning rate falls to zero like half a cosine wave.

    If `careful`, it rises first, and large gradients are clipped.
    """
    schedule = training.rise_and_fall(learning_rate, steps, rising=100 if careful else 0)
    adam = keras.optimizers.Adam(schedule, global_clipnorm=1.0 if careful else None)
    model.compile(adam, loss, **backend.compile_options(planned=steps))
    rng = np.random.default_rng([seed, run])
    passes = math.ceil(16 * steps / len(x))
    order = np.concatenate([rng.permutation(len(x)) for _ in range(passes)])
    order = order[: 16 * steps]
    targets = keras.tree.map_structure(lambda array: array[order], targets)
    model.fit(x[order], targets, batch_size=16, shuffle=False, verbose=0)


def label(model, x):
    logits = model.predict(x, batch_size=250, verbose=0)
    return segmentation.class_map(logits)  # (N, H, W); refuses NaN


# %% [markdown]
# ## Which place inside the VAE?
#
# Six places: three levels of the encoder (0 has 16×16 places, 1 has 8×8, 2 has 4×4), the latent (its mean), and the decoder's level of 8×8 places; and all levels of the encoder together. Each is read once **frozen**, where only the head learns, and once **tuned**, where the VAE's weights below the head learn with it. All 1,200 masks are used. The VAE is the one that notebook `08` keeps, after 12,000 steps.
#
# > **Predict first.** Among the frozen ones, which place is best: one before the latent, the latent, or one after it? Does tuning change the order?


# %%
def features_at(place, encoder, decoder):
    """Symbolic features of a place, a list, finest first."""
    mean = encoder.outputs[0]
    if place == "latent":
        return [mean]
    if place == "decoder 1":
        part = keras.Model(decoder.input, pyramids.levels(decoder)[1])
        return [part(mean)]
    levels = pyramids.levels(encoder)
    if place == "all of the encoder":
        return levels
    return [levels[int(place.split()[1])]]


own_weights = {kind: [one.get_weights() for one in pair] for kind, pair in pairs.items()}
PLACES = ["encoder 0", "encoder 1", "encoder 2", "latent"]
PLACES += ["decoder 1", "all of the encoder"]
vae, note = None, {}
if dataset == "shapes" and size == 32:
    vae, note = pretrained.load("grid-4x4x8")
pair = [vae.encoder, vae.decoder] if vae else pairs["VAE"]
pair_weights = [network.get_weights() for network in pair]

by_place = {}  # mean and half width, by place and "frozen" or "tuned"
for place in PLACES:
    for how in ("frozen", "tuned"):
        for network, its_weights in zip(pair, pair_weights):
            network.set_weights(its_weights)  # as after the pretraining
            network.trainable = how == "tuned"
        model = add_head(pair[0].input, features_at(place, *pair))
        train_head(model, x_train, masks_train)
        by_place[place, how] = metrics.confidence_interval(by_picture(label(model, x_val)))

# %% tags=["picture"]
panels = {
    f"{how}: mean IoU": {place: by_place[place, how] for place in PLACES}
    for how in ("frozen", "tuned")
}
alt = "Two panels of bars with intervals: the mean IoU of a head at six places. Frozen: the single places lie between 0.34 and 0.46, and all levels of the encoder together reach 0.64. Tuned: encoder 0 and the latent stay near 0.4, encoder 1 and 2 reach 0.69 and 0.52, decoder 1 0.72 and all of the encoder 0.78."
plots.show(plots.interval_panels(panels, limits=(0, 1)), alt=alt)

# %% [markdown]
# In the stored run, frozen, the best single places are decoder 1 with 0.46<!--=place_decoder_1_frozen[0]--> and encoder 1 with 0.45<!--=place_encoder_1_frozen[0]-->. All levels of the encoder together have 0.64<!--=place_all_of_the_encoder_frozen[0]-->: the head may need fine and coarse features at once, or may gain from its greater size.
#
# Tuning keeps the order of the first three: 0.78<!--=place_all_of_the_encoder_tuned[0]--> for all levels, 0.72<!--=place_decoder_1_tuned[0]--> for decoder 1, 0.69<!--=place_encoder_1_tuned[0]--> for encoder 1. But this is one training of 300 steps each, and with another such VAE decoder 1 had 0.54<!--=study_place_decoder_1_tuned[0]-->, behind encoder 1.
#
# ## Keep the VAE's loss beside the head's
#
# Or tune a model with two outputs for both losses, each per pixel ($w$: a weight):
#
# $$\text{cross-entropy per pixel} \;+\; \frac{w}{HW}\big(-\log p(x \mid z) + \mathrm{KL}\big).$$
#
# Myronenko (2018) won a challenge on brain tumours with a VAE branch beside a segmenter.
#
# The [KL](../docs/site/glossary.md#term-KL-divergence) compares no output with a target, so a layer adds it by `add_loss`. Keras adds it unchanged, so we take the *mean* over the batch ourselves.


# %%
class Rate(layers.Layer):
    """Passes the mean on, and adds the KL to the loss: mean over the batch, times a weight."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def call(self, mean, log_variance):
        self.add_loss(self.weight * ops.mean(losses.gaussian_kl(mean, log_variance)))
        return mean


def two_outputs(encoder, decoder, model, weight):
    """The head's model with the picture as a second output, and the two losses."""
    share = weight / (shape[0] * shape[1])
    mean, log_variance = encoder.outputs
    z = GaussianSampling(seed)(Rate(share)(mean, log_variance), log_variance)
    both = keras.Model(encoder.input, {"labels": model.output, "picture": decoder(z)})

    def distortion(x, mean_of_x):
        return share * losses.gaussian_nll(x, mean_of_x, math.log(SIGMA))

    return both, {"labels": loss, "picture": distortion}


# %% [markdown]
# ## Did the VAE help? Two named comparisons
#
# A head on a tuned VAE may score well and prove nothing: the same network may do as well from **fresh weights**, or after any other pretraining. So we name two comparisons in advance.
#
# 1. **Pretraining helps:** VAE − fresh weights.
# 2. **The VAE's objective helps:** VAE − denoising autoencoder. (The two differ in the noise of the input, too; its 0.1 was not tuned.)
#
# All starts share the network (a head on all levels of the encoder), the steps, the masks and the first weights of the head:
#
# - *fresh*: no pretraining;
# - *fresh, frozen*: fresh weights, and only the head learns;
# - *autoencoder*, *denoising*, *VAE*: pretrained without masks, then tuned;
# - *VAE, frozen*: pretrained, and only the head learns;
# - *VAE + term*: the two outputs from above, trained with care: the learning rate first rises, to 0.01, and large gradients are clipped. (Without this more trainings ended in NaN.)
#
# One learning rate for all would favour the start that it suits. So in the studies each start but the last gets its own at each budget: 0.01 or 0.02, by the 300 pictures for choosing (not counted in the budget).
#
# The rule: each difference gets a 95 % interval over seeds *and* pictures (the squares of the two half widths are added), and a p-value. With eight comparisons (two claims, four budgets), some difference may look real by chance. So the p-values are corrected by [Holm](../docs/site/glossary.md#term-Holm-s-correction)'s method (1979): the smallest is multiplied by eight, the next by seven, and so on. "Helps" means a difference above 0 with a corrected p below 0.05. Beside it stands the *visible difference*: a true one of this size is found in about half of such studies.
#
# > **Predict first.** With 60 masks, which start is best in your run? Does the VAE beat fresh weights, and the denoising autoencoder?


# %%
STARTS = ["fresh", "fresh, frozen", "autoencoder", "denoising"]
STARTS += ["VAE", "VAE, frozen", "VAE + term"]


def network_of(start, run, weights, term=0.03):
    """A model for labels, the model to train (the same, or with two outputs), and its loss."""
    encoder, decoder = new_pair(run)  # fresh weights
    kind = start.split(",")[0].removesuffix(" + term")
    if kind != "fresh":
        encoder.set_weights(weights[kind][0])
        decoder.set_weights(weights[kind][1])
    encoder.trainable = not start.endswith("frozen")
    model = add_head(encoder.input, pyramids.levels(encoder))
    if start == "VAE + term":
        return model, *two_outputs(encoder, decoder, model, term)
    return model, model, loss


def steps_for(budget):
    """More masks need more steps: twice as many for four times as many masks, from 60 on."""
    return head_steps * max(1, round(math.sqrt(budget / 60)))


def label_with(
    start, budget, run, weights, learning_rate=0.01, term=0.03, x=x_val, times=1
):
    """Trains a start on the masks of `budget` pictures; labels of x, (N, H, W)."""
    model, trained, its_loss = network_of(start, run, weights, term)
    some = np.random.default_rng([seed, run]).permutation(len(x_train))[:budget]
    targets = masks_train[some]
    if start == "VAE + term":
        targets = {"labels": targets, "picture": x_train[some]}
    steps = times * steps_for(budget)
    careful = start in label_budgets.CAREFUL
    train_head(
        trained, x_train[some], targets, learning_rate, its_loss, run, steps, careful
    )
    return label(model, x)


# %% [markdown]
# Your run is a demonstration: short pretraining, one budget, seed, learning rate.

# %%
own = {}  # start → scores (runs, N), for each budget
if not study:
    for budget in labels:
        for start in STARTS:
            answers = [label_with(start, budget, run, own_weights) for run in range(seeds)]
            own[budget, start] = np.array([by_picture(answer) for answer in answers])
for (budget, start), by_run in own.items():
    value, half = metrics.crossed_interval(by_run)
    print(f"{budget} masks, {start:<14} mean IoU {value:.3f} ± {half:.3f}")

own_claims = {}  # VAE − fresh and VAE − denoising, with half widths, at the first budget
if own:
    for claim, (one, other) in label_budgets.CLAIMS.items():
        apart = own[labels[0], one] - own[labels[0], other]  # (runs, N)
        own_claims[claim] = metrics.crossed_interval(apart)
        print("{} − {}: {:+.3f} ± {:.3f}".format(one, other, *own_claims[claim]))

# %% [markdown]
# In the stored run, with 60 masks, VAE − fresh is +0.004<!--=own_claim_pretraining[0]--> ± 0.009<!--=own_claim_pretraining[1]--> and VAE − denoising +0.002<!--=own_claim_objective[0]--> ± 0.008<!--=own_claim_objective[1]-->, over pictures only. The tuned ones lie between 0.497<!--=own_autoencoder[0]--> and 0.502<!--=own_VAE[0]-->; *VAE + term*, trained otherwise, $w = 0.03$, has 0.449<!--=own_VAE_term[0]-->.
#
# Only the two recorded studies run the next cell. The first (`09.full-labels.yaml`): pretraining of 3,000 and 6,000 steps, four budgets, ten seeds of head and masks for the starts of the two claims and three for the others. (With 1,200 masks, all seeds share the masks.) The second (`09.joint.yaml`, six seeds; in an earlier version more trainings diverged) compares *VAE + term* (the best $w$ of three, chosen like learning rates) with *VAE* and *VAE, slow start* (no term, the same care). Each pretraining is done once.

# %%
summary = {}
plan = [path, seed, size, images, val_images, pretraining_steps, head_steps, labels, seeds]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
if study:
    shorter = {}
    if study == "labels":
        for kind in ("denoising", "VAE"):
            networks = pretrain(kind, pretraining_steps // 2)
            shorter[kind] = [network.get_weights() for network in networks]

    def choosing_score(start, budget, run, learning_rate, term):
        keras.backend.clear_session()  # hundreds of models would fill the memory
        answer = label_with(
            start, budget, 100 + run, own_weights, learning_rate, term, x_choose
        )
        return float(metrics.mean_iou(masks_choose, answer, classes, void))

    def scores(start, budget, run, length, learning_rate, term):
        keras.backend.clear_session()
        weights = shorter if length == "shorter" else own_weights
        times = 2 if length == "twice" else 1  # as many steps of the head
        answer = label_with(start, budget, run, weights, learning_rate, term, times=times)
        return by_picture(answer)

    summary = label_budgets.study(
        study, STARTS, labels, seeds, choosing_score, scores, no_look, store
    )

# %%
if recorded:
    shown = [start for start in recorded["starts"] if start != "VAE + term"]
    curves = {s: recorded["score_" + label_budgets.key_of(s)] for s in shown}
    budgets = recorded["labels"]
    fig = plots.label_efficiency(budgets, curves, floor=floor, title="recorded study")
    alt = "Mean IoU over 20, 60, 240 and 1,200 pictures with a mask, one line for each start, with intervals. Fresh weights, both autoencoders and the VAE lie together at every budget: near 0.39, 0.47, 0.77 and 0.90. The frozen VAE rises from 0.38 to 0.73, frozen fresh weights from 0.37 to 0.55. Fresh, denoising and VAE have ten seeds, the others three. Without a look: a line, 0.24."
    plots.show(fig, alt=alt)
    print(label_budgets.claims_table(recorded))
if joint_loss:
    print("the joint loss:")
    print(label_budgets.claims_table(joint_loss, label_budgets.JOINT))

# %% [markdown]
# In the recorded study *neither claim is supported*, at any budget:
#
# - **Pretraining.** VAE − fresh is +0.006<!--=study_claim_pretraining[0][0]--> ± 0.008<!--=study_claim_pretraining[0][1]--> with 20 masks, +0.016<!--=study_claim_pretraining[1][0]--> ± 0.027<!--=study_claim_pretraining[1][1]--> with 60, +0.004<!--=study_claim_pretraining[2][0]--> ± 0.024<!--=study_claim_pretraining[2][1]--> with 240 and −0.004<!--=study_claim_pretraining[3][0]--> ± 0.004<!--=study_claim_pretraining[3][1]--> with 1,200. The smallest corrected p is 0.45<!--=study_smallest_p[0]-->.
# - **The VAE's objective.** VAE − denoising is −0.008<!--=study_claim_objective[0][0]--> ± 0.008<!--=study_claim_objective[0][1]-->, −0.003<!--=study_claim_objective[1][0]--> ± 0.020<!--=study_claim_objective[1][1]-->, −0.005<!--=study_claim_objective[2][0]--> ± 0.009<!--=study_claim_objective[2][1]--> and −0.001<!--=study_claim_objective[3][0]--> ± 0.005<!--=study_claim_objective[3][1]-->; the smallest corrected p is 0.43<!--=study_smallest_p[1]-->. Among the [settings tried](../docs/results.md) it led once: frozen, $\sigma = 0.2$, 60 masks, +0.018<!--=study_search[0]--> ± 0.009<!--=study_search[1]--> (over heads and pictures only).
# - **What could have been seen?** With 1,200 masks the visible differences are 0.006<!--=study_claim_pretraining[3][3]--> and 0.008<!--=study_claim_objective[3][3]-->. With 60 masks they are 0.042<!--=study_claim_pretraining[1][3]--> and 0.031<!--=study_claim_objective[1][3]-->.
# - **Frozen**, with 1,200 masks, the VAE has 0.728<!--=study_score_VAE_frozen[3][0]--> ± 0.019<!--=study_score_VAE_frozen[3][1]-->, fresh weights have 0.553<!--=study_score_fresh_frozen[3][0]--> ± 0.013<!--=study_score_fresh_frozen[3][1]--> (three heads on one pretraining).
#
# **Have the heads learned enough?** With 1,200 masks (three seeds), twice the steps change *fresh* by +0.005<!--=study_twice_fresh[0]--> ± 0.010<!--=study_twice_fresh[1]-->, *VAE* by +0.003<!--=study_twice_VAE[0]--> ± 0.018<!--=study_twice_VAE[1]-->, in the second study +0.008<!--=study_joint_twice_VAE[0]--> ± 0.006<!--=study_joint_twice_VAE[1]-->: perhaps not enough.
#
# Twice the steps of *pretraining* change the VAE's score by 0.000<!--=study_longer_VAE[1][0]--> ± 0.004<!--=study_longer_VAE[1][1]--> with 1,200 masks, and with 60 by −0.021<!--=study_longer_VAE[0][0]--> ± 0.102<!--=study_longer_VAE[0][1]--> (three seeds), too wide to tell.
#
# **The joint loss** (second study). *VAE + term* minus *VAE, slow start* is −0.001<!--=study_joint_claim_same_care[0][0]--> ± 0.003<!--=study_joint_claim_same_care[0][1]--> with 20 masks, −0.005<!--=study_joint_claim_same_care[1][0]--> ± 0.011<!--=study_joint_claim_same_care[1][1]--> with 60, −0.019<!--=study_joint_claim_same_care[2][0]--> ± 0.020<!--=study_joint_claim_same_care[2][1]--> with 240: no difference was seen, with the smallest $w$, 0.0003 (once 0.003). With 1,200 one of six with the term ended in NaN, none without; scored as no look, this gives −0.113<!--=study_joint_claim_same_care[3][0]--> ± 0.279<!--=study_joint_claim_same_care[3][1]-->. Minus *VAE* (learning rate 0.02), with 240, *VAE + term* is −0.114<!--=study_joint_claim_term[2][0]--> ± 0.022<!--=study_joint_claim_term[2][1]-->, corrected p 0.0002<!--=study_joint_claim_term[2][2]-->. But care alone costs as much: *VAE* has 0.774<!--=study_joint_score_VAE[2][0]-->, *slow start* 0.679<!--=study_joint_score_VAE_slow_start[2][0]-->.
#
# ## Which loss?
#
# So far the loss was the [cross-entropy](../docs/site/glossary.md#term-cross-entropy), a mean over pixels. A rare class has few pixels, so it has little weight. Three other losses are common:
#
# - **class weights**: a pixel of class $c$ counts by one over the square root of the share of $c$;
# - **Dice** (after Milletari and others, 2016): the overlap of notebook `01` with probabilities in place of labels, for each picture and class, then averaged; the loss is 1 − Dice;
# - **cross-entropy plus Dice**.
#
# All pictures lack some class. If the answer lacks it, too, its Dice would be 0/0. So 1 is added to numerator and denominator, and this Dice is nearly 1 ("all classes"). Or the average runs over the classes that are present ("present").
#
# **Exercise.** A picture has 90 pixels of background, 10 of a disc, and no other class. A classifier answers background everywhere. Compute its mean Dice over all four classes (absent ones: 1) and over the two present; add no 1.

# %% tags=["nbval-check-output"]
your_all, your_present = None, None  # ← your numbers
background = 2 * 90 / (90 + 100)
for name, yours, true in (
    ("all", your_all, (background + 0 + 1 + 1) / 4),
    ("present", your_present, background / 2),
):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.2f}'}")
    hint = "Dice is 2·(both)/(sum of the two sizes): 2·90/190 for background, 0 for the disc."
    assert yours is None or abs(yours - true) < 0.01, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# Background: $2 \cdot 90 / (90 + 100) = 0.947$. The disc: 0. Over all four classes: $(0.947 + 0 + 1 + 1)/4 = 0.74$. Over the two present: $0.47$.
#
# </details>
#
# The disc is missed, and yet all classes have 0.74: the two absent ones are "right".
#
# > **Predict first.** Five losses, the same network and fresh weights, all 1,200 masks. Which of them fails? What will its pixel accuracy be?

# %%
shares = counts.sum(axis=(1, 2)) / counts.sum()
weights = np.maximum(shares, 1e-3) ** -0.5
dice_of_present = segmentation.SoftDice(classes, void, present=True)
LOSSES = {
    "cross-entropy": loss,
    "class weights": segmentation.PixelCrossEntropy(classes, void, weights),
    "Dice, all classes": segmentation.SoftDice(classes, void),
    "Dice, present": dice_of_present,
    "cross-entropy + Dice": lambda masks, logits: (
        loss(masks, logits) + dice_of_present(masks, logits)
    ),
}
by_loss = {}
for name, its_loss in LOSSES.items():
    encoder, _ = new_pair(0)
    model = add_head(encoder.input, pyramids.levels(encoder))
    train_head(model, x_train, masks_train, loss=its_loss)
    answer = label(model, x_val)
    by_loss[name] = metrics.label_map_scores(masks_val, answer, classes, void)
for name, row in by_loss.items():
    told = ", ".join(f"{what} {v:.2f}" for what, v in zip(metrics.LABEL_MAP_SCORES, row))
    print(f"{name:<21}{told}")


# %% [markdown]
# In the stored run the cross-entropy has a mean IoU of 0.71<!--=loss_cross_entropy[1]-->, class weights 0.80<!--=loss_class_weights[1]-->, Dice over the present classes 0.81<!--=loss_Dice_present[1]-->, and cross-entropy plus Dice 0.80<!--=loss_cross_entropy_Dice[1]-->. Dice over all classes answers background everywhere: its accuracy is background's share, 0.79<!--=loss_Dice_all_classes[0]-->, its mean IoU a quarter of that, 0.20<!--=loss_Dice_all_classes[1]-->. One training of 300 steps each: the other four are not judged.
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
results = {"floor": floor}
for (place, how), interval in by_place.items():
    results[f"place_{place.replace(' ', '_')}_{how}"] = interval
if own:
    for start in STARTS:
        pairs_of = [metrics.crossed_interval(own[budget, start]) for budget in labels]
        results["own_" + label_budgets.key_of(start)] = [mean for mean, _ in pairs_of]
        results["own_half_" + label_budgets.key_of(start)] = [half for _, half in pairs_of]
results |= {f"own_claim_{claim}": interval for claim, interval in own_claims.items()}
for name, row in by_loss.items():
    results["loss_" + re.sub(r"\W+", "_", name)] = row
results |= summary | {"study_search": data.records.results_of("objective_search")["confirmed"]}
results |= {f"study_{key}": value for key, value in recorded.items()}
results |= {f"study_joint_{key}": value for key, value in joint_loss.items()}
if recorded:
    claims = [recorded[f"claim_{claim}"] for claim in label_budgets.CLAIMS]
    results["study_smallest_p"] = [min(p for _, _, p, _ in rows) for rows in claims]
best = by_place["all of the encoder", "tuned"][0]
record(results, {}, f"head on all of the encoder, tuned: mean IoU {best:.2f}")

# %% [markdown]
# ## What you saw
#
# - After 300 steps all levels of the encoder together are best, frozen (0.64<!--=place_all_of_the_encoder_frozen[0]-->) and tuned (0.78<!--=place_all_of_the_encoder_tuned[0]-->); their head is the largest.
# - "Pretraining helps" and "the VAE's objective helps" are two claims. Each needs its control, equal tuning, several seeds, a written rule.
# - **Do the VAE's features help?** Tuned: neither claim is supported, nor did the joint loss help. Frozen: they are better than untrained ones (0.73<!--=study_score_VAE_frozen[3][0]--> against 0.55<!--=study_score_fresh_frozen[3][0]--> with 1,200 masks), and worse than the same network tuned from fresh weights (0.90<!--=study_score_fresh[3][0]-->). With 8 and 20 masks a *frozen* VAE, encoder and decoder read, led *tuned* fresh weights a little ([later study](../docs/results.md), without other pretrainings).
# - Dice over absent classes rewards answers that leave classes out: a mean IoU of 0.20<!--=loss_Dice_all_classes[1]-->.
#
# ## Check yourself
#
# 1. A head on a tuned VAE scores 0.81. What is missing before you say that the VAE helped?
#
#    <details><summary>Answer</summary>
#
#    The same network from fresh weights and another pretraining, with the same masks, its own learning rate, over several seeds.
#
#    </details>
# 2. Why may a head read the encoder's finest level, and the VAE's decoder not?
#
#    <details><summary>Answer</summary>
#
#    The head has labels to give, and they are not in its input. The decoder has the picture to give, and could copy it: the latent would be empty.
#
#    </details>
# 3. A Dice loss (1 − Dice) reaches 0.25 and every pixel is labelled background. How can that be?
#
#    <details><summary>Answer</summary>
#
#    Absent classes that are not claimed count as 1, and the mean over classes is high without one object.
#
#    </details>
#
# ## On your own
#
# 1. **Your own pictures.** Put `dataset = "folder"` with the `path` of pictures and masks of your own. Which start is best with few masks?
#
# ## References
#
# - Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall. <https://doi.org/10.1201/9780429246593>
# - Holm, S. (1979). A Simple Sequentially Rejective Multiple Test Procedure. Scandinavian Journal of Statistics 6. [jstor.org/stable/4615733](https://www.jstor.org/stable/4615733)
# - Milletari, F., Navab, N. and Ahmadi, S.-A. (2016). V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation. 3DV. [arXiv:1606.04797](https://arxiv.org/abs/1606.04797)
# - Myronenko, A. (2018). 3D MRI Brain Tumor Segmentation Using Autoencoder Regularization. BrainLes, MICCAI. [arXiv:1810.11654](https://arxiv.org/abs/1810.11654)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
