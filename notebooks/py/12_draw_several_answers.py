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
# # Draw several answers, where people disagree
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/12_draw_several_answers.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/12_draw_several_answers.ipynb) <!--badges-->
#
# ![Four pictures with two or three coloured pieces, and beside each the masks of three readings: all pieces, only warm ones, only cold ones. Then five samples of the network. In the second picture two samples mark everything and one leaves the cold disc nearly out; in the others the pieces are mostly dark or grey together. The last column, the mean, is grey on all pieces.](../docs/pictures/12.png) <!--picture-->
#
# Ask five people to mark the edges in a photograph, and you get five drawings. None of them is wrong. A network with one answer cannot say "either this or that". The best it can do is to mark everything a little. A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) has a latent, and each draw of it can give another answer. **What can a latent say of people who disagree?**
#
# **What you'll do**
#
# - Train a conditional VAE of masks: for one picture, each draw of the latent gives another mask.
# - Compare its answers with those of twenty people, by measures whose best values you know.
# - Ask the same of edges that five people drew.
#
# **What you'll learn**
#
# - Why one map must be the average of the people, and what that costs in [nats](../docs/site/glossary.md#term-nat).
# - How a set of answers is compared with a set of people, and how each measure can mislead.
# - Why noise in every pixel is not an answer.
#
# **What you'll need**
#
# - What a VAE is: notebook `03`. Its [KL](../docs/site/glossary.md#term-KL-divergence): `04`. Features at several resolutions: `08`. Edges and [annotators](../docs/site/glossary.md#term-annotator): `02`.
# - Mathematics: logarithms, the density of a Gaussian, and what a 95 % interval is.
# - About 4 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 83 minutes to read, and 2.3 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
seed = 0  # of the pictures, the first weights and every random draw
seeds = 1  # trainings of each method, from other first weights
size = 32  # height and width of the pictures, in pixels
images = 2000  # pictures that are drawn; those with warm and cold objects are trained on
val_images = 60  # held-out pictures: all scores are measured on them
latent = 4  # K, the length of z
beta = 1.0  # weight of the KL in the loss; 1 is the bound
steps = [300]  # training steps, 16 pictures each; with two lengths, both are trained
samples = 400  # answers that are drawn for each picture
controls = ["one map", "dropout"]  # what the latent is compared with
cache_dir = ""  # folder in the cache where a long run keeps its scores, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), seeds=range(1, 21), size=range(32, 257, 8),
    images=range(100, 60_001), val_images=range(4, 1001), latent=range(1, 65),
    beta=(0.0, 1000.0), steps={"list_of": range(1, 100_001)}, samples=range(6, 10_001),
    controls={"list_of": ["one map", "dropout"]}, cache_dir=str,
)  # fmt: skip
set_up(seed)

import math
from functools import partial

import keras
import numpy as np
from keras import ops
from keras.layers import (
    Add,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Rescaling,
    Reshape,
    UpSampling2D,
)

from helpers import backend, checkpoint, data, losses, metrics, plots, training
from helpers.data.ambiguous import INTERPRETATIONS, twenty_annotators, with_all_interpretations
from helpers.layers import DepthToSpaceUp, GaussianSampling, residual_conv
from helpers.uncertainty import evaluation
from helpers.uncertainty.baselines import MCDropout

plots.use()
study = data.records.results_of("12-answers")  # the recorded study, where there is one

# %% [markdown]
# ## Twenty people, three readings
#
# We begin with a disagreement that we know exactly, because we made it. Each picture shows two or three objects. Twenty people are asked to "mark the pieces", and the question can be understood in three ways. Eight people mark *everything*, seven mark only *warm* pieces (more red than blue), five mark only *cold* ones. Each of them is certain and exact.
#
# In training, the networks see a picture together with the mask of one person, drawn at random. Nothing tells them that there are three readings.

# %%
drawing = {"size": size, "objects": (2, 3), "radius": (0.15, 0.25), "contrast": (0.15, 0.6)}
drawing |= {"texture": 0.15, "seed": seed}
train = data.load("shapes", "train", limit=images, **drawing)
train = with_all_interpretations(train)
val = data.load("shapes", "val", limit=6 * val_images, **drawing)
val = with_all_interpretations(val, val_images)
x_train = data.to_float(train.images)  # (N, H, W, 3)
x_val = data.to_float(val.images)
masks_train = twenty_annotators(train)  # (N, 20, H, W): what twenty people mark
masks_val = twenty_annotators(val)
tuning = slice(-20, None)  # pictures that nothing is trained on: thresholds are chosen there
print(f"{len(x_train) - 20} pictures to train on, {len(x_val)} to score on")
print("of twenty people:", INTERPRETATIONS)

# %% [markdown]
# ## One map must be the average
#
# A network with one answer gives a probability $q$ for each pixel. Let a share $p$ of the people mark that pixel. The mean [cross-entropy](../docs/site/glossary.md#term-cross-entropy) is $-p\log q-(1-p)\log(1-q)$, and its derivative is $(q-p)/(q(1-q))$: negative below $p$, positive above it. So the only minimum is at $q=p$. A loss with this property is called *proper*: the best answer is the truth about each pixel. **A proper loss on single pixels asks for the average, and the average of several masks is in general no mask.**
#
# What does it cost? With one map, the pixels count as independent. If two readings are equally likely and differ in $n$ pixels, the best map says ½ at all of them, and every person's mask costs $n\ln 2$ nats. A model that knows the two readings pays $\ln 2$ nats once, for which of them it is.
#
# **Exercise 1.** Two readings, half of the people each, differ in 300 pixels. How many nats *more* does a mask cost with the best single map than with a model that knows both readings?

# %%
your_nats = None  # ← your number
true_nats = 299 * math.log(2)
if your_nats is not None:
    print("your value", your_nats, "true value", round(true_nats, 1))
    assert abs(your_nats - true_nats) < 1, "Both have ln 2 nats, one of them for every pixel."

# %% [markdown]
# <details><summary>Solution</summary>
#
# 300 ln 2 − ln 2 = 207.3 nats. After the first pixel has told which reading it is, the other 299 tell nothing new.
#
# </details>
#
# For our pictures, both numbers can be computed. The *perfect latent* draws the mask of a random person; the *perfect map* is the share of the people at each pixel.

# %%
perfect = {  # maps and nats of each picture, for masks
    "perfect latent": evaluation.perfect_latent(masks_val, samples, seed),
    "perfect map": evaluation.perfect_map(masks_val),
}
for name, (_, nats) in perfect.items():
    print(f"{name:<15} {nats.mean():6.2f} nats")

# %% [markdown]
# In the stored run, the perfect latent has 1.08<!--=masks_perfect_latent_nll[0]--> nats: the entropy of 8, 7 and 5 in twenty. The perfect map has 189<!--=masks_best_single_map_nll[0]-->. **No single map can have fewer, however long it is trained.** A model below that number has done something that no single map can do.
#
# ## A latent that chooses
#
# Let the pixels of a mask $y$ be independent only *once a latent $z$ is known*, and let $z$ say which reading it is:
#
# $$p(y\mid x)=\int p(y\mid x,z)\,p(z\mid x)\,dz.$$
#
# This is a VAE of masks in which everything may look at the picture $x$: a *conditional* VAE (Sohn and others, 2015). The [prior](../docs/site/glossary.md#term-prior) $p(z\mid x)$ looks at the picture, because the picture tells which readings there are. The [posterior](../docs/site/glossary.md#term-posterior) $q(z\mid x,y)$ looks at the mask, too. The bound is derived as in notebook `04`:
#
# $$\log p(y\mid x)\;\ge\;\mathbb E_{q(z\mid x,y)}\log p(y\mid x,z)\;-\;\mathrm{KL}\big(q(z\mid x,y)\,\|\,p(z\mid x)\big).$$
#
# In training, $q$ sees the answer and writes it into $z$. In use there is no answer, and $z$ comes from the prior. The KL makes this work: it grows when $q$ puts $z$ where the prior would not.
#
# Both are diagonal Gaussians. For one coordinate, with $q=\mathcal N(\mu,\sigma^2)$ and $p=\mathcal N(m,s^2)$,
#
# $$\mathrm{KL}=\mathbb E_q\Big[\log\tfrac{s}{\sigma}-\tfrac{(z-\mu)^2}{2\sigma^2}+\tfrac{(z-m)^2}{2s^2}\Big]=\log\tfrac{s}{\sigma}-\tfrac12+\tfrac{\sigma^2+(\mu-m)^2}{2s^2}.$$
#
# The middle fraction has the mean ½, because $(z-\mu)/\sigma$ is a standard normal. In the last one, $z-m=(z-\mu)+(\mu-m)$, and the two parts are not correlated, so the squares add up to $\sigma^2+(\mu-m)^2$. With $m=0$ and $s=1$ it is the formula of notebook `03`.

# %%
def kl_between(mean, log_variance, prior_mean, prior_log_variance):
    """KL(q ‖ p) of two diagonal Gaussians, (B, K) each → (B,), nats. Takes log σ²."""
    ratio = log_variance - prior_log_variance
    shift = (mean - prior_mean) ** 2 * ops.exp(-prior_log_variance)
    return 0.5 * ops.sum(ops.exp(ratio) + shift - 1 - ratio, axis=-1)


def mask_nll(y, logits):
    """−log p(y|x, z), (B, H, W, 1) → (B,), nats: every pixel is a coin."""
    return ops.sum(ops.softplus(logits) - y * logits, axis=(1, 2, 3))

# %% [markdown]
# The next cell checks the KL against numerical integration and against the project's helper.

# %% tags=["nbval-check-output"]
def log_normal(z, mean, log_variance):
    """log N(z; mean, exp(log_variance)), summed over the K coordinates, nats."""
    square = (z - mean) ** 2 * np.exp(-log_variance)
    return -0.5 * np.sum(np.log(2 * np.pi) + log_variance + square, axis=-1)


z = np.linspace(-30, 30, 600_001)[:, None]
for mu, sigma, m, s in [(1.0, 0.5, 0.0, 1.0), (1.0, 0.5, 2.0, 0.5), (0.0, 2.0, 1.0, 0.7)]:
    q, p = (mu, 2 * math.log(sigma)), (m, 2 * math.log(s))
    log_q, log_p = log_normal(z, *q), log_normal(z, *p)
    summed = np.trapezoid(np.exp(log_q) * (log_q - log_p), z[:, 0])
    ours = float(kl_between(*np.reshape([*q, *p], (4, 1, 1)))[0])
    helper = float(losses.gaussian_kl(*np.reshape([*q, *p], (4, 1, 1)))[0])
    print(f"N({mu}, {sigma}²) from N({m}, {s}²): {ours:.4f} nats")
    assert abs(ours - summed) < 1e-5 and abs(ours - helper) < 1e-5

# %% [markdown]
# Now the networks, after the *[Probabilistic U-Net](../docs/site/glossary.md#term-Probabilistic-U-Net)* (Kohl and others, 2018). A **U-Net** computes features of the picture from fine to coarse and back. Its coarsest features give the prior. A second, smaller [encoder](../docs/site/glossary.md#term-encoder) reads picture and mask together and gives the posterior. The **head** gets the features and, at every place, the same $z$; three 1×1 convolutions make the logits. (Two things differ from the paper: the prior shares the U-Net's encoder, where Kohl and others have a third network, and the head works at half the size. There is no batch normalisation; VAEs of this series hardly learn with it.)

# %%
WIDTHS = (24, 32, 48)  # channels at 1/2, 1/4 and 1/8 of the size


def levels(x, widths):
    """What an encoder finds at three resolutions, from fine to coarse."""
    h = Rescaling(4.0, offset=-2.0)(x)
    found = []
    for width in widths:
        h = Conv2D(width, 2, 2, activation="silu")(h)  # half the height and width
        h = residual_conv(h, width)
        found.append(h)
    return found


def unet(x):
    """A U-Net: features at half the size (B, H/2, W/2, 24), and the coarsest ones."""
    fine, middle, coarse = levels(x, WIDTHS)
    h = coarse
    for skip in (middle, fine):
        h = DepthToSpaceUp(skip.shape[-1], 2, "silu")(h)
        h = residual_conv(Add()([h, skip]), skip.shape[-1])
    return h, coarse


def gaussian(h):
    """Mean and log σ² of z, two times (B, K)."""
    h = Dense(64, activation="silu")(Flatten()(h))
    return [Dense(latent)(h), Dense(latent, kernel_initializer="zeros")(h)]


def head(h, outputs=1, dropout=0.0):
    """Three 1×1 convolutions; the last one turns each place into 2×2 pixels."""
    for _ in range(2):
        h = Conv2D(24, 1, activation="silu")(h)
        if dropout:
            h = MCDropout(dropout, seed=seed)(h)
    return DepthToSpaceUp(outputs, 2, activation=None)(h)

# %% [markdown]
# In `compute_loss` stands the negative bound, with one draw of $z$ for each pair of picture and mask. Notebook `03` explains `mu + exp(…) * noise`.

# %%
class ConditionalVAE(keras.Model):
    """Picture → features, and mean and log σ² of the prior p(z|x)."""

    def __init__(self, run=0):
        super().__init__()
        image = keras.Input((size, size, 3))
        features, coarse = unet(image)
        self.look = keras.Model(image, [features, *gaussian(coarse)])

        both = keras.Input((size, size, 4))  # picture and drawing
        self.posterior = keras.Model(both, gaussian(levels(both, (16, 24, 32))[-1]))

        z = keras.Input((latent,))
        everywhere = UpSampling2D(size // 2)(Reshape((1, 1, latent))(z))
        features = keras.Input(features.shape[1:])
        logits = head(Concatenate()([features, everywhere]))
        self.decode = keras.Model([features, z], logits)
        self.noise = keras.random.SeedGenerator(seed + run)

    def call(self, x):
        return self.look(x)

    def terms(self, x, y, prior_of_x):
        """−log p(y|x, z) for one z from the posterior, and the KL, (B,) each."""
        features, *prior = prior_of_x
        mu, log_sigma2 = self.posterior(ops.concatenate([x, y], axis=-1))
        noise = keras.random.normal(ops.shape(mu), seed=self.noise)
        z = mu + ops.exp(0.5 * log_sigma2) * noise
        return mask_nll(y, self.decode([features, z])), kl_between(mu, log_sigma2, *prior)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        nats, kl = self.terms(x, y, y_pred)
        return ops.mean(nats + beta * kl)

# %% [markdown]
# Training looks like that of any network. A batch holds 16 pictures, each with the mask of one person.

# %%
class Drawings(keras.utils.PyDataset):
    """Batches of pictures, each with what one of its annotators drew, in one of four turns."""

    def __init__(self, annotations, length, run):
        super().__init__()
        self.annotations, self.length, self.run = annotations, length, run

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        rng = np.random.default_rng([seed, self.run, index])
        pictures = rng.integers(len(x_train) - 20, size=16)
        people = rng.integers(self.annotations.shape[1], size=16)
        y = self.annotations[pictures, people][..., None].astype("float32")
        turn = rng.integers(4)
        return [np.rot90(a, turn, axes=(1, 2)).copy() for a in (x_train[pictures], y)]


def fit(model, annotations, length, run, loss=None):
    adam = keras.optimizers.Adam(training.rise_and_fall(0.01, length), beta_2=0.99)
    model.compile(adam, loss, **backend.compile_options(planned=length))
    model.fit(Drawings(annotations, length, run), shuffle=False, verbose=0)
    return model


keras.utils.set_random_seed(seed)
unet_of_masks = fit(ConditionalVAE(), masks_train, steps[-1], run=0)

# %% [markdown]
# In use, draw $z$ from the prior as often as you want answers.
#
# > **Predict first.** Look at the samples below before you read on. Does each sample show one reading? Are the three readings as frequent as among the people? What does the mean of all samples look like?

# %%
def draw_answers(model, x, count):
    """Maps of `count` draws of z from the prior of each picture, (N, count, H, W)."""
    rng = np.random.default_rng(seed)
    maps = []
    for picture in x:
        features, m, log_s2 = model(picture[None])
        noise = rng.standard_normal((count, latent)).astype("float32")
        z = m + ops.exp(0.5 * log_s2) * noise  # (count, K)
        logits = model.decode([ops.repeat(features, count, axis=0), z])
        maps.append(ops.convert_to_numpy(ops.sigmoid(logits))[..., 0])
    return np.stack(maps)

# %% tags=["picture"]
shown = draw_answers(unet_of_masks, x_val[:4], samples)
rows = []
for i in range(4):
    readings = masks_val[i][[0, 8, 15]]  # everything, only warm, only cold
    drawn = [*readings, *shown[i][:5], shown[i].mean(axis=0)]
    rows.append([x_val[i], *(1.0 - one.astype("float32") for one in drawn)])
columns = ["picture", "all", "warm", "cold", *(f"sample {s}" for s in range(1, 6)), "mean"]
fig = plots.image_grid(rows, column_labels=columns, cell=0.95)
alt = "Four pictures with two or three coloured pieces, and beside each the masks of three readings: all pieces, only warm ones, only cold ones. Then five samples of the network. In the second picture two samples mark everything and one leaves the cold disc nearly out; in the others the pieces are mostly dark or grey together. The last column, the mean, is grey on all pieces."
plots.show(fig, alt=alt)

# %% [markdown]
# Black is marked. In the second picture, whose colours are clear, the samples differ as people do: the second and the third mark everything, and the fourth leaves the cold disc nearly out. The first is pale nearly everywhere. In the other pictures, with colours between warm and cold or on strong texture, the pieces are mostly dark or grey together, and *only cold* is nowhere to be seen alone. So after this short training (300<!--=steps[0]--> steps) the answers vary, but not all are readings. The mean of all samples is grey, as the average of the people is.
#
# What does the latent carry? To say which of three readings it is takes about one nat. The next cell measures the KL between posterior and prior.

# %%
def terms_of(model, x, annotations):
    """−log p(y|x, z) and KL for one annotation of each picture, (N,) each."""
    y = annotations[:, 0, ..., None].astype("float32")
    return [ops.convert_to_numpy(t) for t in model.terms(x, y, model(x))]


_, kl = terms_of(unet_of_masks, x_val, masks_val)
print(f"KL of the posterior from the prior: {kl.mean():.1f} nats on average")

# %% [markdown]
# In the stored run it is 5<!--=kl--> nats: more than one. So $z$ also carries other things, perhaps whether a purple piece counts as warm.
#
# A walk along $z$ shows what was learned. We take the coordinate in which the prior is widest, measured in widths of the posterior, and go through what the prior holds possible. The other coordinates stay at the prior's mean.

# %%
def strongest(model, x):
    """The coordinate in which the prior is widest beside the noise of the posterior."""
    y = masks_val[: len(x), 0, ..., None].astype("float32")
    _, log_sigma2 = model.posterior(ops.concatenate([x, y], axis=-1))
    _, _, log_s2 = model(x)
    return int(np.argmax(ops.convert_to_numpy(ops.mean(log_s2 - log_sigma2, axis=0))))


deviations = np.linspace(-2.5, 2.5, 9)
k = strongest(unet_of_masks, x_val)
rows = []
for picture in x_val[:3]:
    features, m, log_s2 = unet_of_masks(picture[None])
    z = np.repeat(ops.convert_to_numpy(m), 9, axis=0)  # (9, K)
    z[:, k] += np.exp(0.5 * float(log_s2[0, k])) * deviations
    z = ops.convert_to_tensor(z)
    logits = unet_of_masks.decode([ops.repeat(features, 9, axis=0), z])
    rows.append([picture, *(1 - ops.convert_to_numpy(ops.sigmoid(logits))[..., 0])])
columns = ["picture", *(f"{v:+.1f}" for v in deviations)]
fig = plots.image_grid(rows, column_labels=columns, cell=0.95)
alt = "Three pictures, and beside each the map for nine values of one coordinate of z. In the second picture the maps go from a grey disc with pale pieces through black warm pieces with a pale disc to all pieces black. In the other two all pieces go from grey to black together."
plots.show(fig, alt=alt)

# %% [markdown]
# In the second picture the walk starts with a grey disc and pale pieces, which comes near to *only cold*; passes through *only warm* in the middle; and ends with *everything*. In the other two pictures all pieces become darker together. On the way from one reading to the next, pieces are grey: samples from there are undecided.
#
# ## How far apart are two sets of drawings?
#
# Samples and annotators are two *sets* of masks. Let $d$ be 1 − [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) of two masks: 0 if they are the same, 1 if they do not touch. The **[energy distance](../docs/site/glossary.md#term-generalised-energy-distance)** of samples $S$ and annotations $Y$ (Székely and Rizzo, 2013) is
#
# $$2\,\mathbb E\,d(S,Y)-\mathbb E\,d(S,S')-\mathbb E\,d(Y,Y').$$
#
# The first term asks that samples look like annotations. Alone, it would be smallest for a model that always gives the one mask nearest to everybody. The second term rewards samples that differ from each other, and the reward is right exactly when they differ as much as the people do: then the sum is zero. $S$ and $S'$ are two *different* samples, so few samples do not change what is expected.
#
# <details><summary>Why the sum is never negative</summary>
#
# Number the pixels in a random order, and call $f(A)$ the first pixel of mask $A$ in that order. Two masks have the same first pixel exactly if the first pixel of their union lies in both. The chance of that is their IoU. Write $p_i$ and $q_i$ for the shares of samples and of annotations whose first pixel is $i$. Then $\mathbb E\,d(S,Y)=1-\mathbb E\sum_i p_iq_i$, and the other two terms are alike. So the sum is $\mathbb E\sum_i(p_i-q_i)^2$, a mean of squares.
#
# </details>
#
# **Exercise 2.** Half of the people mark A, half mark B. A and B are equally large and do not touch. What is the energy distance of a model that always says A? Of one that always says A ∪ B? Of one that tosses a coin?

# %%
your_distances = None  # ← three numbers, such as [0.1, 0.2, 0.3]
if your_distances is not None:
    print("your values", your_distances, "true values", [0.5, 0.5, 0])
    assert np.allclose(your_distances, [0.5, 0.5, 0]), "How much do two overlap?"

# %% [markdown]
# <details><summary>Solution</summary>
#
# Always A: $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. A ∪ B overlaps with each by one half, so $d=\tfrac12$, and again $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. The coin: $2\cdot\tfrac12-\tfrac12-\tfrac12=0$.
#
# </details>

# %% tags=["nbval-check-output"]
def iou(a, b):
    union = np.sum(a | b)
    return np.sum(a & b) / union if union else 1.0


def energy_distance(drawn, annotations):
    """2·E d(S, Y) − E d(S, S′) − E d(Y, Y′) with d = 1 − IoU."""
    between = np.mean([[1 - iou(s, y) for y in annotations] for s in drawn])
    among = np.mean([[1 - iou(y, other) for other in annotations] for y in annotations])
    pairs = [1 - iou(s, t) for i, s in enumerate(drawn) for j, t in enumerate(drawn) if i != j]
    return 2 * between - (np.mean(pairs) if pairs else 0) - among


A, B = np.zeros((2, 4, 4), bool)
A[:, :2], B[:, 2:] = True, True  # left half and right half
people = [A, B] * 10
for name, drawn in {"A": [A], "A or B": [A | B], "coin": [A, B] * 50}.items():
    ours = energy_distance(drawn, people)
    helper = metrics.generalised_energy_distance(np.array(drawn), np.array(people))
    print(f"{name:<7} {ours:.3f}")
    assert abs(ours - helper) < 1e-9

# %% [markdown]
# The energy distance can mislead. Think of maps of pure noise that touch nothing, neither the annotations nor each other. They have $2\cdot1-1-\mathbb E\,d(Y,Y')$. If one map is farther than ½ from the people on average, noise has the smaller distance. That happens with thin lines. So a second measure stands beside it: the **matched IoU** pairs samples and annotators one to one, so that the sum of the IoUs is largest (Kuhn, 1955), and asks whether each sample looks like somebody.
#
# Two more measures complete the four:
#
# - **NLL**: −log p of one person's annotation, in nats. For one map it is exact. For the latent we draw $z$ from the posterior and weigh it, $-\log\frac1S\sum_s p(y\mid x,z_s)\,p(z_s\mid x)/q(z_s\mid x,y)$ (Burda and others, 2016). A single estimate may be too low or too high; on average it is too high.
# - **Brier score** (Brier, 1950): the squared error of the *mean* map against single marks, over pixels at most 5 from any mark. The mean of $S$ draws is off by chance, which adds their variance divided by $S$ to the score. We take that off.
#
# Here is the NLL of the latent.

# %%
def latent_nll(model, x, annotations, count=100):
    """−log p(y|x), mean over the annotators of each picture, (N,), nats."""
    rng = np.random.default_rng(seed)
    found = []
    for picture, marks in zip(x, annotations):
        drawn, people = metrics.unique_annotations(marks)  # and how many drew each
        y = drawn[..., None].astype("float32")  # (D, H, W, 1)
        features, *prior = model(picture[None])
        features = ops.repeat(features, count, axis=0)
        both = np.concatenate([np.repeat(picture[None], len(y), axis=0), y], axis=-1)
        means, log_variances = map(ops.convert_to_numpy, model.posterior(both))
        m, log_s2 = map(ops.convert_to_numpy, prior)
        nats = []
        for one, mu, log_sigma2 in zip(y, means, log_variances):
            noise = rng.standard_normal((count, latent)).astype("float32")
            z = mu + np.exp(0.5 * log_sigma2) * noise  # (count, K)
            logits = model.decode([features, ops.convert_to_tensor(z)])
            log_p = -ops.convert_to_numpy(mask_nll(one, logits))
            weight = log_normal(z, m, log_s2) - log_normal(z, mu, log_sigma2)
            nats.append(-metrics.log_mean_exp((log_p + weight).astype("float64")))
        found.append(nats @ people / people.sum())
    return np.array(found)

# %% [markdown]
# ## Controls, and where each scale ends
#
# The claim is: *a latent that chooses describes the people better.* The controls have the same U-Net, the same pictures, masks and steps:
#
# - **one map**: the head without $z$;
# - **dropout**: the same, with a fifth of the channels of the head left out at random, in use as in training (Gal and Ghahramani, 2016). It gives another map each time, but by chance, not by choice. Its NLL is that of a mixture of its maps or of their mean, whichever is smaller.
#
# Each method cuts its maps at the threshold with the smallest energy distance on 20 other pictures.

# %%
def new_map(dropout=0.0):
    """A network with one answer: picture → logits. And its parts, before and in the head."""
    image = keras.Input((size, size, 3))
    features, _ = unet(image)
    places = keras.Input(features.shape[1:])
    answer = keras.Model(places, head(places, dropout=dropout))
    return keras.Model(image, answer(features)), keras.Model(image, features), answer


def draw_maps(features, answer, x, count):
    """The head's answer `count` times for each picture, (N, count, H, W)."""
    maps = []
    for picture in x:
        logits = answer(ops.repeat(features(picture[None]), count, axis=0))
        maps.append(ops.convert_to_numpy(ops.sigmoid(logits))[..., 0])
    return np.stack(maps)


def maps_nll(maps, annotations):
    """−log p of an annotation, from the mean map or from a mixture of maps: the smaller one."""
    mean = [metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in zip(maps, annotations)]
    mixed = [metrics.mixture_nll(m[:100], a).mean() for m, a in zip(maps, annotations)]
    return np.array(min(mean, mixed, key=np.mean))

# %%
WIDEN = {"masks": 0, "edges": 1}  # pixels by which marks are widened before maps are compared
METHODS = ("one map", "dropout", "pixel latent", "latent")
by_task = {"masks": (masks_train, masks_val)}
first_maps = {}  # of the first training: a few answers for the figures


def evaluate(method, task, length, run, trained=None):
    """Train a method, draw answers, and score them: {measure: (N,)}."""
    marks_train, marks_val = by_task[task]
    keras.utils.set_random_seed(seed + run)
    if method == "latent":
        model = trained or fit(ConditionalVAE(run), marks_train, length, run)
        draw, count = partial(draw_answers, model), samples
    else:
        model, *parts = new_map(0.2 if method == "dropout" else 0.0)
        cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        fit(model, marks_train, length, run, cross_entropy)
        draw, count = partial(draw_maps, *parts), samples if method == "dropout" else 1
    tuned = draw(x_train[tuning], min(count, 50))
    threshold = evaluation.best_threshold(tuned, marks_train[tuning], WIDEN[task])
    maps = draw(x_val, count)
    is_latent = method == "latent"
    nats = latent_nll(model, x_val, marks_val) if is_latent else maps_nll(maps, marks_val)
    first_maps.setdefault((task, method), maps)
    return evaluation.score_samples(maps, nats, marks_val, threshold, WIDEN[task])

# %%
plan = [seed, size, images, val_images, latent, beta, samples]
store = checkpoint.ResultStore(cache_dir, plan=plan)
scores = {}  # {(task, method, length): {measure: (seeds, N)}}


def evaluate_all(task, methods, trained=None):
    for length in steps:
        for method in methods:
            rows = []
            for run in range(seeds):
                key = [method, task, length, run]
                ready = trained if key == ["latent", task, steps[-1], 0] else None
                rows.append(store.result("scores", partial(evaluate, *key, ready), key=key))
            found = {m: np.array([row[m] for row in rows]) for m in evaluation.BETTER}
            scores[task, method, length] = found


def best_single(marks, dilation):
    """Of the annotations and of the cuts of their share: the least distance, the best match."""
    share = marks.mean(axis=0)
    cuts = [share >= t for t in np.linspace(0.1, 0.9, 9)]
    candidates = [metrics.dilate(c[None], dilation) for c in [*np.unique(marks, axis=0), *cuts]]
    wide = metrics.dilate(marks, dilation)
    distances = [metrics.generalised_energy_distance(c, wide) for c in candidates]
    return min(distances), max(metrics.hungarian_matched_iou(c, wide) for c in candidates)

# %% [markdown]
# A score alone says little. So two rows without any network stand above the others: the **perfect latent**, and the **best single map**. The second has the shares of the people for NLL and Brier score; for the other two it takes, for each picture, the best of the annotations themselves and of the shares cut at nine thresholds, chosen with the answers in view.
#
# > **Predict first.** In which of the four measures can a latent beat the *best* single map? In which can it not, even if it is perfect?

# %%
def single_bounds(task):
    """What a single map can reach at best, for each picture: {measure: (N,)}."""
    marks = by_task[task][1]
    maps, nats = evaluation.perfect_map(marks)
    found = evaluation.score_samples(maps, nats, marks)
    pairs = [best_single(m, WIDEN[task]) for m in marks]
    found["ged"], found["matched"] = np.transpose(pairs)
    return found


def with_marks(task, methods):
    """Scores by picture of the methods and of the perfect answers, {name: {measure: …}}."""
    marks = by_task[task][1]
    drawn = evaluation.perfect_latent(marks, samples, seed)
    ideal = evaluation.score_samples(*drawn, marks, dilation=WIDEN[task])
    rows = {"perfect latent": ideal, "best single map": single_bounds(task)}
    rows = {name: {m: v[None] for m, v in found.items()} for name, found in rows.items()}
    return rows | {m: scores[task, m, steps[-1]] for m in methods}


def report(rows):
    means = {}
    for name, found in rows.items():
        means[name] = {m: metrics.crossed_interval(v) for m, v in found.items()}
        numbers = ("{:8.3f} ±{:6.3f}".format(*means[name][m]) for m in evaluation.BETTER)
        print(f"{name:<16}", *numbers)
    return means


evaluate_all("masks", [*controls, "latent"], unet_of_masks)
print(" " * 16, *(f"{label:>16}" for label in evaluation.METRIC_LABELS.values()))
means = {"masks": report(with_marks("masks", [*controls, "latent"]))}

# %% [markdown]
# Intervals are 95 %, over pictures, and over trainings where there are several. The figure has one panel for each measure: dashed the perfect latent, dotted the best single map.

# %%
def score_panels(task):
    """The recorded study, where there is one, and this run: a panel for each measure."""
    record_name, measures = "12-answers", evaluation.METRIC_LABELS
    recorded = data.records.scores_by_method(record_name, task, METHODS, measures)
    mine = {name: found for name, found in means[task].items() if name in METHODS}
    tables = {"recorded study": recorded, "this run": mine}
    fig = plots.scores_by_method(tables, measures, METHODS)
    for axis, measure in zip(fig.axes, 2 * list(measures)):
        axis.axvline(means[task]["perfect latent"][measure][0], color="C2", linestyle="--")
        axis.axvline(means[task]["best single map"][measure][0], color="k", linestyle=":")
    return fig


alt = "Four panels, a method on each line. In NLL the latent lies left of the dotted line of the best single map, dropout and one map to the right of it; the dashed line of the perfect latent is near zero. In energy distance the same order. In matched IoU all three lie together, left of both lines. In Brier score both lines are one, and the latent lies a little to the right of the others."
plots.show(score_panels("masks"), alt=alt)

# %% [markdown]
# In the stored run, one map has 220<!--=masks_one_map_nll[0]--> nats, dropout 204<!--=masks_dropout_nll[0]-->, and the latent 122<!--=masks_latent_nll[0]--> ± 10<!--=masks_latent_nll[1]-->. These are single trainings of 300<!--=steps[0]--> steps, a demonstration. One statement needs no longer training: **the latent is below the 189<!--=masks_best_single_map_nll[0]--> nats of the perfect map, and no single map can get there.** It is also far above the perfect latent's 1.08<!--=masks_perfect_latent_nll[0]-->. What is left is not disagreement: outlines that are not exact, colours between warm and cold, and undecided samples.
#
# The energy distance says the same. The latent has 0.131<!--=masks_latent_ged[0]-->, one map 0.281<!--=masks_one_map_ged[0]-->, dropout 0.243<!--=masks_dropout_ged[0]-->, and the best single map 0.182<!--=masks_best_single_map_ged[0]-->, although that one was chosen with the answers in view.
#
# In matched IoU the three are level: 0.650<!--=masks_latent_matched[0]--> for the latent, 0.653<!--=masks_one_map_matched[0]--> for one map, 0.652<!--=masks_dropout_matched[0]--> for dropout, where a perfect latent would have 0.963<!--=masks_perfect_latent_matched[0]-->. A map that marks everything is the right partner for eight of the twenty people, and a fair one for the seven who mark most of it. Grey samples are nobody's partner.
#
# The Brier score looks at the mean only. The perfect latent and the perfect map have the same, 0.087<!--=masks_perfect_latent_brier[0]--> and 0.087<!--=masks_best_single_map_brier[0]-->. So that is the answer to the prediction: a latent can beat the best single map in NLL, energy distance and matched IoU. In the Brier score it cannot, and it need not be worse. Here it is a little worse than one map, 0.105<!--=masks_latent_brier[0]--> against 0.100<!--=masks_one_map_brier[0]-->.
#
# Can the mean of the samples be taken at its word? The *reliability diagram* (notebook `10`) draws the share of people who mark a pixel over what the mean map says.

# %%
said = {m: evaluation.pooled_predictions(first_maps["masks", m], masks_val)[0]
        for m in [*controls, "latent"] if ("masks", m) in first_maps}  # fmt: skip
_, share = evaluation.pooled_predictions(evaluation.perfect_map(masks_val)[0], masks_val)
fig = plots.reliability_panels({"pixels at most 5 from a mark": (said, share)})
alt = "Share of annotators over the probability that the mean map says. One map and dropout lie near the diagonal, a little above it around one half. The latent lies well above it between 0.3 and 0.6 and below it from 0.8 on, ending at a share of 0.75."
plots.show(fig, alt=alt)

# %% [markdown]
# One map and dropout lie near the diagonal, a little above it in the middle. The mean of the latent's samples lies farther above it between 0.3 and 0.6. Where it says more than 0.9, three people in four mark the pixel. (More cannot: warm pieces are marked by fifteen of twenty people.) Chance is not the reason: with 400 draws it moves a mean by 0.025 at most, as a standard deviation. A perfect latent's mean lies on the diagonal. So this is a fault of this short training and not of drawing.
#
# ## Edges that several people drew
#
# Now edges. The pictures are the same, and five simulated annotators drew in each (notebook `02`): a careful one, an unsteady one who is a pixel off, a hasty one who overlooks faint objects, a zealous one who also marks texture, and one who leaves out lines between objects. Lines are widened by one pixel to each side before two drawings are compared.
#
# A second kind of latent is often used for edges: **a Gaussian for each pixel**. UAED (Zhou and others, 2023) gives each pixel of an edge map a mean and a variance, and trains the variance on the disagreement of the annotators. We take the older and simpler *Gaussian logits* of Kendall and Gal (2017), with their loss: each pixel has a log-odds $u\sim\mathcal N(m(x),s^2(x))$, and the loss is $-\log$ of the mean of $p(y\mid u)$ over ten draws.
#
# > **Predict first.** The noise of $u$ is independent from pixel to pixel. Can this pixel latent have fewer nats than a perfect single map? Where will its samples stand in energy distance, and where in matched IoU?

# %%
def expected_nll(y, logits):
    """−log of the mean of p(y|u) over the draws of u, pixel by pixel."""
    log_p = y * ops.log_sigmoid(logits) + (1 - y) * ops.log_sigmoid(-logits)
    return math.log(logits.shape[-1]) - ops.logsumexp(log_p, axis=-1)


def fit_pixel_latent(annotations, length):
    """A network from pictures to the mean and log σ² of u, (B, H, W, 1) each."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((size, size, 3))
    features, _ = unet(image)
    moments = head(features, outputs=2)
    mean, log_variance = moments[..., :1], moments[..., 1:]
    draws = [GaussianSampling(seed=seed + t)(mean, log_variance) for t in range(10)]
    fit(keras.Model(image, Concatenate()(draws)), annotations, length, 0, expected_nll)
    return keras.Model(image, [mean, log_variance])


def draw_pixels(model, x, count):
    rng = np.random.default_rng(seed)
    maps = []
    for picture in x:
        mean, log_variance = (ops.convert_to_numpy(t)[..., 0] for t in model(picture[None]))
        noise = rng.standard_normal((count, size, size))
        maps.append(1 / (1 + np.exp(-mean - np.exp(0.5 * log_variance) * noise)))
    return np.stack(maps).astype("float32")

# %%
edges_train = np.stack(train.annotations)  # (N, 5, H, W)
edges_val = np.stack(val.annotations)
by_task["edges"] = edges_train, edges_val
evaluate_all("edges", [*controls, "latent"])

pixels = fit_pixel_latent(edges_train, steps[-1])
tuned = draw_pixels(pixels, x_train[tuning], 50)
threshold = evaluation.best_threshold(tuned, edges_train[tuning], 1)
maps = draw_pixels(pixels, x_val, samples)
nats = np.array([metrics.pixelwise_nll(m.mean(0), a).mean() for m, a in zip(maps, edges_val)])
first_maps["edges", "pixel latent"] = maps
found = evaluation.score_samples(maps, nats, edges_val, threshold, 1)
scores["edges", "pixel latent", steps[-1]] = {m: v[None] for m, v in found.items()}

print(" " * 16, *(f"{label:>16}" for label in evaluation.METRIC_LABELS.values()))
means["edges"] = report(with_marks("edges", [*controls, "pixel latent", "latent"]))

# %% [markdown]
# The next figure shows one picture, what the five annotators drew in it, and five answers of each method.

# %%
rows, names = [edges_val[0][:5]], ["annotators"]
for name in [*controls, "pixel latent", "latent"]:
    if ("edges", name) in first_maps:
        rows.append(np.resize(first_maps["edges", name][0][:5], (5, size, size)))
        names.append(name)
rows = [[x_val[0], *(1 - np.asarray(one, "float32") for one in row)] for row in rows]
columns = ["picture", *(str(k) for k in range(1, 6))]
fig = plots.image_grid(rows, row_labels=names, column_labels=columns, cell=1.0)
alt = "A picture with a purple disc, a pink triangle and a grey square. Below, edges that five annotators drew: two alike, one moved by a pixel, one without the lines between objects. Then five answers each of one map, dropout, the pixel latent and the latent: all show the same grey lines along the outlines; only those of dropout differ visibly, in darkness."
plots.show(fig, alt=alt)

# %% [markdown]
# The answers of the latent look alike, and like the one map. In the stored run, one map has 141<!--=edges_one_map_nll[0]--> nats, the latent 140<!--=edges_latent_nll[0]-->, dropout 136<!--=edges_dropout_nll[0]-->. The perfect map has 69<!--=edges_best_single_map_nll[0]-->, and a perfect latent 1.09<!--=edges_perfect_latent_nll[0]-->. So a latent could gain a lot here, and after 300<!--=steps[0]--> steps this one has gained next to nothing. People agree about most lines, and where they differ, it is by a pixel; first the network has to see the lines. What a longer training would find, this run does not say.
#
# Now the prediction. Integrate $u$ out, and the pixels of the pixel latent are independent again. So in nats it cannot be below the perfect map, and here it has 141<!--=edges_pixel_latent_nll[0]-->, as one map. Its samples vary little: energy distance 0.279<!--=edges_pixel_latent_ged[0]--> (one map 0.319<!--=edges_one_map_ged[0]-->), matched IoU 0.739<!--=edges_pixel_latent_matched[0]--> (one map 0.744<!--=edges_one_map_matched[0]-->). Its loss depends on nothing but the mean of $p(y\mid u)$, and a small variance can give the same mean as a large one. So nothing in that loss asks the samples to differ as people do. UAED asks for it with a term of its own.
#
# ## What may be said?
#
# Two contrasts were named before the measurement: latent − one map, and latent − dropout, each in four measures, for masks and for edges. That is 16 comparisons, so the p-values are corrected after Holm (1979). A gain is positive where the latent is better.

# %%
alt = "Four panels, a method on each line. In NLL all four lie together near 140, far right of the dotted line at 69. In energy distance dropout is smallest, then the pixel latent, the latent and one map. In matched IoU and Brier score dropout is a little worse than the other three. The lines of the best single map and of the perfect latent are far away in all panels."
plots.show(score_panels("edges"), alt=alt)

# %%
pairs = {}
for task in by_task:
    mine = scores[task, "latent", steps[-1]]
    for name in controls:
        pairs[f"{task}, latent − {name}"] = mine, scores[task, name, steps[-1]]
verdicts = evaluation.compare(pairs)
for name, found in verdicts.items():
    print(name)
    for measure, row in found.items():
        label = evaluation.METRIC_LABELS[measure]
        line = "  {:<16} {word:<7} gain {gain:+8.3f} ± {half:.3f}, p {p:.3f}"
        print(line.format(label, **row))

# %% [markdown]
# In the stored run, for **masks**, the latent is better than one map by 97<!--=masks_gain_one_map_nll[0]--> ± 11<!--=masks_gain_one_map_nll[1]--> nats and by 0.151<!--=masks_gain_one_map_ged[0]--> ± 0.018<!--=masks_gain_one_map_ged[1]--> in energy distance, level in matched IoU, and worse in Brier score (a gain of −0.005<!--=masks_gain_one_map_brier[0]-->). Against dropout the four words are the same.
#
# For **edges** it is better than one map in energy distance, by 0.017<!--=edges_gain_one_map_ged[0]--> ± 0.010<!--=edges_gain_one_map_ged[1]-->, and level in the other three. Against dropout it is worse in NLL and energy distance, and better in matched IoU and Brier score. Dropout's maps vary by chance, and that is enough for a smaller energy distance.
#
# Each word is about *these* trained networks: with one training each, the intervals cover pictures and not first weights. No conclusion about the methods should rest on it, beyond the one that needs no training. `12.full-answers.yaml` asks for three trainings of each at two lengths, and the figures above show it where it has been kept.
#
# **What about photographs?** An earlier recorded run asked the question of BSDS500, with 80 pieces of test photographs and four to nine annotators each. Its networks were trained for a hundred steps and had batch normalisation. They had not learned: the mean map of one map was no better than the base rate (a skill of 0.000<!--=bsds_skill-->). So that run says nothing about latents, and photographs are left out here.

# %% tags=["results"]
results = {"pictures": [len(x_train) - 20, len(x_val)], "steps": steps, "seeds": seeds}
results["kl"] = kl.mean()
results["bsds_skill"] = data.records.results_of("12-bsds500")["edges_one_map_skill"][0]
for task, rows in means.items():
    for name, found in rows.items():
        for measure, pair in found.items():
            results[f"{task}_{name}_{measure}".replace(" ", "_")] = pair
for name, found in verdicts.items():
    for measure, row in found.items():
        key = f"{name}_{measure}".replace(", latent − ", "_gain_").replace(" ", "_")
        results[key] = [row["gain"], row["half"], row["p"]]
        results[key.replace("_gain_", "_word_")] = row["word"]
if len(steps) == 2:  # what twice the steps change
    for task, name, length in list(scores):
        if length == steps[0]:
            pair = scores[task, name, steps[1]], scores[task, name, length]
            for measure, row in evaluation.compare({name: pair})[name].items():
                key = f"{task}_length_{name}_{measure}".replace(" ", "_")
                results[key] = [row["gain"], row["half"]]
results |= {f"study_{key}": value for key, value in study.items() if "study" not in key}
nats = results["masks_latent_nll"][0]
record(results, {}, f"a latent that chooses: {nats:.0f} nats a mask")

# %% [markdown]
# ## What you saw
#
# - One map has to be the average of the people. A conditional VAE can draw several answers.
# - No single map can have fewer nats than the perfect map. For masks, the latent had fewer after a short training.
# - For edges, the answers of the latent hardly differed after the same training.
# - Every measure needs its ends: what the best single map and a perfect latent score under the same number of draws.
# - A latent of independent pixels cannot say that pixels change together.
#
# ## Check yourself
#
# 1. Why does a longer training of one map not bring its NLL below that of the perfect map?
#
#    <details><summary>Answer</summary>
#
#    The share of the people at each pixel has the smallest cross-entropy of all maps. A single map treats pixels as independent, and cannot say that they change together.
#
#    </details>
# 2. A latent has 20 samples, and its mean map has a larger [calibration](../docs/site/glossary.md#term-calibration) error than one map. Is the latent worse?
#
#    <details><summary>Answer</summary>
#
#    That cannot be said yet. A mean of 20 draws is off by chance, with a standard deviation of up to √(0.25/20) = 0.11. A perfect latent has that error, too. Take more draws, or take the known part off.
#
#    </details>
# 3. Samples of a model have a small energy distance and a small matched IoU. What may have happened?
#
#    <details><summary>Answer</summary>
#
#    The samples differ from each other like noise. Each is far from every annotation.
#
#    </details>
# 4. Why does the KL keep the samples usable?
#
#    <details><summary>Answer</summary>
#
#    In use $z$ comes from the prior. Without the KL the posterior may put $z$ where the prior hardly ever draws, and the head has never seen what the prior gives.
#
#    </details>
# 5. A paper reports the best of 11 edge maps for each picture. Which control do you ask for?
#
#    <details><summary>Answer</summary>
#
#    Another method with 11 different answers, and the score of a single answer of each. Who takes the best has looked at the truth.
#
#    </details>
#
# ## On your own
#
# 1. **A latent of one number.** `python -m helpers.runs run 12 -p latent 1`. Three readings on one line: in which order can they lie?
#
#    <details><summary>What to expect</summary>
#
#    *Everything* shares pieces with the other two readings, so it can lie between them. Between two neighbours the model draws a piece in grey.
#
#    </details>
# 2. **No KL.** Set `beta = 0.0`. The [reconstruction](../docs/site/glossary.md#term-reconstruction) becomes better. What happens to the samples?
#
#    <details><summary>Hint</summary>
#
#    Nothing keeps the posterior where the prior is.
#
#    </details>
# 3. **Other answers to the same question.** *Stochastic segmentation networks* (Monteiro and others, 2020) draw all log-odds from one Gaussian with a low-rank covariance, so that pixels change together; *PHiSeg* (Baumgartner and others, 2019) has latents at several resolutions; MuGE, by the authors of UAED, asks the user how fine the edges should be. Replace the head's $z$ by a sum of a few learned maps with random weights: which of the three readings can it draw?
#
# ## References
#
# - Baumgartner, C. F. and others (2019). PHiSeg: Capturing Uncertainty in Medical Image Segmentation. MICCAI. [arXiv:1906.04045](https://arxiv.org/abs/1906.04045)
# - Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. *Monthly Weather Review* 78(1), 1–3. <https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2>
# - Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance Weighted Autoencoders. ICLR. [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - Gal, Y. and Ghahramani, Z. (2016). Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep Learning. ICML. [arXiv:1506.02142](https://arxiv.org/abs/1506.02142)
# - Holm, S. (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics* 6(2), 65–70. <https://www.jstor.org/stable/4615733>
# - Kendall, A. and Gal, Y. (2017). What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision? NeurIPS. [arXiv:1703.04977](https://arxiv.org/abs/1703.04977)
# - Kohl, S. and others (2018). A Probabilistic U-Net for Segmentation of Ambiguous Images. NeurIPS. [arXiv:1806.05034](https://arxiv.org/abs/1806.05034)
# - Kuhn, H. W. (1955). The Hungarian method for the assignment problem. *Naval Research Logistics Quarterly* 2, 83–97. <https://doi.org/10.1002/nav.3800020109>
# - Monteiro, M. and others (2020). Stochastic Segmentation Networks: Modelling Spatially Correlated Aleatoric Uncertainty. NeurIPS. [arXiv:2006.06015](https://arxiv.org/abs/2006.06015)
# - Sohn, K., Lee, H. and Yan, X. (2015). Learning Structured Output Representation using Deep Conditional Generative Models. NeurIPS. <https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html>
# - Székely, G. J. and Rizzo, M. L. (2013). Energy statistics: A class of statistics based on distances. *Journal of Statistical Planning and Inference* 143(8), 1249–1272. <https://doi.org/10.1016/j.jspi.2013.03.018>
# - Zhou, C. and others (2023). The Treasure Beneath Multiple Annotations: An Uncertainty-aware Edge Detector. CVPR. [arXiv:2303.11828](https://arxiv.org/abs/2303.11828)
