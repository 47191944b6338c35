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
# # Spot the strange: whole pictures, and parts of them
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/13_spot_the_strange.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/13_spot_the_strange.ipynb) <!--badges-->
#
# ![Nine damaged pictures, their flaws in black, and four maps, dark where strange. The median filter has broad dark spots, at flaws and at corners. Short denoising draws outlines and whole objects. The residual of the VAE is dark at most flaws and grey at outlines; the restoration with L1 is alike, with a lighter ground. A faint drop beside a disc is seen by the restoration only.](../docs/pictures/13.png) <!--picture-->
#
# A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) learns what pictures of one kind look like. Then somebody shows it another kind, or a picture of the right kind with a scratch on it. **Does a VAE know an image, or a part of one, that it has not seen?** Pictures without a flaw are plentiful, and nobody has pictures of every flaw.
#
# **What you'll do**
#
# - Score whole pictures by their −[ELBO](../docs/site/glossary.md#term-ELBO), see how this fails, try four repairs, and set scores without a VAE beside them.
# - Draw flaws on pictures, and look for them with nine maps: four that ask a VAE, and five that do not.
# - Choose every map's settings on other pictures, with the same number of tries.
#
# **What you'll learn**
#
# - Why a picture that the VAE finds likely may be [out of distribution](../docs/site/glossary.md#term-out-of-distribution).
# - How a VAE can *restore* a picture, and why that needs a penalty.
# - Which rivals a VAE has to be compared with, and how long all of them must be trained.
#
# **What you'll need**
#
# - What a VAE, its ELBO and its [KL](../docs/site/glossary.md#term-KL-divergence) are (notebooks `03` and `04`), and when it is trained enough (`07`).
# - Mathematics: gradients, logarithms, relative frequencies, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "folder": pictures of your own, in good/ and bad/
path = ""  # for "folder": the folder with good/ and bad/, and masks/ if you have them
weights = "kept"  # of VAE and autoencoders: "kept", 12,000 steps each, or "own", short ones
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1000  # pictures without a flaw, for PCA; of your own, for all trainings
val_images = 100  # held-out pictures of each kind: all scores are measured on them
tuning_images = 40  # other pictures, on which each map chooses its settings
steps = 200  # training steps of the short VAE; of your own autoencoders, too
iterations = 30  # steps of each restoration
regret_steps = 100  # steps of each fit for the regret

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**31), size=range(16, 257, 8), images=range(8, 4001),
    val_images=range(10, 1001), tuning_images=range(3, 1001), steps=range(1, 100_001),
    iterations=range(1, 1001), regret_steps=range(1, 1001),
)  # fmt: skip
set_up(seed)

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from scipy import ndimage
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score

from helpers import (
    backend,
    data,
    losses,
    metrics,
    models,
    plots,
    pretrained,
    pyramids,
    training,
)
from helpers.data import damage, good_and_bad, scenes, shapes
from helpers.data.coarse_noise import CoarseNoise
from helpers.data.stream import FreshShapes, Unlabelled
from helpers.experiments.odd_parts import key_of
from helpers.uncertainty import ood

plots.use()

# %% [markdown]
# ## Pictures, and strangers
#
# Usual pictures are those of notebook `08`: `shapes` of 32×32 pixels, one or two objects on textured ground, with noise (a standard deviation of 0.03). Four kinds of strangers:
#
# - **flat**: no texture; the noise stays.
# - **clean**: neither texture nor noise.
# - **noisy**: twice the noise.
# - **damaged**: usual pictures with a flaw each, drawn by `damage.damage`: a *scratch* (a thin bow), a *blot* (a tinted drop) or a *foreign object* (a ring or a cross). We know which pixels are odd.


# %%
def shapes_pictures(split, count, offset, **changes):
    """Pictures of `shapes` as bytes, (N, H, W, 3); another offset draws other pictures."""
    options = {"size": size, **scenes.CLEAR, **changes}
    return data.load("shapes", split, limit=count, seed=seed + offset, **options).images


if dataset == "shapes":
    train = data.to_float(shapes_pictures("train", images, 0))  # (N, H, W, 3)
    usual = data.to_float(shapes_pictures("val", val_images, 0))
    intact = shapes_pictures("val", val_images, 1)
    bad, masks, kinds = damage.damage(intact, seed)  # kinds: scratch, blot, foreign in turn
    strangers = {
        "flat": shapes_pictures("val", val_images, 2, texture=0),
        "clean": shapes_pictures("val", val_images, 2, texture=0, noise=0.0),
        "noisy": shapes_pictures("val", val_images, 2, noise=0.06),
        "damaged": bad,
    }
    strangers = {name: data.to_float(x) for name, x in strangers.items()}
    level_pictures = train[:300]  # what −ELBO is usual, which length and which roughness
    to_tune = shapes_pictures("train", tuning_images, 1)
else:
    own = good_and_bad.load(path, (size, size), limit=images)
    train, usual = own.train, own.test
    strangers, masks = {"bad": own.bad[:val_images]}, own.masks
    level_pictures = own.val  # the VAE has not seen these
    to_tune = np.rint(255 * own.val[:tuning_images]).astype("uint8")
x_odd = list(strangers.values())[-1]  # the pictures in which we look for flaws
shape = train.shape[1:]

# %%
rows = {"usual": usual[:10]} | {name: x[:10] for name, x in strangers.items()}
if masks is not None:
    rows["odd pixels"] = 1.0 - masks[:10]
fig = plots.image_grid(list(rows.values()), row_labels=list(rows))
alt = "Six rows of ten pictures. Usual: one or two coloured shapes on brick, grass or gravel. Flat: plain grounds with faint noise. Clean: the same shapes without noise. Noisy: the same shapes on texture with strong noise. Damaged: on each a dark bow, a small tinted drop or a cross. Last row: the pixels of these flaws in black."
plots.show(fig, alt=alt)

# %% [markdown]
# ## The VAE
#
# It is the VAE of notebook `08`: the [latent](../docs/site/glossary.md#term-latent-variable) is a grid of 4×4 places with 8 numbers each, and pixels are Gaussian with $\sigma = 0.05$. It sees new pictures in every step. Here is the training in full, for 200 steps; it is a **demonstration**. What follows is about the VAE that the project keeps, after 12,000 steps of the same training. The function also trains two rivals, which we need later.

# %%
SIGMA = 0.05  # standard deviation of a pixel
NOISE = {"denoising": 0.2, "autoencoder": 0.0}  # standard deviation on the input of each rival


def new_vae():
    """A VAE with fresh weights."""
    keras.utils.set_random_seed(seed)
    encoder, decoder = pyramids.pyramid_networks(
        shape,
        latent=8,
        widths=(24, 32, 48),
        depths=(1, 1, 2),
        patches=(2, 2, 2),
        batch_norm=False,
    )
    return models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed)


def gaussian_loss(x, mean):
    """−log p(x | z) in nats, as the VAE has it."""
    return losses.gaussian_nll(x, mean, math.log(SIGMA))


def clean_pictures():
    """Batches of 16: fresh `shapes`, or your own pictures without a flaw."""
    if dataset == "shapes":
        return FreshShapes(16, steps, seed, size=size, **scenes.CLEAR)
    return Unlabelled(train, steps, 16, seed)


# %%
def train_one(kind):
    """Adam; its rate rises for 100 steps, then falls to zero like half a cosine wave."""
    vae = new_vae()
    model = vae
    loss = None  # a VAE has its own
    pictures = clean_pictures()
    if kind in NOISE:  # the two networks of the VAE, without a draw and without a KL
        model = keras.Model(vae.encoder.input, vae.decoder(vae.encoder.outputs[0]))
        loss = gaussian_loss
        pictures = CoarseNoise(pictures, NOISE[kind], seed=seed)
    adam = keras.optimizers.Adam(training.rise_and_fall(0.005, steps), beta_2=0.99)
    model.compile(adam, loss, **backend.compile_options(planned=steps))
    model.fit(pictures, shuffle=False, verbose=0)
    return vae


def kept_one(name):
    """A network that the project keeps, and its note."""
    vae = new_vae()
    return vae, pretrained.load_weights(vae, name)


use_kept = weights == "kept" and dataset == "shapes" and size == 32
short_vae = train_one("VAE")
vae, note = short_vae, {}
if use_kept:
    vae, note = kept_one("grid-4x4x8")

# %% [markdown]
# ## Is this picture of the right kind?
#
# A VAE gives a lower bound on $\log p(x)$, the ELBO. A picture that it finds unlikely should be a stranger. So take **−ELBO** as the score; large should mean strange. The measure is the **AUROC**, the area under the receiver operating characteristic. It has a simple meaning: draw one usual picture and one stranger; how often has the stranger the higher score (Hanley and McNeil, 1982)? ½ is guessing, and below ½ is worse than guessing. Intervals are 95 %, over pictures of both kinds (DeLong and others, 1988).
#
# A small example, by hand:

# %% tags=["nbval-check-output"]
few_usual, few_strange = [1.0, 2.0, 4.0], [3.0, 5.0]
wins = [strange > ordinary for strange in few_strange for ordinary in few_usual]
print(f"AUROC {np.mean(wins):.3f}, {sum(wins)} of {len(wins)} pairs")
assert abs(np.mean(wins) - ood.auroc(few_usual, few_strange)) < 1e-9

# %% [markdown]
# > **Predict first.** For each of the four kinds: is the AUROC nearer 1, ½ or 0?

# %%
def terms_of(x, draws=4, batch=100):
    """Reconstruction term and KL of each picture, (2, N), in nats; the sum is −ELBO."""
    found = []
    for start in range(0, len(x), batch):
        part = ops.convert_to_tensor(x[start : start + batch])
        drawn = [ops.convert_to_numpy(ops.stack(vae.terms(part))) for _ in range(draws)]
        found.append(np.mean(drawn, axis=0))
    return np.concatenate(found, axis=1)


everything = {"usual": usual, **strangers}
terms = {name: terms_of(x) for name, x in everything.items()}
nats = {name: both.sum(axis=0) for name, both in terms.items()}  # −ELBO
for name, (reconstruction, kl) in terms.items():
    means = f"{reconstruction.mean():6.0f} + {kl.mean():3.0f} = {nats[name].mean():6.0f} nats"
    print(f"{name:<8} reconstruction + KL = −ELBO: {means}")
for name in strangers:
    auroc, half = ood.auroc_interval(nats["usual"], nats[name])
    print(f"{name:<8} AUROC {auroc:.2f} ± {half:.2f}")
if dataset == "shapes":
    flaw_nats = nats["damaged"] - terms_of(data.to_float(intact)).sum(axis=0)
    added, added_half = metrics.confidence_interval(flaw_nats)
    print(f"a flaw adds {added:.0f} ± {added_half:.0f} nats to the same picture")

# %%
fig, axis = plt.subplots(figsize=(7, 2.8))
together = np.concatenate(list(nats.values()))
bins = np.linspace(together.min(), np.quantile(together, 0.99), 40)
axis.hist(list(nats.values()), bins, histtype="step", linewidth=2, label=list(nats))
axis.set(xlabel="−ELBO (nats per picture)", ylabel="pictures")
axis.legend()
alt = "Histograms of minus ELBO for five kinds of pictures, from −6,000 to −2,200 nats. From left to right: clean, flat, usual, damaged, noisy. Flat ones overlap with the left half of the usual ones, damaged ones with the usual ones and to their right; noisy ones lie apart."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run (100 pictures of each kind) the AUROC is 0.05<!--=auroc_clean_elbo[0]--> ± 0.04<!--=auroc_clean_elbo[1]--> for clean and 0.20<!--=auroc_flat_elbo[0]--> ± 0.06<!--=auroc_flat_elbo[1]--> for flat pictures: nearest 0, **the wrong way round**. Of noisy pictures no pair was the wrong way round: 1. The damaged ones are between ½ and 1, 0.70<!--=auroc_damaged_elbo[0]--> ± 0.07<!--=auroc_damaged_elbo[1]-->. (Nalisnick and others, 2019a, found the same with photographs.)
#
# Why? For *clean* pictures nothing is broken: noise cannot be foretold, so it costs nats in any right density, too. A density says how much probability there is *at* a picture, not how much there is among pictures of its kind. (The densest point of a Gaussian in a thousand dimensions is its mean; no draw is near it.)
#
# For *flat* ones **this VAE is at fault**. Their −ELBO is 341<!--=flat_gain--> [nats](../docs/site/glossary.md#term-nat) below that of usual pictures, 300<!--=flat_gain_reconstruction--> of them in the reconstruction term. It does not draw texture well, and what it misses counts as error. Yet the texture of a picture is one of 2.8<!--=crops_millions--> million crops of three photographs, and to name one of so many takes 15<!--=crop_nats--> nats. So a right density would give flat and usual pictures nearly the same. (Zhang and others, 2021, show how such misfits turn an AUROC round.) And it has seen few grounds without texture.
#
# A *flaw* adds 100<!--=flaw[0]--> ± 20<!--=flaw[1]--> nats to the same picture. But usual pictures differ from each other by more: their standard deviation is 400<!--=usual_deviation--> nats.
#
# ## Four repairs, and two scores without a VAE
#
# - **Untypical** (Nalisnick and others, 2019b): too likely is as strange as too unlikely. The score is the distance of −ELBO from its mean over usual pictures.
# - **Ten of a kind**: the same, for the mean of ten pictures from one source. An easier question: such a mean varies less, by $\sqrt{10}$.
# - **Minus PNG** (Serrà and others, 2020): a picture may be likely because it is simple. So take off its length as a PNG file, in nats.
# - **Regret** (Xiao and others, 2020): how many nats are gained if $q(z \mid x)$ is fitted to this one picture, with the [decoder](../docs/site/glossary.md#term-decoder) as it is? A stranger should gain more.
#
# Two controls ask no VAE: **PNG length** and **roughness** (the mean difference of neighbouring pixels). Their score is the distance from the mean over usual pictures, too.
#
# > **Predict first.** Which repair finds the flat pictures? Which one do you trust with the damaged ones? For which kinds does a control do as well?

# %%
level = terms_of(level_pictures).sum(axis=0)
regrets = {}  # nats gained by a short and by a longer fit, for 40 pictures of each kind
for name, x in everything.items():
    for count in (iterations, regret_steps):
        regrets[name, count] = ood.likelihood_regret(vae, x[:40], count, seed=seed)


def roughness(x):
    """Mean absolute difference of neighbouring pixels, (N,)."""
    down = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2, 3))
    return (down + np.abs(np.diff(x, axis=2)).mean(axis=(1, 2, 3))) / 2


def untypical(measure, x):
    return ood.typicality(measure(x), measure(level_pictures))


def whole_scores(name, x):
    """Each score of pictures; larger is stranger."""
    found = {"−ELBO": nats[name], "untypical": ood.typicality(nats[name], level)}
    if len(x) >= 20:
        found["ten of a kind"] = ood.typicality(ood.batch_means(nats[name]), level)
    found["minus PNG"] = ood.input_complexity(nats[name], x)
    found["regret"] = regrets[name, regret_steps]
    found["short regret"] = regrets[name, iterations]
    found["no VAE: PNG length"] = untypical(ood.png_nats, x)
    found["no VAE: roughness"] = untypical(roughness, x)
    return found


whole = {name: whole_scores(name, x) for name, x in everything.items()}
aurocs = {name: {} for name in strangers}  # AUROC and half the width of its interval
for name in strangers:
    for score, values in whole["usual"].items():
        if score in whole[name]:
            aurocs[name][score] = ood.auroc_interval(values, whole[name][score])

# %%
columns = [s for s in next(iter(aurocs.values())) if s != "short regret"]
table = [[found[s][0] for s in columns] for found in aurocs.values()]
fig, axis = plt.subplots(figsize=(7, 0.5 * len(table) + 1.2))
plots.heatmap(axis, table, list(aurocs), columns)
alt = "A table of AUROC. Minus ELBO: flat 0.20, clean 0.05, noisy 1.00, damaged 0.70. Untypical: 0.74, 0.97, 1.00, 0.60. Ten of a kind: 0.95 or more for all. Minus PNG: 0.29, 1.00, 0.54, 0.75. Regret: 0.31, 0.28, 0.61, 0.72."
plots.show(fig, alt=alt)

# %% [markdown]
# Intervals are at most ± 0.13<!--=widest-->, over pictures; *ten of a kind* has ten means of each kind, *regret* 40 pictures.
#
# - Flat pictures: only *untypical*, 0.74<!--=auroc_flat_untypical[0]-->, and *ten of a kind*, 0.95<!--=auroc_flat_ten_of_a_kind[0]--> ± 0.10<!--=auroc_flat_ten_of_a_kind[1]-->, are above ½. *Minus PNG* is not: from usual to flat pictures the file shrinks by 237<!--=png_gain--> nats, −ELBO by 341<!--=flat_gain-->.
# - *Untypical* and *minus PNG* **mended some kinds and spoiled others**: noisy pictures, which −ELBO had right, are at 0.54<!--=auroc_noisy_minus_png[0]--> for minus PNG, since their files are long; damaged ones are at 0.60<!--=auroc_damaged_untypical[0]--> for untypical. *Regret* mended none. (After 30 steps in place of 100: damaged 0.72<!--=auroc_damaged_short_regret[0]--> in place of 0.72<!--=auroc_damaged_regret[0]-->, flat 0.31<!--=auroc_flat_short_regret[0]--> in place of 0.31<!--=auroc_flat_regret[0]-->.) *Ten of a kind* found all four, and is an easier question.
# - Damaged pictures: the best of four repairs has 0.75<!--=best_damaged-->, chosen on the pictures that are reported. It is *minus PNG*, +0.05<!--=png_lead[0]--> ± 0.05<!--=png_lead[1]--> above −ELBO, paired.
# - **Clean and noisy pictures need no VAE**: the length of a PNG file finds them, 1.00<!--=auroc_clean_no_vae_png_length[0]--> and 1.00<!--=auroc_noisy_no_vae_png_length[0]-->. Flat and damaged ones it does not find, 0.55<!--=auroc_flat_no_vae_png_length[0]--> and 0.49<!--=auroc_damaged_no_vae_png_length[0]-->.
#
# ## Where is it strange?
#
# A flaw covers few pixels. So we ask for a **map**: a number for each pixel, larger where it is stranger. There are three families; Baur and others (2021) compare many.
#
# **Residuals.** The difference of the picture and a version $r$ of it without the flaw, $|x - r|$, averaged over the three colours. The [reconstruction](../docs/site/glossary.md#term-reconstruction) of the VAE is such an $r$, if the VAE cannot draw flaws.
#
# **Gradients.** How fast does the KL rise with each pixel, $|\partial\,\mathrm{KL} / \partial x|$? Zimmerer and others (2019) multiply it by the residual.
#
# **Restorations.** The encoder sees the flaw, too, and it spoils $z$. So do not take its answer: *search* for a picture $x'$ that the VAE finds likely, and that differs little from $x$:
#
# $$\min_{x'}\; -\mathrm{ELBO}(x') + \lambda\, T(x' - x), \qquad T(d) = \sum |d| \;\text{ (L1)} \quad\text{or}\quad T(d) = \sum |\nabla d| \;\text{ (total variation, TV)}.$$
#
# The map is $|x - x'|$. The number $\lambda$ says how much a change counts; $\nabla d$ are the differences of neighbouring pixels. Without the second term, $x'$ may become another picture altogether. A square, $\sum d^2$, would punish one large change more than many small ones; the L1 norm does not. (For $-\mathrm{ELBO}(x')$ we take $z$ at the mean of $q$. With TV: You and others, 2019, and Chen and others, 2020. With L1: Dehaene and others, 2020, whose energy has the reconstruction term alone, without the KL.)
#
# **Rivals.** Where does the VAE matter? A *plain autoencoder* has the same two networks, without draw and KL. A *[denoising autoencoder](../docs/site/glossary.md#term-denoising-autoencoder)* has them, too, and learns to take coarse noise off its input (Kascenas and others, 2022, who use a U-Net with skip connections; ours has the VAE's networks, so that only the objective differs). Both can give residuals. An autoencoder can also restore: take its squared error in place of −ELBO. All three networks had 12,000 steps on the same pictures.
#
# Each map has one **setting** with three values:
#
# | map | $r$ or $x'$ | setting | values |
# |---|---|---|---|
# | median filter | the median of a window around each pixel | side of the window | 3, 5, 7 |
# | PCA | what the principal components keep: the directions in which usual pictures vary most | how many | 32, 128, 512 |
# | denoising, autoencoder, VAE: residual | the network's answer, given to it again and again | how often | 1, 2, 4 |
# | VAE: gradient | – | power of the residual that multiplies it | 0, 1, 2 |
# | VAE or autoencoder: restored | $x'$ after a search of 30 steps | $\lambda$ | 10, 30, 100 |
#
# > **Predict first.** Order six maps: median filter, PCA, and the residuals of denoising, plain autoencoder and VAE, and the L1 restoration of the VAE. For which of the three flaws is the median filter hard to beat? Does the KL help: is the VAE ahead of the plain autoencoder?

# %% [markdown]
# The maps that ask no VAE come first.


# %%
def mean_abs(difference):
    return np.abs(difference).mean(axis=-1)  # (N, H, W, 3) → (N, H, W)


def median_map(x, window):
    return mean_abs(x - ndimage.median_filter(x, (1, window, window, 1)))


def pca_map(x, components):
    pca = PCA(min(components, len(train) - 1), random_state=seed)
    pca.fit(train.reshape(len(train), -1))
    r = pca.inverse_transform(pca.transform(x.reshape(len(x), -1)))
    return mean_abs(x - r.reshape(x.shape))


def redrawn_map(model):
    """The residual after a model has redrawn the picture so many times."""

    def map_of(x, passes):
        r = x
        for _ in range(passes):
            r = model.predict(r.clip(0, 1), batch_size=100, verbose=0)
        return mean_abs(x - r)

    return map_of


# %% [markdown]
# And the restorations and the gradient. `minimise` is Adam on an array in place of weights.


# %%
def minimise(objective, start, count):
    """Adam on one array; the objective is a sum over pictures, so each goes its own way."""
    variable = keras.Variable(start)
    adam = keras.optimizers.Adam(0.02)
    adam.build([variable])
    for _ in range(count):
        _, gradients = backend.value_and_grad(
            lambda: objective(ops.convert_to_tensor(variable)), [variable]
        )
        adam.apply_gradients(zip(gradients, [variable]))
    return ops.convert_to_numpy(variable)


def energy(model, x, with_kl):
    """−ELBO, summed over pictures, with z at the mean of q and without constants."""
    mean, log_variance = model.encode(x)
    nats = ops.sum(ops.square(x - model.decode(mean))) / (2 * SIGMA**2)
    if with_kl:
        nats += ops.sum(losses.gaussian_kl(mean, log_variance))
    return nats


def l1(d):
    return ops.sum(ops.abs(d))


def total_variation(d):
    return l1(d[:, 1:] - d[:, :-1]) + l1(d[:, :, 1:] - d[:, :, :-1])


def objective_of(model, x, penalty, weight, with_kl):
    """What the search makes small: a function of x′, summed over pictures."""
    return lambda y: energy(model, y, with_kl) + weight * penalty(y - x)


def restored_map(model, penalty, with_kl=True):
    def map_of(x, weight):
        objective = objective_of(model, x, penalty, weight, with_kl)
        return mean_abs(x - minimise(objective, x, iterations))

    return map_of


# %%
def gradient_map(vae):
    """The gradient of the KL, times the residual to some power (0 leaves it out)."""

    def map_of(x, power):
        picture = keras.Variable(x)

        def kl():
            return ops.sum(losses.gaussian_kl(*vae.encode(ops.convert_to_tensor(picture))))

        _, (gradient,) = backend.value_and_grad(kl, [picture])
        residual = redrawn_map(vae)(x, 1)
        return mean_abs(ops.convert_to_numpy(gradient)) * residual**power

    return map_of


# %% [markdown]
# ## The same chances for all
#
# Each map is also smoothed by a Gaussian of four widths: with the three values of its setting, **twelve candidates each**. The best is chosen on *other* pictures, with flaws drawn by another seed. (They are flaws of the same three kinds, by the same program, with masks. For another kind the chosen settings may be worse.)
#
# The score is **AP**, average precision. Mark the pixels above some threshold: *precision* is the share of odd ones among the marked, *recall* the share of the odd ones that are marked. AP is the mean precision over all recalls. Random numbers have the share of odd pixels. (Many papers add the AUPRO, in which small flaws count as much as large ones: `metrics.aupro`.)
#
# AP is no mean over pictures. So intervals come from the jackknife, as in notebook `08` (Efron and Tibshirani, 1993): it gives each picture a number, and their mean is nearly the AP.

# %%
WIDTHS = (0, 0.5, 1, 2)  # of the Gaussian, in pixels; 0 does not smooth
tuning_bad, tuning_masks, _ = damage.damage(to_tune, seed + 1)
x_tune = data.to_float(tuning_bad)


def smooth(maps, width):
    return ndimage.gaussian_filter(maps, (0, width, width))


def try_all(map_of, settings):
    """The AP of each setting and width on the pictures for choosing."""
    found = {}
    for setting in settings:
        maps = map_of(x_tune, setting)  # (N, H, W)
        for width in WIDTHS:
            smoothed = smooth(maps, width).ravel()
            found[setting, width] = average_precision_score(tuning_masks.ravel(), smoothed)
    return found


# %%
rivals, notes = {}, {"VAE": note}
for kind in NOISE:
    if use_kept:
        rivals[kind], notes[kind] = kept_one(f"{kind}-4x4x8")
    else:
        rivals[kind] = train_one(kind)

passes, lambdas = (1, 2, 4), (10, 30, 100)
plain = rivals["autoencoder"]
methods = {  # name: (map, values of its setting)
    "median filter": (median_map, (3, 5, 7)),
    "PCA": (pca_map, (32, 128, 512)),
    "denoising: residual": (redrawn_map(rivals["denoising"]), passes),
    "autoencoder: residual": (redrawn_map(plain), passes),
    "autoencoder: restored, L1": (restored_map(plain, l1, with_kl=False), lambdas),
    f"VAE, {steps} steps: residual": (redrawn_map(short_vae), passes),
    "VAE: residual": (redrawn_map(vae), passes),
    "VAE: gradient": (gradient_map(vae), (0, 1, 2)),
    "VAE: restored, L1": (restored_map(vae, l1), lambdas),
    "VAE: restored, TV": (restored_map(vae, total_variation), lambdas),
}
maps, tried, chosen = {}, {}, {}
for name, (map_of, settings) in methods.items():
    tried[name] = try_all(map_of, settings)
    setting, width = chosen[name] = max(tried[name], key=tried[name].get)
    maps[name] = smooth(map_of(x_odd, setting), width)
    print(f"{name:<25} setting {setting}, width {width}")
for power in (0, 1, 2):
    best = max(tried["VAE: gradient"][power, width] for width in WIDTHS)
    print(f"gradient times residual to the power {power}: AP {best:.2f} where it chooses")

# %%
maps["random numbers"] = np.random.default_rng(seed).random(x_odd.shape[:3])
scores = {}  # AP of each picture, (N,)
panels = {}
if masks is not None:
    for name, one in maps.items():
        scores[name] = metrics.average_precision_by_image(one, masks)
    panels["AP, all flaws"] = scores
    if dataset == "shapes":
        for k, kind in enumerate(damage.KINDS):
            here = kinds == k
            panels[kind] = {
                name: metrics.average_precision_by_image(one[here], masks[here])
                for name, one in maps.items()
            }
    rows = {
        title: {name: metrics.confidence_interval(values) for name, values in found.items()}
        for title, found in panels.items()
    }
    fig = plots.interval_panels(rows, limits=(0, 1.1))
    alt = "Bars with intervals."
    plots.show(fig, alt=alt)

# %% tags=["picture"]
shown = ["median filter", "denoising: residual", "autoencoder: residual", "VAE: residual"]
shown.append("VAE: restored, L1")
rows = {"picture": x_odd[:9]}
if masks is not None:
    rows["odd pixels"] = 1.0 - masks[:9]
for name in shown:
    rows[name] = 1 - (maps[name][:9] / np.quantile(maps[name], 0.995)).clip(0, 1)
fig = plots.image_grid(list(rows.values()), row_labels=list(rows))
alt = "Nine damaged pictures, their flaws in black, and four maps, dark where strange. The median filter has broad dark spots, at flaws and at corners. Short denoising draws outlines and whole objects. The residual of the VAE is dark at most flaws and grey at outlines; the restoration with L1 is alike, with a lighter ground. A faint drop beside a disc is seen by the restoration only."
plots.show(fig, alt=alt)

# %%
CONTRASTS = [  # the first three were named before anything was measured
    ("VAE: residual", "denoising: residual"),
    ("VAE: residual", "autoencoder: residual"),
    ("VAE: restored, L1", "autoencoder: restored, L1"),
    ("VAE: restored, L1", "VAE: restored, TV"),
    ("VAE: restored, L1", "VAE: residual"),
    ("VAE: restored, L1", "median filter"),
]
leads = {}
for one, other in CONTRASTS:
    if scores:
        lead, half = metrics.confidence_interval(scores[one] - scores[other])
        leads[f"{key_of(one)}_over_{key_of(other)}"] = lead, half
        print(f"{one} − {other}: AP {lead:+.2f} ± {half:.2f}")

# %% [markdown]
# TEXTMAPS
#
# ## Did the search end?
#
# Thirty steps are few. The next cell looks at the L1 restoration after 30 steps and after ten times as many, on the pictures for choosing.

# %%
weight, width = chosen["VAE: restored, L1"]
objective = objective_of(vae, x_tune, l1, weight, with_kl=True)
search = {}  # steps: mean objective in nats, and AP
for count in (0, iterations, 10 * iterations):
    restored = minimise(objective, x_tune, count)
    value = float(objective(ops.convert_to_tensor(restored))) / len(x_tune)
    smoothed = smooth(mean_abs(x_tune - restored), width)
    ap = average_precision_score(tuning_masks.ravel(), smoothed.ravel())
    search[count] = value, ap
    print(f"{count:>3} steps: objective {value:7.1f} nats, AP {ap:.2f}")

# %% [markdown]
# TEXTSEARCH
#
# ## Whole pictures again
#
# A picture with a flaw has a large value somewhere in its map. Is the *largest value* of a map a score of whole pictures? And does that need a VAE?

# %%
peaks = {}
for name in ("median filter", "VAE: restored, L1"):
    map_of, _ = methods[name]
    setting, width = chosen[name]
    for kind, x in everything.items():
        peaks[name, kind] = smooth(map_of(x, setting), width).max(axis=(1, 2))
    for kind in strangers:
        found = ood.auroc_interval(peaks[name, "usual"], peaks[name, kind])
        aurocs[kind][f"largest of {name}"] = found
        print(f"largest value, {name:<17} {kind:<8} AUROC {found[0]:.2f} ± {found[1]:.2f}")

# %% [markdown]
# TEXTPEAKS
#
# **Exercise.** 2.5 % of all pixels are odd. At some threshold a map marks 80 % of them, and 5 % of the usual ones. What is its precision?

# %%
your_precision = None  # ← your number
true_precision = 20 / 68.75
shown_precision = "?" if your_precision is None else f"{true_precision:.3f}"
print(f"precision: your value {your_precision}, true value {shown_precision}")
hint = "Of all marked pixels, which share is odd? Count per 1,000 pixels."
assert your_precision is None or abs(your_precision - true_precision) < 0.005, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# Of 1,000 pixels 25 are odd and 20 of them are marked, beside 48.75 usual ones: 20 / 68.75 = 0.291.
#
# </details>
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
results = {f"nats_{name}": values.mean() for name, values in nats.items()}
for name, found in aurocs.items():
    results |= {f"auroc_{name}_{key_of(s)}": pair for s, pair in found.items()}
results["widest"] = max(half for found in aurocs.values() for _, half in found.values())
for name, values in scores.items():
    results[f"{key_of(name)}_ap"] = metrics.confidence_interval(values)
if masks is not None:
    results["floor"] = masks.mean()
if dataset == "shapes":
    gains = terms["usual"].mean(axis=1) - terms["flat"].mean(axis=1)
    results |= {"flat_gain": gains.sum(), "flat_gain_reconstruction": gains[0]}
    shrinks = ood.png_nats(usual).mean() - ood.png_nats(strangers["flat"]).mean()
    results |= {"png_gain": shrinks, "flaw": (added, added_half)}
    results["usual_deviation"] = nats["usual"].std(ddof=1)
    photographs, poses, *sides = shapes.draw.load_textures(shapes.TEXTURES)[0].shape
    crops = photographs * poses * math.prod(side - size + 1 for side in sides)
    results |= {"crops_millions": crops / 1e6, "crop_nats": math.log(crops)}
    pairs = {s: (whole["usual"][s], whole["damaged"][s]) for s in ("−ELBO", "minus PNG")}
    for name in ("median filter", "VAE: restored, L1"):
        pairs[name] = peaks[name, "usual"], peaks[name, "damaged"]
    results["png_lead"] = ood.auroc_difference(pairs["minus PNG"], pairs["−ELBO"])
    results["peak_lead"] = ood.auroc_difference(pairs["VAE: restored, L1"], pairs["median filter"])
    for title, found in panels.items():
        if title in damage.KINDS:
            results |= {f"{key_of(n)}_{title}": metrics.confidence_interval(v) for n, v in found.items()}
    for k, kind in enumerate(damage.KINDS):
        results[f"share_{kind}"] = masks[kinds == k].mean()
        results[f"pixels_{kind}"] = np.median(masks[kinds == k].sum(axis=(1, 2)))
for count, (value, ap) in search.items():
    results[f"search_{count}"] = value, ap
for power in (0, 1, 2):
    results[f"gradient_{power}"] = max(tried["VAE: gradient"][power, width] for width in WIDTHS)
results |= leads
for kind, one in notes.items():
    if one:
        results |= {f"{kind}_steps": one["steps"], f"{kind}_percent": one["trained_enough"]["percent"]}
bands = {"widest": {"default": (0.0, 0.3)}}
line = "flaws found by a restoration: AP {:.2f}, random numbers {:.2f}"
restored_ap, _ = results.get("vae_restored_l1_ap", (math.nan, math.nan))
record(results, bands, line.format(restored_ap, results.get("floor", math.nan)))

# %% [markdown]
# ## What you saw
#
# - **Does a VAE know an image that it has not seen? Not by its −ELBO**: the AUROC was 0.05<!--=auroc_clean_elbo[0]--> for clean and 1.00<!--=auroc_noisy_elbo[0]--> for noisy pictures. Each repair mended some strangers and failed for others.
# - **Does it know a part? Better**: an AP of 0.52<!--=vae_restored_l1_ap[0]--> for a restoration and 0.49<!--=vae_residual_ap[0]--> for the residual, where random numbers have 0.03<!--=floor-->, a median filter 0.28<!--=median_filter_ap[0]--> and PCA 0.11<!--=pca_ap[0]-->.
# - After 200 steps the VAE was behind the median filter. A comparison with denoising needs equal training.
# - All flaws were drawn by one program.
#
# ## Check yourself
#
# 1. A VAE gives a photograph of a grey wall a higher ELBO than any picture that it was trained on. Is the VAE wrong?
#
#    <details><summary>Answer</summary>
#
#    No. A simple picture may be the densest point, and practically never be drawn.
#
#    </details>
# 2. A text reports a pixel AP of 0.30. Is that good?
#
#    <details><summary>Answer</summary>
#
#    That depends on what random numbers and a median filter get.
#
#    </details>
# 3. A VAE with a larger latent reconstructs better. Are its residual maps better?
#
#    <details><summary>Answer</summary>
#
#    Not if it can draw the flaw as well: then the residual is gone.
#
#    </details>
# 4. Somebody chooses the smoothing of each map on the pictures that are reported. Which maps gain by that?
#
#    <details><summary>Answer</summary>
#
#    All seem better than they are, most those with the most settings.
#
#    </details>
# 5. Why does the restoration have a term that ties $x'$ to $x$?
#
#    <details><summary>Answer</summary>
#
#    Without it, the search ends at some picture that the VAE finds likely, whatever $x$ was.
#
#    </details>
#
# ## On your own
#
# 1. **Pictures of your own.** Set `dataset = "folder"` and `path` to a folder with `good/` (pictures without a flaw, the more the better) and `bad/` (pictures to inspect). With `masks/` (for each bad picture a file of the same name, 0 where usual) they are scored. Settings are chosen on good pictures with drawn flaws.
#
#    <details><summary>Where to look</summary>
#
#    Look at the residuals of *good* pictures first: what is bright there will hide flaws.
#
#    </details>
#
# ## References
#
# - Baur, C. and others (2021). Autoencoders for unsupervised anomaly segmentation in brain MR images: A comparative study. *Medical Image Analysis* 69, 101952. [arXiv:2004.03271](https://arxiv.org/abs/2004.03271)
# - Chen, X. and others (2020). Unsupervised lesion detection via image restoration with a normative prior. *Medical Image Analysis* 64, 101713. [arXiv:2005.00031](https://arxiv.org/abs/2005.00031)
# - Dehaene, D. and others (2020). Iterative energy-based projection on a normal data manifold for anomaly localization. ICLR. [arXiv:2002.03734](https://arxiv.org/abs/2002.03734)
# - DeLong, E. R. and others (1988). Comparing the areas under two or more correlated receiver operating characteristic curves. *Biometrics* 44(3), 837–845. [doi:10.2307/2531595](https://doi.org/10.2307/2531595)
# - Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall. [doi:10.1007/978-1-4899-4541-9](https://doi.org/10.1007/978-1-4899-4541-9)
# - Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic (ROC) curve. *Radiology* 143(1), 29–36. [doi:10.1148/radiology.143.1.7063747](https://doi.org/10.1148/radiology.143.1.7063747)
# - Kascenas, A. and others (2022). Denoising Autoencoders for Unsupervised Anomaly Detection in Brain MRI. MIDL. <https://proceedings.mlr.press/v172/kascenas22a.html>
# - Nalisnick, E. and others (2019a). Do Deep Generative Models Know What They Don't Know? ICLR. [arXiv:1810.09136](https://arxiv.org/abs/1810.09136)
# - Nalisnick, E. and others (2019b). Detecting Out-of-Distribution Inputs to Deep Generative Models Using Typicality. [arXiv:1906.02994](https://arxiv.org/abs/1906.02994)
# - Serrà, J. and others (2020). Input complexity and out-of-distribution detection with likelihood-based generative models. ICLR. [arXiv:1909.11480](https://arxiv.org/abs/1909.11480)
# - Xiao, Z. and others (2020). Likelihood Regret: An Out-of-Distribution Detection Score For Variational Auto-encoder. NeurIPS. [arXiv:2003.02977](https://arxiv.org/abs/2003.02977)
# - You, S. and others (2019). Unsupervised lesion detection via image restoration with a normative prior. MIDL, PMLR 102, 540–556. <https://proceedings.mlr.press/v102/you19a.html>
# - Zhang, L. H., Goldstein, M. and Ranganath, R. (2021). Understanding Failures in Out-of-Distribution Detection with Deep Generative Models. ICML. [arXiv:2107.06908](https://arxiv.org/abs/2107.06908)
# - Zimmerer, D. and others (2019). Unsupervised Anomaly Localization using Variational Auto-Encoders. MICCAI. [arXiv:1907.02796](https://arxiv.org/abs/1907.02796)
