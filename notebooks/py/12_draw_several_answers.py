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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/12_draw_several_answers.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/12_draw_several_answers.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/12_draw_several_answers.ipynb) <!--badges-->
#
# ![Four pictures with two or three coloured pieces, and beside each the masks of three readings: all pieces, only warm ones, only cold ones. Then five samples of the network, and the mean of all. In the second picture sample 1 is the cold disc alone, samples 2, 4 and 5 are all pieces, and sample 3 is all pieces in a pattern of dots. In the other pictures most samples show all pieces, some of them grey. The mean is grey on all pieces.](../docs/pictures/12.png) <!--picture-->
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
# - About 4 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
seed = 0  # of the pictures, the first weights and every random draw
seeds = 1  # trainings of each method, from other first weights
size = 32  # height and width of the pictures, in pixels
images = 2000  # pictures that are drawn; those with warm and cold objects are trained on
val_images = 60  # held-out pictures: all scores are measured on them
latent = 4  # K, the length of z
beta = 1.0  # weight of the KL in the loss; 1 is the bound
steps = [800]  # training steps, 16 pictures each; with two lengths, both are trained
samples = 400  # answers that are drawn for each picture
controls = ["one map", "dropout", "pixel latent"]  # what the latent is compared with
cache_dir = ""  # folder in the cache where a long run keeps its scores, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), seeds=range(1, 21), size=range(32, 257, 8),
    images=range(100, 60_001), val_images=range(4, 1001), latent=range(1, 65),
    beta=(0.0, 1000.0), steps={"list_of": range(1, 100_001)}, samples=range(6, 10_001),
    controls={"list_of": ["one map", "dropout", "pixel latent"]}, cache_dir=str,
)  # fmt: skip
set_up(seed)

import math
from functools import partial

import keras
import numpy as np
from keras import ops

from helpers import backend, checkpoint, data, losses, metrics, plots, training
from helpers.data.ambiguous import INTERPRETATIONS, twenty_annotators, with_all_interpretations
from helpers.data.annotated import Annotated
from helpers.experiments import several_answers
from helpers.uncertainty import baselines, evaluation, probabilistic_unet
from helpers.uncertainty.probabilistic_unet import encode, gaussian, head, unet

plots.use()
study = data.records.results_of("12-answers")  # the recorded study, where there is one

# %% [markdown]
# ## Twenty people, three readings
#
# We made this disagreement, so we know it exactly. Each picture shows two or three objects. Twenty people are asked to "mark the pieces", and the question can be understood in three ways. Eight people mark *everything*, seven mark only *warm* pieces (more red than blue), five mark only *cold* ones.
#
# In training, the networks see a picture together with the mask of one person, drawn at random. Nothing tells them that there are three readings.

# %%
drawing = {
    "size": size,
    "objects": (2, 3),
    "radius": (0.15, 0.25),
    "contrast": (0.15, 0.6),
    "texture": 0.15,
    "seed": seed,
}
train = data.load("shapes", "train", limit=images, **drawing)
train = with_all_interpretations(train)
val = data.load("shapes", "val", limit=6 * val_images, **drawing)
val = with_all_interpretations(val, val_images)
x_train = data.to_float(train.images)  # (N, H, W, 3)
x_val = data.to_float(val.images)
masks_train = twenty_annotators(train)  # (N, 20, H, W): what twenty people mark
masks_val = twenty_annotators(val)
print(f"{len(x_train) - 20} pictures to train on, 20 for thresholds, {len(x_val)} to score on")
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
_, latent_nats = evaluation.perfect_latent(masks_val, 1, seed)  # (N,)
_, map_nats = evaluation.perfect_map(masks_val)
print(f"perfect latent {latent_nats.mean():.2f} nats, perfect map {map_nats.mean():.0f} nats")

# %% [markdown]
# In the stored run, the perfect latent has 1.08<!--=masks_perfect_latent_nll[0]--> nats: the entropy of 8, 7 and 5 in twenty. The perfect map has 189<!--=masks_best_single_map_nll[0]-->. **No single map can have fewer, however long it is trained.** A model below that number has done something that no single map can do.
#
# ## A latent that chooses
#
# Let the pixels of a mask $y$ be independent only *once a latent $z$ is known*, and let $z$ say which reading it is: $p(y\mid x)=\int p(y\mid x,z)\,p(z\mid x)\,dz$.
#
# This is a VAE of masks in which everything may look at the picture $x$: a *conditional* VAE (Sohn and others, 2015). The [prior](../docs/site/glossary.md#term-prior) $p(z\mid x)$ looks at the picture, because the picture tells which readings there are. The [posterior](../docs/site/glossary.md#term-posterior) $q(z\mid x,y)$ looks at the mask, too. The bound is derived as in notebook `04`:
#
# $$\log p(y\mid x)\;\ge\;\mathbb E_{q(z\mid x,y)}\log p(y\mid x,z)\;-\;\mathrm{KL}\big(q(z\mid x,y)\,\|\,p(z\mid x)\big).$$
#
# In training, $q$ sees the mask and writes it into $z$. In use there is no mask, and $z$ comes from the prior. So the KL keeps $q$ from putting $z$ where the prior would not.
#
# Both are diagonal Gaussians. For one coordinate, with $q=\mathcal N(\mu,\sigma^2)$ and $p=\mathcal N(m,s^2)$,
#
# $$\mathrm{KL}=\mathbb E_q\Big[\log\tfrac{s}{\sigma}-\tfrac{(z-\mu)^2}{2\sigma^2}+\tfrac{(z-m)^2}{2s^2}\Big]=\log\tfrac{s}{\sigma}-\tfrac12+\tfrac{\sigma^2+(\mu-m)^2}{2s^2}.$$
#
# The middle fraction has the mean ½, because $(z-\mu)/\sigma$ is a standard normal. In the last one, $z-m=(z-\mu)+(\mu-m)$, and the two parts are not correlated, so the squares add up to $\sigma^2+(\mu-m)^2$. With $m=0$ and $s=1$ it is the formula of notebook `03`.

# %% tags=["nbval-check-output"]
def kl_between(mean, log_variance, prior_mean, prior_log_variance):
    """KL(q ‖ p) of two diagonal Gaussians, (B, K) each → (B,), nats. Takes log σ²."""
    ratio = log_variance - prior_log_variance
    shift = (mean - prior_mean) ** 2 * ops.exp(-prior_log_variance)
    return 0.5 * ops.sum(ops.exp(ratio) + shift - 1 - ratio, axis=-1)


q = np.array([[1.0]]), np.log([[0.25]])  # μ = 1, σ = ½
for m, s in [(0.0, 1.0), (2.0, 0.5)]:
    p = np.array([[m]]), np.log([[s**2]])
    nats = float(kl_between(*q, *p)[0])
    print(f"N(1, 0.5²) from N({m:.0f}, {s}²): {nats:.4f} nats")
    assert abs(nats - float(losses.gaussian_kl(*q, *p)[0])) < 1e-5

# %% [markdown]
# Now the networks, after the *[Probabilistic U-Net](../docs/site/glossary.md#term-Probabilistic-U-Net)* (Kohl and others, 2018). Their parts are in `helpers.uncertainty.probabilistic_unet`, which tells the two things that differ from the paper:
#
# - `unet` computes features of the picture from fine to coarse and back; its coarsest features give the prior.
# - `encode`, a smaller [encoder](../docs/site/glossary.md#term-encoder), reads picture and mask together; it gives the posterior.
# - `gaussian` makes a mean and a $\log\sigma^2$, kept between −8 and 8, of coarse features.
# - `head` gets the features and, at every place, the same $z$. Three 1×1 convolutions make the logits.
#
# In `compute_loss` stands the negative bound, with one draw of $z$ for each pair of picture and mask. Notebook `03` explains `mu + exp(…) * noise`.

# %%
class ConditionalVAE(keras.Model):
    """Picture → features, and mean and log σ² of the prior p(z|x)."""

    def __init__(self, run=0):
        super().__init__()
        image = keras.Input((size, size, 3))
        features, coarsest = unet(image)
        self.look = keras.Model(image, [features, *gaussian(coarsest, latent)])

        both = keras.Input((size, size, 4))  # picture and mask
        self.posterior = keras.Model(both, gaussian(encode(both)[-1], latent))

        features = keras.Input(features.shape[1:])
        z = keras.Input((latent,))
        self.decode = keras.Model([features, z], head(features, z))
        self.noise = keras.random.SeedGenerator(seed + run)

    def call(self, x):
        return self.look(x)

    def sample(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), seed=self.noise)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        features, m, log_s2 = y_pred
        mu, log_sigma2 = self.posterior(ops.concatenate([x, y], axis=-1))
        logits = self.decode([features, self.sample(mu, log_sigma2)])
        kl = kl_between(mu, log_sigma2, m, log_s2)
        return ops.mean(losses.bernoulli_nll(y, logits) + beta * kl)

    def draw(self, picture, count):
        """Maps of `count` draws of z from the prior of one picture, (count, H, W)."""
        features, m, log_s2 = self.look(picture[None])
        z = self.sample(ops.repeat(m, count, axis=0), log_s2)
        logits = self.decode([ops.repeat(features, count, axis=0), z])
        return ops.convert_to_numpy(ops.sigmoid(logits))[..., 0]

# %% [markdown]
# A batch of `Annotated` holds 16 pictures, each with the mask of one person, in one of four turns.

# %%
def fit(model, annotations, length, run=0, loss=None):
    """Train for `length` steps; the last 20 pictures are left for the thresholds."""
    schedule = training.rise_and_fall(0.005, length)
    adam = keras.optimizers.Adam(schedule, beta_2=0.99)
    model.compile(adam, loss, **backend.compile_options(planned=length))
    pairs = Annotated(x_train[:-20], annotations, 16, length, [seed, run])
    model.fit(pairs, shuffle=False, verbose=0)
    return model


keras.utils.set_random_seed(seed)
vae = ConditionalVAE()
fit(vae, masks_train, steps[-1])

# %% [markdown]
# > **Predict first.** Does each sample show one reading? Are the three readings as frequent as among the people? What does the mean of all samples look like?

# %% tags=["picture"]
rows = []
for picture, people in zip(x_val[:4], masks_val):
    drawn = vae.draw(picture, samples)
    maps = [
        *people[[0, 8, 15]].astype("float32"),  # everything, only warm, only cold
        *drawn[:5],
        drawn.mean(axis=0),
    ]
    rows.append([picture, *(1 - one for one in maps)])
columns = ["picture", "all", "warm", "cold"]
columns += [f"sample {s}" for s in range(1, 6)]
columns += ["mean"]
fig = plots.image_grid(rows, column_labels=columns, cell=0.95)
alt = "Four pictures with two or three coloured pieces, and beside each the masks of three readings: all pieces, only warm ones, only cold ones. Then five samples of the network, and the mean of all. In the second picture sample 1 is the cold disc alone, samples 2, 4 and 5 are all pieces, and sample 3 is all pieces in a pattern of dots. In the other pictures most samples show all pieces, some of them grey. The mean is grey on all pieces."
plots.show(fig, alt=alt)

# %% [markdown]
# Black is marked. In the second picture, whose colours are clear, sample 1 is *only cold*, and samples 2, 4 and 5 are *everything*; sample 3 is undecided. In the first and the last picture, more pieces are grey. So after this short training many samples are readings, and not all. How frequent each reading is, five samples cannot tell; the [energy distance](../docs/site/glossary.md#term-generalised-energy-distance) below compares many. The mean of all samples is grey, as the average of the people is.
#
# What does the latent carry? To say which of three readings it is takes about one nat. And what lies between two readings? The next figure walks along the coordinate of $z$ in which the prior is widest, beside the noise of the posterior. The other coordinates stay at the prior's mean.

# %%
y = masks_val[:, 0, ..., None].astype("float32")  # (N, H, W, 1)
posterior = vae.posterior(ops.concatenate([x_val, y], axis=-1))
_, *prior = vae(x_val)
kl = float(ops.mean(kl_between(*posterior, *prior)))
print(f"KL of the posterior from the prior: {kl:.1f} nats on average")

deviations = np.linspace(-2.5, 2.5, 9)
rows = []
for picture, people in zip(x_val[:3], masks_val):
    maps = several_answers.walk(vae, picture, deviations, people)
    rows.append([picture, *(1 - maps)])
columns = ["picture", *(f"{v:+.1f}" for v in deviations)]
fig = plots.image_grid(rows, column_labels=columns, cell=0.95)
alt = "Three pictures, and beside each the map for nine values of one coordinate of z. In the second picture the maps go from a faint dotted disc through black warm pieces with a grey disc to all pieces black. In the third they go from a dotted cold triangle alone to triangle and square in black. In the first all pieces go from pale to black."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the KL is 4.9<!--=kl--> nats: more than one. So $z$ also carries other things, perhaps whether a purple piece counts as warm. In the second picture, the walk passes near *only warm* in the middle; in the third it starts with *only cold*; all end with *everything*. In between, pieces are grey or dotted: samples from there are undecided.
#
# ## How far apart are two sets of masks?
#
# Samples and annotations are two *sets* of masks. Let $d$ be 1 − [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) of two masks: 0 if they are the same, 1 if they do not touch. The **[energy distance](../docs/site/glossary.md#term-generalised-energy-distance)** of samples $S$ and annotations $Y$ (Székely and Rizzo, 2013) is
#
# $$2\,\mathbb E\,d(S,Y)-\mathbb E\,d(S,S')-\mathbb E\,d(Y,Y').$$
#
# The first term asks that samples look like annotations. Alone, it would be smallest for a model that always gives the one mask nearest to everybody. The second term rewards samples that differ. The sum is zero when samples and annotations follow the same law. $S$ and $S'$ are two *different* samples, so few samples do not change what is expected.
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
# Always A: $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. A ∪ B overlaps with each by one half, so $d=\tfrac12$, and again $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. The coin: $2\cdot\tfrac12-\tfrac12-\tfrac12=0$. (A hundred tosses that are exactly half and half come out a little below: two different ones differ too often.)
#
# </details>

# %% tags=["nbval-check-output"]
def energy_distance(drawn, people):
    """2·E d(S, Y) − E d(S, S′) − E d(Y, Y′), with d = 1 − IoU; masks (S, H, W), (A, H, W)."""
    between = 1 - metrics.pairwise_iou(drawn, people)  # (S, A)
    among_drawn = 1 - metrics.pairwise_iou(drawn, drawn)  # (S, S), 0 on the diagonal
    among_people = 1 - metrics.pairwise_iou(people, people)
    pairs = max(1, len(drawn) * (len(drawn) - 1))  # of two different samples
    return 2 * between.mean() - among_drawn.sum() / pairs - among_people.mean()


A, B = np.zeros((2, 4, 4), bool)
A[:, :2], B[:, 2:] = True, True  # left half and right half
people = np.array([A, B] * 10)
for name, drawn in {"A": [A], "A or B": [A | B], "coin": [A, B] * 50}.items():
    drawn = np.array(drawn)
    distance = energy_distance(drawn, people)
    print(f"{name:<7} {distance:.3f}")
    assert np.isclose(distance, metrics.generalised_energy_distance(drawn, people))

# %% [markdown]
# The energy distance can mislead. Think of maps of pure noise that touch nothing, neither the annotations nor each other. They have $2\cdot1-1-\mathbb E\,d(Y,Y')$. If one map is farther than ½ from the people on average, noise has the smaller distance. That happens with thin lines. So three more measures stand beside it:
#
# - **Matched IoU** pairs samples and annotators one to one, so that the sum of the IoUs is largest (Kuhn, 1955). It asks whether each sample looks like somebody.
# - **NLL**: −log p of one person's annotation, in nats. For one map it is exact. For the latent we draw $z$ from the posterior and weigh it, $-\log\frac1S\sum_s p(y\mid x,z_s)\,p(z_s\mid x)/q(z_s\mid x,y)$ (Burda and others, 2016). A single estimate may be too low or too high; on average it is too high.
# - **Brier score** (Brier, 1950): the squared error of the *mean* map against single marks, over pixels at most 5 from any mark. The mean of $S$ draws is off by chance, which adds their variance divided by $S$ to the score. We take that off.
#
# ## Controls, and where each scale ends
#
# The claim is: *a latent that chooses describes the people better.* The controls have the same U-Net, the same pictures, masks and steps, and a head without $z$:
#
# - **one map**: one probability for each pixel.
# - **dropout**: a fifth of the channels of the head are left out at random, in use as in training (Gal and Ghahramani, 2016). Each map is another one, by chance and not by choice. Its NLL is that of a mixture of its maps or of their mean, whichever is smaller.
# - **pixel latent**: each pixel has a log-odds $u\sim\mathcal N(m(x),s^2(x))$ of its own, independent of all others: the *Gaussian logits* of Kendall and Gal (2017), with their loss, $-\log$ of the mean of $p(y\mid u)$ over ten draws.
#
# Each method cuts its maps at the threshold with the smallest energy distance on 20 other pictures.

# %%
def train_new(method, annotations, length, run):
    """A method after `length` steps from fresh weights."""
    keras.utils.set_random_seed(seed + run)
    if method == "latent":
        return fit(ConditionalVAE(run), annotations, length, run)
    control = baselines.Baseline(method, (size, size, 3), seed + run)
    fit(control.network, annotations, length, run, control.loss)
    return control


def nats_of(model, maps, annotations):
    """−log p of the held-out pictures, (N,); the latent needs no maps for it."""
    if isinstance(model, ConditionalVAE):
        return probabilistic_unet.nll(model, x_val, annotations, seed=seed)
    return model.nll(maps, annotations)


def score(task, method, length, run):
    """Train, draw answers, and score them: {measure: (N,)}."""
    annotations, annotations_val = marks[task]
    if (task, method, length, run) == ("masks", "latent", steps[-1], 0):
        model = vae  # the one from above
    else:
        model = train_new(method, annotations, length, run)
    models.setdefault((task, method), model)
    return several_answers.score(
        model.draw,
        partial(nats_of, model),
        (x_train[-20:], annotations[-20:]),
        (x_val, annotations_val),
        samples,
        task,
    )

# %% [markdown]
# A score alone says little. So two rows without any network stand above the others: the **perfect latent**, and the **best single map**. The second has the shares of the people for NLL and Brier score. For the other two measures it takes, for each picture, the best of the annotations themselves and of the shares cut at nine thresholds, chosen with the answers in view.
#
# > **Predict first.** In which of the four measures can a latent beat the *best* single map? In which can it not, even if it is perfect? And the pixel latent: can it have fewer nats than the best single map?

# %%
plan = [seed, size, images, val_images, latent, beta, samples]
store = checkpoint.ResultStore(cache_dir, plan=plan)
marks = {"masks": (masks_train, masks_val)}
models = {}  # the first training of each method, for a figure
scores = {length: {} for length in steps}


def measure(task, methods):
    """{name: {measure: (seeds, N)}} of all methods, beside what perfect answers get."""
    ends = several_answers.perfect_scores(marks[task][1], samples, task, seed)
    for length in steps:
        scores[length][task] = dict(ends)
        for method in [*methods, "latent"]:
            runs = []
            for run in range(seeds):
                key = [task, method, length, run]
                runs.append(store.result("scores", partial(score, *key), key=key))
            stacked = {m: np.array([one[m] for one in runs]) for m in evaluation.BETTER}
            scores[length][task][method] = stacked
    return scores[steps[-1]][task]


print(several_answers.table(measure("masks", controls)))

# %% [markdown]
# Intervals are 95 %, over pictures, and over trainings where there are several. The figure has one panel for each measure: dashed the perfect latent, dotted the best single map.

# %%
table = several_answers.figure_data("masks", scores[steps[-1]]["masks"])
fig = plots.scores_by_method(**table)
alt = "Four panels, a method on each line. In NLL the latent lies far left of the dotted line of the best single map; one map, dropout and the pixel latent lie right of it; the dashed line of the perfect latent is near zero. Energy distance has the same order. In matched IoU the latent lies a little right of the dotted line, one map and dropout left of it, the pixel latent farthest left; the dashed line is far right. In Brier score both lines are one, left of all four methods."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, after 800<!--=steps[0]--> steps and one training each, one map has 214<!--=masks_one_map_nll[0]--> nats, dropout 200<!--=masks_dropout_nll[0]--> and the latent 64<!--=masks_latent_nll[0]--> ± 9<!--=masks_latent_nll[1]-->. This is a demonstration. But this needs no longer training: **the latent is below the 189<!--=masks_best_single_map_nll[0]--> nats of the perfect map, and no single map can get there.** The perfect latent has 1.08<!--=masks_perfect_latent_nll[0]-->: outlines that are not exact, colours between warm and cold, and undecided samples cost the rest.
#
# The energy distance says the same. The latent has 0.089<!--=masks_latent_ged[0]-->, one map 0.263<!--=masks_one_map_ged[0]-->, dropout 0.233<!--=masks_dropout_ged[0]-->, and the best single map 0.182<!--=masks_best_single_map_ged[0]-->, although that one was chosen with the answers in view. In matched IoU the latent has 0.730<!--=masks_latent_matched[0]-->, one map 0.662<!--=masks_one_map_matched[0]-->, dropout 0.661<!--=masks_dropout_matched[0]--> and the best single map 0.702<!--=masks_best_single_map_matched[0]-->. A perfect latent would have 0.963<!--=masks_perfect_latent_matched[0]-->: grey samples are nobody's partner.
#
# The Brier score looks at the mean only. The perfect latent and the perfect map have the same, 0.087<!--=masks_perfect_latent_brier[0]--> and 0.087<!--=masks_best_single_map_brier[0]-->. So that is the answer to the first part of the prediction: a latent can beat the best single map in NLL, energy distance and matched IoU. In the Brier score it cannot, and it need not be worse. Here it is a little worse than one map, 0.100<!--=masks_latent_brier[0]--> against 0.097<!--=masks_one_map_brier[0]-->.
#
# The pixel latent cannot have fewer nats than the perfect map: integrate $u$ out, and the pixels are independent again. It has 212<!--=masks_pixel_latent_nll[0]-->, as many as one map. **Its noise is no answer**: its samples look like nobody, and its matched IoU, 0.625<!--=masks_pixel_latent_matched[0]-->, is the smallest. Its loss depends on nothing but the mean of $p(y\mid u)$, and a small variance can give the same mean as a large one. So nothing in that loss asks the samples to differ as people do.
#
# ## Edges that several people drew
#
# Now edges, on the same pictures and with the same methods. Five simulated annotators drew in each (notebook `02`): a careful one, an unsteady one who is a pixel off, a hasty one who overlooks faint objects, a zealous one who also marks texture, and one who leaves out lines between objects. Lines are widened by one pixel to each side before two drawings are compared.
#
# > **Predict first.** Where these people differ, it is mostly by a pixel. Which will the latent learn first: where the lines are, or who drew them?

# %%
edges_train = np.stack(train.annotations)  # (N, 5, H, W)
edges_val = np.stack(val.annotations)
marks["edges"] = edges_train, edges_val
edge_controls = [c for c in controls if c != "pixel latent"]
print(several_answers.table(measure("edges", edge_controls)))

# %%
rows = [edges_val[0]]
names = ["annotators"]
for method in [*edge_controls, "latent"]:
    if ("edges", method) in models:
        drawn = models["edges", method].draw(x_val[0], 5)
        rows.append(np.resize(drawn, (5, size, size)))  # one map five times
        names.append(method)
rows = [[x_val[0], *(1 - row.astype("float32"))] for row in rows]
fig = plots.image_grid(rows, row_labels=names, cell=1.0)
alt = "A picture with a purple disc, a pink triangle and a brown square. In the first row edges that five annotators drew: three alike, one moved by a pixel, one without the lines between objects. Below, five answers each of one map, dropout and the latent: all show the same grey lines along the outlines. Those of dropout and of the latent differ in darkness, hardly in place."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, one map has 133<!--=edges_one_map_nll[0]--> nats, dropout 125<!--=edges_dropout_nll[0]-->, the latent 122<!--=edges_latent_nll[0]--> ± 8<!--=edges_latent_nll[1]-->. The perfect map has 69<!--=edges_best_single_map_nll[0]-->, and a perfect latent 1.09<!--=edges_perfect_latent_nll[0]-->. So a latent could gain a lot here, and this one has gained little: its five answers differ in darkness and hardly in place. That answers the prediction: it has learned where most lines are, and not yet who drew them. People agree about most lines, so seeing them saves the most nats.
#
# Dropout has the smallest energy distance, 0.213<!--=edges_dropout_ged[0]-->; the latent has 0.228<!--=edges_latent_ged[0]-->, one map 0.282<!--=edges_one_map_ged[0]-->. To vary by chance is enough for that.
#
# ## What may be said?
#
# Two contrasts were named before the measurement: latent − one map, and latent − dropout, each in four measures, for masks and for edges. That is 16 comparisons, so the p-values are corrected after Holm (1979). A gain is positive where the latent is better.

# %%
gains = several_answers.gains(scores[steps[-1]])
print(several_answers.gains_table(gains))

# %% [markdown]
# In the stored run, for **masks**, the latent is better than one map by 150<!--=masks_gain_one_map_nll[0]--> ± 11<!--=masks_gain_one_map_nll[1]--> nats, by 0.174<!--=masks_gain_one_map_ged[0]--> ± 0.017<!--=masks_gain_one_map_ged[1]--> in energy distance and by 0.068<!--=masks_gain_one_map_matched[0]--> ± 0.013<!--=masks_gain_one_map_matched[1]--> in matched IoU, and worse in Brier score (a gain of −0.003<!--=masks_gain_one_map_brier[0]-->). Against dropout the four words are the same.
#
# For **edges** it is better than one map by 10<!--=edges_gain_one_map_nll[0]--> ± 2<!--=edges_gain_one_map_nll[1]--> nats and by 0.054<!--=edges_gain_one_map_ged[0]--> ± 0.008<!--=edges_gain_one_map_ged[1]--> in energy distance, level in matched IoU, and a little worse in Brier score (−0.001<!--=edges_gain_one_map_brier[0]-->). Against dropout it is better in three measures, among them NLL by 2.4<!--=edges_gain_dropout_nll[0]--> ± 1.4<!--=edges_gain_dropout_nll[1]--> nats, and worse in energy distance (−0.016<!--=edges_gain_dropout_ged[0]-->).
#
# Each word is about *these* trained networks: with one training each, the intervals cover pictures and not first weights. So no conclusion about the methods should rest on it, beyond the one that needs no training. `12.full-answers.yaml` asks for two trainings of each at two lengths; the figure shows it where it is kept.

# %% tags=["results"]
shorter = scores[steps[0]] if len(steps) == 2 else None
results = {"pictures": [len(x_train) - 20, len(x_val)], "steps": steps, "seeds": seeds}
results["kl"] = kl
results |= several_answers.results(scores[steps[-1]], shorter)
results |= {f"study_{key}": value for key, value in study.items() if "study" not in key}
nats = results["masks_latent_nll"][0]
record(results, {}, f"a latent that chooses: {nats:.0f} nats a mask")

# %% [markdown]
# ## What you saw
#
# - One map has to be the average of the people. A conditional VAE can draw several answers.
# - No single map can have fewer nats than the perfect map. For masks, the latent had fewer after a short training and better scores than the best single map in energy distance and matched IoU.
# - For edges, its answers differed in darkness and hardly in place.
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
#    They differ like noise, and each is far from every annotation.
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
# 3. **Other answers to the same question.** *Stochastic segmentation networks* (Monteiro and others, 2020) draw all log-odds from one Gaussian with a low-rank covariance, so that pixels change together; *PHiSeg* (Baumgartner and others, 2019) has latents at several resolutions. For edges, UAED (Zhou and others, 2023) gives each pixel a mean and a variance, and trains the variance on the disagreement of the annotators; MuGE, by the same authors, asks the user how fine the edges should be.
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
