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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/09_segment_from_features.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/09_segment_from_features.ipynb) <!--badges-->
#
# PICTURE
#
# Notebook `08` labelled the *reconstruction* of a VAE, and lost. But the reconstruction is the last thing that a VAE computes. On the way there are the features of its encoder, its latent, and the features of its decoder. **Do the VAE's features help to label pixels: against which controls, and with how many masks?**
#
# **What you'll do**
#
# - Put one and the same small network, a *head*, on seven places inside a VAE.
# - Keep the VAE's loss beside the loss of the head.
# - Compare the VAE with other starts of the same network, with few masks and with many.
# - Compare four losses, and see one of them fail.
#
# **What you'll learn**
#
# - Why "the VAE helps" needs two comparisons, which are named before anything is measured.
# - Why a head may have skip connections around the latent, and a VAE may not.
# - What averages over absent classes do to the Dice loss.
#
# **What you'll need**
#
# - What a VAE and its latent are (`03`, `04`), what the mean IoU is (`01`), and the question of `08`.
# - Mathematics: means, 95 % intervals, and logarithms.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), MINUTES minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
images = 1200  # pictures with a mask
val_images = 1000  # held-out pictures: all scores are measured on them
pretraining_steps = 600  # training steps of each start that learns without masks
head_steps = 400  # training steps of each head
labels = [60]  # label budgets: how many pictures with a mask a head learns from
seeds = 1  # trainings of each start, with other first weights and other masks
study = False  # whether to run the cells that only the recorded study runs
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", seed=range(2**32),
    size=range(16, 257, 8), images=range(8, 4001), val_images=range(2, 1001),
    pretraining_steps=range(1, 100_001), head_steps=range(1, 100_001),
    labels={"list_of": range(2, 4001)}, seeds=range(1, 21), study=bool, cache_dir=str,
)  # fmt: skip
set_up(seed)

import functools
import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

from helpers import backend, checkpoint, data, losses, metrics, models, plots, pyramids
from helpers.data.stream import FreshShapes
from helpers.layers import DepthToSpaceUp, GaussianSampling

plots.use()
recorded = data.records.results_of("09-labels")  # the recorded study of this notebook

# %% [markdown]
# ## Pictures and masks
#
# The pictures are those of `08`: `shapes` of 32×32 pixels with one or two objects, whose colours say nothing about their class. Pictures without a mask are free, so everything that learns without masks gets new ones in every step. Masks are scarce: at most 1,200.
#
# There are three sets with masks. Heads learn from the first. The second, of 300 pictures, is for *choosing*, for instance a learning rate. The third is held out: all scores below are measured on it, and nothing is chosen by it.

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
train_set = data.load(dataset, "train", limit=images + 300, **drawing, **options)
val_set = data.load(dataset, "val", limit=val_images, **drawing, **options)
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
# The score is the mean IoU over all held-out pixels. As in `08`, each picture gets a score whose mean is the mean IoU, so that intervals over pictures can be given. They are 95 %.


# %%
def by_picture(answer):
    """A score of each held-out picture, (N,); their mean is the mean IoU."""
    return metrics.mean_iou_by_image(masks_val, answer, classes, void)


counts = np.stack([(masks_train == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
layout = np.broadcast_to(counts.argmax(axis=0), masks_val.shape)
floor = by_picture(layout).mean()
print(f"the most common class at each position, without a look: mean IoU {floor:.3f}")

# %% [markdown]
# ## Three ways to learn without masks
#
# The networks are those of `08`: an encoder with three levels (16×16, 8×8 and 4×4 places), a latent of 4×4 places with 8 numbers each, and a decoder that goes the same way back. They can learn without masks in three ways:
#
# - as an **[autoencoder](../docs/site/glossary.md#term-autoencoder)**: the latent is the encoder's mean, and the loss is the squared error;
# - as a **[denoising](../docs/site/glossary.md#term-denoising-autoencoder)** autoencoder (Vincent and others, 2008): the same, but noise of standard deviation 0.1 is added to the input, and the target is the picture without it;
# - as a **VAE**: the latent is a draw from the posterior, and the loss is the negative [ELBO](../docs/site/glossary.md#term-ELBO) with $\sigma = 0.05$.
#
# This first training, without masks, is called **[pretraining](../docs/site/glossary.md#term-pretraining)**.

# %%
WIDTHS = (24, 32, 48)  # channels of the three levels, finest first
DEPTHS = (1, 1, 2)  # 3×3 convolutions at each level
CHANNELS = 8  # of the latent, at each of its 4×4 places
SIGMA = 0.05  # standard deviation of a pixel, for the VAE


def new_pair(run):
    """Encoder and decoder with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    return pyramids.pyramid_networks(shape, CHANNELS, WIDTHS, DEPTHS, (2, 2, 2))


class Unlabelled(keras.utils.PyDataset):
    """Batches of pictures without masks: x alone, or pairs (x, x) of input and target."""

    def __init__(self, steps, run, pairs):
        super().__init__()
        self.steps, self.run, self.pairs = steps, run, pairs
        self.fresh = FreshShapes(16, steps, seed + run, **drawing) if dataset == "shapes" else None

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        if self.fresh:
            (x,) = self.fresh[index]  # new pictures in every step
        else:
            rng = np.random.default_rng([seed, self.run, index])
            x = x_train[rng.integers(len(x_train), size=16)]
        return (x, x) if self.pairs else (x,)


def pretrain(kind, steps, run=0):
    """Encoder and decoder after so many steps as "autoencoder", "denoising" or "VAE"."""
    encoder, decoder = new_pair(run)
    schedule = keras.optimizers.schedules.CosineDecay(0.003, steps)
    adam = keras.optimizers.Adam(schedule)
    fast = backend.compile_options(planned=steps)
    pictures = Unlabelled(steps, run, pairs=kind != "VAE")
    if kind == "VAE":
        model = models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed + run)
        model.compile(adam, **fast)
    else:
        noise = layers.GaussianNoise(0.1 if kind == "denoising" else 0.0, seed=seed + run)
        mean, _ = encoder(noise(encoder.input))
        model = keras.Model(encoder.input, decoder(mean))
        model.compile(adam, "mse", **fast)
    model.fit(pictures, shuffle=False, verbose=0)
    return encoder, decoder


# %%
def pictures_of(pair):
    """What encoder and decoder give back of the first held-out pictures, (10, H, W, 3)."""
    mean, _ = pair[0].predict(x_val[:10], verbose=0)
    return pair[1].predict(mean, verbose=0).clip(0, 1)


KINDS = ("autoencoder", "denoising", "VAE")
pairs = {kind: pretrain(kind, pretraining_steps) for kind in KINDS}
rows = {"held out": x_val[:10]} | {kind: pictures_of(pair) for kind, pair in pairs.items()}
alt = "ALT four rows of ten pictures: held out and three reconstructions."
plots.show(plots.picture_rows(rows), alt=alt)

# %% [markdown]
# ANSWER0
#
# ## A head
#
# A **head** is a small network from features to the logits of classes, one set for each pixel. Ours goes from coarse to fine: a 3×3 convolution; then the resolution is doubled (`DepthToSpaceUp`), and if there are finer features, they are joined and mixed in by another 3×3 convolution; and so on up to the picture's size. Put on the latent, on one level of the encoder or on one level of the decoder, it is the same head. Put on all levels of the encoder, it is a small U-Net (Ronneberger and others, 2015).
#
# The connections from the encoder's finer levels to the head lead *around* the latent. For a head this is right. For the decoder of a VAE it would be fatal: it could copy the picture from the finest level. The latent would save no nats of reconstruction, and its best KL would be zero: [posterior collapse](../docs/site/glossary.md#term-posterior-collapse) by design.


# %%
def block(h):
    """A 3×3 convolution to 32 channels, batch normalisation and ReLU."""
    h = layers.Conv2D(32, 3, padding="same", use_bias=False)(h)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))


def doubled(h):
    """Twice the height and width."""
    h = DepthToSpaceUp(32, 2, None)(h)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))


def add_head(image, features):
    """From features (B, h, w, c), finest first, to logits (B, H, W, classes)."""
    h = block(features[-1])
    for finer in features[-2::-1]:
        while h.shape[1] < finer.shape[1]:
            h = doubled(h)
        h = block(layers.Concatenate()([h, finer]))
    while 2 * h.shape[1] < image.shape[1]:
        h = doubled(h)
    return keras.Model(image, DepthToSpaceUp(classes, 2, None)(h))


def decoder_levels(decoder):
    """A model from a latent to the decoder's last features at each resolution, finest first."""
    last = {}
    for layer in decoder.layers[1:]:
        if len(layer.output.shape) == 4 and layer.output.shape[1] < shape[0]:
            last[layer.output.shape[1]] = layer.output
    return keras.Model(decoder.input, [last[side] for side in sorted(last, reverse=True)])


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void)


def batches(count, steps, run):
    """Indices of pictures for so many batches of 16, in a new order for each pass: (16·steps,)."""
    rng = np.random.default_rng([seed, run])
    passes = math.ceil(16 * steps / count)
    return np.concatenate([rng.permutation(count) for _ in range(passes)])[: 16 * steps]


def train_head(model, x, masks, steps, rate=0.01, loss=loss, run=0):
    """Adam; the learning rate falls from `rate` to zero like half a cosine wave."""
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    model.compile(adam, loss, **backend.compile_options(planned=steps))
    order = batches(len(x), steps, run)
    model.fit(x[order], masks[order], batch_size=16, shuffle=False, verbose=0)


def label(model, x):
    return model.predict(x, batch_size=250, verbose=0).argmax(axis=-1)  # (N, H, W)


# %% [markdown]
# ## Which place inside the VAE?
#
# Seven places: three levels of the encoder, the latent (its mean), and three levels of the decoder; and all levels of the encoder together. Each once **frozen**, where only the head learns, and once **tuned**, where the VAE's weights below the head learn with it. All 1,200 masks are used. The VAE is the one from above, after 600 steps: this section is a demonstration.
#
# > **Predict first.** Among the frozen ones, which place is best: one before the latent, the latent, or one after it? Does tuning change the order?


# %%
def places_of(encoder, decoder):
    """Symbolic features by name, each a list, finest first."""
    levels = pyramids.levels(encoder)
    after = decoder_levels(decoder)(encoder.outputs[0])
    sides = [level.shape[1] for level in levels]
    found = {f"encoder {s}×{s}": [level] for s, level in zip(sides, levels)}
    found["latent"] = [encoder.outputs[0]]
    found |= {f"decoder {f.shape[1]}×{f.shape[1]}": [f] for f in reversed(after)}
    return found | {"all of the encoder": levels}


def encoder_and_decoder(weights, run=0):
    """A new pair with the weights of a pretrained one, or with fresh ones (None)."""
    encoder, decoder = new_pair(run)
    if weights:
        encoder.set_weights(weights[0])
        decoder.set_weights(weights[1])
    return encoder, decoder


kept = {kind: [network.get_weights() for network in pair] for kind, pair in pairs.items()}
by_place = {}  # mean and half width, by name and "frozen" or "tuned"
for name in places_of(*pairs["VAE"]):
    for how in ("frozen", "tuned"):
        encoder, decoder = encoder_and_decoder(kept["VAE"])
        encoder.trainable = decoder.trainable = how == "tuned"
        model = add_head(encoder.input, places_of(encoder, decoder)[name])
        train_head(model, x_train, masks_train, head_steps)
        by_place[name, how] = metrics.confidence_interval(by_picture(label(model, x_val)))


# %%
fig, axis = plt.subplots(figsize=(7.2, 4))
names = list(dict.fromkeys(name for name, _ in by_place))
for how, colour, shift in (("tuned", "C0", 0.12), ("frozen", "C1", -0.12)):
    values, halves = np.transpose([by_place[name, how] for name in names])
    rows = -np.arange(len(names)) + shift
    axis.errorbar(values, rows, xerr=halves, fmt="o", color=colour, capsize=3, label=how)
axis.axvline(floor, color="k", linestyle=":", label="layout, without a look")
axis.set_yticks(-np.arange(len(names)), names)
axis.set(xlabel="mean IoU, and 95 % interval over pictures", xlim=(0, 1))
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
alt = "ALT places: to be written when the figure has been looked at."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER1
#
# ## Keep the VAE's loss beside the head's
#
# When the VAE's weights are tuned for labels only, nothing holds them to their old task. The alternative is a model with two outputs, labels and picture, and both losses:
#
# $$\text{cross-entropy per pixel} \;+\; \frac{w}{HW}\big(-\log p(x \mid z) + \mathrm{KL}\big).$$
#
# The best-known success of this kind is Myronenko (2018), who won a challenge on brain tumours with a VAE branch beside a segmenter. There the inputs are volumes of 160×192×128 voxels from 285 patients, the branch is a regulariser that is thrown away, and its weight is 0.1 for the squared error and for the KL.
#
# The first two terms compare an output with a target, and Keras's `compile` has a place for them. The KL compares nothing, so a layer adds it by `add_loss`. Keras takes what `add_loss` is given as it is (it divides an `activity_regularizer` by the batch size), so the *mean* over the batch is ours to take.


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


# %% tags=["nbval-check-output"]
x_few, masks_few = x_train[:8], masks_train[:8]
encoder, decoder = encoder_and_decoder(kept["VAE"])
model = add_head(encoder.input, pyramids.levels(encoder))
both, two_losses = two_outputs(encoder, decoder, model, weight=0.03)
mean, log_variance = encoder(x_few)
added = ops.convert_to_numpy(ops.sum(both(x_few) and both.losses))  # the share of the KL
share = 0.03 / (shape[0] * shape[1])
by_hand = share * float(ops.mean(losses.gaussian_kl(mean, log_variance)))
assert abs(added - by_hand) < 1e-4 * abs(by_hand) + 1e-9
print("what the layer adds is the mean KL of the batch, times w/(HW)")

# %% [markdown]
# How large should $w$ be? The study below chooses it from 0.003, 0.03 and 0.3 on the 300 pictures for choosing.
#
# ## Did the VAE help? Two named comparisons
#
# A head on a tuned VAE may score well and prove nothing: the same network may do as well from **fresh weights**. And if it does not, any pretraining may be the reason, and not the VAE. So we name two comparisons *before* anything is measured, and judge both by the same rule:
#
# 1. **Pretraining helps:** VAE − fresh weights.
# 2. **The VAE's objective helps:** VAE − denoising autoencoder.
#
# All starts share the network (a head on all levels of the encoder), the steps, the masks and the first weights of the head:
#
# - *fresh*: no pretraining;
# - *fresh, frozen*: fresh weights that stay as they are, and only the head learns. Their normalisation layers measure some pictures first; without it, the coarsest features would be thirty times too small;
# - *autoencoder*, *denoising*, *VAE*: pretrained without masks, then tuned;
# - *VAE, frozen*: pretrained, and only the head learns;
# - *VAE + term*: the two outputs from above.
#
# Each start has a learning rate of its own, chosen from 0.003, 0.01 and 0.03 with 60 masks on the pictures for choosing. One rate for all would favour the start that it suits.
#
# The rule: with 95 % intervals over seeds *and* pictures. There are eight comparisons (two claims, four budgets), and among eight one is off by chance more often than one alone. So the p-values are corrected by Holm's method (notebook [`07`](07_train_it_well.ipynb)): "helps" means a corrected p below 0.05. Beside it stands the *smallest visible difference*: a true difference below it would probably not have been found.
#
# > **Predict first.** With 20 masks, which start is best? What is left of the differences with 1,200? Does the VAE beat the denoising autoencoder?


# %%
STARTS = ("fresh", "fresh, frozen", "autoencoder", "denoising", "VAE", "VAE, frozen", "VAE + term")


def show_pictures(encoder):
    """The normalisation layers of an encoder measure 800 pictures; its weights stay."""
    pictures = Unlabelled(50, 0, pairs=False)
    for index in range(50):
        encoder(pictures[index][0], training=True)


def network_of(start, run, weights, term=0.03):
    """A model for labels, the model to train (the same, or with two outputs), and its loss."""
    kind = start.split(",")[0].removesuffix(" + term")
    encoder, decoder = encoder_and_decoder(weights.get(kind), run)
    if start == "fresh, frozen":
        show_pictures(encoder)
    encoder.trainable = not start.endswith("frozen")
    model = add_head(encoder.input, pyramids.levels(encoder))
    if start == "VAE + term":
        return model, *two_outputs(encoder, decoder, model, term)
    return model, model, loss


def label_with(start, budget, run, weights, rate=0.01, term=0.03, x=x_val):
    """Trains a start on the masks of `budget` pictures; labels of x, (N, H, W)."""
    model, trained, its_loss = network_of(start, run, weights, term)
    some = np.random.default_rng([seed, run]).permutation(len(x_train))[:budget]
    x_some, targets = x_train[some], masks_train[some]
    order = batches(len(some), head_steps, run)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, head_steps))
    trained.compile(adam, its_loss, **backend.compile_options(planned=head_steps))
    targets = targets[order]
    if start == "VAE + term":
        targets = {"labels": targets, "picture": x_some[order]}
    trained.fit(x_some[order], targets, batch_size=16, shuffle=False, verbose=0)
    return label(model, x)


# %% [markdown]
# Your run is a demonstration: short pretraining, one budget, one seed, one learning rate for all.

# %%
own = {}  # start → scores (runs, N), for each budget
for budget in [] if study else labels:
    for start in STARTS:
        answers = [label_with(start, budget, run, kept) for run in range(seeds)]
        own[budget, start] = np.array([by_picture(answer) for answer in answers])
for (budget, start), scores in own.items():
    value, half = metrics.crossed_interval(scores)
    print(f"{budget} masks, {start:<14} mean IoU {value:.3f} ± {half:.3f}")

# %% [markdown]
# The next cells run in the recorded study only (`09.full-labels.yaml`): pretraining of 3,000 and 6,000 steps, four budgets, five seeds of head and masks. Each pretraining was done once, so the study says nothing about other seeds of the pretraining.

# %%
store = checkpoint.ResultStore(
    cache_dir,
    dataset=dataset,
    plan=[seed, size, images, val_images, pretraining_steps, head_steps, labels, seeds],
)


def chosen_by(start, weights):
    """Learning rate (and weight of the VAE's term) with the best mean IoU where we choose."""

    def score(rate, term):
        answer = label_with(start, 60, 100, weights, rate, term, x_choose)
        return float(metrics.mean_iou(masks_choose, answer, classes, void))

    tried = [(rate, 0.03) for rate in (0.003, 0.01, 0.03)]
    if start == "VAE + term":
        best = chosen_by("VAE", weights)[0]
        tried = [(best, term) for term in (0.003, 0.03, 0.3)]
    found = {}
    for rate, term in tried:
        key = [start, rate, term]
        found[rate, term] = store.result("choose", functools.partial(score, rate, term), key=key)
    return max(found, key=found.get)


def study_score(start, budget, run, weights, choice, length):
    def score():
        return by_picture(label_with(start, budget, run, weights, *choice))

    key = [start, budget, run, *choice, length]
    return np.array(store.result("score", score, key=key))


# %%
def arrays(kind, steps):
    return [network.get_weights() for network in pretrain(kind, steps)]


found, choices = {}, {}
if study:
    longer = kept
    shorter = {kind: arrays(kind, pretraining_steps // 2) for kind in ("denoising", "VAE")}
    for start in STARTS:
        choices[start] = chosen_by(start, longer)
    for run in range(seeds):
        for budget in labels:
            for start in STARTS:
                args = [start, budget, run, longer, choices[start], "longer"]
                found.setdefault((budget, start), []).append(study_score(*args))
            for start in ("denoising", "VAE") if budget in (60, labels[-1]) else ():
                args = [start, budget, run, shorter, choices[start], "shorter"]
                found.setdefault((budget, f"{start}, half"), []).append(study_score(*args))

# %%
CLAIMS = {"pretraining": ("VAE", "fresh"), "objective": ("VAE", "denoising")}
summary = {}
if study:
    for budget in labels:
        for start in STARTS:
            pair = metrics.crossed_interval(np.array(found[budget, start]))
            summary.setdefault("score " + start, []).append(pair)
    apart = {
        (claim, budget): np.array(found[budget, one]) - np.array(found[budget, other])
        for claim, (one, other) in CLAIMS.items()
        for budget in labels
    }  # (runs, N) each
    p_values = metrics.holm([metrics.crossed_p_value(scores) for scores in apart.values()])
    level = 1 - 0.05 / len(apart)
    for (claim, budget), p in zip(apart, p_values):
        scores = apart[claim, budget]
        row = [*metrics.crossed_interval(scores), p, metrics.crossed_interval(scores, level)[1]]
        summary.setdefault("claim " + claim, []).append(row)
    for start in ("denoising", "VAE"):
        for budget in (60, labels[-1]):
            change = np.array(found[budget, start]) - np.array(found[budget, f"{start}, half"])
            summary.setdefault("longer " + start, []).append(metrics.crossed_interval(change))
    summary |= {"labels": labels, "choices": [choices[start] for start in STARTS]}
    summary |= {"pretraining_steps": pretraining_steps, "head_steps": head_steps, "seeds": seeds}

# %%
if recorded:
    budgets = recorded["labels"]
    fig, axis = plt.subplots(figsize=(7.6, 4.2))
    for i, start in enumerate(STARTS):
        values, halves = np.transpose(
            recorded["score_" + start.replace(", ", "_").replace(" + ", "_")]
        )
        places = np.array(budgets) * 1.06 ** (i - 3)
        style = "--" if "frozen" in start else "-"
        axis.errorbar(places, values, halves, fmt="o" + style, capsize=2, markersize=4, label=start)
    axis.axhline(floor, color="k", linestyle=":", label="layout, without a look")
    axis.set(xscale="log", xlabel="pictures with a mask", ylabel="mean IoU", ylim=(0.2, 1))
    axis.set_xticks(budgets, [str(b) for b in budgets])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    alt = "ALT label efficiency: to be written when it was looked at."
    plots.show(fig, alt=alt)

# %%
if recorded:
    for claim, (one, other) in CLAIMS.items():
        for budget, row in zip(recorded["labels"], recorded["claim_" + claim]):
            line = f"{budget:>5} masks, {one} − {other}: {{:+.3f}} ± {{:.3f}}, corrected p {{:.2f}}"
            print(line.format(*row), f"visible from {row[3]:.3f}")

# %% [markdown]
# ANSWER2
#
# ## Which loss?
#
# So far the loss was the [cross-entropy](../docs/site/glossary.md#term-cross-entropy), a mean over pixels. A rare class has few pixels, so it has little weight. Three other losses are common:
#
# - **class weights**: a pixel of class $c$ counts by one over the square root of the share of $c$;
# - **Dice** (Milletari and others, 2016): the overlap of notebook `01` with probabilities in place of labels, for each picture and class, then averaged;
# - **cross-entropy plus Dice**.
#
# For the average in Dice there is a choice that looks small. Most pictures lack some class. If such an absent class is not claimed either, its Dice is set to 1 ("all classes"). Or the average runs over the classes that are present ("present"). Look at a picture with a disc and no other object, and at the answer "background everywhere":

# %% tags=["nbval-check-output"]
truth = np.zeros((8, 8), "int64")
truth[2:5, 2:5] = 1  # a disc, more or less; classes 2 and 3 are absent
answer = np.zeros((8, 8), "int64")  # background everywhere
dice = []
for c in range(4):
    a, b = truth == c, answer == c
    dice.append(2 * (a & b).sum() / (a.sum() + b.sum()) if (a | b).any() else 1.0)
print("Dice of the four classes:", np.round(dice, 2))
print(f"mean of all {np.mean(dice):.2f}, of the two that are present {np.mean(dice[:2]):.2f}")

# %% [markdown]
# The disc is missed, and yet the mean over all classes is 0.73: two absent classes are "right" with 1, and the background is nearly right. Over the present classes it is 0.46. So with all classes, an answer of background alone already has most of the score.
#
# > **Predict first.** Five losses, the same network and fresh weights, all 1,200 masks. Which of them fails? What will its pixel accuracy be?


# %%
def soft_dice(present):
    """1 − Dice from logits, mean over the classes of each picture: all, or those present."""

    def dice_loss(masks, logits):
        masks = ops.cast(masks, "int32")
        counted = ops.cast(masks != (classes if void is None else void), "float32")[..., None]
        hot = ops.one_hot(masks, classes) * counted  # (B, H, W, classes)
        p = ops.softmax(logits) * counted
        both = ops.sum(p * hot, axis=(1, 2))  # (B, classes)
        sizes = ops.sum(p, axis=(1, 2)) + ops.sum(hot, axis=(1, 2))
        overlap = (2 * both + 1) / (sizes + 1)  # the 1 makes an absent, unclaimed class 1
        weight = ops.cast(ops.any(hot > 0, axis=(1, 2)), "float32") if present else 1.0
        weight = weight * ops.ones_like(overlap)
        return 1 - ops.sum(weight * overlap, axis=-1) / ops.maximum(ops.sum(weight, axis=-1), 1)

    return dice_loss


shares = counts.sum(axis=(1, 2)) / counts.sum()
class_weights = ops.convert_to_tensor(np.maximum(shares, 1e-3) ** -0.5, "float32")


def weighted(masks, logits):
    """Cross-entropy whose pixels count by the weight of their class."""
    counted = ops.cast(masks != (-1 if void is None else void), "float32")
    masks = ops.where(counted > 0, ops.cast(masks, "int32"), 0)
    weight = ops.take(class_weights, masks) * counted  # (B, H, W)
    nats = keras.losses.sparse_categorical_crossentropy(masks, logits, from_logits=True)
    return ops.sum(weight * nats) / ops.maximum(ops.sum(weight), 1e-6)


def with_dice(masks, logits):
    return loss(masks, logits) + soft_dice(True)(masks, logits)


LOSSES = {
    "cross-entropy": loss,
    "class weights": weighted,
    "Dice, all classes": soft_dice(False),
    "Dice, present": soft_dice(True),
    "cross-entropy + Dice": with_dice,
}
by_loss, answers = {}, {}
for name, its_loss in LOSSES.items():
    encoder, _ = new_pair(0)
    model = add_head(encoder.input, pyramids.levels(encoder))
    train_head(model, x_train, masks_train, head_steps, loss=its_loss)
    answers[name] = label(model, x_val)
    by_loss[name] = metrics.label_map_scores(masks_val, answers[name], classes, void)
for name, row in by_loss.items():
    told = ", ".join(f"{what} {v:.2f}" for what, v in zip(metrics.LABEL_MAP_SCORES, row))
    print(f"{name:<21}{told}")


# %% [markdown]
# ANSWER3
#
# ## The best and the worst
#
# A mean hides what it is made of. Here are the held-out pictures on which the classifier with cross-entropy does best and worst, by the IoU of each picture, averaged over the classes that occur in it.

# %% tags=["picture"]
answer = answers["cross-entropy"]
each = metrics.iou_per_image(masks_val, answer, classes, void)  # (N,)
ends = np.argsort(each)[[-1, -2, -3, -4, 3, 2, 1, 0]]
right = (answer == masks_val) | (masks_val == void)
rows = [x_val[ends]]
rows += [plots.mask_to_rgb(maps[ends], classes, void) for maps in (masks_val, answer)]
rows.append(right[ends])
titles = [f"{each[i]:.2f}" for i in ends]
names = ["picture", "mask", "answer", "wrong: black"]
fig = plots.image_grid(rows, row_labels=names, column_labels=titles)
plots.class_legend(fig, val_set.class_names)
alt = "ALT best and worst: to be written when it was looked at."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER4
#
# **Exercise.** A picture has 100 pixels: 90 of background and 10 of a disc; two more classes are absent. A classifier answers background everywhere. Compute its Dice, averaged over all four classes (absent and unclaimed: 1), and over the two that are present.

# %%
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
# ## Results
#
# The next cell records the numbers that the text speaks of.

# %% tags=["results"]
results = {"floor": floor}
for (name, how), pair in by_place.items():
    key = name.replace(" of the", "").replace("×", "x").replace(" ", "_")
    results[f"place_{key}_{how}"] = pair
for (budget, start), scores in own.items():
    key = start.replace(", ", "_").replace(" + ", "_")
    results[f"own_{key}_{budget}"] = metrics.crossed_interval(scores)
for name, row in by_loss.items():
    results["loss_" + name.replace(", ", "_").replace(" + ", "_").replace(" ", "_")] = row
results["worst"] = sorted(each)[:4]
results |= {
    key.replace(", ", "_").replace(" + ", "_").replace(" ", "_"): value
    for key, value in summary.items()
}
results |= {f"study_{key}": v for key, v in recorded.items() if "study" not in key}
best = by_place["all of the encoder", "tuned"][0]
record(results, {}, f"head on all of the encoder, tuned: mean IoU {best:.2f}")

# %% [markdown]
# ## What you saw
#
# SAW
#
# ## Check yourself
#
# 1. A head on a tuned VAE scores 0.81. What is missing before you say that the VAE helped?
#
#    <details><summary>Answer</summary>
#
#    The same network from fresh weights and from another pretraining, with the same masks and a learning rate of its own, over several seeds.
#
#    </details>
# 2. Why may a head read the encoder's finest level, and the VAE's decoder not?
#
#    <details><summary>Answer</summary>
#
#    The head has labels to give, and they are not in its input. The decoder has the picture to give, and could copy it: the latent would be empty.
#
#    </details>
# 3. A comparison gives +0.010 ± 0.030. Is "no difference" a right conclusion?
#
#    <details><summary>Answer</summary>
#
#    No. A difference of 0.03 would fit, too. One can say: none was found, and one below about 0.03 could not have been.
#
#    </details>
# 4. Eight comparisons, and one has p = 0.03. Is it a finding?
#
#    <details><summary>Answer</summary>
#
#    Not by Holm's method: the smallest of eight p-values is multiplied by 8.
#
#    </details>
# 5. A Dice loss reaches 0.25 and every pixel is labelled background. How can that be?
#
#    <details><summary>Answer</summary>
#
#    Absent classes that are not claimed count as 1, and the mean over classes is high without a single object found.
#
#    </details>
#
# ## On your own
#
# 1. **More places.** Give the head the latent *and* the coarsest level of the decoder, frozen. Predict: better than the better of the two?
#
#    <details><summary>What to expect</summary>
#
#    The decoder's features are computed from the latent, so they hold nothing that it lacks. They may hold it in a form that a small head reads more easily. We did not measure it.
#
#    </details>
# 2. **Your own pictures.** Put `dataset = "folder"` with the `path` of pictures and masks of your own. Which start is best with few masks?
#
# ## References
#
# - Baranchuk, D. and others (2022). Label-Efficient Semantic Segmentation with Diffusion Models. ICLR. [arXiv:2112.03126](https://arxiv.org/abs/2112.03126)
# - Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall. <https://doi.org/10.1201/9780429246593>
# - Holm, S. (1979). A Simple Sequentially Rejective Multiple Test Procedure. Scandinavian Journal of Statistics 6. [jstor.org/stable/4615733](https://www.jstor.org/stable/4615733)
# - Milletari, F., Navab, N. and Ahmadi, S.-A. (2016). V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation. 3DV. [arXiv:1606.04797](https://arxiv.org/abs/1606.04797)
# - Myronenko, A. (2018). 3D MRI Brain Tumor Segmentation Using Autoencoder Regularization. BrainLes, MICCAI. [arXiv:1810.11654](https://arxiv.org/abs/1810.11654)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
# - Zhang, Y. and others (2021). DatasetGAN: Efficient Labeled Data Factory with Minimal Human Effort. CVPR. [arXiv:2104.06490](https://arxiv.org/abs/2104.06490)
